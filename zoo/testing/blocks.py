"""Checks of every block (the contract: `zoo.specs.Block`)."""

import copy
from collections.abc import Callable, Mapping
from itertools import product

import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.factories import complete, load_factory, parameters
from zoo.layers import valid_mask
from zoo.registry import Entry, Registry
from zoo.specs import Block
from zoo.testing.check import close, expect, mode_text, pickled_copy
from zoo.testing.devices import OneDevice
from zoo.testing.spaces import draws, values

SIZES = {1: ((1,), (2,), (187,), (500,), (20,)), 2: ((1, 1), (2, 1), (17, 32), (6, 7))}  # last: for other checks
CHANNELS = (1, 3, 8, 12, 64)


def shapes(registry: Registry, entry: Entry[Block]) -> None:
    """It keeps the shape of its input, in each of its `dims`, down to one channel and one position."""
    for dims, channels in product(_spec(entry).dims, CHANNELS):
        block = _block(entry, channels, dims)
        for size in SIZES[dims]:
            x = torch.randn(2, channels, *size)
            for training in (True, False) if x[0, 0].numel() > 1 else (False,):
                output = block.train(training)(x, None)
                expect(output.shape == x.shape, f"{tuple(x.shape)} becomes {tuple(output.shape)}")


def finite(registry: Registry, entry: Entry[Block]) -> None:
    """Its output is finite float32, also for a flat input and for large values."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims), _rows(dims)
        for training, rows in product((True, False), (x, 0 * x, 1e3 * x)):
            output, when = block.train(training)(rows), mode_text(training)
            expect(output.dtype == torch.float32, f"its output is {output.dtype} {when} in {dims}-D")
            expect(bool(torch.isfinite(output).all()), f"its output is NaN or infinite {when} in {dims}-D")


def gradients(registry: Registry, entry: Entry[Block]) -> None:
    """After one backward pass, every parameter and the input have a finite gradient, also for flat and large values."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims), _rows(dims).requires_grad_()
        block(x).square().sum().backward()
        for name, value in (*block.named_parameters(), ("the input", x)):
            found = value.grad is not None and bool(torch.isfinite(value.grad).all())
            expect(found or not value.requires_grad, f"{name} gets no finite gradient in {dims}-D")
        reached = x.grad is not None and bool(x.grad.any())
        expect(reached, f"the gradient of the input is zero in {dims}-D")
        for value in (0 * x, 1e3 * x):
            block.zero_grad()
            block(value).square().mean().backward()
            bad = [name for name, each in block.named_parameters() if not _finite(each.grad)]
            expect(not bad, f"{', '.join(bad)} gets no finite gradient in {dims}-D for a flat or large input")


def batch_independence(registry: Registry, entry: Entry[Block]) -> None:
    """In eval mode, the output of a row does not depend on other or earlier rows."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims).eval(), _rows(dims)
        state = {name: value.clone() for name, value in block.state_dict().items()}
        together = block(x)
        alone = torch.cat([block(row[None]) for row in x])
        expect(close(together, alone), f"rows depend on each other in {dims}-D")
        expect(torch.equal(together, block(x)), f"a row depends on earlier batches in {dims}-D")
        changed = [name for name, value in block.state_dict().items() if not torch.equal(value, state[name])]
        expect(not changed, f"a forward pass in eval mode changes {', '.join(changed)} in {dims}-D")


def leaves_its_input(registry: Registry, entry: Entry[Block]) -> None:
    """A forward pass does not change its input, because a skip connection may still need it."""
    for dims, training in product(_spec(entry).dims, (True, False)):
        x = _rows(dims)
        with torch.no_grad():
            _block(entry, 8, dims).train(training)(x)
        where = f"{mode_text(training)} in {dims}-D"
        expect(torch.equal(x, _rows(dims)), f"it changes its input {where}")


def moves(registry: Registry, entry: Entry[Block]) -> None:
    """After a move to another device it computes there: no tensor stays on the old device."""
    for dims, training in product(_spec(entry).dims, (True, False)):
        block = _block(entry, 8, dims).to("meta").train(training)
        with OneDevice():
            output = block(_rows(dims).to("meta"))
        expect(output.device.type == "meta", f"after a move to another device, its output stays behind in {dims}-D")


def seed(registry: Registry, entry: Entry[Block]) -> None:
    """The same seed produces the same weights, and the same output in training mode."""
    for dims in _spec(entry).dims:
        blocks = [_block(entry, 8, dims) for _ in range(2)]
        one, two = (block.state_dict() for block in blocks)
        expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed produces different weights")
        outputs = []
        for block in blocks:
            torch.manual_seed(1)
            outputs.append(block.train()(_rows(dims)))
        expect(torch.equal(*outputs), f"the same seed produces different outputs in training mode in {dims}-D")


def weights(registry: Registry, entry: Entry[Block]) -> None:
    """A block of a different seed loads the state dict from safetensors, and then returns the same output."""
    for dims in _spec(entry).dims:
        block, other = (_block(entry, 8, dims, seed=number) for number in (1, 2))
        block.train()(_rows(dims))  # changes running statistics
        state = {name: value.clone().contiguous() for name, value in block.state_dict().items()}
        other.load_state_dict(safetensors.torch.load(safetensors.torch.save(state)))
        same = torch.equal(block.eval()(_rows(dims)), other.eval()(_rows(dims)))
        expect(same, f"the state dict is incomplete: the output depends on other state in {dims}-D")


def copies(registry: Registry, entry: Entry[Block]) -> None:
    """A pickled copy and a deep copy return the same output as the original."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims).eval(), _rows(dims)
        for again in (pickled_copy(block), copy.deepcopy(block)):
            expect(torch.equal(block(x), again(x)), f"a copy returns a different output in {dims}-D")


