"""Checks of every architecture (the contract: `zoo.specs.Architecture`)."""

import copy
from collections.abc import Callable, Collection, Mapping

import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.errors import PluginError
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.networks import Network
from zoo.registry import Entry, Registry
from zoo.specs import Architecture, Block
from zoo.testing.check import close, expect, mode_text, pickled_copy, required
from zoo.testing.devices import OneDevice
from zoo.testing.fits import fit
from zoo.testing.outputs import case_difference, entry_of, has_cases
from zoo.testing.spaces import check_preset, check_space, draws, resolved
from zoo.testing.watching import imported

STEPS = 300  # enough for sixteen rows at this learning rate, with dropout
LEARNT = 0.1
LONGER = 50
BATCHES = ((1, False), (5, False), (2, True))  # rows, and whether in training mode
MOVING_STEPS = 10  # enough for layers with zeros as initial weights to pass gradients on
LEARNING_RATE = 3e-3


def keys(registry: Registry, entry: Entry[Architecture]) -> None:
    """Every key of a preset or a space is a parameter of its component, with values that the component accepts."""
    for name, preset in _spec(entry).presets.items():
        check_preset(registry, entry, name, preset)
    for name, space in _spec(entry).spaces.items():
        check_space(registry, entry, name, space)


def shapes(registry: Registry, entry: Entry[Architecture]) -> None:
    """Logits have the shape `(batch, n_classes)`, for 1 to 12 channels, short and long series, and 2 to 9 classes."""
    for channels, times, classes, device in _sizes(_spec(entry)):
        with torch.device(device):
            model = _model(registry, entry, channels, times, classes)
            for rows, training in BATCHES if times < LONGER else BATCHES[1:]:
                logits = _forward(model.train(training), torch.zeros(rows, channels, times).normal_())
                where = f"for {rows} x {channels} x {times} {mode_text(training)}"
                expect(tuple(logits.shape) == (rows, classes), f"logits are {tuple(logits.shape)} {where}")


def finite(registry: Registry, entry: Entry[Architecture]) -> None:
    """Logits are finite float32, also for a flat row and for a row of large values."""
    model, times = _model(registry, entry), _times(entry)
    for training in (True, False):
        logits, when = _forward(model.train(training), _odd_rows(times)), mode_text(training)
        expect(logits.dtype == torch.float32, f"logits are {logits.dtype} {when}")
        expect(bool(torch.isfinite(logits).all()), f"logits are NaN or infinite {when}")


def gradients(registry: Registry, entry: Entry[Architecture]) -> None:
    """Every trainable parameter gets a finite gradient, also for flat and large rows; no layer has only zeros."""
    model, times = _model(registry, entry).train(), _times(entry)
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    expect(bool(trained), "gradients found nothing to check: no parameter is trainable")
    optimiser = torch.optim.Adam(trained.values(), lr=LEARNING_RATE)
    still = set(trained)
    for step in range(MOVING_STEPS):
        optimiser.zero_grad()
        rows = torch.randn(4, 2, times) if step else _odd_rows(times)
        nn.functional.cross_entropy(_forward(model, rows), torch.arange(4) % 3).backward()
        for name, parameter in trained.items():
            gradient = required(parameter.grad, f"parameter {name} gets no gradient")
            finite = bool(torch.isfinite(gradient).all())
            expect(finite, f"the gradient of {name} is not finite{'' if step else ' for flat rows or large values'}")
        still = {name for name in still if (now := trained[name].grad) is None or not now.any()}
        if not _layers(model, still):
            return
        optimiser.step()
    expect(False, f"the gradient of {', '.join(_layers(model, still))} is always zero")


