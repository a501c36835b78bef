"""The failures of a bench: a line for all cells that failed for the same reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from zoo.store.run import Run, RunStatus
from zoo.wording import count_text

MOST = 3  # values of an axis in a line
AXES = ("reference", "block", "data", "loss", "dataset", "protocol", "scale", "seed", "fold")
WORDS = {RunStatus.TIMEOUT: "timed out", RunStatus.INTERRUPTED: "were interrupted"}


def failure_lines(runs: Sequence[Run]) -> list[str]:
    """Return `smote: 18 cells failed: REASON` for each reason: the cells by what only they have."""
    reasons: dict[tuple[RunStatus, str], list[Run]] = defaultdict(list)
    for run in runs:
        if run.status != RunStatus.DONE:
            reasons[run.status, run.error].append(run)
    lines = []
    for (status, reason), failed in reasons.items():
        number = count_text(len(failed), "cell")
        lines.append(f"{_in_common(failed, runs)}{number} {WORDS.get(status, str(status))}: {reason}")
    return lines


def _in_common(failed: Sequence[Run], runs: Sequence[Run]) -> str:
    """Return the values by which these cells differ from all others, as far as possible: `fcn smote: `."""
    chosen = {axis: _values(failed, axis) for axis in AXES}
    chosen = {axis: values for axis, values in chosen.items() if values != _values(runs, axis) and len(values) <= MOST}
    for axis in [axis for axis in chosen if axis not in ("reference", "data")]:
        rest = {name: values for name, values in chosen.items() if name != axis}
        if _number(runs, rest) == _number(runs, chosen):
            chosen = rest
    words = [(f"{axis} " if axis in ("seed", "fold") else "") + ", ".join(values) for axis, values in chosen.items()]
    return f"{' '.join(words)}: " if words else ""


def _values(runs: Sequence[Run], axis: str) -> list[str]:
    return sorted({str(getattr(run, axis)) for run in runs} - {""})


def _number(runs: Sequence[Run], chosen: Mapping[str, Sequence[str]]) -> int:
    """Return how many runs have one of the chosen values on each axis."""
    return sum(all(str(getattr(run, axis)) in values for axis, values in chosen.items()) for run in runs)
