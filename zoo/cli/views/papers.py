"""Tables for documents and papers: Markdown, and LaTeX with the package booktabs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo.cli.views.table import Column, Row, text_of
from zoo.visible import visible

SCORE = "score"  # the column whose best value is bold, or marked with a star where it is one of several
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&]|:(?=[\w+-]+:))")  # GitHub draws a picture for :smile:
_LIGATURE = re.compile(r"(?<=([-`',]))(?=\1)|(?<=[?!])(?=`)")  # between the signs of a dash, of a quote, and of ¿ and ¡
_BEGINNING = re.compile(r"^(?=[\[*])")  # of a row: after the \\ of the row above, these signs would be its arguments
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "\u2212": "$-$",  # a minus
    "…": r"\ldots{}",
    **{sign: f"\\{sign}" for sign in "{}$&#_%"},
}


@dataclass(frozen=True)
class Paper:
    """A table with its title and the lines below it. `best` is the row with the best score, `tied` rows tied for it."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str]
    best: int | None = None
    tied: tuple[int, ...] = ()

    def cells(self, written: Callable[[str], str], bold: str) -> list[list[str]]:
        """Return the cells of each row as `written` writes them; `bold` has `{}` for the best score."""
        found = [[written(text_of(column, row)) for column in self.columns] for row in self.rows]
        place = [column.key for column in self.columns].index(SCORE)
        if self.best is not None:
            found[self.best][place] = bold.format(found[self.best][place])
        for number in self.tied:
            found[number][place] += written("*")
        return found


def markdown(paper: Paper) -> str:
    """Return a table of GitHub's Markdown, with its title before it and its notes after it."""
    title, notes = f"**{_markdown(paper.title)}**", "\n".join(f"- {_markdown(note)}" for note in paper.notes)
    if not paper.rows:
        return f"{title}\n\n{notes}\n"
    heading = [_markdown(column.title) for column in paper.columns]
    rule = ["--:" if column.numeric else ":--" for column in paper.columns]
    lines = [f"| {' | '.join(cells)} |" for cells in (heading, rule, *paper.cells(_markdown, "**{}**"))]
    return "\n".join([title, "", *lines, "", notes, ""])


def latex(paper: Paper) -> str:
    """Return a table of LaTeX, with the title as its caption; only comments if it has no rows."""
    if not paper.rows:
        return "".join(f"% {visible(text)}\n" for text in (paper.title, *paper.notes))
    heading = " & ".join(_latex(column.title) for column in paper.columns)
    notes = [rf"{{\footnotesize {_latex(note)}\par}}" for note in paper.notes]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(paper.title)}}}",
        rf"\begin{{tabular}}{{{''.join('r' if column.numeric else 'l' for column in paper.columns)}}}",
        r"\toprule",
        rf"{heading} \\",
        r"\midrule",
        *(rf"{_BEGINNING.sub('{}', ' & '.join(cells))} \\" for cells in paper.cells(_latex, r"\textbf{{{}}}")),
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        *notes,
        r"\end{table}",
    ]
    text = "\n".join(lines) + "\n"
    foreign = any(ord(sign) > LATIN for sign in text)
    return "% signs that are not Latin letters need XeLaTeX or LuaLaTeX\n" * foreign + text


LATIN = 0x17F  # the last letter of Latin Extended-A, whose letters pdfLaTeX knows


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", visible(text))


def _latex(text: str) -> str:
    """Return the text with commands for the signs that LaTeX reads as its own; a sign of a number is a minus.

    Empty groups separate signs of which LaTeX would make one, such as a dash of two hyphens.
    """
    escaped = "".join(_LATEX.get(sign, sign) for sign in visible(text))
    return _LIGATURE.sub("{}", re.sub(r"(?<![\w-])-(?=\d)", "$-$", escaped))
