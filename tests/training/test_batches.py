"""Rows come each once an epoch in a new order, or drawn by weights; and what a fitted network is given."""

import numpy as np
import torch
from torch import Tensor

from zoo.data.sealed import Rows
from zoo.training.batches import Tensors, drawn_order, in_batches, slices
from zoo.training.fitting import Batches


def rows(count: int) -> Tensors:
    """Rows that can be told apart: row i is all i."""
    numbers = torch.arange(count)
    return Tensors(numbers.float()[:, None, None].expand(count, 1, 4), numbers % 3, numbers + 1)


def seen(batches) -> list[int]:
    return [int(value) for batch in batches for value in batch.values[:, 0, 0]]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_every_row_comes_once_an_epoch_in_an_order_of_the_seed() -> None:
    data = rows(1000)
    one, two, other = (seen(in_batches(data, drawn_order(1000, seeded(seed), None), 7)) for seed in (1, 1, 2))
    assert sorted(one) == list(range(1000))
    assert one == two != other


def test_labels_and_lengths_go_with_their_rows() -> None:
    for batch in in_batches(rows(100), drawn_order(100, seeded(0), None), 8):
        assert torch.equal(batch.labels, batch.values[:, 0, 0].long() % 3)
        assert torch.equal(batch.lengths, batch.values[:, 0, 0].long() + 1)


def test_rows_are_drawn_as_often_as_their_weights_say() -> None:
    weights = torch.tensor([0.0, 1.0, 3.0, 0.0, 6.0])
    drawn = drawn_order(5, seeded(0), weights).tolist()
    assert len(drawn) == 5
    many: Tensor = torch.cat([drawn_order(5, seeded(seed), weights) for seed in range(4000)])
    shares = torch.bincount(many, minlength=5) / len(many)
    torch.testing.assert_close(shares, weights / weights.sum(), rtol=0, atol=0.01)
    assert shares[0] == shares[3] == 0


def test_a_fit_gets_pass_after_pass_and_validation_in_one_order() -> None:
    reports: list[int] = []
    batches = Batches(rows(50), rows(20), 8, seeded(3), None, lambda done, count: reports.append(done))
    first, second = seen(batches), seen(batches)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert (len(batches), batches.rows, len(list(batches))) == (7, 50, 7)
    validation = batches.validation
    assert seen(validation) == seen(validation) == list(range(20))


def test_slices_leave_nothing_out() -> None:
    assert [len(batch.labels) for batch in slices(rows(11), 4)] == [4, 4, 3]


def test_the_strides_of_an_axis_of_one_channel_do_not_reach_torch() -> None:
    values = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)[:, None, :][[4, 1, 2]]
    assert values.strides == (36, 4, 4), "as numpy leaves them"
    rows = Rows(values, np.zeros(3, dtype=np.int64), np.arange(3))
    tensors = Tensors.of(rows, torch.device("cpu"))
    assert tensors.values.stride() == (9, 9, 1)
    assert tensors.values.data_ptr() == values.ctypes.data, "without a copy"
