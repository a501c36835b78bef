"""Answers to hypotheses as a table, with lines with their meaning, as tab-separated lines, and in Markdown."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.cli.views.configurations import p_text
from zoo.cli.views.table import Column, Row, Say, emit, print_json, print_tsv, say
from zoo.cli.views.verdict import difference_text
from zoo.records import Interval
from zoo.visible import visible
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.claims.result import Finding, Hypotheses, HypothesisAnswer

COLUMNS = (
    Column("id", "hypothesis"),
    Column("claim", "claim", wraps=True),
    Column("data set", "dataset", drop=3),
    Column("seeds", "seeds", numeric=True, drop=2),
    Column("difference", "difference", numeric=True),
    Column("p", "p", numeric=True, drop=4),
    Column("answer", "answer"),
    Column("why", "reason", optional=True, wraps=True, drop=1),
)


def show_hypotheses(
    note: Say, found: "Hypotheses", *, trained: bool, as_json: bool = False, markdown: bool = False
) -> None:
    """Show all answers; notes go to the error stream. `trained` is whether missing runs were to be trained."""
    for text in dict.fromkeys((*found.notes, *(_noted(each) for each in _with_notes(found)))):
        note(f"note: {text}")
    if as_json:
        print_json(found.to_json())
    elif markdown:
        sys.stdout.write("".join(f"{line}\n" for line in markdown_lines(found)))
    elif not sys.stdout.isatty():
        rows = found.records()
        print_tsv([Column(key, key) for key in dict.fromkeys(key for row in rows for key in row)], rows)
    else:
        emit(COLUMNS, [_row(each) for each in found.findings], title=("", f"{found.file}: test set, 95 % intervals"))
        for line in lines_of(found, trained=trained):
            say(line)


def lines_of(found: "Hypotheses", *, trained: bool) -> Iterator[str]:
    """Yield the answers in numbers, the meaning of the columns, and what is missing."""
    yield _counts(found)
    for each in found.answers:
        if len(each.findings) > 1:
            yield f"{each.id}: {each.answer}: {each.text}"
    if any(each.difference.low is not None for each in found.findings):
        yield "difference: first minus second group (a ratio with the sign x), with its 95 % interval"
    yield from _missing_lines(found, trained=trained)


def markdown_lines(found: "Hypotheses") -> Iterator[str]:
    """Yield a table in Markdown with a row for each finding, and the answers in numbers."""
    yield "| hypothesis | claim | data set | seeds | difference | answer | |"
    yield "|---|---|---|---|---|---|---|"
    for each in found.answers:
        if len(each.findings) > 1:
            yield f"| **{_cell(each.id)}** | {_cell(each.text)} | | | | **{each.answer}** | |"
        for finding in each.findings:
            row, bold = _row(finding), "**" if len(each.findings) == 1 else ""
            texts = [str(row[key]) for key in ("hypothesis", "claim", "dataset", "seeds", "difference")]
            cells = [*map(_cell, texts), f"{bold}{finding.answer}{bold}", _cell(finding.reason)]
            yield f"| {' | '.join(cells)} |"
    yield ""
    yield f"{_counts(found)}."


def _row(finding: "Finding") -> Row:
    asked = f" of {finding.seeds_wanted}" if len(finding.seeds) < finding.seeds_wanted else ""
    return {
        "hypothesis": finding.hypothesis,
        "claim": finding.claim,
        "dataset": finding.dataset + (f", {finding.protocol}" if finding.protocol else ""),
        "seeds": f"{len(finding.seeds)}{asked}",
        "difference": _difference(finding),
        "p": p_text(finding.p),
        "answer": str(finding.answer),
        "reason": finding.reason,
    }


def _difference(finding: "Finding") -> str:
    """Return the difference with its interval: +0.067 (+0.041 to +0.090), or as a ratio x1.31 (1.22 to 1.40)."""
    interval = finding.difference
    if interval.value is None:
        return "-"
    if finding.kind == "reproducible":
        return f"{interval.value:.1%} of rows"
    if finding.ratio:
        ends = "" if interval.low is None or interval.high is None else f" ({interval.low:.2f} to {interval.high:.2f})"
        return f"x{interval.value:.2f}{ends}"
    if abs(interval.value) >= 10:
        ends = (
            "" if interval.low is None or interval.high is None else f" ({interval.low:+,.0f} to {interval.high:+,.0f})"
        )
        return f"{interval.value:+,.0f}{ends}"
    return difference_text(Interval(interval.value, interval.low, interval.high))


def _counts(found: "Hypotheses") -> str:
    counts = ", ".join(f"{number} {answer}" for answer, number in found.counts.items())
    total = len(found.answers)
    return f"{total} {'hypothesis' if total == 1 else 'hypotheses'}: {counts}"


def _missing_lines(found: "Hypotheses", *, trained: bool) -> Iterator[str]:
    missing = [each for each in found.findings if each.missing and not each.left_out]
    if not found.missing:
        return
    runs, time = found.missing, duration_text(found.seconds)
    ids = ", ".join(dict.fromkeys(each.hypothesis for each in missing))
    if trained:
        yield f"not run: {count_text(runs, 'run')} of {ids}, about {time} of training. The same command trains them"
    else:
        yield f"missing: {count_text(runs, 'run')} of {ids}, about {time} of training: --run trains them"


def duration_text(seconds: float) -> str:
    """Return a duration with one unit: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def _with_notes(found: "Hypotheses") -> Iterator[tuple["HypothesisAnswer", "Finding", str]]:
    for each in found.answers:
        for finding in each.findings:
            for text in finding.notes:
                yield each, finding, text


def _noted(given: tuple["HypothesisAnswer", "Finding", str]) -> str:
    return f"{given[1].hypothesis}: {given[2]}"


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|")
