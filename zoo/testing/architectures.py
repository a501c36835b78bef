"""What every architecture promises (design of the contract: `zoo.specs.Architecture`)."""

import copy
import pickle
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.cost import count_macs
from zoo.factories import complete, parameters
from zoo.networks import Network, count_parameters, on_meta
from zoo.registry import Entry, Registry
from zoo.settings import Settings, Training
from zoo.space import Value
from zoo.specs import Architecture, Block, Resampler
from zoo.testing.check import close, expect
from zoo.training.batches import Tensors
from zoo.training.fitting import Batches

SCOPES = ("data", "loss", "block")
DRAWS = 10
STEPS = 300  # enough for sixteen rows at this learning rate, with dropout
LEARNING_RATE = 3e-3


def keys(registry: Registry, entry: Entry) -> None:
    """Every key of a preset and of a space is a parameter of what it is for."""
    spec, settings = _spec(entry), Settings.load()
    own = set(parameters(spec))
    for name, preset in spec.presets.items():
        expect(set(preset.params) <= own, f"preset {name}: {sorted(set(preset.params) - own)} are no parameters")
        settings.training({}, preset.training)
        parts = (("resampler", preset.data, preset.data_params), ("objective", preset.loss, preset.loss_params))
        for kind, named, params in parts:
            if named is not None:
                complete(registry.get(kind, named, home=entry.plugin.distribution).spec, params)
    for name, space in spec.spaces.items():
        for key in space:
            scope, dot, rest = key.partition(".")
            if scope == "training":
                expect(rest in Training.__dataclass_fields__, f"space {name}: {rest!r} is no training setting")
            elif not (dot and scope in SCOPES) and key not in SCOPES:
                expect(key in own, f"space {name}: {key!r} is no parameter")


def shapes(registry: Registry, entry: Entry) -> None:
    """Logits `(batch, n_classes)` for any channels, the shortest series and a longer one, two classes and nine."""
    shortest = _spec(entry).min_times
    for channels, times, classes in product((1, 3), (shortest, max(50, 2 * shortest + 1)), (2, 9)):
        model = _model(registry, entry, channels, times, classes)
        for rows, training in ((1, False), (4, False), (2, True)):
            model.train(training)
            logits = _forward(model, torch.randn(rows, channels, times))
            where = f"for {rows} x {channels} x {times} {'in training' if training else 'in eval'}"
            expect(tuple(logits.shape) == (rows, classes), f"logits are {tuple(logits.shape)} {where}")


def finite(registry: Registry, entry: Entry) -> None:
    """Logits are finite float32, of a flat row and of one with large values too."""
    model, times = _model(registry, entry), _times(entry)
    rows = torch.stack(
        [torch.zeros(2, times), torch.ones(2, times), torch.randn(2, times), 1e3 * torch.randn(2, times)]
    )
    for training in (True, False):
        logits, when = _forward(model.train(training), rows), "in training" if training else "in eval"
        expect(logits.dtype == torch.float32, f"logits are {logits.dtype} {when}")
        expect(bool(torch.isfinite(logits).all()), f"logits are NaN or infinite {when}")


def gradients(registry: Registry, entry: Entry) -> None:
    """One backward pass gives every trainable parameter a finite gradient."""
    model = _model(registry, entry).train()
    if _network(registry, entry).fitted:
        return
    nn.functional.cross_entropy(_forward(model, torch.randn(4, 2, _times(entry))), torch.arange(4) % 3).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            expect(parameter.grad is not None, f"parameter {name} gets no gradient")
            expect(bool(torch.isfinite(cast(Tensor, parameter.grad)).all()), f"the gradient of {name} is not finite")


def batch_independence(registry: Registry, entry: Entry) -> None:
    """In eval a row's logits do not depend on the rows beside it, and no random number is drawn."""
    model = _model(registry, entry).eval()
    rows = torch.randn(6, 2, _times(entry))
    before = torch.get_rng_state()
    together = _forward(model, rows)
    expect(torch.equal(before, torch.get_rng_state()), "a forward pass in eval draws random numbers")
    alone = torch.cat([_forward(model, row[None]) for row in rows])
    expect(close(together, alone), "a row's logits in eval depend on the rows beside it")


def seed(registry: Registry, entry: Entry) -> None:
    """The same seed gives the same weights, and another seed others."""
    one, two, other = (_model(registry, entry, seed=number).state_dict() for number in (1, 1, 2))
    expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed gives different weights")
    differ = any(not torch.equal(one[name], other[name]) for name in one)
    expect(differ or _network(registry, entry).fitted, "another seed gives the same weights")


