"""Rows come each once an epoch in a new order, or drawn by weights; and what a fitted network is given."""

import time

import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.data.rows import Rows
from zoo.training.batches import RowOrder, Slices, Tensors, in_batches
from zoo.training.fitting import Batches


def rows(count: int) -> Tensors:
    """Rows that can be told apart: row i is all i."""
    numbers = torch.arange(count)
    return Tensors(numbers.float()[:, None, None].expand(count, 1, 4), numbers % 3, numbers + 1)


def seen(batches) -> list[int]:
    return [int(value) for batch in batches for value in batch.values[:, 0, 0]]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn_order(count: int, generator: torch.Generator, weights: Tensor | None) -> Tensor:
    """The order of one epoch over all rows."""
    return RowOrder(generator).take(count, count, weights)


def test_an_epoch_goes_on_with_the_order_of_the_one_before_and_then_with_a_new_one() -> None:
    order = RowOrder(seeded(3))
    epochs = torch.stack([order.take(4, 10) for _ in range(5)]).flatten()
    first = torch.randperm(10, generator=seeded(3))
    assert sorted(epochs[:10].tolist()) == sorted(epochs[10:].tolist()) == list(range(10))
    assert epochs[:10].tolist() == first.tolist() != epochs[10:].tolist()
    few = RowOrder(seeded(3)).take(25, 10)
    assert [sorted(few[at : at + 10].tolist()) for at in (0, 10)] == [list(range(10))] * 2
    assert len(set(few[20:].tolist())) == 5


def test_an_order_goes_on_from_what_is_left_of_it() -> None:
    whole, broken = RowOrder(seeded(1)), RowOrder(seeded(1))
    expected = [whole.take(7, 10).tolist() for _ in range(4)]
    found = [broken.take(7, 10).tolist() for _ in range(2)]
    resumed = RowOrder(torch.Generator())
    resumed.generator.set_state(broken.generator.get_state())
    resumed.left = broken.left
    assert [*found, *(resumed.take(7, 10).tolist() for _ in range(2))] == expected


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
    many: Tensor = torch.cat([drawn_order(5, seeded(seed), weights) for seed in range(2000)])
    shares = torch.bincount(many, minlength=5) / len(many)
    torch.testing.assert_close(shares, weights / weights.sum(), rtol=0, atol=0.015)
    assert shares[0] == shares[3] == 0


def test_the_order_of_a_seed_is_pinned() -> None:
    """Runs are repeated to the bit by it."""
    assert drawn_order(10, seeded(0), None).tolist() == [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]
    weights = torch.tensor([0.0, 1.0, 2.0, 0.0, 4.0, 1.0, 1.0, 0.0, 0.5, 0.0])
    assert drawn_order(10, seeded(0), weights).tolist() == [8, 4, 4, 6, 4, 5, 2, 4, 4, 2]


def test_a_row_is_drawn_from_its_share_of_the_weights_its_lower_bound_included(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = torch.tensor([0.0, 0.25, 0.5, 1 - 2**-53], dtype=torch.float64)
    monkeypatch.setattr(torch, "rand", lambda count, **how: points[:count].to(how["dtype"]))
    assert drawn_order(4, seeded(0), torch.tensor([0.0, 1.0, 1.0, 2.0])).tolist() == [1, 2, 3, 3]
    assert drawn_order(4, seeded(0), torch.tensor([1.0, 1.0, 2.0, 0.0])).tolist() == [0, 1, 2, 2]


def test_small_weights_are_not_lost_beside_the_sum_of_large_ones() -> None:
    weights = torch.tensor([2.0**25, *[1.0] * 1000], dtype=torch.float32)  # 2**25 + 1 is no float32
    drawn = torch.cat([drawn_order(1001, seeded(seed), weights) for seed in range(200)])
    expected = 200 * 1001 * 1000 / (2**25 + 1000)
    assert expected / 3 < (drawn > 0).sum() < 3 * expected


@pytest.mark.parametrize("count", [1, 5, 6, 96, 191, 192, 193, 600])
def test_rows_come_in_their_order_however_they_are_gathered(count: int) -> None:
    data, order = rows(count), drawn_order(count, seeded(1), None)
    found = list(in_batches(data, order, 6))
    starts = range(0, count, 6)
    assert [batch.values[:, 0, 0].int().tolist() for batch in found] == [order[at : at + 6].tolist() for at in starts]
    assert [batch.labels.tolist() for batch in found] == [(order[at : at + 6] % 3).tolist() for at in starts]


class Counter:
    def __init__(self) -> None:
        self.reports: list[tuple[int, int]] = []

    def __call__(self, done: int, count: int) -> None:
        self.reports.append((done, count))


def test_a_fit_gets_pass_after_pass_and_validation_in_one_order() -> None:
    reports = Counter()
    batches = Batches(rows(50), rows(600), 8, seeded(3), None, reports)
    first, second = seen(batches), seen(batches)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert (len(batches), batches.rows, len(list(batches))) == (7, 50, 7)
    assert len(Batches(rows(48), rows(1), 8, seeded(3), None, reports)) == 6
    validation = batches.validation
    assert seen(validation) == seen(validation) == list(range(600))
    assert [len(batch.labels) for batch in validation] == [512, 88]
    assert reports.reports == [], "nothing takes so long here"


def test_a_fit_draws_rows_by_their_weights() -> None:
    batches = Batches(rows(50), rows(20), 8, seeded(3), torch.arange(50) % 2, lambda done, count: None)
    assert {row % 2 for row in seen(batches)} == {1}


def test_a_pass_is_reported_five_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now, reports = [100.0], Counter()
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    for _ in Batches(rows(50), rows(20), 8, seeded(3), None, reports):
        now[0] += 0.11  # what the fit does with a batch takes its time
    assert reports.reports == [(16, 50), (32, 50), (48, 50)]


def test_slices_leave_nothing_out() -> None:
    assert [len(batch.labels) for batch in Slices(rows(11), 4)] == [4, 4, 3]


def test_the_strides_of_an_axis_of_one_channel_do_not_reach_torch() -> None:
    values = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)[:, None, :][[4, 1, 2]]
    assert values.strides == (36, 4, 4), "as numpy leaves them"
    rows = Rows(values, np.zeros(3, dtype=np.int64), np.arange(3))
    tensors = Tensors.of(rows, torch.device("cpu"))
    assert tensors.values.stride() == (9, 9, 1)
    assert tensors.values.data_ptr() == values.ctypes.data, "without a copy"


def test_what_is_written_into_a_batch_reaches_no_row() -> None:
    data = Tensors(torch.ones(5, 2, 4), torch.tensor([0, 1, 2, 0, 1]), torch.tensor([4, 3, 2, 4, 3]))
    before = data.copy()
    fitted = Batches(data, data, 2, seeded(0), None, lambda done, count: None)
    for batches in (Slices(data, 2), in_batches(data, torch.arange(5), 2), fitted, fitted.validation):
        for batch in batches:
            assert batch.lengths is not None
            for tensor in (batch.values, batch.labels, batch.lengths):
                tensor.mul_(0)
    assert data.lengths is not None
    assert before.lengths is not None
    assert torch.equal(data.values, before.values)
    assert torch.equal(data.labels, before.labels)
    assert torch.equal(data.lengths, before.lengths)
