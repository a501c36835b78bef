"""The training loop: epochs over shuffled batches, of which the monitored validation score chooses one.

Batches are indexed directly from tensors on the device. Validation is always computed in float32. A checkpoint after
each epoch holds the full state, random states included, so that a resumed training equals an uninterrupted one.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau

from zoo.data.rows import Rows
from zoo.data.series import Ints
from zoo.errors import Diverged
from zoo.metrics.outcome import Doubles
from zoo.metrics.standard_errors import of_confusion, of_losses
from zoo.records import converted
from zoo.scores import MONITORS
from zoo.settings import BEST, ONE_STANDARD_ERROR, Training
from zoo.training.batches import InOrder, RowOrder, Slices, Tensors, in_batches, in_order
from zoo.training.checkpoints import State, check_form, read_checkpoint, unusable, write_checkpoint
from zoo.training.hardware import EVALUATION_BATCH, Hardware
from zoo.training.randomness import random_states, set_random_states

Loss = Callable[[Tensor, Tensor], Tensor]
REPORT_SECONDS = 0.2  # often enough for a live display, rare enough to cost nothing


@dataclass(frozen=True)
class Epoch:
    """The result of one epoch, counted from 1; `seconds` is the time of its training and validation.

    `balanced_loss` is the mean of the validation losses of the classes. `steps` is the number of gradient steps. A
    fitted network has one epoch, without a training loss, a learning rate or steps. Without validation rows its scores
    are those of rows that it held out, or NaN. `member` is the number of the network in an ensemble. `standard_error`
    is that of the monitored score; NaN if it is not known.
    """

    number: int
    train_loss: float | None
    validation_loss: float
    macro_recall: float
    accuracy: float
    learning_rate: float | None
    seconds: float
    member: int = 1
    macro_f1: float = math.nan
    balanced_loss: float = math.nan
    steps: int = 0
    standard_error: float = math.nan


@dataclass(frozen=True)
class Validation:
    """The scores of a network on the validation set; the macro scores are over the classes that it has.

    The losses are plain cross entropy: the mean over rows, and `balanced_loss` the mean over classes of theirs.
    `standard_error` is that of the monitored score, see `zoo.metrics.standard_errors`; NaN without one.
    """

    validation_loss: float
    balanced_loss: float
    macro_recall: float
    macro_f1: float
    accuracy: float
    standard_error: float = math.nan


class TrainingReporter(Protocol):
    """An observer of training."""

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None: ...
    def on_epoch(self, epoch: Epoch) -> None: ...


@dataclass
class Progress:
    """The progress of training, which a checkpoint holds beside the states of model and optimiser.

    `best_epoch` is the number of the epoch whose weights are kept, `best_state` these weights, and `best_score` its
    monitored score, NaN before the first epoch. `leading` is the number of the epoch with the best monitored score.
    `notes` are those of the `fit` of a network.
    """

    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = math.nan
    best_state: State = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    leading: int = 0

    @property
    def epochs_done(self) -> int:
        return len(self.history)

    @property
    def epochs_without_gain(self) -> int:
        """The number of epochs since that of the lowest balanced validation loss."""
        losses = [epoch.balanced_loss for epoch in self.history]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0


@dataclass
class Learner:
    """The state that changes while a model is trained; a checkpoint holds all of it."""

    model: nn.Module
    optimiser: Optimizer
    scheduler: LRScheduler | ReduceLROnPlateau | None
    order: RowOrder
    settings: Training
    hardware: Hardware
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def start(cls, model: nn.Module, settings: Training, hardware: Hardware, seed: int) -> "Learner":
        """Return a learner before its first epoch, with its model on the device; `seed` orders the batches."""
        model.to(hardware.device)
        if hardware.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = make_optimiser(model, settings)
        scheduler = make_scheduler(optimiser, settings)
        return cls(model, optimiser, scheduler, RowOrder(torch.Generator().manual_seed(seed)), settings, hardware)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the balanced validation loss has not fallen for `patience` epochs."""
        patient = self.settings.patience == 0 or self.progress.epochs_without_gain < self.settings.patience
        return self.progress.epochs_done >= self.settings.epochs or not patient

    def end_epoch(self, epoch: Epoch) -> None:
        """Keep the weights if the rule `training.keep` chooses them, and step the scheduler of the learning rate."""
        if self._is_kept(epoch):
            self.progress.best_epoch, self.progress.best_score = epoch.number, monitored(epoch, self.settings)
            self.progress.best_state = copy.deepcopy(self.model.state_dict())
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(epoch.balanced_loss)
        elif self.scheduler is not None:
            self.scheduler.step()
        self._append(epoch)

    def _append(self, epoch: Epoch) -> None:
        if self._leads(epoch):
            self.progress.leading = epoch.number
        self.progress.history.append(epoch)

    def _is_kept(self, epoch: Epoch) -> bool:
        """Return whether an epoch is the best so far, or within one standard error of the best, if that is the rule.

        It is the rule of Breiman et al. 1984 (Classification and regression trees), here in favour of later epochs:
        the last epoch within the error of the best is kept, since the best epoch is later than the others before it.
        """
        if self._leads(epoch):
            return True
        leader = self.progress.history[self.progress.leading - 1]
        lost = abs(monitored(epoch, self.settings) - monitored(leader, self.settings))
        return self.settings.keep == ONE_STANDARD_ERROR and lost <= leader.standard_error

    def _leads(self, epoch: Epoch) -> bool:
        """Return whether an epoch is better than all before it: of equals, the one with the lower balanced loss."""
        if self.progress.leading == 0:
            return True
        leader = self.progress.history[self.progress.leading - 1]
        score, best = monitored(epoch, self.settings), monitored(leader, self.settings)
        if score == best:
            return epoch.balanced_loss < leader.balanced_loss
        return (score > best) == (MONITORS[self.settings.monitor] == "max")

    def save(self, path: Path) -> None:
        """Write a checkpoint atomically."""
        device, progress = self.hardware.device, self.progress
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "batches": self.order.generator.get_state(),
            "order": self.order.left,
            **random_states(device),
            "monitor": self.settings.monitor,
            "keep": self.settings.keep,
            "history": [asdict(epoch) for epoch in progress.history],
            "best": (progress.best_epoch, progress.best_score, progress.best_state),
        }
        write_checkpoint(path, state)

    def restore(self, path: Path) -> None:
        """Resume from a checkpoint. Raises StoreError if it is damaged or does not fit; the learner is then useless."""
        state = read_checkpoint(path, self.hardware.device)
        try:
            self._restore(state)
        except Exception as error:  # any content is possible
            raise unusable(path) from error

    def _restore(self, state: State) -> None:
        if state.get("monitor", "macro_recall") != self.settings.monitor:  # early checkpoints lack it
            raise ValueError("its epoch was chosen by a different score")
        if state.get("keep", BEST) != self.settings.keep:
            raise ValueError("its epoch was chosen by a different rule")
        check_form(self.model.state_dict(), state["model"])
        self.model.load_state_dict(state["model"])
        check_form(self.optimiser.state_dict()["param_groups"], state["optimiser"]["param_groups"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.scheduler is not None:
            check_form(self.scheduler.state_dict(), state["scheduler"])
            self.scheduler.load_state_dict(state["scheduler"])
        self.order.generator.set_state(state["batches"].cpu())
        check_form(self.order.left[:0], state["order"][:0])
        self.order.left = state["order"].cpu()
        set_random_states(state, self.hardware.device)
        self.progress = Progress([], *state["best"])
        for epoch in converted(state["history"], list[Epoch]):
            self._append(epoch)
        self._check_progress()

    def _check_progress(self) -> None:
        """Raise ValueError if the progress is none that training can reach."""
        done, best = self.progress.epochs_done, self.progress.best_epoch
        check_form((0, 0.0), (best, self.progress.best_score))
        check_form(self.model.state_dict() if done else {}, self.progress.best_state)
        numbers = [epoch.number for epoch in self.progress.history]
        if numbers != [*range(1, done + 1)] or best not in range(min(done, 1), done + 1):
            raise ValueError(f"the epoch of its weights is {best} of {done}")


def train(
    learner: Learner,
    rows: Rows,
    validation: Rows,
    loss: Loss,
    *,
    reporter: TrainingReporter,
    weights: Tensor | None = None,
    rows_per_epoch: int | None = None,
    checkpoint: Path | None = None,
) -> Iterator[Epoch]:
    """Train the remaining epochs, one at each step of the iterator, and load the weights of the kept epoch at the end.

    An epoch is yielded after its checkpoint is written. A learner restored from that checkpoint ends with the same bits
    as an uninterrupted run. `weights` `(rows,)` are the relative probabilities to draw each row; with None the rows are
    used in a random order, which the next epoch continues. `rows_per_epoch` is the number of rows that an epoch uses;
    None: as many as there are. `reporter` receives the progress within an epoch. If the validation rows have groups,
    the standard errors of their scores are those of groups. The global random states are used. Raises Diverged if the
    loss or the logits become NaN or infinite.
    """
    device = learner.hardware.device
    here, chosen_by = Tensors.of(rows, device), in_order(validation, device)
    monitor, groups = learner.settings.monitor, validation.groups
    unit = None if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    while not learner.finished:
        number, started = learner.progress.epochs_done + 1, time.perf_counter()
        rate = learner.optimiser.param_groups[0]["lr"]
        order = learner.order.take(rows_per_epoch or len(rows), len(rows), weights)
        train_loss, steps = _train_epoch(learner, here, order, loss, partial(reporter.on_batch, number))
        found = asdict(validate(learner.model, chosen_by, number, monitor, unit))
        seconds = time.perf_counter() - started
        learner.end_epoch(Epoch(number, train_loss, learning_rate=rate, seconds=seconds, steps=steps, **found))
        if checkpoint is not None:
            learner.save(checkpoint)
        yield learner.progress.history[-1]
    learner.model.load_state_dict(learner.progress.best_state)


def monitored(epoch: Epoch, settings: Training) -> float:
    """Return the monitored score of an epoch."""
    return float(getattr(epoch, settings.monitor))


def predict(model: nn.Module, rows: InOrder) -> Tensor:
    """Return logits, float32 `(rows, n_classes)` on the CPU, computed in batches of one fixed size."""
    model.eval()
    with torch.inference_mode():
        parts = [batch.logits(model).float().cpu() for batch in Slices(rows, EVALUATION_BATCH)]
    return torch.cat(parts)


def make_optimiser(model: nn.Module, settings: Training) -> Optimizer:
    """Return Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), fused where torch supports it."""
    kind: type[torch.optim.Adam] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimiser]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in model.parameters())
    return kind(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused or None)