def padding(registry: Registry, entry: Entry[Block]) -> None:
    """In a masked block, no value of the padding affects valid positions."""
    block, lengths = _block(entry, 8, 1), torch.tensor([20, 5, 11])
    mask, x = valid_mask(lengths, 20), _rows(1)
    block.train()(x, mask)
    clean, garbage = x.masked_fill(~mask, 0.0), x.masked_fill(~mask, 1e3)
    for training in (True, False):
        here, there = (copy.deepcopy(block).train(training)(rows, mask) for rows in (clean, garbage))
        same = close(here.masked_fill(~mask, 0), there.masked_fill(~mask, 0))
        expect(same, f"padding affects valid positions {mode_text(training)}")
    block.eval()
    wider = torch.nn.functional.pad(clean, (0, 9))
    output = block(wider, valid_mask(lengths, 29))[..., :20]
    same = close(output.masked_fill(~mask, 0), block(clean, mask).masked_fill(~mask, 0))
    expect(same, "more padding changes valid positions")


def keys(registry: Registry, entry: Entry[Block]) -> None:
    """Every key of its space is a parameter, with values that the block accepts."""
    unknown = sorted(set(_spec(entry).space) - set(parameters(entry.spec)))
    expect(not unknown, f"its space has {', '.join(unknown)}, but the block has no such parameter")
    for key, domain in _spec(entry).space.items():
        for value in values(domain):
            complete(entry.spec, {key: value})


def spaces(registry: Registry, entry: Entry[Block]) -> None:
    """Ten draws of its space, with each choice and both ends of each range, build blocks that keep the shape."""
    spec = _spec(entry)
    for dims, drawn in product(spec.dims, draws(spec.space)):
        block = load_factory(spec.factory)(8, dims=dims, **complete(spec, drawn))
        expect(block(_rows(dims)).shape == _rows(dims).shape, f"the shape is not kept with {drawn}")


CHECKS = (
    keys,
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
    spaces,
)
WHERE: Mapping[Callable[..., None], Callable[[Entry[Block]], bool]] = {
    keys: lambda entry: bool(_spec(entry).space),
    padding: lambda entry: _spec(entry).masked and 1 in _spec(entry).dims,
    spaces: lambda entry: bool(_spec(entry).space),
}


def use(registry: Registry, entry: Entry[Block]) -> None:
    """Build it, and run one training step in each of its `dims`."""
    for dims in _spec(entry).dims:
        block: nn.Module = load_factory(entry.spec.factory)(8, dims=dims)
        block(_rows(dims).requires_grad_()).sum().backward()


def _spec(entry: Entry[Block]) -> Block:
    return entry.spec


def _block(entry: Entry[Block], channels: int, dims: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    block: nn.Module = load_factory(entry.spec.factory)(channels, dims=dims)
    return block


def _rows(dims: int) -> Tensor:
    return torch.randn(3, 8, *SIZES[dims][-1], generator=torch.Generator().manual_seed(1))


def _finite(gradient: Tensor | None) -> bool:
    return gradient is None or bool(torch.isfinite(gradient).all())
