"""Compare the outputs of networks with those of public code, which plugins record in `parity.toml`."""

import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.errors import PluginError, ZooError, unknown_name
from zoo.networks import Network
from zoo.registry import Entry, Plugin, Registry, is_pattern, matches
from zoo.specs import Architecture
from zoo.testing.check import expect
from zoo.testing.fits import fit
from zoo.testing.parity import FILE, Case, NotCompared, Numbers, Parity, read_parity


def parity_of(plugin: Plugin) -> Parity:
    """Return the content of the `parity.toml` beside the module of a plugin; empty if there is none."""
    path = parity_file(plugin)
    return read_parity(path) if path and path.is_file() else {}


def parity_file(plugin: Plugin) -> Path | None:
    """Return the path of the `parity.toml` of a plugin, which may not exist; None if its module has no file."""
    file = getattr(sys.modules.get(plugin.module), "__file__", None)
    return Path(file).parent / FILE if file else None


def entry_of(entry: Entry[Architecture]) -> tuple[Case, ...] | NotCompared | None:
    """Return the cases of an architecture, the reason why it is not compared, or None."""
    content = parity_of(entry.plugin)
    key = key_of(content, entry.spec.name)
    return None if key is None else content[key]


def has_cases(entry: Entry[Architecture]) -> bool:
    """Whether a plugin has recorded outputs of public code for its architecture; true if its file is not valid."""
    try:
        return isinstance(entry_of(entry), tuple)
    except ZooError:
        return True


def case_difference(registry: Registry, entry: Entry[Architecture], case: Case) -> float:
    """Return the largest difference between the outputs of the zoo's network and those of the public code.

    Raises NotConforming if the tensors or the outputs of the network are not those of the case.
    """
    network = Network.resolve(registry, entry.name, block=case.block, params=case.params)
    given = case.our_weights()
    first, second = (_ready(network, case, given, seed) for seed in (0, 1))
    _check_unset(first, second, given, every_parameter=case.fit is None and not case.output)
    return _difference(_outputs(first.eval(), case), torch.tensor(case.expected, dtype=torch.float64))


def check_names(plugin: Plugin, content: Parity) -> None:
    """Raise PluginError if a table of a `parity.toml` is for no architecture of its plugin."""
    own = [spec.name for spec in plugin.components if isinstance(spec, Architecture)]
    for key in content:
        if not any(matches(name, key) if is_pattern(key) else name == key for name in own):
            raise PluginError(f"{parity_file(plugin)}: {key}: plugin {plugin.name!r} has no architecture of this name")


def key_of(content: Parity, name: str) -> str | None:
    """Return the key of an architecture in a `parity.toml`: its name, or a pattern that matches it."""
    if name in content:
        return name
    return next((key for key in content if is_pattern(key) and matches(name, key)), None)


def _ready(network: Network, case: Case, given: Mapping[str, Numbers], seed: int) -> nn.Module:
    """Return the network with the values of the case, after its fit."""
    torch.manual_seed(seed)
    model = network.build(n_channels=case.n_channels, n_times=case.n_times, n_classes=case.n_classes)
    _set(model, given)
    if case.fit is not None:
        rows = torch.from_numpy(case.training_rows())
        fit(model, rows, torch.arange(len(rows)) % case.n_classes)
    return model


def _check_unset(first: nn.Module, second: nn.Module, given: Mapping[str, Numbers], *, every_parameter: bool) -> None:
    """Raise NotConforming if the outputs would depend on random values, or on a parameter that has no value."""
    other, parameters = second.state_dict(), dict(first.named_parameters())
    for name, value in first.state_dict().items():
        if name not in given:
            expect(not (every_parameter and name in parameters), f"weights: no tensor has ours = {name!r}")
            same = torch.equal(value, other[name])
            expect(same, f"weights: no tensor has ours = {name!r}, which depends on the seed")


def _set(model: nn.Module, given: Mapping[str, Numbers]) -> None:
    state = model.state_dict()
    for name, values in given.items():
        if name not in state:
            raise unknown_name("tensor of the network", name, state)
        message = f"weights: {name!r} has {state[name].numel():,} values, and the file makes {values.size:,}"
        expect(state[name].numel() == values.size, message)
        state[name].copy_(torch.from_numpy(values).reshape(state[name].shape))


def _outputs(model: nn.Module, case: Case) -> Tensor:
    method = getattr(model, case.output) if case.output else model
    with torch.no_grad():
        found: Tensor = method(torch.from_numpy(case.rows_of_input()))
    return found.double()


def _difference(found: Tensor, expected: Tensor) -> float:
    shapes = tuple(found.shape), tuple(expected.shape)
    expect(shapes[0] == shapes[1], f"expected: the outputs are {shapes[0]}, and those of the public code {shapes[1]}")
    compared = ~expected.isnan()
    expect(bool(found[compared].isfinite().all()), "an output is NaN or infinite")
    return float((found - expected)[compared].abs().max())
