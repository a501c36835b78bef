"""The protocol stamp of a board: how its numbers were made, in a few words for each fact."""

from collections.abc import Iterable, Sequence

from zoo.data.groups import plural
from zoo.records import SplitSummary
from zoo.reporting.records import Stamp
from zoo.store.leaderboard import Board
from zoo.store.run import Run
from zoo.wording import count_text

SETS = {"train": "training", "validation": "validation", "test": "test"}


def stamp_of(board: Board) -> Stamp:
    """Return the stamp of a board, from the records of all its runs."""
    runs = [run for found in _by_configuration(board) for run in found]
    parts, some = _fullest(runs), board.some_run
    return Stamp(
        split=_split(board, parts),
        shared=_shared(parts),
        rows=_rows(runs, some),
        seeds=_range([len(each.runs) for each in board.standings], "seed"),
        steps=_steps(runs),
        scale=f"scale {', '.join(dict.fromkeys(run.scale for run in runs))}",
        reuse=f"test set used by {count_text(board.configurations_scored, 'configuration')}",
        data="simulated data" if some.synthetic else "real data",
        test=f"test set {board.test[:8]}",
    )


def _by_configuration(board: Board) -> list[tuple[Run, ...]]:
    return [each.runs for each in board.standings] + [each.runs for each in board.unscored]


def _fullest(runs: Sequence[Run]) -> SplitSummary:
    """Return the summary of the run with the most training rows, which shares the most groups and rows."""
    return max((run.parts for run in runs), key=lambda parts: parts.rows.get("train", 0))


def _split(board: Board, parts: SplitSummary) -> str:
    noun = parts.groups_by
    apart = f", split by {noun}" if parts.by_group and noun else ", split by row" if not noun else ""
    return f"{board.protocol_text}{apart}"


def _shared(parts: SplitSummary) -> str:
    """Return which groups and rows are both in the training set and in the test set."""
    rows = parts.shared_rows.get("train/test")
    found = [f"{count_text(rows, 'equal row')} in training and test set"] if rows else []
    if parts.groups_by is None:
        found.append("patients unknown")
    elif parts.shared_groups is not None:
        number = len(parts.shared_groups.get("train/test", ()))
        noun = plural(parts.groups_by)
        found.append(f"{number} {noun} in training and test set" if number else f"no shared {noun}")
    return ", ".join(found)


def _rows(runs: Iterable[Run], some: Run) -> str:
    found = []
    for name, words in SETS.items():
        if numbers := sorted({run.parts.rows[name] for run in runs if name in run.parts.rows}):
            found.append(f"{_from_to(numbers)} {words}")
    groups = some.scores.resampled
    over = f" of {groups} {plural(some.parts.groups_by)}" if some.parts.groups_by and groups.isdigit() else ""
    return f"rows: {', '.join(found)}{over}" if found else ""


def _steps(runs: Iterable[Run]) -> str:
    known = sorted({run.steps for run in runs if run.steps})
    return f"{_from_to(known)} gradient steps" if known else "no gradient steps"


def _range(numbers: Sequence[int], noun: str) -> str:
    ordered = sorted(set(numbers))
    if len(ordered) == 1:
        return count_text(ordered[0], noun)
    return f"{_from_to(ordered)} {noun}s" if ordered else f"no {noun}s"


def _from_to(numbers: Sequence[int]) -> str:
    low, high = f"{numbers[0]:,}", f"{numbers[-1]:,}"
    return low if low == high else f"{low} to {high}"
