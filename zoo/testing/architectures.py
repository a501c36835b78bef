"""What every architecture promises (design of the contract: `zoo.specs.Architecture`)."""

import copy
import pickle
from collections.abc import Callable, Collection, Mapping
from typing import Any, cast

import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.errors import PluginError
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.networks import Network
from zoo.registry import Entry, Registry
from zoo.specs import Architecture, Block
from zoo.testing.check import close, expect, required
from zoo.testing.devices import OneDevice
from zoo.testing.spaces import check_preset, check_space, draws, resolved
from zoo.testing.watching import imported
from zoo.training.batches import Tensors
from zoo.training.fitting import Batches

STEPS = 300  # enough for sixteen rows at this learning rate, with dropout
LEARNT = 0.1
LONGER = 50
BATCHES = ((1, False), (5, False), (2, True))  # rows, and whether in training
MOVING_STEPS = 10  # by when what was made to begin with zeros lets gradients through
LEARNING_RATE = 3e-3


def keys(registry: Registry, entry: Entry[Architecture]) -> None:
    """Every key of a preset and of a space is a parameter of what it is for, and its values are such as that takes."""
    for name, preset in _spec(entry).presets.items():
        check_preset(registry, entry, name, preset)
    for name, space in _spec(entry).spaces.items():
        check_space(registry, entry, name, space)


def shapes(registry: Registry, entry: Entry[Architecture]) -> None:
    """Logits `(batch, n_classes)` for one channel and twelve, short series and long ones, two classes and nine."""
    for channels, times, classes, device in _sizes(_spec(entry)):
        with torch.device(device):
            model = _model(registry, entry, channels, times, classes)
            for rows, training in BATCHES if times < LONGER else BATCHES[1:]:
                logits = _forward(model.train(training), torch.zeros(rows, channels, times).normal_())
                where = f"for {rows} x {channels} x {times} {'in training' if training else 'in eval'}"
                expect(tuple(logits.shape) == (rows, classes), f"logits are {tuple(logits.shape)} {where}")


def finite(registry: Registry, entry: Entry[Architecture]) -> None:
    """Logits are finite float32, of a flat row and of one with large values too."""
    model, times = _model(registry, entry), _times(entry)
    for training in (True, False):
        logits, when = _forward(model.train(training), _odd_rows(times)), "in training" if training else "in eval"
        expect(logits.dtype == torch.float32, f"logits are {logits.dtype} {when}")
        expect(bool(torch.isfinite(logits).all()), f"logits are NaN or infinite {when}")


def gradients(registry: Registry, entry: Entry[Architecture]) -> None:
    """A finite gradient reaches every trainable parameter, of flat and large rows too; no layer's is always zero."""
    model, times = _model(registry, entry).train(), _times(entry)
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    expect(bool(trained), "gradients tried nothing: no parameter is trained")
    optimiser = torch.optim.Adam(trained.values(), lr=LEARNING_RATE)
    still = set(trained)
    for step in range(MOVING_STEPS):
        optimiser.zero_grad()
        rows = torch.randn(4, 2, times) if step else _odd_rows(times)
        nn.functional.cross_entropy(_forward(model, rows), torch.arange(4) % 3).backward()
        for name, parameter in trained.items():
            gradient = required(parameter.grad, f"parameter {name} gets no gradient")
            finite = bool(torch.isfinite(gradient).all())
            expect(finite, f"the gradient of {name} is not finite{'' if step else ', of flat rows or large values'}")
        still = {name for name in still if (now := trained[name].grad) is None or not now.any()}
        if not _layers(model, still):
            return
        optimiser.step()
    expect(False, f"the gradient of {', '.join(_layers(model, still))} is always zero")


def batch_independence(registry: Registry, entry: Entry[Architecture]) -> None:
    """In eval a row's logits do not depend on the rows beside it or before it, and no random number is drawn."""
    model = _model(registry, entry).eval()
    rows = torch.randn(6, 2, _times(entry))
    before, state = torch.get_rng_state(), {name: value.clone() for name, value in model.state_dict().items()}
    together = _forward(model, rows)
    expect(torch.equal(before, torch.get_rng_state()), "a forward pass in eval draws random numbers")
    alone = torch.cat([_forward(model, row[None]) for row in rows])
    expect(close(together, alone), "a row's logits in eval depend on the rows beside it")
    expect(torch.equal(together, _forward(model, rows)), "a row's logits in eval depend on what came before")
    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, state[name])]
    expect(not changed, f"a forward pass in eval changes {', '.join(changed)}")


def leaves_its_input(registry: Registry, entry: Entry[Architecture]) -> None:
    """A forward pass leaves the rows, and their lengths where it takes them, as they were."""
    model, times = _model(registry, entry), _times(entry)
    given = torch.randn(3, 2, times)
    for training in (True, False):
        rows = given.clone()
        _forward(model.train(training), rows)
        expect(torch.equal(rows, given), f"it changes the rows it is given {'in training' if training else 'in eval'}")


