"""The training loop: it learns, stops, selects, and resumes to the bit."""

import math
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor, nn

from zoo import build
from zoo.data.protocols import Parts, separate
from zoo.errors import StoreError
from zoo.metrics.standard_errors import of_confusion, of_losses
from zoo.settings import Settings, Training
from zoo.training.checkpoints import write_checkpoint
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Learner, Loss, Progress, Tensors, predict, train, validate

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


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 3))


def noisy() -> nn.Module:
    """A small network with all that training changes beside weights: running statistics, and draws of dropout."""
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3))


def fit(model: nn.Module, parts: Parts, training: Training, **more) -> Progress:
    """Train a model as a run does, an epoch at a time, and leave it with the weights that the run would keep."""
    reporter, loss = more.pop("reporter", Diary()), more.pop("loss", nn.CrossEntropyLoss())
    hardware, checkpoint = more.pop("hardware", CPU), more.pop("checkpoint", None)
    torch.manual_seed(11)  # dropout
    learner = Learner.start(model, training, hardware, seed=5)
    if more.pop("resume", False):
        learner.restore(checkpoint)
    for epoch in train(learner, parts.train, parts.validation, loss, reporter=reporter, checkpoint=checkpoint, **more):
        reporter.on_epoch(epoch)
    return learner.progress


def state(model: nn.Module) -> Tensor:
    return torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])


def test_it_learns_and_keeps_the_weights_of_the_best_epoch(parts: Parts) -> None:
    model = fresh()
    progress = fit(model, parts, replace(settings(keep="best", scheduler="plateau"), epochs=12))
    assert progress.best_score > 0.9
    assert progress.best_score == max(epoch.macro_recall for epoch in progress.history)
    logits = predict(model, Tensors.of(parts.validation, CPU.device))
    hits = logits.argmax(1).numpy() == parts.validation.labels
    recalls = [hits[parts.validation.labels == label].mean() for label in range(3)]
    assert np.mean(recalls) == pytest.approx(progress.best_score)


def test_the_weights_kept_are_those_of_the_best_epoch_by_what_is_monitored(parts: Parts) -> None:
    def trained(monitor: str) -> tuple[nn.Module, Progress]:
        model = fresh()
        rules = {"monitor": monitor, "keep": "best", "scheduler": "plateau", "patience": 0}
        training = replace(settings(**rules), epochs=5, learning_rate=1e-2)
        return model, fit(model, parts, training)

    by_loss, progress = trained("validation_loss")
    values = [epoch.validation_loss for epoch in progress.history]
    assert progress.best_score == min(values)
    assert progress.best_epoch == 1 + values.index(min(values))
    assert validate(by_loss, Tensors.of(parts.validation, CPU.device), 0).validation_loss == pytest.approx(min(values))
    by_recall, other = trained("macro_recall")
    assert other.best_epoch != progress.best_epoch
    assert not torch.equal(state(by_loss), state(by_recall))


# recall, F1, accuracy, loss, balanced loss
EPOCHS = [(0.5, 0.4, 0.9, 0.4, 0.5), (0.7, 0.6, 0.6, 0.35, 0.3), (0.6, 0.6, 0.9, 0.3, 0.45), (0.7, 0.6, 0.8, 0.3, 0.31)]


@pytest.mark.parametrize(
    ("monitor", "best"),
    [("macro_recall", 2), ("macro_f1", 2), ("accuracy", 3), ("validation_loss", 4), ("balanced_loss", 2)],
)
@pytest.mark.parametrize("patience", [2, 3])
def test_of_equal_epochs_that_with_the_lower_balanced_loss_is_kept_and_patience_and_plateau_go_by_that_loss(
    monitor: str, best: int, patience: int
) -> None:
    plateau = {"scheduler": "plateau", "scheduler_patience": 0, "factor": 0.3, "min_lr": 4e-4}
    training = settings(monitor=monitor, keep="best", patience=patience, **plateau)
    learner = Learner.start(nn.Linear(1, 1), replace(training, epochs=9), CPU, seed=0)
    for number, (recall, f1, accuracy, loss, balanced) in enumerate(EPOCHS, start=1):
        nn.init.constant_(learner.model.weight, number)
        found = Epoch(number, 0.0, loss, recall, accuracy, 0.0, 0.0, macro_f1=f1, balanced_loss=balanced)
        learner.end_epoch(found)
    assert learner.progress.best_epoch == best
    assert learner.progress.best_state["weight"].item() == best
    assert learner.progress.epochs_without_gain == 2
    assert learner.optimiser.param_groups[0]["lr"] == pytest.approx(4e-4), "0.3 * 0.3 * 3e-3 is below the least"
    assert learner.finished == (patience == 2)