def make_scheduler(optimiser: Optimizer, settings: Training) -> LRScheduler | ReduceLROnPlateau | None:
    """Return the scheduler of the learning rate, or None; `plateau` follows the balanced validation loss."""
    if settings.scheduler == "plateau":
        factor, patience, least = settings.factor, settings.scheduler_patience, settings.min_lr
        return ReduceLROnPlateau(optimiser, mode="min", factor=factor, patience=patience, min_lr=least)
    if settings.scheduler == "cosine":
        return CosineAnnealingLR(optimiser, T_max=settings.epochs)
    return None


def _train_epoch(
    learner: Learner, rows: Tensors, order: Tensor, loss: Loss, report: Callable[[int, int, float], None]
) -> tuple[float, int]:
    """Train one epoch over rows in this order; return the mean loss and the number of steps."""
    model, optimiser, settings = learner.model, learner.optimiser, learner.settings
    device, bf16 = learner.hardware.device, learner.hardware.bf16
    model.train()
    total, done, steps = torch.zeros((), device=device), 0, 0
    reported = time.perf_counter()
    for batch in _batches(rows, settings.batch_size, order):
        with torch.autocast(device.type, torch.bfloat16) if bf16 else nullcontext():
            logits = batch.logits(model)
        value = loss(logits.float(), batch.labels)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        if settings.clip:
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        size = len(batch.labels)
        total.add_(value.detach(), alpha=size)
        done, steps = done + size, steps + 1
        if (now := time.perf_counter()) - reported > REPORT_SECONDS:
            reported = now
            report(done, len(order), _finite(float(total) / done, "the training loss"))
    return _finite(float(total) / done, "the training loss"), steps