def moves(registry: Registry, entry: Entry[Architecture]) -> None:
    """Moved to another device it computes there: no tensor that it needs stays behind."""
    model = _model(registry, entry).to("meta").train()
    with OneDevice():
        logits = _forward(model, torch.empty(3, 2, _times(entry), device="meta"))
    expect(logits.device.type == "meta", "moved to another device, it gives logits on the first")


def seed(registry: Registry, entry: Entry[Architecture]) -> None:
    """The same seed gives the same weights and the same training, and another seed other weights."""
    fitted, times = _network(registry, entry).fitted, _times(entry)
    first, second = (_model(registry, entry, seed=1) for _ in range(2))
    one, two = first.state_dict(), second.state_dict()
    expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed gives different weights")
    if fitted:
        torch.manual_seed(2)  # a fit draws from its generator alone
        _fit(first, *sixteen_rows(times))
        _fit(second, *sixteen_rows(times))
        one, two = first.state_dict(), second.state_dict()
        expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed gives different weights")
        return
    other = _model(registry, entry, seed=2).state_dict()
    expect(any(not torch.equal(one[name], other[name]) for name in one), "another seed gives the same weights")
    rows = torch.randn(3, 2, times)
    answers = []
    for model in (first, second):
        torch.manual_seed(3)
        answers.append(_forward(model.train(), rows))
    expect(torch.equal(*answers), "the same seed gives different logits in training")


def weights(registry: Registry, entry: Entry[Architecture]) -> None:
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


def copies(registry: Registry, entry: Entry[Architecture]) -> None:
    """A pickled and a deep-copied network answer like the original."""
    model = _model(registry, entry).eval()
    rows = torch.randn(2, 2, _times(entry))
    for kind, again in (("pickled", pickle.loads(pickle.dumps(model))), ("deep", copy.deepcopy(model))):
        expect(torch.equal(_forward(model, rows), _forward(again, rows)), f"a {kind} copy answers differently")


def size(registry: Registry, entry: Entry[Architecture]) -> None:
    """On the meta device it builds, and its parameters and multiply-accumulates can be counted."""
    times = max(187, _spec(entry).min_times)
    model = on_meta(lambda: _network(registry, entry).build(n_channels=1, n_times=times, n_classes=5))
    expect(count_parameters(model) > 0, "it has no parameters")
    expect(count_macs(model, n_channels=1, n_times=times) > 0, "no multiply-accumulates are counted")


def presets(registry: Registry, entry: Entry[Architecture]) -> None:
    """Every preset builds, and takes a row."""
    times = max(187, _spec(entry).min_times)
    for name in _spec(entry).presets:
        network = Network.resolve(registry, f"{entry.name}.{name}")
        _takes_rows(network, times, f"preset {name}")


def spaces(registry: Registry, entry: Entry[Architecture]) -> None:
    """Ten draws of each search space build, and take a row: each value of a choice and both ends of a range occur."""
    times = max(187, _spec(entry).min_times)
    for name, space in _spec(entry).spaces.items():
        for drawn in draws(space):
            _takes_rows(resolved(registry, entry, drawn), times, f"space {name}, {drawn}")


def slot(registry: Registry, entry: Entry[Architecture]) -> None:
    """The block slot takes every block that has a form for it."""
    blocks = _fitting(registry, _spec(entry))
    expect(bool(blocks), "slot tried nothing: no block that is registered has a form for it")
    for block in blocks:
        torch.manual_seed(0)
        network = Network.resolve(registry, entry.name, block=block.name)
        model = network.build(n_channels=2, n_times=_times(entry), n_classes=3).eval()
        logits = _forward(model, torch.randn(2, 2, _times(entry)))
        expect(tuple(logits.shape) == (2, 3), f"logits are {tuple(logits.shape)} with block {block.name}")
        expect(bool(torch.isfinite(logits).all()), f"logits are NaN or infinite with block {block.name}")


