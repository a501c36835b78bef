"""What training computes, against the same by hand: steps, losses, precision, reports, and the rows that are seen."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score, f1_score, log_loss
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.errors import Diverged
from zoo.settings import Settings
from zoo.training.batches import Tensors
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Learner, Loss, make_optimiser, predict, train, validate

CPU = Hardware(torch.device("cpu"), threads=1, bf16=False, channels_last=False)
STILL = 1e-30  # a learning rate that moves no float32, so that the loss of every row can be computed afterwards
CROSS_ENTROPY = nn.CrossEntropyLoss()


@dataclass(frozen=True)
class Noted:
    """What a network saw in one batch, and the type that its layer computed in."""

    training: bool
    rows: list[int]
    lengths: list[int] | None
    dtype: torch.dtype


class Noting(nn.Module):
    """One layer on the last three values of a row; the first one is the row's number."""

    def __init__(self, then: Callable[["Noting"], None] = lambda network: None) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.noted: list[Noted] = []
        self.then = then

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        logits: Tensor = self.layer(x[:, 0, 1:])
        told = None if lengths is None else lengths.tolist()
        self.noted.append(Noted(self.training, x[:, 0, 0].int().tolist(), told, logits.dtype))
        self.then(self)
        return logits

    @property
    def trained(self) -> list[list[int]]:
        """The rows of each batch of training."""
        return [note.rows for note in self.noted if note.training]


@dataclass
class Diary:
    """Remembers the reports within epochs."""

    reports: list[tuple[int, int, int, float]] = field(default_factory=list)

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        assert loss is not None
        self.reports.append((epoch, rows_done, rows, loss))

    def on_epoch(self, epoch: Epoch) -> None: ...


def rows_of(count: int, lengths: bool = False) -> Rows:
    """Numbered rows of random values in two classes; the length of row i is 1 + i modulo 3."""
    rng = np.random.default_rng(count)
    values = rng.normal(size=(count, 1, 4)).astype(np.float32)
    values[:, 0, 0] = np.arange(count)
    labels = rng.integers(2, size=count)
    return Rows(values, labels, np.arange(count), lengths=1 + np.arange(count) % 3 if lengths else None)


def learner_of(network: nn.Module, hardware: Hardware = CPU, **changes: Any) -> Learner:
    settings = replace(Settings.load().training({}, {}), patience=0, scheduler="none", clip=0.0, **changes)
    return Learner.start(network, settings, hardware, seed=5)


def trained(learner: Learner, rows: Rows, loss: Loss = CROSS_ENTROPY, **more: Any) -> list[Epoch]:
    return list(train(learner, rows, rows_of(6, rows.lengths is not None), loss, **{"reporter": Diary(), **more}))


def weights_of(network: Noting) -> np.ndarray:
    """The layer as float64 `(2, 4)`, its bias last."""
    return torch.cat([network.layer.weight, network.layer.bias[:, None]], 1).detach().double().numpy()


def losses_by_hand(weights: np.ndarray, rows: Rows) -> np.ndarray:
    """The cross entropy of each row."""
    logits = rows.values[:, 0, 1:] @ weights[:, :3].T + weights[:, 3]
    return -log_softmax(logits, axis=1)[np.arange(len(rows)), rows.labels]


