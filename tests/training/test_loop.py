"""The training loop: it learns, stops, selects, resumes to the bit, and says when it diverged."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo import build
from zoo.data.protocols import Parts, separate
from zoo.errors import Diverged, StoreError
from zoo.settings import Settings, Training
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Learner, Progress, Tensors, predict, train, validate

CPU = Hardware(torch.device("cpu"), threads=1, bf16=False, channels_last=False)


@dataclass
class Diary:
    """Remembers what training told, and stops it after an epoch if asked."""

    epochs: list[Epoch] = field(default_factory=list)
    stop_after: int = 0

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float) -> None: ...

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        if epoch.number == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def parts(series) -> Parts:
    return separate(series, "holdout", seed=0)


def settings(**changes) -> Training:
    return replace(Settings.load().training({}, {}), batch_size=16, epochs=4, learning_rate=3e-3, **changes)


def fresh(architecture: str = "cnngru", **params) -> nn.Module:
    torch.manual_seed(7)
    return build(architecture, n_channels=1, n_times=48, n_classes=3, **params)


def fit(model: nn.Module, parts: Parts, training: Training, **more) -> Progress:
    """Train a model as a run does, an epoch at a time, and leave it with the weights that the run would keep."""
    watch, loss = more.pop("watch", Diary()), more.pop("loss", nn.CrossEntropyLoss())
    hardware, checkpoint = more.pop("hardware", CPU), more.pop("checkpoint", None)
    torch.manual_seed(11)  # dropout
    learner = Learner.start(model, training, hardware, seed=5)
    if more.pop("resume", False):
        learner.restore(checkpoint)
    for epoch in train(learner, parts.train, parts.validation, loss, watch=watch, checkpoint=checkpoint, **more):
        watch.on_epoch(epoch)
    return learner.progress


def state(model: nn.Module) -> Tensor:
    return torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])


def test_it_learns_and_keeps_the_weights_of_the_best_epoch(parts: Parts) -> None:
    model = fresh()
    progress = fit(model, parts, replace(settings(), epochs=12))
    assert progress.best_score > 0.9
    assert progress.best_score == max(epoch.macro_recall for epoch in progress.history)
    logits = predict(model, Tensors.of(parts.validation, CPU.device))
    hits = logits.argmax(1).numpy() == parts.validation.labels
    recalls = [hits[parts.validation.labels == label].mean() for label in range(3)]
    assert np.mean(recalls) == pytest.approx(progress.best_score)


def test_the_weights_kept_are_those_of_the_best_epoch_by_what_is_monitored(parts: Parts) -> None:
    def trained(monitor: str) -> tuple[nn.Module, Progress]:
        model = fresh("cnn2d")
        return model, fit(model, parts, replace(settings(monitor=monitor, patience=0), epochs=3))

    by_loss, progress = trained("validation_loss")
    values = [epoch.validation_loss for epoch in progress.history]
    assert progress.best_score == min(values)
    assert progress.best_epoch == 1 + values.index(min(values))
    assert validate(by_loss, Tensors.of(parts.validation, CPU.device), 0)[0] == pytest.approx(min(values))
    by_recall, other = trained("macro_recall")
    assert other.best_epoch < progress.best_epoch
    assert not torch.equal(state(by_loss), state(by_recall))


EPOCHS = [(0.5, 0.9, 0.4), (0.7, 0.6, 0.35), (0.6, 0.9, 0.3), (0.7, 0.8, 0.3)]  # recall, accuracy, loss


@pytest.mark.parametrize(
    ("monitor", "best", "lowered", "finished"),
    [("macro_recall", 2, 2, False), ("accuracy", 1, 3, True), ("validation_loss", 3, 1, False)],
)
def test_of_equal_epochs_the_earlier_is_kept_and_patience_and_plateau_go_by_the_same(
    monitor: str, best: int, lowered: int, finished: bool
) -> None:
    training = settings(monitor=monitor, patience=3, scheduler="plateau", scheduler_patience=0, factor=0.1)
    learner = Learner.start(nn.Linear(1, 1), replace(training, epochs=9), CPU, seed=0)
    for number, (recall, accuracy, loss) in enumerate(EPOCHS, start=1):
        nn.init.constant_(learner.model.weight, number)
        learner.end_epoch(Epoch(number, 0.0, loss, recall, accuracy, 0.0, 0.0))
    assert learner.progress.best_epoch == best
    assert learner.progress.best_state["weight"].item() == best
    assert learner.optimiser.param_groups[0]["lr"] == pytest.approx(3e-3 * 0.1**lowered)
    assert learner.finished == finished


@pytest.mark.parametrize("architecture", ["cnngru", "cnn2d"])
def test_the_same_seed_gives_the_same_bits(parts: Parts, architecture: str) -> None:
    one, two = fresh(architecture, dropout=0.3), fresh(architecture, dropout=0.3)
    first, second = fit(one, parts, settings()), fit(two, parts, settings())
    assert torch.equal(state(one), state(two))
    assert [epoch.train_loss for epoch in first.history] == [epoch.train_loss for epoch in second.history]


@pytest.mark.parametrize("scheduler", ["plateau", "cosine", "none"])
@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_a_resumed_run_ends_with_the_bits_of_an_unbroken_one(
    parts: Parts, tmp_path: Path, scheduler: str, optimiser: str
) -> None:
    training = settings(scheduler=scheduler, optimiser=optimiser, scheduler_patience=0, weight_decay=0.01)
    unbroken = fresh("cnn2d", dropout=0.3)
    whole = fit(unbroken, parts, training)
    checkpoint = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(fresh("cnn2d", dropout=0.3), parts, training, checkpoint=checkpoint, watch=Diary(stop_after=2))
    resumed = fresh("cnn2d", dropout=0.3)
    nn.init.zeros_(resumed.head[-1].weight)  # whatever it starts from
    diary = Diary()
    again = fit(resumed, parts, training, checkpoint=checkpoint, resume=True, watch=diary)
    assert [epoch.number for epoch in diary.epochs] == [3, 4]
    assert torch.equal(state(resumed), state(unbroken))
    without_time = [replace(epoch, seconds=0) for epoch in whole.history]
    assert [replace(epoch, seconds=0) for epoch in again.history] == without_time


def test_a_checkpoint_goes_on_only_by_what_it_was_monitored_by(tmp_path: Path) -> None:
    def learner(monitor: str) -> Learner:
        return Learner.start(nn.Linear(1, 1), settings(monitor=monitor), CPU, seed=0)

    path = tmp_path / "state.pt"
    learner("macro_recall").save(path)
    learner("macro_recall").restore(path)
    with pytest.raises(StoreError, match="leave out --resume"):
        learner("validation_loss").restore(path)
    before = torch.load(path, weights_only=True)
    del before["monitor"]  # as checkpoints were when there was no such setting
    torch.save(before, path)
    learner("macro_recall").restore(path)


def test_patience_ends_training(parts: Parts) -> None:
    progress = fit(fresh(), parts, replace(settings(patience=1), learning_rate=1e-12, epochs=20))
    assert progress.epochs_done < 20
    assert progress.epochs_without_gain == 1


def test_no_patience_trains_all_epochs(parts: Parts) -> None:
    assert fit(fresh(), parts, replace(settings(patience=0), learning_rate=1e-12, epochs=6)).epochs_done == 6


def test_the_plateau_lowers_the_learning_rate(parts: Parts) -> None:
    training = replace(settings(scheduler="plateau", scheduler_patience=0, factor=0.1, patience=0), learning_rate=1e-6)
    rates = [epoch.learning_rate for epoch in fit(fresh(), parts, replace(training, epochs=5)).history]
    assert rates[0] == 1e-6
    assert rates[-1] < 1e-6


def test_the_cosine_reaches_low_rates_at_the_end(parts: Parts) -> None:
    rates = [epoch.learning_rate for epoch in fit(fresh(), parts, settings(scheduler="cosine")).history]
    expected = [3e-3 * (1 + np.cos(np.pi * done / 4)) / 2 for done in range(4)]
    assert rates == pytest.approx(expected)


def test_clipping_bounds_the_gradient(parts: Parts) -> None:
    def largest_gradient(clip: float) -> float:
        model = fresh("cnn2d")
        fit(model, parts, replace(settings(clip=clip), epochs=1), loss=steep)
        return float(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]).norm())  # type: ignore[union-attr]

    def steep(logits: Tensor, labels: Tensor) -> Tensor:
        return 1e4 * nn.functional.cross_entropy(logits, labels)

    assert largest_gradient(0.5) == pytest.approx(0.5, rel=1e-3)
    assert largest_gradient(0.0) > 10


def test_nan_in_the_loss_is_diverged(parts: Parts) -> None:
    def breaks(logits: Tensor, labels: Tensor) -> Tensor:
        return logits.sum() * float("nan")

    with pytest.raises(Diverged, match="the training loss became nan"):
        fit(fresh(), parts, settings(), loss=breaks)


def test_infinite_logits_in_validation_are_diverged(parts: Parts) -> None:
    class Bursts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(48, 3)

        def forward(self, x: Tensor) -> Tensor:
            logits = self.linear(x[:, 0])
            return logits if self.training else logits / 0

    with pytest.raises(Diverged, match="the logits became NaN or infinite in epoch 1"):
        fit(Bursts(), parts, settings())


def test_a_last_batch_of_one_row_does_not_break_batch_norm(parts: Parts) -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(x)

    rows = len(parts.train)
    size = next(size for size in range(2, rows) if rows % size == 1)
    assert fit(Flat(), parts, replace(settings(), batch_size=size, epochs=1)).epochs_done == 1


def test_lengths_reach_a_network_that_takes_them(parts: Parts) -> None:
    lengths = np.full(len(parts.train), 30, dtype=np.int64)
    with_lengths = replace(parts.train, lengths=lengths)
    seen: list[int] = []
    model = fresh()
    original = model.forward
    model.forward = lambda x, lengths=None: (seen.append(int(lengths[0])), original(x, lengths))[1]  # type: ignore[method-assign]
    Tensors.of(with_lengths, CPU.device).take(slice(0, 4)).logits(model)
    assert seen == [30]


def test_bf16_training_still_validates_in_float32(parts: Parts) -> None:
    model = fresh("cnn2d")
    bf16 = replace(CPU, bf16=True, channels_last=True)
    fit(model, parts, settings(), hardware=bf16)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    logits = predict(model, Tensors.of(parts.validation, CPU.device))
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, logits.bfloat16().float())
