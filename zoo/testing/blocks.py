"""What every block promises (the contract: `zoo.specs.Block`)."""

import copy
import pickle
import random
from collections.abc import Callable, Mapping
from itertools import product
from typing import cast

import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.factories import load_factory, parameters
from zoo.layers import valid_mask
from zoo.registry import Entry, Registry
from zoo.specs import Block
from zoo.testing.check import close, expect

SIZES = {1: ((1,), (20,)), 2: ((1, 1), (6, 7))}
CHANNELS = (1, 8, 12)
DRAWS = 10


def shapes(registry: Registry, entry: Entry) -> None:
    """It keeps the shape of its input, in each dimension it has a form for, down to one channel and one position."""
    for dims in _spec(entry).dims:
        for channels in CHANNELS:
            block = _block(entry, channels, dims)
            for size in SIZES[dims]:
                x = torch.randn(2, channels, *size)
                for training in (True, False) if x.numel() > 2 * channels else (False,):
                    output = block.train(training)(x)
                    expect(output.shape == x.shape, f"{tuple(x.shape)} becomes {tuple(output.shape)}")


def finite(registry: Registry, entry: Entry) -> None:
    """Its output is finite float32, of a flat input and of one with large values too."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims), _rows(dims)
        for training, values in product((True, False), (x, 0 * x, 1e3 * x)):
            output, when = block.train(training)(values), "in training" if training else "in eval"
            expect(output.dtype == torch.float32, f"its output is {output.dtype} {when} in {dims}-D")
            expect(bool(torch.isfinite(output).all()), f"its output is NaN or infinite {when} in {dims}-D")


def gradients(registry: Registry, entry: Entry) -> None:
    """One backward pass gives every parameter and the input a finite gradient."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims), _rows(dims).requires_grad_()
        block(x).square().sum().backward()
        for name, value in (*block.named_parameters(), ("the input", x)):
            found = value.grad is not None and bool(torch.isfinite(value.grad).all())
            expect(found, f"{name} gets no finite gradient in {dims}-D")


def batch_independence(registry: Registry, entry: Entry) -> None:
    """In eval a row does not depend on the rows beside it."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims).eval(), _rows(dims)
        alone = torch.cat([block(row[None]) for row in x])
        expect(close(block(x), alone), f"rows depend on each other in {dims}-D")


def seed(registry: Registry, entry: Entry) -> None:
    """The same seed gives the same weights."""
    for dims in _spec(entry).dims:
        one, two = (_block(entry, 8, dims).state_dict() for _ in range(2))
        expect(all(torch.equal(one[name], two[name]) for name in one), "the same seed gives different weights")


def weights(registry: Registry, entry: Entry) -> None:
    """The state dict goes through safetensors into a block of another seed, which then answers alike."""
    for dims in _spec(entry).dims:
        block, other = (_block(entry, 8, dims, seed=number) for number in (1, 2))
        block.train()(_rows(dims))  # running statistics have moved
        state = {name: value.clone().contiguous() for name, value in block.state_dict().items()}
        other.load_state_dict(safetensors.torch.load(safetensors.torch.save(state)))
        same = torch.equal(block.eval()(_rows(dims)), other.eval()(_rows(dims)))
        expect(same, f"the state dict does not hold all that the output depends on in {dims}-D")


def copies(registry: Registry, entry: Entry) -> None:
    """A pickled and a deep-copied block answer like the original."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims).eval(), _rows(dims)
        for again in (pickle.loads(pickle.dumps(block)), copy.deepcopy(block)):
            expect(torch.equal(block(x), again(x)), f"a copy answers differently in {dims}-D")


def padding(registry: Registry, entry: Entry) -> None:
    """A masked block lets nothing of the padding into valid positions, whatever the padding holds."""
    block, lengths = _block(entry, 8, 1), torch.tensor([20, 5, 11])
    mask, x = valid_mask(lengths, 20), _rows(1)
    block.train()(x, mask)
    clean, garbage = x.masked_fill(~mask, 0.0), x.masked_fill(~mask, 1e3)
    for training in (True, False):
        here, there = (copy.deepcopy(block).train(training)(rows, mask) for rows in (clean, garbage))
        same = close(here.masked_fill(~mask, 0), there.masked_fill(~mask, 0))
        expect(same, f"padding gets into valid positions in {'training' if training else 'eval'}")
    block.eval()
    wider = torch.nn.functional.pad(clean, (0, 9))
    output = block(wider, valid_mask(lengths, 29))[..., :20]
    same = close(output.masked_fill(~mask, 0), block(clean, mask).masked_fill(~mask, 0))
    expect(same, "more padding changes valid positions")


def keys(registry: Registry, entry: Entry) -> None:
    """Every key of its space is a parameter."""
    unknown = sorted(set(_spec(entry).space) - set(parameters(entry.spec)))
    expect(not unknown, f"its space has {', '.join(unknown)}, and it has no such parameter")


def spaces(registry: Registry, entry: Entry) -> None:
    """Ten draws of its space build, and keep the shape."""
    spec, rng = _spec(entry), random.Random(0)
    for dims in spec.dims:
        for _ in range(DRAWS):
            drawn = {key: domain.draw(rng) for key, domain in spec.space.items()}
            block = load_factory(spec.factory)(8, dims=dims, **drawn)
            expect(block(_rows(dims)).shape == _rows(dims).shape, f"the shape is not kept with {drawn}")


CHECKS = (keys, shapes, finite, gradients, batch_independence, padding, seed, weights, copies, spaces)
WHERE: Mapping[Callable[..., None], Callable[[Block], bool]] = {
    padding: lambda spec: spec.masked and 1 in spec.dims,
    spaces: lambda spec: bool(spec.space),
}


def use(registry: Registry, entry: Entry) -> None:
    """Build it, and take one step in each dimension."""
    for dims in _spec(entry).dims:
        block = cast(nn.Module, load_factory(entry.spec.factory)(8, dims=dims))
        block(_rows(dims).requires_grad_()).sum().backward()


def _spec(entry: Entry) -> Block:
    return cast(Block, entry.spec)


def _block(entry: Entry, channels: int, dims: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return cast(nn.Module, load_factory(entry.spec.factory)(channels, dims=dims))


def _rows(dims: int) -> Tensor:
    return torch.randn(3, 8, *SIZES[dims][1], generator=torch.Generator().manual_seed(1))
