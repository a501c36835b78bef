"""`timm/<name>`: every classification backbone of timm, on the signal turned into a picture.

The names come from an index in this package (`catalogue`), so listing them imports neither timm nor torch.
"""

from collections.abc import Iterable
from functools import cache

from zoo import Architecture, Choice, Float, Preset, Space, hookimpl
from zoo_timm.catalogue import read_catalogue

CONFORMANCE = "zoo_timm.conformance:CONFORMANCE"  # the models that represent all of timm in the conformance suite
DEFAULT_SPACE: Space = {
    "front_end": Choice("fold", "spectrogram", "gasf"),
    "drop_rate": Float(0.0, 0.4),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return _architectures()


@cache
def _architectures() -> tuple[Architecture, ...]:
    spaces = {"default": DEFAULT_SPACE}
    return tuple(
        Architecture(
            name=f"timm/{entry.name}",
            factory=f"zoo_timm.network:{entry.name}",
            summary="Image backbone of timm, on the signal as a picture.",
            paper=entry.paper,
            libraries=("timm",),
            files=("weights",),
            min_times=2,
            spaces=spaces,
            presets={tag: _pretrained(tag) for tag in entry.tags},
        )
        for entry in read_catalogue().values()
    )


@cache
def _pretrained(tag: str) -> Preset:
    """Return the preset of a pretrained tag. All models with the tag share it, which keeps start-up short."""
    return Preset(summary="timm's pretrained weights", params={"pretrained": True, "tag": tag})
