"""Resolve presets and search spaces like a run or a trial does."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product

from zoo.assignments import split_assignments
from zoo.errors import UsageError, ZooError
from zoo.factories import complete
from zoo.harness.request import Request
from zoo.networks import Network
from zoo.registry import DISTRIBUTION, Entry, Registry
from zoo.settings import Layer, Settings, shipped_path
from zoo.space import Choice, Domain, Space, Value
from zoo.specs import Architecture, Preset
from zoo.testing.check import NotConforming, expect
from zoo.tuning.request import TuneRequest
from zoo.tuning.trial_cell import AXES, bench_request

DRAWS = 10
BETWEEN = 3  # values between the ends of a range, to find ranges of floats for an integer parameter


def check_preset(registry: Registry, entry: Entry[Architecture], name: str, preset: Preset) -> None:
    """Raise NotConforming if a preset has an unknown name or an invalid value."""
    spec = entry.spec
    with _said(f"preset {name}"):
        Network.resolve(registry, f"{entry.name}.{name}").check(n_times=_times(spec), lengths=False)
        if spec.block_dims is None:
            expect(preset.block in (None, "none") and not preset.block_params, f"preset {name}: it has no block slot")
        _shipped().training(preset.training, {})
        parts = (("resampler", preset.data, preset.data_params), ("objective", preset.loss, preset.loss_params))
        for kind, named, params in parts:
            if named is not None:
                complete(registry.get(kind, named, home=entry.plugin.distribution).spec, params)


def check_space(registry: Registry, entry: Entry[Architecture], name: str, space: Space) -> None:
    """Raise NotConforming if a key of a space is no parameter of any component it can draw, or a value is invalid."""
    first = {key: values(domain)[0] for key, domain in space.items()}
    for axis in AXES.keys() & space.keys():
        expect(isinstance(space[axis], Choice), f"space {name}: {axis} takes names, not a range")
    for key, domain in space.items():
        scope, dot, _ = key.partition(".")
        owners = values(space[scope]) if dot and scope in space else ()
        applies = False
        for owner, value in product(owners or (None,), values(domain)):
            drawn = {**first, key: value} | ({} if owner is None else {scope: owner})
            with _said(f"space {name}"):
                resolved(registry, entry, drawn)
                applies |= key in AXES or key in _request(registry, entry, drawn).assignments
        expect(applies, f"space {name}: {key!r} is not a parameter of {' or '.join(map(str, owners))}")


def resolved(registry: Registry, entry: Entry[Architecture], drawn: Mapping[str, Value]) -> Network:
    """Return the network of one configuration of a space. Raises ZooError for a name or value that a trial rejects."""
    request = _request(registry, entry, drawn)
    scopes, shipped = split_assignments(request.assignments), _shipped()
    if scopes["dataset"]:
        raise UsageError(f"dataset.{min(scopes['dataset'])} cannot be searched, because all trials use the same data")
    shipped.training(scopes["training"], {})
    for scope, named in (("data", request.data), ("loss", request.losses)):
        if named:
            complete(registry.get(AXES[scope], named[0]).spec, scopes[scope])
        elif scopes[scope]:
            default = str(shipped.default("defaults", scope))
            complete(registry.get(AXES[scope], default, home=DISTRIBUTION).spec, scopes[scope])
    block = request.blocks[0] if request.blocks else None
    network = Network.resolve(registry, entry.name, block=block, params=scopes[""], block_params=scopes["block"])
    network.check(n_times=_times(network.spec), lengths=False)
    return network


def draws(space: Space) -> Iterator[dict[str, Value]]:
    """Yield ten configurations, or more if needed, with each value of a choice and both ends of each range."""
    rng = random.Random(0)
    count = max([DRAWS, *(len(domain.values) for domain in space.values() if isinstance(domain, Choice))])
    columns = {key: _column(domain, count, rng) for key, domain in space.items()}
    return ({key: column[number] for key, column in columns.items()} for number in range(count))


def values(domain: Domain) -> tuple[Value, ...]:
    """Return all values of a choice; for a range, both ends and some values between them."""
    if isinstance(domain, Choice):
        return domain.values
    rng = random.Random(0)
    return (domain.low, domain.high, *(domain.draw(rng) for _ in range(BETWEEN)))


def _column(domain: Domain, count: int, rng: random.Random) -> list[Value]:
    certain = domain.values if isinstance(domain, Choice) else (domain.low, domain.high)
    column = [*certain, *(domain.draw(rng) for _ in range(count - len(certain)))]
    rng.shuffle(column)
    return column


def _request(registry: Registry, entry: Entry[Architecture], drawn: Mapping[str, Value]) -> Request:
    return bench_request(registry, TuneRequest(cell=Request(architectures=(entry.name,))), drawn)


def _shipped() -> Settings:
    """Return the shipped settings: a promise does not depend on the user's settings."""
    return Settings(Layer.read(shipped_path()), Layer(""))


def _times(spec: Architecture) -> int:
    return max(187, spec.min_times)


@contextmanager
def _said(where: str) -> Iterator[None]:
    """Convert a ZooError to NotConforming, with the place in the message."""
    try:
        yield
    except ZooError as error:
        raise NotConforming(f"{where}: {error}") from error