def _batches(rows: Tensors, batch_size: int, order: Tensor) -> Iterator[Tensors]:
    """Yield rows in this order, one batch at a time.

    A last batch of one row is left out, a different row each epoch: batch normalisation of features needs two rows.
    """
    for batch in in_batches(rows, order, batch_size):
        if len(batch.labels) > 1 or batch_size == 1 or len(order) == 1:
            yield batch


def macro_recall(model: nn.Module, rows: InOrder) -> float | None:
    """Return the mean recall of the classes that the rows have; None if the logits are NaN or infinite."""
    logits, labels = predict(model, rows), rows.labels.cpu()
    if not bool(torch.isfinite(logits).all()):
        return None
    counts, hits = _hits(logits, labels)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def _hits(logits: Tensor, labels: Tensor) -> tuple[Ints, Ints]:
    """Return the number of rows of each class, and the number of those that are predicted correctly."""
    predicted, true = logits.argmax(1).numpy(), labels.numpy()
    counts = np.bincount(true, minlength=logits.shape[1])
    return counts, np.bincount(true[predicted == true], minlength=len(counts))


def validate(
    model: nn.Module, rows: InOrder, epoch: int, monitor: str | None = None, unit: Ints | None = None
) -> Validation:
    """Return the scores of a network on the validation set. Raises Diverged if the logits are NaN or infinite."""
    return scored(predict(model, rows), rows.labels, epoch, monitor, unit)