def gradient_by_hand(weights: np.ndarray, rows: Rows) -> np.ndarray:
    """Of the mean cross entropy of all rows."""
    inputs = np.concatenate([rows.values[:, 0, 1:], np.ones((len(rows), 1))], 1)
    return (softmax(inputs @ weights.T, axis=1) - np.eye(2)[rows.labels]).T @ inputs / len(rows)


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_steps_are_those_of_the_papers(optimiser: str, clip: float) -> None:
    """Adam's decay is a part of the gradient (Kingma and Ba 2015); AdamW's is not (Loshchilov and Hutter 2019)."""
    rate, decay = 0.02, 0.3
    network, rows = Noting(), rows_of(8)
    learner = learner_of(network, optimiser=optimiser, learning_rate=rate, weight_decay=decay, batch_size=8, epochs=3)
    learner.settings = replace(learner.settings, clip=clip)
    expected, mean, square = weights_of(network), np.zeros((2, 4)), np.zeros((2, 4))
    for step, epoch in enumerate(train(learner, rows, rows, CROSS_ENTROPY, reporter=Diary()), start=1):
        assert (epoch.number, epoch.member, epoch.learning_rate) == (step, 1, rate)
        gradient = gradient_by_hand(expected, rows)
        norm = np.linalg.norm(gradient)
        assert norm > 0.05, "the smaller clip clips"
        gradient *= clip / norm if clip else 1
        if optimiser == "adam":
            gradient = gradient + decay * expected
        else:
            expected = expected - rate * decay * expected
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        expected = expected - rate * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(weights_of(network), expected, rtol=1e-3, atol=1e-5)
    assert step == 3


def test_a_gradient_within_the_clip_is_left_as_it_is() -> None:
    network, rows = Noting(), rows_of(8)
    before = weights_of(network)
    learner = learner_of(network, learning_rate=STILL, batch_size=8, epochs=1)
    learner.settings = replace(learner.settings, clip=50.0)
    trained(learner, rows)
    gradient = torch.cat([network.layer.weight.grad, network.layer.bias.grad[:, None]], 1)  # type: ignore[list-item, index]
    np.testing.assert_allclose(gradient, gradient_by_hand(before, rows), rtol=1e-4, atol=1e-6)


def test_the_optimiser_is_fused_where_torch_has_it() -> None:
    settings = Settings.load().training({}, {})
    there, elsewhere = nn.Linear(2, 2), nn.Linear(2, 2, device="meta")
    assert make_optimiser(there, settings).param_groups[0]["fused"] is True
    assert make_optimiser(elsewhere, settings).param_groups[0]["fused"] is None


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [
        (10, 4, [4, 4, 2]),
        (9, 4, [4, 4]),  # batch normalisation of features cannot take one row
        (9, 1, [1] * 9),
        (1, 4, [1]),
        (3 * 32 + 2, 3, [3] * 32 + [2]),  # batches are gathered 32 at a time
        (3 * 32 + 1, 3, [3] * 32),
        (3 * 65, 3, [3] * 65),
    ],
)
def test_the_loss_of_an_epoch_is_the_mean_over_its_rows_each_seen_once(
    count: int, batch_size: int, sizes: list[int]
) -> None:
    network, rows = Noting(), rows_of(count)
    epochs = trained(learner_of(network, learning_rate=STILL, batch_size=batch_size, epochs=3), rows)
    losses, batches = losses_by_hand(weights_of(network), rows), network.trained
    each = [batches[start : start + len(sizes)] for start in range(0, len(batches), len(sizes))]
    assert [[len(batch) for batch in seen] for seen in each] == [sizes] * 3
    orders = [[row for batch in seen for row in batch] for seen in each]
    for order, epoch in zip(orders, epochs, strict=True):
        assert len(set(order)) == len(order), "no row twice"
        assert epoch.train_loss == pytest.approx(losses[order].mean(), rel=1e-5)
    if count > 1:
        assert orders[0] != orders[1] != orders[2], "a new order each epoch"
    if len(orders[0]) < count:
        assert len({*range(count)}.intersection(*orders)) < count - 1, "not the same row is left out each time"


def test_a_smaller_last_batch_weighs_by_its_rows() -> None:
    network, rows = Noting(), rows_of(10)
    (epoch,) = trained(learner_of(network, learning_rate=STILL, batch_size=4, epochs=1), rows)
    losses = losses_by_hand(weights_of(network), rows)
    of_batches = np.mean([losses[batch].mean() for batch in network.trained])
    assert abs(of_batches - losses.mean()) > 1e-3
    assert epoch.train_loss == pytest.approx(losses.mean(), rel=1e-5)