@pytest.mark.parametrize("architecture", ["cnngru", "cnn2d"])
def test_the_same_seed_gives_the_same_bits(parts: Parts, architecture: str) -> None:
    one, two = fresh(architecture, dropout=0.3), fresh(architecture, dropout=0.3)
    first, second = fit(one, parts, settings()), fit(two, parts, settings())
    assert torch.equal(state(one), state(two))
    assert [epoch.train_loss for epoch in first.history] == [epoch.train_loss for epoch in second.history]


def turning(parts: Parts) -> Loss:
    """Cross entropy in the first epoch, and its negative from then on: the first epoch is the best."""
    calls, of_an_epoch = 0, len(range(0, len(parts.train) - 1, 16))

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return nn.functional.cross_entropy(logits, labels) * (1 if calls <= of_an_epoch else -1)

    return loss


@pytest.mark.parametrize("stop_after", [2, 4])
def test_training_ends_with_the_weights_of_the_best_epoch_also_when_resumed_after_it(
    parts: Parts, tmp_path: Path, stop_after: int
) -> None:
    checkpoint, training = tmp_path / "state.pt", settings(patience=0, monitor="validation_loss", keep="best")
    torch.manual_seed(7)
    learner = Learner.start(noisy(), training, CPU, seed=5)
    course = train(learner, parts.train, parts.validation, turning(parts), reporter=Diary(), checkpoint=checkpoint)
    after, kept = [], b""
    for epoch in course:
        after.append(state(learner.model))
        assert len(torch.load(checkpoint, weights_only=True)["history"]) == epoch.number, "it is written before"
        kept = checkpoint.read_bytes() if epoch.number == stop_after else kept
    losses = [epoch.validation_loss for epoch in learner.progress.history]
    assert (min(losses), learner.progress.best_epoch, len(after)) == (losses[0], 1, 4)
    assert not torch.equal(after[0], after[-1])
    assert torch.equal(state(learner.model), after[0])
    assert validate(learner.model, Tensors.of(parts.validation, CPU.device), 0).validation_loss == pytest.approx(
        losses[0]
    )

    checkpoint.write_bytes(kept)
    resumed = Learner.start(noisy(), training, CPU, seed=6)
    resumed.restore(checkpoint)
    loss = nn.CrossEntropyLoss()
    left = [epoch.number for epoch in train(resumed, parts.train, parts.validation, loss, reporter=Diary())]
    assert left == [3, 4][stop_after - 2 :]
    if stop_after == 4:
        assert torch.equal(state(resumed.model), after[0])


@pytest.mark.parametrize("scheduler", ["plateau", "cosine", "none"])
@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_a_checkpoint_gives_back_all_that_training_changes(
    parts: Parts, tmp_path: Path, scheduler: str, optimiser: str
) -> None:
    plateau = {"scheduler": scheduler, "scheduler_patience": 0, "factor": 0.5, "monitor": "validation_loss"}
    training = settings(optimiser=optimiser, weight_decay=0.01, patience=0, keep="best", **plateau)
    checkpoint, loss = tmp_path / "state.pt", turning(parts)
    torch.manual_seed(7)
    learner = Learner.start(noisy(), training, CPU, seed=5)
    torch.manual_seed(11)  # dropout
    course = train(learner, parts.train, parts.validation, loss, reporter=Diary(), checkpoint=checkpoint)
    assert [next(course).number for _ in range(3)] == [1, 2, 3]
    assert learner.progress.best_epoch == 1

    random = torch.get_rng_state()
    other = Learner.start(noisy(), training, CPU, seed=6)
    torch.manual_seed(12)
    other.restore(checkpoint)
    assert torch.equal(torch.get_rng_state(), random)
    assert everything(other) == everything(learner)

    next(course)
    torch.set_rng_state(random)
    for _ in train(other, parts.train, parts.validation, loss, reporter=Diary()):
        assert everything(other) == everything(learner)
    assert list(course) == []
    assert everything(other) == everything(learner)


