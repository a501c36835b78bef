"""Runs with different losses that are the same training."""

from collections.abc import Sequence

from zoo.store.run import Run

TOLERANCE = 1e-4  # relative; float32 losses that are equal in theory differ by about 1e-6


def alike(gradients: Sequence[float], others: Sequence[float]) -> bool:
    """Return whether two losses have the same gradients, as `zoo.training.gradients` computes them."""
    if len(gradients) != len(others) or not gradients:
        return False
    largest = max(map(abs, (*gradients, *others)))
    return all(abs(one - other) <= TOLERANCE * largest for one, other in zip(gradients, others, strict=True))


def same_training(runs: Sequence[Run], others: Sequence[Run]) -> bool:
    """Return whether the runs of two configurations differ only in losses that have the same gradients.

    Runs of the same seed are compared, because seeds can have different class counts; without such runs, all are.
    """
    first, second = runs[0], others[0]
    if not first.besides_loss or (first.besides_loss, first.precision) != (second.besides_loss, second.precision):
        return False
    pairs = [(one, other) for one in runs for other in others]
    paired = [(one, other) for one, other in pairs if one.seed == other.seed] or pairs
    return all(alike(one.loss_gradients, other.loss_gradients) for one, other in paired)


def loss_text(run: Run, beside: Run) -> str:
    """Return the loss of a run, with the parameters that tell it from the equal loss of another run."""
    params, others = run.config.get("loss_params", {}), beside.config.get("loss_params", {})
    if run.loss != beside.loss:
        return run.loss
    return " ".join([run.loss, *(f"{name}={value}" for name, value in params.items() if value != others.get(name))])
