"""What becomes of a network by its own `fit`: it can be stored and loaded again, or one line says why not."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import log_loss
from torch import nn

from zoo.data.rows import Rows
from zoo.errors import Diverged, ModelError
from zoo.harness.reporter import SilentReporter
from zoo.harness.training_run import epoch_scores
from zoo.settings import Settings
from zoo.training.fitting import fit
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Progress, TrainingReporter

HARDWARE = Hardware(torch.device("cpu"), 1, False, False)


class Means(nn.Module):
    """Logits by the likeness to the mean of each class."""

    means: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(2, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0] @ self.means.T

    def fit(self, batches, *, generator: torch.Generator) -> None:
        for batch in batches:
            self.means.index_add_(0, batch.labels, batch.values[:, 0])


class Drawing(Means):
    """Keeps the first draw of the generator that it is given, and the rows of the first batch."""

    def fit(self, batches, *, generator: torch.Generator) -> None:
        assert not torch.is_grad_enabled()
        self.means[0] = torch.rand(5, generator=generator)
        self.means[1] = next(iter(batches)).values[0, 0]


class Failing(Means):
    def fit(self, batches, *, generator: torch.Generator) -> None:
        raise SystemExit(3)


class Endless(Means):
    def fit(self, batches, *, generator: torch.Generator) -> None:
        self.means.fill_(torch.inf)


class Stateful(Means):
    """Has extra state that is no tensor, which is not stored."""

    def get_extra_state(self) -> object:
        return object()

    def set_extra_state(self, state: object) -> None: ...


class Wider(Means):
    def fit(self, batches, *, generator: torch.Generator) -> None:
        self.means = torch.zeros(2, 5, dtype=torch.float64)


class Another(Means):
    def fit(self, batches, *, generator: torch.Generator) -> None:
        self.register_buffer("scale", torch.ones(1))


class Diary(SilentReporter):
    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.reports: list[tuple[int, int, int, float | None]] = []

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.reports.append((epoch, rows_done, rows, loss))


def data() -> tuple[Rows, Rows]:
    """Ten rows to fit, and of those the first seven for validation."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(10) % 2).numpy()
    values = torch.randn(10, 1, 5, generator=generator) + torch.from_numpy(labels)[:, None, None]
    rows = Rows(values.numpy(), labels, torch.arange(10).numpy())
    return rows, Rows(rows.values[:7], rows.labels[:7], rows.index[:7])


def fitted(
    model: nn.Module, monitor: str = "macro_recall", reporter: TrainingReporter | None = None, **more: Any
) -> Progress:
    settings = Settings.load().training({"batch_size": 4, "monitor": monitor}, {})
    return fit(
        model,
        *more.pop("rows", data()),
        settings,
        more.pop("hardware", HARDWARE),
        seeds=(1, 2),
        reporter=reporter or SilentReporter(),
        **more,
    )


def test_a_fit_fills_what_was_built() -> None:
    model = Means()
    fitted(model)
    rows, _ = data()
    expected = [rows.values[rows.labels == label, 0].sum(0) for label in (0, 1)]
    np.testing.assert_allclose(model.means, expected, rtol=1e-5)


def test_a_fit_draws_from_the_first_seed_and_its_batches_from_the_second() -> None:
    model = Drawing()
    fitted(model)
    assert torch.equal(model.means[0], torch.rand(5, generator=torch.Generator().manual_seed(1)))
    first = torch.randperm(10, generator=torch.Generator().manual_seed(2))[0]
    np.testing.assert_array_equal(model.means[1], data()[0].values[first, 0])


def test_a_fit_draws_rows_by_their_weights() -> None:
    model, weights = Means(), torch.zeros(10)
    weights[4] = 1
    fitted(model, weights=weights)
    rows, _ = data()
    np.testing.assert_allclose(model.means, [10 * rows.values[4, 0], np.zeros(5)], rtol=1e-5)