def weights(registry: Registry, entry: Entry) -> None:
    """The state dict goes through safetensors into a network of another seed, which then answers alike."""
    model, other = (_model(registry, entry, classes=2, seed=number) for number in (1, 2))
    rows = torch.randn(3, 2, _times(entry))
    if _network(registry, entry).fitted:
        _fit(model, *sixteen_rows(_times(entry)))
    model.train()
    _forward(model, rows)  # running statistics have moved
    state = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(state)))
    same = torch.equal(_forward(model.eval(), rows), _forward(other.eval(), rows))
    expect(same, "the state dict does not hold all that the logits depend on")


def copies(registry: Registry, entry: Entry) -> None:
    """A pickled and a deep-copied network answer like the original."""
    model = _model(registry, entry).eval()
    rows = torch.randn(2, 2, _times(entry))
    for kind, again in (("pickled", pickle.loads(pickle.dumps(model))), ("deep", copy.deepcopy(model))):
        expect(torch.equal(_forward(model, rows), _forward(again, rows)), f"a {kind} copy answers differently")


def size(registry: Registry, entry: Entry) -> None:
    """On the meta device it builds, and its parameters and multiply-accumulates can be counted."""
    times = max(187, _spec(entry).min_times)
    model = on_meta(lambda: _network(registry, entry).build(n_channels=1, n_times=times, n_classes=5))
    expect(count_parameters(model) > 0, "it has no parameters")
    expect(count_macs(model, n_channels=1, n_times=times) > 0, "no multiply-accumulates are counted")


def presets(registry: Registry, entry: Entry) -> None:
    """Every preset builds, and takes a row."""
    times = max(187, _spec(entry).min_times)
    for name in _spec(entry).presets:
        network = Network.resolve(registry, f"{entry.name}.{name}")
        _takes_rows(network, times, f"preset {name}")


def spaces(registry: Registry, entry: Entry) -> None:
    """Ten draws of each search space build, and take a row."""
    times = max(187, _spec(entry).min_times)
    for name, space in _spec(entry).spaces.items():
        rng = random.Random(0)
        for _ in range(DRAWS):
            drawn = {key: domain.draw(rng) for key, domain in space.items()}
            _takes_rows(_drawn(registry, entry, drawn), times, f"space {name}, {drawn}")


def slot(registry: Registry, entry: Entry) -> None:
    """The block slot takes every block that has a form for it."""
    spec = _spec(entry)
    for block in registry.of_kind("block"):
        if spec.block_dims in cast(Block, block.spec).dims:
            torch.manual_seed(0)
            network = Network.resolve(registry, entry.name, block=block.name)
            model = network.build(n_channels=2, n_times=_times(entry), n_classes=3).eval()
            logits = _forward(model, torch.randn(2, 2, _times(entry)))
            expect(tuple(logits.shape) == (2, 3), f"logits are {tuple(logits.shape)} with block {block.name}")
            expect(bool(torch.isfinite(logits).all()), f"logits are NaN or infinite with block {block.name}")


