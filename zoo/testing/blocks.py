"""What every block promises (the contract: `zoo.specs.Block`)."""

import copy
import pickle
import random
from typing import cast

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
    """It keeps the shape of its input, in every dimension it has a form for, down to one channel and one position."""
    for dims in _spec(entry).dims:
        for channels in CHANNELS:
            block = _block(entry, channels, dims)
            for size in SIZES[dims]:
                x = torch.randn(2, channels, *size)
                for training in (True, False) if x.numel() > 2 * channels else (False,):
                    output = block.train(training)(x)
                    expect(output.shape == x.shape, f"{tuple(x.shape)} becomes {tuple(output.shape)}")
                    expect(bool(torch.isfinite(output).all()), f"the output of {tuple(x.shape)} is NaN or infinite")


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


def copies(registry: Registry, entry: Entry) -> None:
    """A pickled and a deep-copied block answer like the original."""
    for dims in _spec(entry).dims:
        block, x = _block(entry, 8, dims).eval(), _rows(dims)
        for again in (pickle.loads(pickle.dumps(block)), copy.deepcopy(block)):
            expect(torch.equal(block(x), again(x)), f"a copy answers differently in {dims}-D")


def padding(registry: Registry, entry: Entry) -> None:
    """A masked block lets nothing of the padding into valid positions, whatever the padding holds."""
    if not (_spec(entry).masked and 1 in _spec(entry).dims):
        return
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


def space(registry: Registry, entry: Entry) -> None:
    """Every key of its space is a parameter, and ten draws of it build."""
    spec, rng = _spec(entry), random.Random(0)
    expect(set(spec.space) <= set(parameters(spec)), f"{sorted(set(spec.space) - set(parameters(spec)))} in its space")
    for dims in spec.dims:
        for _ in range(DRAWS):
            drawn = {key: domain.draw(rng) for key, domain in spec.space.items()}
            block = load_factory(spec.factory)(8, dims=dims, **drawn)
            expect(block(_rows(dims)).shape == _rows(dims).shape, f"the shape is not kept with {drawn}")


CHECKS = (shapes, gradients, batch_independence, copies, padding, space)


def _spec(entry: Entry) -> Block:
    return cast(Block, entry.spec)


def _block(entry: Entry, channels: int, dims: int) -> nn.Module:
    torch.manual_seed(0)
    return cast(nn.Module, load_factory(entry.spec.factory)(channels, dims=dims))


def _rows(dims: int) -> Tensor:
    return torch.randn(3, 8, *SIZES[dims][1], generator=torch.Generator().manual_seed(1))