@pytest.mark.parametrize("monitor", ["macro_recall", "accuracy", "validation_loss"])
def test_a_fit_is_one_epoch_without_a_training_loss_scored_on_validation(monitor: str) -> None:
    model, reporter = Means(), Diary()
    progress = fitted(model, monitor, reporter)
    (epoch,) = progress.history
    rows = data()[1]
    logits = rows.values[:, 0] @ model.means.numpy().T
    hits = logits.argmax(1) == rows.labels
    assert (epoch.number, epoch.member, epoch.train_loss, epoch.learning_rate) == (1, 1, None, None)
    assert epoch.macro_recall == pytest.approx(np.mean([hits[rows.labels == label].mean() for label in (0, 1)]))
    assert epoch.accuracy == pytest.approx(hits.mean())
    assert epoch.validation_loss == pytest.approx(log_loss(rows.labels, softmax(logits, axis=1)), rel=1e-5)
    assert 0 < epoch.seconds < 60
    assert (progress.best_epoch, progress.best_score) == (1, getattr(epoch, monitor))
    assert reporter.epochs == [epoch]


def test_a_fit_reports_its_passes_as_epoch_1_without_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Means):
        def fit(self, batches, *, generator: torch.Generator) -> None:
            for _ in batches:
                now[0] += 0.3

    now, reporter = [100.0], Diary()
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    fitted(Slow(), reporter=reporter)
    assert reporter.reports == [(1, 4, 10, None), (1, 8, 10, None), (1, 10, 10, None)]
    assert reporter.epochs[0].seconds == pytest.approx(0.9)


def test_a_fit_is_on_the_device_of_its_run() -> None:
    class Where(Means):
        def fit(self, batches, *, generator: torch.Generator) -> None:
            raise ValueError(f"{self.means.device} {next(iter(batches)).values.device}")

    elsewhere = replace(HARDWARE, device=torch.device("meta"))
    with pytest.raises(ModelError, match=r"^Where cannot be fitted: ValueError: meta meta$"):
        fitted(Where(), hardware=elsewhere)


def test_what_a_fit_raises_is_one_line() -> None:
    with pytest.raises(ModelError, match=r"^Failing cannot be fitted: sys\.exit\(3\)$"):
        fitted(Failing())


def test_a_fit_that_gives_infinite_logits_is_diverged() -> None:
    with pytest.raises(Diverged, match="the logits became NaN or infinite in epoch 1"):
        fitted(Endless())


def test_extra_state_that_is_no_tensor_is_left_out_of_account() -> None:
    assert fitted(Stateful()).epochs_done == 1


class Choosing(Means):
    """Holds out its rows, as if it had not learnt from them, and tells what it knows."""

    def fit(self, batches, *, generator: torch.Generator) -> None:
        super().fit(batches, generator=generator)
        rows = [*batches]
        logits, labels = torch.cat([self(batch.values) for batch in rows]), torch.cat([batch.labels for batch in rows])
        batches.note(f"{batches.monitor}:\n{batches.score(logits, labels):.6f}")
        batches.held_out(logits, labels)


@pytest.mark.parametrize("monitor", ["macro_recall", "macro_f1", "accuracy", "validation_loss", "balanced_loss"])
def test_what_was_held_out_is_the_history_of_a_fit_without_validation_rows(monitor: str) -> None:
    rows = data()[0]
    nothing = Rows(rows.values[:0], rows.labels[:0], rows.index[:0])
    progress, expected = fitted(Choosing(), monitor, rows=(rows, nothing)), fitted(Means(), monitor, rows=(rows, rows))
    for name in ("macro_recall", "macro_f1", "accuracy", "validation_loss", "balanced_loss"):
        assert getattr(progress.history[0], name) == pytest.approx(getattr(expected.history[0], name))
    sign = -1 if "loss" in monitor else 1
    assert progress.notes == (f"{monitor}:\\n{sign * getattr(expected.history[0], monitor):.6f}",)
    assert progress.best_score == getattr(progress.history[0], monitor)


def test_validation_rows_come_before_what_was_held_out() -> None:
    assert replace(fitted(Choosing()).history[0], seconds=0) == replace(fitted(Means()).history[0], seconds=0)


def test_nothing_is_known_of_a_fit_that_held_nothing_out() -> None:
    rows = data()[0]
    nothing = Rows(rows.values[:0], rows.labels[:0], rows.index[:0])
    (epoch,) = fitted(Means(), rows=(rows, nothing)).history
    assert epoch_scores(epoch) == {}


@pytest.mark.parametrize(("kind", "name"), [(Wider, "means"), (Another, "scale")])
def test_a_fit_whose_state_could_not_be_loaded_is_refused(kind: type[Means], name: str) -> None:
    with pytest.raises(ModelError, match=rf"^fit\(\) of {kind.__name__} changed the shape or type of '{name}'"):
        fitted(kind())