def padding(registry: Registry, entry: Entry) -> None:
    """More padding changes no logits in eval, with any block that keeps padding out."""
    spec = _spec(entry)
    times = max(60, spec.min_times)
    lengths = torch.tensor([times, max(times // 2, spec.min_times), spec.min_times, max(45, spec.min_times)])
    rows = torch.randn(4, 2, times) * (torch.arange(times) < lengths[:, None])[:, None]
    for block in _maskable(registry, spec):
        torch.manual_seed(0)
        network = Network.resolve(registry, entry.name, block=block)
        model = network.build(n_channels=2, n_times=times, n_classes=3)
        model(rows, lengths)  # batch normalisation has seen something
        model.eval()
        with torch.no_grad():
            expected, padded = model(rows, lengths), model(nn.functional.pad(rows, (0, 25)), lengths)
        expect(close(padded, expected), f"padding changes the logits with block {block or 'none'}")
        for row, length, logits in zip(rows, lengths, expected, strict=True):
            with torch.no_grad():
                alone = model(row[None, :, :length], length[None])[0]
            expect(close(alone, logits), f"a row without its padding answers differently ({block})")


def learns(registry: Registry, entry: Entry) -> None:
    """It learns sixteen rows of two classes."""
    rows, labels = sixteen_rows(_times(entry))
    torch.manual_seed(0)
    network = _network(registry, entry)
    model = network.build(n_channels=2, n_times=_times(entry), n_classes=2)
    if network.fitted:
        _fit(model, rows, labels)
        hits = _forward(model.eval(), rows).argmax(1) == labels
        expect(bool(hits.all()), f"fitted to sixteen rows, it gets {int(hits.sum())} of them right")
        return
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(_forward(model.train(), rows), labels)
        if loss.item() < 0.1:
            return
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    expect(False, f"after {STEPS} steps on sixteen rows its loss is still {loss.item():.3f}")


def autocast(registry: Registry, entry: Entry) -> None:
    """It runs under bf16 autocast, and its logits stay finite."""
    model = _model(registry, entry).eval()
    with torch.autocast("cpu", torch.bfloat16):
        logits = _forward(model, torch.randn(2, 2, _times(entry)))
    expect(bool(torch.isfinite(logits.float()).all()), "logits are NaN or infinite under bf16 autocast")


CHECKS = (
    keys,
    size,
    shapes,
    finite,
    gradients,
    batch_independence,
    padding,
    seed,
    weights,
    copies,
    autocast,
    presets,
    spaces,
    slot,
    learns,
)
WHERE: Mapping[Callable[..., None], Callable[[Architecture], bool]] = {
    padding: lambda spec: spec.takes_lengths,
    presets: lambda spec: bool(spec.presets),
    slot: lambda spec: spec.block_dims is not None,
    spaces: lambda spec: bool(spec.spaces),
}


def use(registry: Registry, entry: Entry) -> None:
    """Build it, take one step in training and answer a row."""
    network, rows = _network(registry, entry), torch.randn(4, 2, _times(entry))
    model = network.build(n_channels=2, n_times=_times(entry), n_classes=3)
    if network.fitted:
        _fit(model, rows, torch.arange(4) % 3)
    else:
        nn.functional.cross_entropy(_forward(model.train(), rows), torch.arange(4) % 3).backward()
    _forward(model.eval(), rows)


def sixteen_rows(times: int) -> tuple[Tensor, Tensor]:
    """Two channels of noisy waves, slow ones of class 0 and fast ones of class 1: `(16, 2, times)`, `(16,)`."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(16) % 2
    phase = torch.rand(16, 2, 1, generator=generator) * 6
    grid = torch.linspace(0, 6, times)
    rows = torch.sin((1 + 2 * labels)[:, None, None] * grid + phase)
    return rows + 0.1 * torch.randn(rows.shape, generator=generator), labels


def _spec(entry: Entry) -> Architecture:
    return cast(Architecture, entry.spec)


def _network(registry: Registry, entry: Entry) -> Network:
    return Network.resolve(registry, entry.name)


def _times(entry: Entry) -> int:
    return max(64, _spec(entry).min_times)


def _model(
    registry: Registry, entry: Entry, channels: int = 2, times: int = 0, classes: int = 3, seed: int = 0
) -> nn.Module:
    torch.manual_seed(seed)
    size = {"n_channels": channels, "n_times": times or _times(entry), "n_classes": classes}
    return _network(registry, entry).build(**size)


def _forward(model: nn.Module, rows: Tensor) -> Tensor:
    with torch.set_grad_enabled(model.training):
        return cast(Tensor, model(rows))


def _fit(model: nn.Module, rows: Tensor, labels: Tensor) -> None:
    """Fit a network to rows that it is validated by too."""
    data = Tensors(rows, labels, None)
    batches = Batches(data, data, 5, torch.Generator().manual_seed(0), None, lambda done, count: None)
    with torch.no_grad():
        cast(Any, model).fit(batches, generator=torch.Generator().manual_seed(0))


def _takes_rows(network: Network, times: int, what: str) -> None:
    """Build it and pass two rows through, on the meta device but for recurrent nets, which are slower there."""
    device = "cpu" if network.spec.recurrent else "meta"
    with torch.device(device), torch.no_grad():
        model = network.build(n_channels=1, n_times=times, n_classes=5).eval()
        logits = model(torch.empty(2, 1, times).zero_())
    expect(tuple(logits.shape) == (2, 5), f"{what}: logits are {tuple(logits.shape)}")


def _drawn(registry: Registry, entry: Entry, drawn: Mapping[str, Value]) -> Network:
    """The network of one draw of a space; what is drawn for the training is checked by building the settings."""
    Settings.load().training(_scoped(drawn, "training"), {})
    if "data" in drawn:
        cast(Resampler, registry.get("resampler", str(drawn["data"])).spec)
    own = {key: value for key, value in drawn.items() if "." not in key and key not in SCOPES}
    block = str(drawn["block"]) if "block" in drawn else None
    return Network.resolve(registry, entry.name, block=block, params=own, block_params=_scoped(drawn, "block"))


def _scoped(values: Mapping[str, Value], scope: str) -> dict[str, Value]:
    prefix = f"{scope}."
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def _maskable(registry: Registry, spec: Architecture) -> Iterator[str | None]:
    """The blocks that keep padding out; None where there is no slot."""
    if spec.block_dims is None:
        yield None
    for entry in registry.of_kind("block") if spec.block_dims else ():
        block = cast(Block, entry.spec)
        if block.masked and spec.block_dims in block.dims:
            yield entry.name
