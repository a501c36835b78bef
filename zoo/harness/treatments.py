"""Treatments of imbalance: a resampler with or without a training loss, as one axis of the grid."""

from typing import NamedTuple

from zoo.errors import UsageError
from zoo.registry import Registry
from zoo.specs import Objective, Resampler

FORM = "RESAMPLER or RESAMPLER/OBJECTIVE, such as smote or original/weighted"


class Treatment(NamedTuple):
    """The names of a resampler and of a training loss; None: the preset or registry.toml chooses the loss."""

    data: str
    loss: str | None


def treatment_of(registry: Registry, text: str) -> Treatment:
    """Return the treatment with the names of registered components.

    Raises UsageError for a text of another form, UnknownName for a name that is not registered.
    """
    data, loss = halves(registry, text)
    return Treatment(registry.get(Resampler, data).name, None if loss is None else registry.get(Objective, loss).name)


def halves(registry: Registry, text: str) -> tuple[str, str | None]:
    """Split a treatment into two typed names. A name may contain a slash itself: `family/name`.

    Raises UsageError for a text of another form.
    """
    resamplers = {
        name
        for entry in registry.of_kind(Resampler)
        for name in (entry.name, entry.spec.name, f"{entry.plugin.name}:{entry.spec.name}")
    }
    parts = text.split("/")
    splits = [("/".join(parts[:place]), "/".join(parts[place:])) for place in range(len(parts), 0, -1)]
    data, loss = next((split for split in splits if split[0] in resamplers), (parts[0], "/".join(parts[1:])))
    if not data.strip() or (len(parts) > 1 and text.endswith("/")):
        raise UsageError(f"--treatment {text!r} must be {FORM}")
    return data, loss or None