def scored(
    logits: Tensor, labels: Tensor, epoch: int = 1, monitor: str | None = None, unit: Ints | None = None
) -> Validation:
    """Return the scores of logits `(rows, classes)`, with the standard error of the score `monitor`.

    `unit` `(rows,)` is the group of each row, counted from 0. Raises Diverged if the logits are NaN or infinite.
    """
    logits, labels = logits.cpu(), labels.cpu()
    if not bool(torch.isfinite(logits).all()):
        raise Diverged(f"the logits became NaN or infinite in epoch {epoch}")
    losses = nn.functional.cross_entropy(logits, labels, reduction="none").double().numpy()
    counts, hits = _hits(logits, labels)
    there = counts > 0
    hits = hits[there]
    total = np.bincount(labels.numpy(), weights=losses, minlength=len(counts))[there]
    said = np.bincount(logits.argmax(1).numpy(), minlength=len(counts))[there]
    return Validation(
        validation_loss=float(nn.functional.cross_entropy(logits, labels)),
        balanced_loss=float((total / counts[there]).mean()),
        macro_recall=float((hits / counts[there]).mean()),
        macro_f1=float((2 * hits / (said + counts[there])).mean()),
        accuracy=float(hits.sum() / len(labels)),
        standard_error=math.nan if monitor is None else _standard_error(monitor, logits, labels.numpy(), losses, unit),
    )


def _standard_error(monitor: str, logits: Tensor, labels: Ints, losses: Doubles, unit: Ints | None) -> float:
    if monitor.endswith("loss"):
        return of_losses(losses, labels if monitor == "balanced_loss" else None, unit)
    predicted, classes = logits.argmax(1).numpy(), logits.shape[1]
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    return of_confusion(monitor, confusion.astype(np.float64), None if unit is None else (labels, predicted, unit))


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise Diverged(f"{what} became {value}: try a lower training.learning_rate or training.clip")
    return value