def everything(learner: Learner) -> object:
    """All that a learner changes while it trains, so that it can be compared, but for the seconds."""
    scheduler = None if learner.scheduler is None else learner.scheduler.state_dict()
    history = [replace(epoch, seconds=0) for epoch in learner.progress.history]
    progress = learner.progress
    best = progress.best_epoch, progress.best_score, progress.best_state, progress.leading
    states = (
        learner.model.state_dict(),
        learner.optimiser.state_dict(),
        scheduler,
        learner.order.generator.get_state(),
        learner.order.left,
    )
    return comparable((states, history, best))


def comparable(value: object) -> object:
    """The same with lists for tensors, and for what holds them."""
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {name: comparable(content) for name, content in value.items()}
    return [comparable(content) for content in value] if isinstance(value, list | tuple) else value


def test_without_a_checkpoint_nothing_is_written(parts: Parts, tmp_path: Path) -> None:
    fit(noisy(), parts, replace(settings(), epochs=1))
    assert list(tmp_path.iterdir()) == []


def test_the_random_state_of_a_gpu_is_in_the_checkpoint_of_a_run_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With torch's functions for GPUs recorded: it is read from, and given back to, the device of the run."""
    device, load, calls = torch.device("cuda", 1), torch.load, []
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda of: torch.arange(8) + of.index)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, to: calls.append((state.tolist(), to)))
    monkeypatch.setattr(
        torch, "load", lambda path, map_location, **more: (calls.append(map_location), load(path, **more))[1]
    )
    learner = Learner.start(nn.Linear(1, 1), settings(), CPU, seed=0)
    learner.hardware = replace(CPU, device=device)
    learner.save(tmp_path / "state.pt")
    learner.restore(tmp_path / "state.pt")
    assert calls == [device, ([1, 2, 3, 4, 5, 6, 7, 8], device)]