def test_rows_are_drawn_by_their_weights_and_never_with_a_weight_of_zero() -> None:
    network, rows = Noting(), rows_of(60)
    weights = torch.arange(60).remainder(3).double()  # 0, 1, 2, 0, 1, 2, …
    epochs = trained(learner_of(network, learning_rate=STILL, batch_size=20, epochs=50), rows, weights=weights)
    seen = np.concatenate(network.trained)
    assert len(seen) == 50 * 60
    shares = np.bincount(seen % 3, minlength=3) / len(seen)
    np.testing.assert_allclose(shares, [0, 1 / 3, 2 / 3], atol=0.03)
    assert shares[0] == 0
    losses = losses_by_hand(weights_of(network), rows)
    assert epochs[0].train_loss == pytest.approx(losses[seen[:60]].mean(), rel=1e-5)


def test_labels_and_lengths_are_those_of_the_rows_that_a_network_sees() -> None:
    labels: list[list[int]] = []

    def loss(logits: Tensor, of_batch: Tensor) -> Tensor:
        labels.append(of_batch.tolist())
        return nn.functional.cross_entropy(logits, of_batch)

    network, rows = Noting(), rows_of(30, lengths=True)
    trained(learner_of(network, batch_size=4, epochs=2), rows, loss)
    assert [note.training for note in network.noted].count(False) == 2
    assert network.trained[0] != sorted(network.trained[0]), "in a random order"
    for note in network.noted:
        assert note.lengths == [1 + row % 3 for row in note.rows]
    assert labels == [rows.labels[batch].tolist() for batch in network.trained]


def test_without_lengths_a_network_gets_the_values_alone() -> None:
    network = Noting()
    trained(learner_of(network, batch_size=4, epochs=1), rows_of(8))
    assert {note.lengths for note in network.noted} == {None}


@pytest.mark.parametrize("bf16", [False, True])
def test_bf16_is_for_the_layers_in_training_alone(bf16: bool) -> None:
    of_loss: set[torch.dtype] = set()

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        of_loss.add(logits.dtype)
        return nn.functional.cross_entropy(logits, labels)

    network = Noting()
    trained(learner_of(network, replace(CPU, bf16=bf16), batch_size=4, epochs=2), rows_of(8), loss)
    found = {(note.training, note.dtype) for note in network.noted}
    assert found == {(True, torch.bfloat16 if bf16 else torch.float32), (False, torch.float32)}
    assert of_loss == {torch.float32}
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_a_step_in_bf16_by_hand() -> None:
    network, rows, rate = Noting(), rows_of(8), 0.02
    weight, bias = network.layer.weight.detach().clone(), network.layer.bias.detach().clone()
    (epoch,) = trained(
        learner_of(network, replace(CPU, bf16=True), learning_rate=rate, batch_size=8, epochs=1),
        rows,
    )
    order = network.trained[0]
    x, labels = torch.from_numpy(rows.values[order, 0, 1:]).bfloat16(), torch.from_numpy(rows.labels[order])
    logits = (x.double() @ weight.bfloat16().double().T + bias.bfloat16().double()).bfloat16().double()
    loss = -(logits.log_softmax(1)[torch.arange(8), labels]).mean()
    assert epoch.train_loss == pytest.approx(float(loss), rel=1e-5)
    change = ((logits.softmax(1) - nn.functional.one_hot(labels, 2)) / 8).bfloat16()
    gradient = change.double().T @ x.double()
    found = network.layer.weight.grad
    assert found is not None
    assert torch.equal(found, found.bfloat16().float()), "it was computed in bf16"
    torch.testing.assert_close(found.double(), gradient, rtol=2**-7, atol=1e-4)
    step = network.layer.weight.detach() - weight
    torch.testing.assert_close(step, -rate * found.sign(), rtol=1e-3, atol=1e-5)  # Adam's first


