"""The page of the components that come with the zoo."""

from generator.text import page, table
from zoo.registry import DISTRIBUTION, Entry, Registry
from zoo.specs import Architecture, Block

INTRODUCTION = """All components that come with the zoo. `zoo show NAME` prints parameters, presets, layers,
multiply-accumulates and stored results of each. Any architecture with a block slot accepts any block; `a+b` puts one
block after the other. *lengths* marks components that support declared unequal lengths: padding never reaches a valid
sample."""

NOUNS = {
    "architecture": "Architectures",
    "block": "Blocks",
    "resampler": "Resamplers (`--data`)",
    "objective": "Losses (`--loss`)",
    "dataset": "Data sets",
    "searcher": "Searchers",
}


def collection(registry: Registry) -> str:
    """Return the page: a table of first-party components for each kind. The backbones of timm are one row."""
    parts = ["# The collection", INTRODUCTION]
    for kind, noun in NOUNS.items():
        entries = [entry for entry in registry.of_kind(kind) if entry.plugin.distribution == DISTRIBUTION]
        rows = [_row(entry) for entry in entries if not entry.name.startswith("timm/")]
        if kind == "architecture":
            count = f"{len(entries) - len(rows):,}"
            backbones = f"{count} image backbones, which read the signal as a picture; `zoo list timm`"
            rows.append(("timm/…", backbones, "front ends: fold, spectrogram, gasf", "`zoo show` cites each"))
        cells = [(f"`{name}`", *rest) for name, *rest in sorted(rows)]
        parts += [f"## {noun}", table(("name", "description", "", "source"), cells)]
    return page(*parts)


def _row(entry: Entry) -> tuple[str, str, str, str]:
    spec = entry.spec
    facts = []
    if isinstance(spec, Architecture):
        facts += [f"{spec.block_dims}-D slot"] if spec.block_dims else []
        facts += ["lengths"] if spec.takes_lengths else []
    if isinstance(spec, Block):
        facts += [" and ".join(f"{dims}-D" for dims in spec.dims)] + (["lengths"] if spec.masked else [])
    return entry.name, spec.summary, ", ".join(facts), spec.paper