def batch_independence(registry: Registry, entry: Entry[Architecture]) -> None:
    """In eval mode, a row's logits do not depend on other or earlier rows, and no random number is drawn."""
    model = _model(registry, entry).eval()
    rows = torch.randn(6, 2, _times(entry))
    before, state = torch.get_rng_state(), {name: value.clone() for name, value in model.state_dict().items()}
    together = _forward(model, rows)
    expect(torch.equal(before, torch.get_rng_state()), "a forward pass in eval mode draws random numbers")
    alone = torch.cat([_forward(model, row[None]) for row in rows])
    expect(close(together, alone), "a row's logits in eval mode depend on the other rows of the batch")
    expect(torch.equal(together, _forward(model, rows)), "a row's logits in eval mode depend on earlier batches")
    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, state[name])]
    expect(not changed, f"a forward pass in eval mode changes {', '.join(changed)}")


def leaves_its_input(registry: Registry, entry: Entry[Architecture]) -> None:
    """A forward pass does not change the rows."""
    model, times = _model(registry, entry), _times(entry)
    given = torch.randn(3, 2, times)
    for training in (True, False):
        rows = given.clone()
        _forward(model.train(training), rows)
        expect(torch.equal(rows, given), f"it changes its input rows {mode_text(training)}")


def moves(registry: Registry, entry: Entry[Architecture]) -> None:
    """After a move to another device it computes there: no tensor stays on the old device."""
    model = _model(registry, entry).to("meta").train()
    with OneDevice():
        logits = _forward(model, torch.empty(3, 2, _times(entry), device="meta"))
    expect(logits.device.type == "meta", "after a move to another device, its logits are on the old device")


def seed(registry: Registry, entry: Entry[Architecture]) -> None:
    """The same seed produces the same weights and the same training; a different seed, different weights."""
    fitted, times = _network(registry, entry).fitted, _times(entry)
    first, second = (_model(registry, entry, seed=1) for _ in range(2))
    one, two = first.state_dict(), second.state_dict()
    expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed produces different weights")
    if fitted:
        torch.manual_seed(2)  # a fit must draw only from its generator
        fit(first, *sixteen_rows(times))
        fit(second, *sixteen_rows(times))
        one, two = first.state_dict(), second.state_dict()
        expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed produces different weights")
        return
    other = _model(registry, entry, seed=2).state_dict()
    expect(any(not torch.equal(one[name], other[name]) for name in one), "different seeds produce the same weights")
    rows = torch.randn(3, 2, times)
    answers = []
    for model in (first, second):
        torch.manual_seed(3)
        answers.append(_forward(model.train(), rows))
    expect(torch.equal(*answers), "the same seed produces different logits in training mode")


def weights(registry: Registry, entry: Entry[Architecture]) -> None:
    """A network of a different seed loads the state dict from safetensors, and then returns the same logits."""
    model, other = (_model(registry, entry, classes=2, seed=number) for number in (1, 2))
    rows = torch.randn(3, 2, _times(entry))
    if _network(registry, entry).fitted:
        fit(model, *sixteen_rows(_times(entry)))
    model.train()
    _forward(model, rows)  # changes running statistics
    state = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(state)))
    same = torch.equal(_forward(model.eval(), rows), _forward(other.eval(), rows))
    expect(same, "the state dict is incomplete: the logits depend on other state")


def copies(registry: Registry, entry: Entry[Architecture]) -> None:
    """A pickled copy and a deep copy return the same logits as the original."""
    model = _model(registry, entry).eval()
    rows = torch.randn(2, 2, _times(entry))
    for kind, again in (("pickled", pickled_copy(model)), ("deep", copy.deepcopy(model))):
        expect(torch.equal(_forward(model, rows), _forward(again, rows)), f"a {kind} copy returns different logits")


def size(registry: Registry, entry: Entry[Architecture]) -> None:
    """It builds on the meta device, and its parameters and multiply-accumulates can be counted."""
    times = max(187, _spec(entry).min_times)
    model = on_meta(lambda: _network(registry, entry).build(n_channels=1, n_times=times, n_classes=5))
    expect(count_parameters(model) > 0, "it has no parameters")
    expect(count_macs(model, n_channels=1, n_times=times) > 0, "it has no multiply-accumulates")


