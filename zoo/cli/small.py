"""Which networks of a board are smaller than published."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zoo.errors import UnknownName
from zoo.specs import Architecture, full_name

if TYPE_CHECKING:
    from zoo.registry import Registry
    from zoo.store.run import Run

PUBLISHED = ("paper", "study")  # presets with the size of the paper, or of the study that an architecture comes from


def small_line(registry: "Registry", runs: Iterable["Run"]) -> list[str]:
    """Return a line with the architectures whose networks are smaller than published, and the presets of that size."""
    names = {run.architecture: name for run in runs if (name := _published(registry, run))}
    listed = ", ".join(f"{architecture} ({name})" for architecture, name in names.items())
    text = f"small: smaller than in their paper or study: {listed}. The presets in brackets have that size"
    return [text] if names else []


def _published(registry: "Registry", run: "Run") -> str:
    """Return the preset with the published size if a network is smaller; "" if it is not, or has a preset.

    Parameters that are whole numbers are sizes: none is greater than in the preset, and some are less.
    """
    try:
        spec = registry.get(Architecture, run.architecture).spec
    except UnknownName:  # not installed any more, or never registered
        return ""
    known = next((name for name in PUBLISHED if name in spec.presets), None)
    if known is None or run.preset:
        return ""
    own = run.config.get("params", {})
    sizes = [(own.get(key), value) for key, value in spec.presets[known].params.items() if type(value) is int]
    pairs = [(size, value) for size, value in sizes if isinstance(size, int)]
    smaller = all(size <= value for size, value in pairs) and any(size < value for size, value in pairs)
    return full_name(run.architecture, known) if smaller else ""