def test_validation_is_cross_entropy_macro_recall_and_accuracy_in_batches_of_one_size() -> None:
    network, rows = Noting(), rows_of(700)
    network.layer = nn.Linear(3, 4)
    rows = replace(rows, labels=2 * rows.labels)  # classes 1 and 3 have no row
    found = validate(network.train(), Tensors.of(rows, CPU.device), 1)
    assert [(note.training, len(note.rows)) for note in network.noted] == [(False, 512), (False, 188)]
    assert [row for note in network.noted for row in note.rows] == list(range(700))
    logits = rows.values[:, 0, 1:] @ weights_of(network)[:, :3].T + weights_of(network)[:, 3]
    chosen = logits.argmax(1)
    assert set(chosen) > {0, 2}, "classes without rows are chosen, too"
    recalls = [(chosen == label)[rows.labels == label].mean() for label in (0, 2)]
    assert found.macro_recall == pytest.approx(np.mean(recalls))
    assert found.macro_f1 == pytest.approx(f1_score(rows.labels, chosen, labels=[0, 2], average="macro"))
    assert found.accuracy == pytest.approx(accuracy_score(rows.labels, chosen))
    probabilities, balance = softmax(logits, axis=1), 1 / np.bincount(rows.labels)[rows.labels]
    assert found.validation_loss == pytest.approx(log_loss(rows.labels, probabilities, labels=range(4)), rel=1e-5)
    balanced = log_loss(rows.labels, probabilities, labels=range(4), sample_weight=balance)
    assert found.balanced_loss == pytest.approx(balanced, rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_logits_are_float32_whatever_a_network_gives_and_have_no_gradient(dtype: torch.dtype) -> None:
    network = Noting().to(dtype)
    rows = Tensors.of(rows_of(5), CPU.device)
    logits = predict(network, Tensors(rows.values.to(dtype), rows.labels, None))
    assert (logits.dtype, logits.shape, logits.requires_grad) == (torch.float32, (5, 2), False)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_logits_of_validation_that_are_not_finite_are_diverged(wrong: float) -> None:
    network = Noting()
    nn.init.constant_(network.layer.bias, wrong)
    with pytest.raises(Diverged, match=r"^the logits became NaN or infinite in epoch 7$"):
        validate(network, Tensors.of(rows_of(5), CPU.device), 7)


@pytest.mark.parametrize(("wrong", "batch"), [("nan", 2), ("inf", 3)])
def test_a_loss_that_is_not_finite_in_any_batch_is_diverged(wrong: str, batch: int) -> None:
    network = Noting()

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        factor = float(wrong) if len(network.trained) == batch else 1.0
        return nn.functional.cross_entropy(logits, labels) * factor

    way_out = "try a lower training.learning_rate or training.clip"
    with pytest.raises(Diverged, match=f"^the training loss became {wrong}: {way_out}$"):
        trained(learner_of(network, batch_size=4, epochs=1), rows_of(12), loss)
    assert len(network.trained) == 3, "said at the end of the epoch"


# Reports, on a clock that goes on by 0.07 s with each batch of training and by 1 s with each of validation


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Noting:
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def go_on(network: Noting) -> None:
        now[0] += 0.07 if network.training else 1.0

    return Noting(go_on)


def test_reports_are_five_a_second_at_most_with_the_mean_loss_of_the_epoch_so_far(network: Noting) -> None:
    reporter, rows = Diary(), rows_of(40)
    epochs = trained(learner_of(network, learning_rate=STILL, batch_size=4, epochs=2), rows, reporter=reporter)
    losses = losses_by_hand(weights_of(network), rows)
    assert [report[:3] for report in reporter.reports] == [
        (epoch, done, 40) for epoch in (1, 2) for done in (12, 24, 36)
    ]
    for epoch, done, _, loss in reporter.reports:
        order = np.concatenate(network.trained[10 * (epoch - 1) : 10 * epoch])
        assert loss == pytest.approx(losses[order[:done]].mean(), rel=1e-5)
    assert [epoch.seconds for epoch in epochs] == pytest.approx([10 * 0.07 + 1.0] * 2)


def test_a_loss_that_is_not_finite_ends_training_with_the_next_report(network: Noting) -> None:
    reporter = Diary()

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, labels) * math.nan

    with pytest.raises(Diverged, match="the training loss became nan"):
        trained(learner_of(network, batch_size=4, epochs=1), rows_of(400), loss, reporter=reporter)
    assert (len(network.trained), reporter.reports) == (3, [])
