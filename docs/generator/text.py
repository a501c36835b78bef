"""Docstrings, signatures and tables as Markdown."""

import re
from collections.abc import Iterable, Sequence
from inspect import cleandoc

ITEM = re.compile(r"([\w.`-]+(?:, [\w.`-]+)*) {2,}(\S.*)")  # `name  description`, the list of fields in docstrings


def prose(docstring: str, folder: str = "") -> str:
    """Return a docstring as Markdown: lists of fields become lists, indented text becomes a code block.

    `folder` is the path from the page to docs/, for links to other pages.
    """
    text = re.sub(r"(\n    .*)\n\n(?=    )", r"\1\n    \n", cleandoc(docstring))  # one code block per example
    chunks = [_chunk(chunk.splitlines()) for chunk in re.split(r"\n(?:[ ]{0,3}\n)+", text)]
    return re.sub(r"`?docs/(\w+)\.md`?", rf"[\1.md]({folder}\1.md)", "\n\n".join(chunks))


def _chunk(lines: list[str]) -> str:
    if all(line.startswith("    ") for line in lines):
        example = "\n".join(line[4:] for line in lines)
        if "=" in example or "import " in example:
            return code(re.sub(r"\n\n(?=@|def |class )", "\n\n\n", example))  # two blank lines, as ruff formats
        return code(example, "text")
    if lines[0].startswith("- "):
        return escaped("\n".join(lines))
    if ITEM.fullmatch(lines[0]):
        return "\n".join(_items(lines))
    return escaped("\n".join(lines))


def _items(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if found := ITEM.fullmatch(line):
            yield f"- `{found[1]}`: {escaped(found[2])}"
        else:
            yield f"  {escaped(line.strip())}"


def escaped(text: str) -> str:
    """Return text with the special characters of Markdown escaped, except in `code`."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*<\[|])", r"\\\1", part) for part in parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def code(text: str, language: str = "python") -> str:
    return f"```{language}\n{text}\n```"


def page(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