def padding(registry: Registry, entry: Entry[Architecture]) -> None:
    """More padding changes no logits in eval, with any block that keeps padding out."""
    spec = _spec(entry)
    times = max(60, spec.min_times)
    lengths = torch.tensor([times, max(times // 2, spec.min_times), spec.min_times, max(45, spec.min_times)])
    rows = torch.randn(4, 2, times) * (torch.arange(times) < lengths[:, None])[:, None]
    maskable = [each.name for each in _fitting(registry, spec) if each.spec.masked]
    blocks: list[str | None] = [*maskable] if spec.block_dims else [None]
    expect(bool(blocks), "padding tried nothing: no block that is registered fits its slot and keeps padding out")
    for block in blocks:
        torch.manual_seed(0)
        network = Network.resolve(registry, entry.name, block=block)
        model = network.build(n_channels=2, n_times=times, n_classes=3)
        given = rows.clone(), lengths.clone()
        with torch.no_grad():
            for training in (True, False):  # in training first, so that batch normalisation has seen something
                expected = model.train(training)(*given)
                same = torch.equal(given[0], rows) and torch.equal(given[1], lengths)
                expect(same, f"it changes the rows or the lengths it is given, with block {block or 'none'}")
            padded = model(nn.functional.pad(rows, (0, 25)), lengths)
        expect(close(padded, expected), f"padding changes the logits with block {block or 'none'}")
        for row, length, logits in zip(rows, lengths, expected, strict=True):
            with torch.no_grad():
                alone = model(row[None, :, :length], length[None])[0]
            expect(close(alone, logits), f"a row without its padding answers differently ({block})")


def learns(registry: Registry, entry: Entry[Architecture]) -> None:
    """It learns sixteen rows of two classes."""
    rows, labels = sixteen_rows(_times(entry))
    model = _model(registry, entry, classes=2)
    if _network(registry, entry).fitted:
        _fit(model, rows, labels)
        hits = _forward(model.eval(), rows).argmax(1) == labels
        expect(bool(hits.all()), f"fitted to sixteen rows, it gets {int(hits.sum())} of them right")
        return
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(_forward(model.train(), rows), labels)
        if loss.item() < LEARNT:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    expect(loss.item() < LEARNT, f"after {STEPS} steps on sixteen rows its loss is still {loss.item():.3f}")


def autocast(registry: Registry, entry: Entry[Architecture]) -> None:
    """It runs under bf16 autocast, trained too, and its logits and gradients stay finite."""
    model, trained = _model(registry, entry), not _network(registry, entry).fitted
    for training in (True, False) if trained else (False,):
        with torch.autocast("cpu", torch.bfloat16):
            logits = _forward(model.train(training), torch.randn(3, 2, _times(entry))).float()
        expect(bool(torch.isfinite(logits).all()), "logits are NaN or infinite under bf16 autocast")
        if training:
            nn.functional.cross_entropy(logits, torch.arange(3)).backward()
    for name, parameter in model.named_parameters():
        finite = parameter.grad is None or bool(torch.isfinite(parameter.grad).all())
        expect(finite, f"the gradient of {name} is not finite under bf16 autocast")


CHECKS = (
    keys,
    size,
    shapes,
    finite,
    gradients,
    batch_independence,
    leaves_its_input,
    moves,
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
WHERE: Mapping[Callable[..., None], Callable[[Entry[Architecture]], bool]] = {
    gradients: lambda entry: not _is_fitted(entry),
    keys: lambda entry: bool(_spec(entry).presets or _spec(entry).spaces),
    padding: lambda entry: _spec(entry).takes_lengths,
    presets: lambda entry: bool(_spec(entry).presets),
    slot: lambda entry: _spec(entry).block_dims is not None,
    spaces: lambda entry: bool(_spec(entry).spaces),
}


def use(registry: Registry, entry: Entry[Architecture]) -> None:
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


def _spec(entry: Entry[Architecture]) -> Architecture:
    return entry.spec


def _network(registry: Registry, entry: Entry[Architecture]) -> Network:
    return Network.resolve(registry, entry.name)


def _times(entry: Entry[Architecture]) -> int:
    return max(64, _spec(entry).min_times)


def _model(
    registry: Registry, entry: Entry[Architecture], channels: int = 2, times: int = 0, classes: int = 3, seed: int = 0
) -> nn.Module:
    torch.manual_seed(seed)
    size = {"n_channels": channels, "n_times": times or _times(entry), "n_classes": classes}
    return _network(registry, entry).build(**size)


def _forward(model: nn.Module, rows: Tensor) -> Tensor:
    with torch.set_grad_enabled(model.training):
        logits: Tensor = model(rows)
        return logits


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


def _fitting(registry: Registry, spec: Architecture) -> list[Entry[Block]]:
    """The registered blocks that have a form for its slot."""
    return [entry for entry in registry.of_kind(Block) if spec.block_dims in entry.spec.dims]


def _is_fitted(entry: Entry[Architecture]) -> bool:
    """Whether it is fitted, not trained; what cannot be imported is not."""
    try:
        imported(entry.spec.factory)
    except PluginError:
        return False
    return Network(entry, "", {}, ()).fitted


def _sizes(spec: Architecture) -> tuple[tuple[int, int, int, str], ...]:
    """Channels, times, classes and the device; lengths are even and odd.

    The longest has a shape and no values, but for a recurrent net, which takes longer on the meta device.
    """
    shortest = spec.min_times
    return (
        (1, shortest, 2, "cpu"),
        (3, shortest + 1, 9, "cpu"),
        (12, max(LONGER, 2 * shortest), 2, "cpu"),
        (1, max(187, 2 * shortest + 1), 9, "cpu"),
        (3, 2000 + shortest, 5, "cpu" if spec.recurrent else "meta"),
    )


def _layers(model: nn.Module, still: Collection[str]) -> list[str]:
    """The layers of which no trainable parameter is left out of `still`; those with a parameter of their own."""
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    found = []
    for layer, module in model.named_modules():
        own = {name for name in trained if name.startswith(f"{layer}." if layer else "")}
        if own and own <= set(still) and any(True for _ in module.parameters(recurse=False)):
            found.append(layer or "the network")
    return found


def _odd_rows(times: int) -> Tensor:
    """Two flat rows, one as rows are, and one of large values, each of two channels."""
    return torch.stack(
        [torch.zeros(2, times), torch.ones(2, times), torch.randn(2, times), 1e3 * torch.randn(2, times)]
    )