class Folder:
    """Makes a folder where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("made",)


def spoil(path: Path, how: str) -> None:
    state = torch.load(path, weights_only=True)
    if how == "absent":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("nothing")
    elif how == "cut off":
        path.write_bytes(path.read_bytes()[:1000])
    elif how == "code":
        write_checkpoint(path, {**state, "more": Folder()})
    elif how == "of another network":
        write_checkpoint(path, {**state, "model": nn.Linear(1, 2).state_dict()})
    else:
        write_checkpoint(path, {name: value for name, value in state.items() if name != how})


@pytest.mark.parametrize("how", ["absent", "empty", "text", "cut off", "code", "of another network", "batches", "best"])
def test_a_checkpoint_that_cannot_be_used_is_one_line_and_runs_no_code(tmp_path: Path, how: str) -> None:
    learner = Learner.start(nn.Linear(1, 1), settings(), CPU, seed=0)
    learner.save(path := tmp_path / "state.pt")
    spoil(path, how)
    reason = {
        "absent": "cannot be read: No such file or directory",
        **dict.fromkeys(("empty", "text", "cut off"), "is damaged, or from an earlier version: its sha256 differs"),
    }.get(how, "cannot be used: it does not fit this network and its settings")
    with pytest.raises(StoreError, match=f"^checkpoint {re.escape(str(path))} {reason}$"):
        learner.restore(path)
    assert not (tmp_path / "made").exists()


def test_a_checkpoint_goes_on_only_by_what_it_was_monitored_by(tmp_path: Path) -> None:
    def learner(monitor: str) -> Learner:
        return Learner.start(nn.Linear(1, 1), settings(monitor=monitor), CPU, seed=0)

    path = tmp_path / "state.pt"
    learner("macro_recall").save(path)
    learner("macro_recall").restore(path)
    with pytest.raises(StoreError, match="it does not fit this network and its settings"):
        learner("validation_loss").restore(path)
    before = torch.load(path, weights_only=True)
    del before["monitor"]  # as checkpoints were when there was no such setting
    write_checkpoint(path, before)
    learner("macro_recall").restore(path)


def test_a_checkpoint_goes_on_only_by_the_rule_that_kept_its_weights(tmp_path: Path) -> None:
    def learner(keep: str) -> Learner:
        return Learner.start(nn.Linear(1, 1), settings(keep=keep), CPU, seed=0)

    path = tmp_path / "state.pt"
    learner("one-standard-error").save(path)
    learner("one-standard-error").restore(path)
    with pytest.raises(StoreError, match="it does not fit this network and its settings"):
        learner("best").restore(path)
    learner("best").save(path)
    before = torch.load(path, weights_only=True)
    del before["keep"]  # as checkpoints were when the best epoch was always kept
    write_checkpoint(path, before)
    learner("best").restore(path)


@pytest.mark.parametrize(
    ("scores", "errors", "kept", "best"),
    [
        ((0.5, 0.9, 0.85, 0.7, 0.82), 0.1, 5, 2),
        ((0.5, 0.9, 0.85, 0.7, 0.79), 0.1, 3, 2),
        ((0.9, 0.5, 0.6), 0.1, 1, 1),
        ((0.5, 0.6, 0.7), 0.1, 3, 3),
        ((1.0, 0.75), 0.25, 2, 1),
        ((0.75, 0.75, 0.5), 0.0, 2, 1),
        ((0.9, 0.85), math.nan, 1, 1),
        ((0.8, 0.7, 0.95, 0.8), (0.2, 0.3, 0.1, 0.3), 3, 3),
        ((0.8, 0.7, 0.95, 0.8, 0.9), (0.2, 0.3, 0.1, 0.3, 0.0), 5, 3),
        ((0.8, 0.65), (0.2, 0.0), 2, 1),
        ((0.8, 0.65), (0.1, 0.9), 1, 1),
    ],
)
def test_the_last_epoch_within_one_standard_error_of_the_best_is_kept(
    scores: tuple[float, ...], errors: float | tuple[float, ...], kept: int, best: int
) -> None:
    each = errors if isinstance(errors, tuple) else (errors,) * len(scores)

    def progress(monitor: str, keep: str) -> Progress:
        training = settings(monitor=monitor, keep=keep, scheduler="none")
        learner = Learner.start(nn.Linear(1, 1), training, CPU, seed=0)
        for number, (score, error) in enumerate(zip(scores, each, strict=True), start=1):
            nn.init.constant_(learner.model.weight, number)
            values = {"accuracy": score} if monitor == "accuracy" else {"validation_loss": 2 - score}
            known = {"validation_loss": 0.0, "macro_recall": 0.0, "accuracy": 0.0, **values}
            times = {"train_loss": 0.0, "learning_rate": 0.0, "seconds": 0.0}
            learner.end_epoch(Epoch(number, **times, **known, standard_error=error, balanced_loss=1.0))
        return learner.progress

    for monitor in ("accuracy", "validation_loss"):
        found = progress(monitor, "one-standard-error")
        assert (found.best_epoch, found.leading, found.best_state["weight"].item()) == (kept, best, kept)
        score = scores[kept - 1]
        assert found.best_score == pytest.approx(score if monitor == "accuracy" else 2 - score)
        assert progress(monitor, "best").best_epoch == best


@pytest.mark.parametrize("monitor", ["macro_recall", "macro_f1", "accuracy", "validation_loss", "balanced_loss"])
def test_an_epoch_has_the_standard_error_of_what_is_monitored(parts: Parts, monitor: str) -> None:
    model, training = linear(), replace(settings(monitor=monitor), epochs=1)
    (epoch,) = fit(model, parts, training).history
    logits, labels = predict(model, Tensors.of(parts.validation, CPU.device)), parts.validation.labels
    if monitor.endswith("loss"):
        losses = nn.functional.cross_entropy(logits, torch.from_numpy(labels), reduction="none").double().numpy()
        expected, bad = of_losses(losses, labels if monitor == "balanced_loss" else None), losses > np.median(losses)
    else:
        bad = logits.argmax(1).numpy() != labels
        expected = of_confusion(monitor, confusion_matrix(labels, logits.argmax(1), labels=range(3)).astype(float))
    assert epoch.standard_error == pytest.approx(expected)
    of_patients = replace(parts.validation, groups=np.char.add(np.where(bad, "bad ", "good "), labels.astype(str)))
    (grouped,) = fit(model, replace(parts, validation=of_patients), replace(training, learning_rate=1e-12)).history
    assert grouped.standard_error > epoch.standard_error, "rows of a patient are not independent"


def test_a_training_that_is_resumed_keeps_the_same_epoch_to_the_bit(parts: Parts, tmp_path: Path) -> None:
    late = settings(patience=0, keep="one-standard-error")
    checkpoint, training = tmp_path / "state.pt", replace(late, epochs=8, learning_rate=3e-2)

    def learner() -> Learner:
        torch.manual_seed(7)
        return Learner.start(noisy(), training, CPU, seed=5)

    loss, whole = nn.CrossEntropyLoss(), learner()
    written = []
    for _ in train(whole, parts.train, parts.validation, loss, reporter=Diary(), checkpoint=checkpoint):
        written.append(checkpoint.read_bytes())
    assert whole.progress.leading < whole.progress.best_epoch, "the setting keeps another epoch than the best"
    for content in written:
        checkpoint.write_bytes(content)
        resumed = learner()
        resumed.restore(checkpoint)
        for _ in train(resumed, parts.train, parts.validation, loss, reporter=Diary()):
            pass
        assert everything(resumed) == everything(whole)


def test_patience_ends_training(parts: Parts) -> None:
    progress = fit(linear(), parts, replace(settings(patience=1), learning_rate=1e-12, epochs=20))
    assert progress.epochs_done < 20
    assert progress.epochs_without_gain == 1


def test_no_patience_trains_all_epochs(parts: Parts) -> None:
    assert fit(linear(), parts, replace(settings(patience=0), learning_rate=1e-12, epochs=6)).epochs_done == 6


def test_the_plateau_lowers_the_learning_rate(parts: Parts) -> None:
    training = replace(settings(scheduler="plateau", scheduler_patience=0, factor=0.1, patience=0), learning_rate=1e-6)
    rates = [epoch.learning_rate for epoch in fit(linear(), parts, replace(training, epochs=5)).history]
    assert rates[0] == 1e-6
    assert rates[-1] < 1e-6


def test_the_cosine_reaches_low_rates_at_the_end(parts: Parts) -> None:
    rates = [epoch.learning_rate for epoch in fit(linear(), parts, settings(scheduler="cosine")).history]
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


@pytest.mark.parametrize("images", [True, False])
def test_a_learner_lays_its_model_out_for_images_and_puts_it_on_the_device_of_its_run(images: bool) -> None:
    model = nn.Conv2d(2, 3, 2)
    Learner.start(model, settings(), replace(CPU, channels_last=images), seed=0)
    assert model.weight.is_contiguous(memory_format=torch.channels_last) == images
    elsewhere = Learner.start(model, settings(), replace(CPU, device=torch.device("meta")), seed=0)
    assert elsewhere.model.weight.device.type == "meta"


def test_the_order_of_batches_is_that_of_the_seed() -> None:
    one, two = (Learner.start(linear(), settings(), CPU, seed=seed).order for seed in (5, 6))
    assert torch.equal(one.generator.get_state(), torch.Generator().manual_seed(5).get_state())
    assert not torch.equal(one.generator.get_state(), two.generator.get_state())
