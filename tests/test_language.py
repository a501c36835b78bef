"""Words that make a sentence hard to read stay out of pages, docstrings and messages: see the style in CONTRIBUTING."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [*sorted((ROOT / "zoo").rglob("*.py")), *sorted((ROOT / "plugins").rglob("*.py"))]
# Each with the plain word for it.
PATTERNS = {
    r"\bgo(?:es|ing)? on\b": "resume, continue",
    r"\bserved?\b(?!  )": "reuse",  # two spaces: a field of that name
    r"\bgives?\b(?! the reason)": "return, yield, provide",
    r"\btold\b": "receive, report",
    r"\bheard?\b": "receive",
    r"\bsays?\b|\bsaid\b": "report, print, state",
    r"\b(?:is|are) to be\b": "must be, will be",
    r"\bof no plugin": "unregistered",
    r"\bas it (?:is|was|stands)\b": "unchanged",
    r"\bwhat there is\b": "available",
    r"\bat hand\b": "available, loaded",
    r"\bwhat (?:is|was|are) (?:in|of|there|to|not)\b": "a noun",
    r"\bis where\b|\bthat is where\b": "an if clause, or a noun",
    r"\bso many\b": "the number",
    r"\bis asked\b": "request",
    r"\b(?:test|training|validation) parts?\b": "test set, training set, validation set",
    r"\blooks? at the test set\b": "every extra configuration reuses the test set",
    r"\bwhoever\b|\bwhichever\b": "name it",
}


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Each text of the pages and modules, after its place; read once for all patterns."""
    return tuple(text for path in (*PAGES, *MODULES) for text in sentences(path))


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """Where a text of a file is, and the text: all of a page but code, of a module what is between quotes."""
    if path.suffix == ".md":
        text = re.sub(r"```.*?```", lambda block: "\n" * block[0].count("\n"), path.read_text(), flags=re.DOTALL)
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", re.sub(r"`[^`]*`", "", line)
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield f"{path.relative_to(ROOT)}:{node.lineno}", re.sub(r"`[^`]*`", "", node.value)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_plain_words_are_used(pattern: str) -> None:
    if not PAGES[0].is_file():
        pytest.skip("no pages beside the tests: not run from a checkout")
    found = [
        f"{place}: {match[0]!r}, not {PATTERNS[pattern]!r}"
        for place, text in texts()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]
    assert found == []