def presets(registry: Registry, entry: Entry[Architecture]) -> None:
    """Every preset builds a network that accepts rows."""
    times = max(187, _spec(entry).min_times)
    for name in _spec(entry).presets:
        network = Network.resolve(registry, f"{entry.name}.{name}")
        _takes_rows(network, times, f"preset {name}")


def spaces(registry: Registry, entry: Entry[Architecture]) -> None:
    """Ten draws of each space, with each choice and both ends of each range, build networks that accept rows."""
    times = max(187, _spec(entry).min_times)
    for name, space in _spec(entry).spaces.items():
        for drawn in draws(space):
            _takes_rows(resolved(registry, entry, drawn), times, f"space {name}, {drawn}")


def slot(registry: Registry, entry: Entry[Architecture]) -> None:
    """The block slot accepts every registered block with the right number of dimensions."""
    blocks = _fitting(registry, _spec(entry))
    expect(bool(blocks), "slot found nothing to check: no registered block has its number of dimensions")
    for block in blocks:
        torch.manual_seed(0)
        network = Network.resolve(registry, entry.name, block=block.name)
        model = network.build(n_channels=2, n_times=_times(entry), n_classes=3).eval()
        logits = _forward(model, torch.randn(2, 2, _times(entry)))
        expect(tuple(logits.shape) == (2, 3), f"logits are {tuple(logits.shape)} with block {block.name}")
        expect(bool(torch.isfinite(logits).all()), f"logits are NaN or infinite with block {block.name}")


