"""The sizes that `zoo list` shows: parameters and multiply-accumulates of the zoo's own architectures."""

import json

from zoo.cli.families import family_of, large_families
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.networks import Network
from zoo.registry import DISTRIBUTION, Registry

CHANNELS, TIMES, CLASSES = 1, 187, 5  # the shape for which `zoo show` builds by default


def sizes(registry: Registry) -> str:
    """Return the content of `zoo/sizes.json`: by name, parameters and multiply-accumulates with the defaults.

    Families that `zoo list` shows as one line are left out.
    """
    entries = [entry for entry in registry.of_kind("architecture") if entry.plugin.distribution == DISTRIBUTION]
    large = large_families(entry.name for entry in entries)
    listed = [entry for entry in entries if family_of(entry.name) not in large]
    lines = [f'  "{entry.spec.name}": {json.dumps(_size(registry, entry.name))}' for entry in listed]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _size(registry: Registry, name: str) -> dict[str, int]:
    network = Network.resolve(registry, name)
    model = on_meta(lambda: network.build(n_channels=CHANNELS, n_times=TIMES, n_classes=CLASSES))
    return {"parameters": count_parameters(model), "macs": count_macs(model, n_channels=CHANNELS, n_times=TIMES)}
