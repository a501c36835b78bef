"""Architectures that load and then fail, each in its own way."""

from collections.abc import Iterable

from zoo import Architecture, hookimpl

NETWORKS = {
    "bad-shape": "WrongShape",
    "bad-forward": "RaisesInForward",
    "bad-logits": "GivesNaN",
    "bad-build": "RaisesWhenBuilt",
    "bad-exit": "ExitsInForward",
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(name=name, factory=f"bad_networks.networks:{factory}", summary="Fails.")
        for name, factory in NETWORKS.items()
    ]
