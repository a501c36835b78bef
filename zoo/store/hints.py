"""What the stored numbers of a run tell about how much its score is worth."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from zoo.records import JsonObject, Scores, SplitSummary
from zoo.settings import BEST
from zoo.store.run import Run, RunStatus
from zoo.wording import count_text

FEW_ROWS = 10  # of a class in the validation set
FEW_FOR_ACCURACY = 100  # rows of the validation set: the accuracy is then within ±0.10
FEW_STEPS = 300  # of one network

MONITORED = {
    "macro_recall": "macro recall",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "validation_loss": "loss",
    "balanced_loss": "balanced loss",
}


class Hint(NamedTuple):
    """A sentence about one run, and the sentence of the same kind about several runs, without their numbers."""

    text: str
    general: str


def hints_of(run: Run) -> tuple[str, ...]:
    """Return what a reader of the score should know, in sentences: none for a run that is not done."""
    return tuple(hint.text for hint in _hints(run))


def with_hints(run: Run) -> JsonObject:
    """Return a run as plain data with its hints: the documented form of `zoo bench --json`."""
    return {**run.to_json(), "hints": list(hints_of(run))}


def hints_of_all(runs: Sequence[tuple[str, Run]], most: int = 3) -> list[str]:
    """Return the hints of several runs with their labels: of each kind, a line for up to `most` runs, else one line."""
    kinds: dict[str, dict[str, list[str]]] = {}
    for label, run in runs:
        for hint in _hints(run):
            kinds.setdefault(hint.general, {}).setdefault(hint.text, []).append(label)
    lines: list[str] = []
    for general, texts in kinds.items():
        affected = sum(map(len, texts.values()))
        if len(texts) == 1 and affected == len(runs):
            lines += texts
        elif affected <= most:
            lines += [f"{', '.join(labels)}: {text}" for text, labels in texts.items()]
        else:
            lines.append(f"{affected} of {len(runs)} runs: {next(iter(texts)) if len(texts) == 1 else general}")
    return lines


def precision(counts: Iterable[int]) -> float:
    """Return how far a mean of recalls may be from its expectation, with these numbers of rows.

    At least 90 % of validation sets are closer whatever the recalls, and 98 % in the mean over recalls, as
    `benchmarks/choice.py` measures. It is 1.96 standard errors at recalls of 1/2, where they are largest. With a single
    number it holds for the accuracy.
    """
    from zoo.metrics.standard_errors import of_mean_share

    rows = list(counts)
    return 1.96 * of_mean_share([0.5] * len(rows), rows)


def _hints(run: Run) -> Iterator[Hint]:
    if run.status != RunStatus.DONE:
        return
    if predicted := _only_class(run.scores, run.parts):
        yield Hint(f"only class {predicted} is predicted", "only one class is predicted")
    if not run.steps:
        return  # a fitted network, or a run of an earlier version
    members = max(1, int(training_setting(run, "members", 1)))
    steps = round(run.steps / members)
    if steps < FEW_STEPS:
        number = count_text(steps, "gradient step")
        few = "with so few, more epochs can change the ranking"
        of_each = f"{number} of each of {members} networks" if members > 1 else f"{number} in all"
        yield Hint(f"{of_each}: {few}", f"fewer than {FEW_STEPS} gradient steps: {few}")
    if run.epochs > members:
        yield from _on_choice(run)


def training_setting(run: Run, name: str, default: int | str) -> int | str:
    """Return a training setting of a run; the default if its record has none, or one of another type."""
    training = run.config.get("training")
    value = training.get(name, default) if isinstance(training, dict) else default
    return value if isinstance(value, type(default)) else default


def _only_class(scores: Scores, parts: SplitSummary) -> str:
    predicted = [sum(column) for column in zip(*scores.confusion, strict=False)]
    names = [name for name, count in zip(parts.classes, predicted, strict=False) if count]
    return names[0] if len(names) == 1 and len(predicted) > 1 else ""


def _on_choice(run: Run) -> Iterator[Hint]:
    """Yield what is known of the choice of the epoch: how precise the validation set is, and whether it is the last.

    Of the epochs within one standard error of the best the last is kept on purpose, so there it tells nothing.
    """
    counts = dict(zip(run.parts.classes, run.parts.class_counts.get("validation", ()), strict=False))
    if there := {name: count for name, count in counts.items() if count}:
        yield from _on_precision(run, there)
    best = training_setting(run, "keep", BEST) == BEST
    if best and run.best_epoch == run.epochs:  # an ensemble has no single best epoch, and 0 here
        last = "the best epoch is the last"
        if run.epochs < int(training_setting(run, "epochs", run.epochs)):
            more = "early stopping came soon, and more patience can raise the score"
        else:
            more = "more epochs can raise the score"
        yield Hint(f"{last} of {run.epochs}: {more}", f"{last}: more epochs or patience can raise the score")


def _on_precision(run: Run, counts: dict[str, int]) -> Iterator[Hint]:
    """Yield a hint if the validation set is too small for its monitored score.

    It has a number only where rows are independent of each other and the score is a mean of recalls.
    """
    monitor = str(training_setting(run, "monitor", "macro_recall"))
    total, rarest = sum(counts.values()), min(counts, key=lambda name: counts[name])
    if (total < FEW_FOR_ACCURACY) if monitor == "accuracy" else (counts[rarest] < FEW_ROWS):
        known = {"macro_recall": counts.values(), "accuracy": [total]}.get(monitor)
        spread = f" to ±{precision(known):.2f}" if known and not run.scores.groups else ""
        score = MONITORED.get(monitor, monitor)
        how = f"precise{spread}" if spread else "not precise"
        yield Hint(
            f"validation has {count_text(total, 'row')}, {counts[rarest]} of class {rarest}: its {score}, which "
            f"chooses the epoch, is {how}",
            "the validation set is small, so the choice of the epoch is not precise",
        )
