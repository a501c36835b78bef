"""Answers of a verification as a table, with lines with their meaning, as tab-separated lines, and in Markdown."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from zoo.cli.views.hypotheses import duration_text
from zoo.cli.views.table import Column, Row, Say, emit, number, print_json, print_tsv, say
from zoo.scores import score_words
from zoo.visible import visible
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.verification.result import Verifications, Verified

COLUMNS = (
    Column("reference", "name", wraps=True),
    Column("data set", "dataset"),
    Column("metric", "metric", optional=True, drop=3),
    Column("published", "published", number(4), numeric=True),
    Column("band", "band", numeric=True, drop=2),
    Column("measured", "measured", number(4), numeric=True),
    Column("seeds", "seeds", numeric=True, drop=4),
    Column("answer", "answer"),
    Column("why", "reason", optional=True, wraps=True, drop=1),
)


def show_verifications(
    note: Say, found: "Verifications", *, trained: bool, as_json: bool = False, markdown: bool = False
) -> None:
    """Show all answers; notes go to the error stream. `trained` is whether missing runs were to be trained."""
    for text in dict.fromkeys((*found.notes, *(text for each in found.answers for text in _noted(each)))):
        note(f"note: {text}")
    if as_json:
        print_json(found.to_json())
    elif markdown:
        sys.stdout.write("".join(f"{line}\n" for line in markdown_lines(found, trained=trained)))
    elif not sys.stdout.isatty():
        rows = found.records()
        print_tsv([Column(key, key) for key in dict.fromkeys(key for row in rows for key in row)], rows)
    else:
        emit(COLUMNS, _rows(found), title=("", "published results at their protocol: mean of seeds"))
        for line in lines_of(found, trained=trained):
            say(line)


def lines_of(found: "Verifications", *, trained: bool) -> Iterator[str]:
    """Yield the answers in numbers, what is missing, and where there were fewer seeds than published runs."""
    yield _counts(found)
    if few := {
        each.name: each for each in found.answers if each.seeds and len(each.seeds) < (each.published_runs or 0)
    }:
        listed = ", ".join(f"{name} ({len(each.seeds)} of {each.published_runs})" for name, each in few.items())
        yield f"fewer seeds than the published mean averages: {listed}"
    if found.missing:
        way = "the same command trains them" if trained else "without --no-run they are trained"
        yield f"not run: {count_text(found.missing, 'run')}, {_time(found)}; {way}"


def markdown_lines(found: "Verifications", *, trained: bool) -> Iterator[str]:
    """Yield a table in Markdown with a row for each answer, and the answers in numbers."""
    yield "| reference | data set | metric | published | band | measured | seeds | answer | |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row, each in zip(_rows(found), found.answers, strict=True):
        texts = [row["name"], row["dataset"], score_words(each.metric), f"{each.published:.4f}", row["band"]]
        texts += [number(4)(each.measured), row["seeds"], row["answer"], row["reason"]]
        yield f"| {' | '.join(map(_cell, texts))} |"
    yield ""
    for line in lines_of(found, trained=trained):
        yield f"{line}."


def _rows(found: "Verifications") -> list[Row]:
    several = len({each.metric for each in found.answers}) > 1
    return [_row(each) | {"metric": score_words(each.metric) if several else ""} for each in found.answers]


def _row(each: "Verified") -> Row:
    asked = f" of {each.seeds_wanted}" if len(each.seeds) < each.seeds_wanted else ""
    reason = each.reason
    if each.missing and each.seconds is not None:
        reason = f"{reason}, about {duration_text(each.seconds)}"
    return {
        "name": each.name,
        "dataset": each.dataset,
        "published": each.published,
        "band": f"{each.low:.4f} to {each.high:.4f}",
        "measured": each.measured,
        "seeds": f"{len(each.seeds)}{asked}",
        "answer": str(each.answer),
        "reason": reason,
    }


def _counts(found: "Verifications") -> str:
    counts = ", ".join(f"{amount} {answer}" for answer, amount in found.counts.items())
    return f"{count_text(len(found.answers), 'reference')}: {counts}"


def _time(found: "Verifications") -> str:
    """Return the time of the missing runs in words."""
    known = "" if found.seconds is None else f"about {duration_text(found.seconds)} of training"
    if not found.unknown:
        return known
    rest = f"{found.unknown} of them of unknown time"
    return f"{known}, and {rest}" if known else rest if found.unknown < found.missing else "of unknown time"


def _noted(each: "Verified") -> list[str]:
    return [f"{each.name}: {text}" for text in each.notes]


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|")