def padding(registry: Registry, entry: Entry[Architecture]) -> None:
    """More padding does not change logits in eval mode, with any masked block."""
    spec = _spec(entry)
    times = max(60, spec.min_times)
    lengths = torch.tensor([times, max(times // 2, spec.min_times), spec.min_times, max(45, spec.min_times)])
    rows = torch.randn(4, 2, times) * (torch.arange(times) < lengths[:, None])[:, None]
    maskable = [each.name for each in _fitting(registry, spec) if each.spec.masked]
    blocks: list[str | None] = [*maskable] if spec.block_dims else [None]
    expect(bool(blocks), "padding found nothing to check: no registered block fits its slot and is masked")
    for block in blocks:
        torch.manual_seed(0)
        network = Network.resolve(registry, entry.name, block=block)
        model = network.build(n_channels=2, n_times=times, n_classes=3)
        given = rows.clone(), lengths.clone()
        with torch.no_grad():
            for training in (True, False):  # training mode first, for the statistics of batch normalisation
                expected = model.train(training)(*given)
                same = torch.equal(given[0], rows) and torch.equal(given[1], lengths)
                expect(same, f"it changes its input rows or lengths, with block {block or 'none'}")
            padded = model(nn.functional.pad(rows, (0, 25)), lengths)
        expect(close(padded, expected), f"padding changes the logits with block {block or 'none'}")
        for row, length, logits in zip(rows, lengths, expected, strict=True):
            with torch.no_grad():
                alone = model(row[None, :, :length], length[None])[0]
            expect(close(alone, logits), f"without padding, a row has different logits, with block {block or 'none'}")


def learns(registry: Registry, entry: Entry[Architecture]) -> None:
    """It learns sixteen rows of two classes."""
    rows, labels = sixteen_rows(_times(entry))
    model = _model(registry, entry, classes=2)
    if _network(registry, entry).fitted:
        fit(model, rows, labels)
        hits = _forward(model.eval(), rows).argmax(1) == labels
        expect(bool(hits.all()), f"after a fit to sixteen rows, it classifies only {int(hits.sum())} of them correctly")
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


def without_validation(registry: Registry, entry: Entry[Architecture]) -> None:
    """If its spec declares that it needs no validation rows, it has a fit(), which works without them."""
    rows, labels = sixteen_rows(_times(entry))
    model = _model(registry, entry, classes=2)
    expect(_network(registry, entry).fitted, "needs_validation=False is for a class with fit()")
    fit(model, rows, labels, chosen_by=0)
    expect(
        bool(torch.isfinite(_forward(model.eval(), rows)).all()), "without validation rows its logits are not finite"
    )


def autocast(registry: Registry, entry: Entry[Architecture]) -> None:
    """Under bf16 autocast, in training and in eval mode, its logits and gradients are finite."""
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


def parity(registry: Registry, entry: Entry[Architecture]) -> None:
    """Its outputs equal those of public code, which the `parity.toml` of its plugin contains."""
    found = entry_of(entry)
    for case in found if isinstance(found, tuple) else ():
        difference = case_difference(registry, entry, case)
        expect(
            difference <= case.tolerance,
            f"its outputs differ by {difference:.1e} from those of {case.source}; the tolerance is {case.tolerance:g}",
        )


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
    without_validation,
    parity,
)
WHERE: Mapping[Callable[..., None], Callable[[Entry[Architecture]], bool]] = {
    gradients: lambda entry: not _is_fitted(entry),
    keys: lambda entry: bool(_spec(entry).presets or _spec(entry).spaces),
    padding: lambda entry: _spec(entry).takes_lengths,
    parity: has_cases,
    presets: lambda entry: bool(_spec(entry).presets),
    slot: lambda entry: _spec(entry).block_dims is not None,
    spaces: lambda entry: bool(_spec(entry).spaces),
    without_validation: lambda entry: not _spec(entry).needs_validation,
}


def use(registry: Registry, entry: Entry[Architecture]) -> None:
    """Build it, run one training step, and predict rows."""
    network, rows = _network(registry, entry), torch.randn(4, 2, _times(entry))
    model = network.build(n_channels=2, n_times=_times(entry), n_classes=3)
    if network.fitted:
        fit(model, rows, torch.arange(4) % 3)
    else:
        nn.functional.cross_entropy(_forward(model.train(), rows), torch.arange(4) % 3).backward()
    _forward(model.eval(), rows)


def sixteen_rows(times: int) -> tuple[Tensor, Tensor]:
    """Return noisy waves of two channels, `(16, 2, times)`, and labels `(16,)`: slow waves are class 0, fast ones 1."""
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


def _takes_rows(network: Network, times: int, what: str) -> None:
    """Build it and pass two rows through, on the meta device; recurrent networks use the CPU, which is faster."""
    device = "cpu" if network.spec.recurrent else "meta"
    with torch.device(device), torch.no_grad():
        model = network.build(n_channels=1, n_times=times, n_classes=5).eval()
        logits = model(torch.empty(2, 1, times).zero_())
    expect(tuple(logits.shape) == (2, 5), f"{what}: logits are {tuple(logits.shape)}")


def _fitting(registry: Registry, spec: Architecture) -> list[Entry[Block]]:
    """Return the registered blocks that fit its slot."""
    return [entry for entry in registry.of_kind(Block) if spec.block_dims in entry.spec.dims]


def _is_fitted(entry: Entry[Architecture]) -> bool:
    """Whether its class has a fit() method; false if it cannot be imported."""
    try:
        imported(entry.spec.factory)
    except PluginError:
        return False
    return Network(entry, "", {}, ()).fitted


def _sizes(spec: Architecture) -> tuple[tuple[int, int, int, str], ...]:
    """Return tuples of channels, times, classes and device, with even and odd lengths.

    The longest is on the meta device; for a recurrent network it is on the CPU, which is faster.
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
    """Return the layers with their own parameters whose trainable parameters are all in `still`."""
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    found = []
    for layer, module in model.named_modules():
        own = {name for name in trained if name.startswith(f"{layer}." if layer else "")}
        if own and own <= set(still) and any(True for _ in module.parameters(recurse=False)):
            found.append(layer or "the network")
    return found


def _odd_rows(times: int) -> Tensor:
    """Return two flat rows, one normal row, and one of large values, each with two channels."""
    return torch.stack(
        [torch.zeros(2, times), torch.ones(2, times), torch.randn(2, times), 1e3 * torch.randn(2, times)]
    )
