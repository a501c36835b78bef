"""What the stored numbers of a run tell about how much its score is worth."""

from collections.abc import Iterator
from math import sqrt

from zoo.records import Scores, SplitSummary
from zoo.store.run import Run, RunStatus
from zoo.wording import count_text

FEW_ROWS = 10  # of a class in the validation set
FEW_STEPS = 300


def hints_of(run: Run) -> tuple[str, ...]:
    """Return what a reader of the score should know, in sentences: none for a run that is not done."""
    return tuple(_hints(run)) if run.status == RunStatus.DONE else ()


def _hints(run: Run) -> Iterator[str]:
    if predicted := _only_class(run.scores, run.parts):
        yield f"only class {predicted} is predicted"
    if not run.steps:
        return  # a fitted network, or a run of an earlier version
    if run.steps < FEW_STEPS:
        yield f"{count_text(run.steps, 'gradient step')} in all: with so few, more epochs can change the order"
    if run.epochs > 1:
        yield from _on_choice(run)


def _only_class(scores: Scores, parts: SplitSummary) -> str:
    predicted = [sum(column) for column in zip(*scores.confusion, strict=True)]
    names = [name for name, count in zip(parts.classes, predicted, strict=False) if count]
    return names[0] if len(names) == 1 and len(predicted) > 1 else ""


def _on_choice(run: Run) -> Iterator[str]:
    """Yield what is known of the choice of the epoch: how precise the validation set is, and whether it is the last."""
    counts = dict(zip(run.parts.classes, run.parts.class_counts.get("validation", ()), strict=False))
    there = {name: count for name, count in counts.items() if count}
    if there and min(there.values()) < FEW_ROWS:
        rarest = min(there, key=lambda name: there[name])
        # the standard error of a mean of recalls, each at most 1/2 from its expectation
        spread = 1.96 * sqrt(sum(0.25 / count for count in there.values())) / len(there)
        yield (
            f"validation has {count_text(sum(there.values()), 'row')}, {there[rarest]} of class {rarest}: its macro "
            f"recall, which chooses the epoch, is precise to ±{spread:.2f}"
        )
    if run.best_epoch == run.epochs:
        yield f"the best epoch is the last of {run.epochs}: more epochs can raise the score"
