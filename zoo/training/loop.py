"""The training loop, in one piece: epochs over shuffled batches, the best epoch by validation macro recall.

Batches are indexed straight from tensors that lie on the device. Validation is computed in float32 whatever
the precision of training. A checkpoint after each epoch holds all it takes to go on as if nothing had
happened, random states included.
"""

import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, ReduceLROnPlateau

from zoo.data.sealed import Rows
from zoo.errors import Diverged
from zoo.results.files import write_atomically
from zoo.settings import Training
from zoo.training.hardware import EVALUATION_BATCH, Hardware

Loss = Callable[[Tensor, Tensor], Tensor]
State = dict[str, Any]
REPORT_SECONDS = 0.2  # often enough for a live display, rare enough to cost nothing


@dataclass(frozen=True)
class Epoch:
    """What came of one epoch, counted from 1; `seconds` is its training and its validation."""

    number: int
    train_loss: float
    validation_loss: float
    macro_recall: float
    accuracy: float
    learning_rate: float
    seconds: float


class Watch(Protocol):
    """Who wants to see training as it goes."""

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float) -> None: ...
    def on_epoch(self, epoch: Epoch) -> None: ...


@dataclass
class Progress:
    """How far training has come: what a checkpoint holds beside the states of model and optimiser."""

    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_score: float = -math.inf
    best_state: State = field(default_factory=dict)

    @property
    def epochs_done(self) -> int:
        return len(self.history)

    @property
    def epochs_without_gain(self) -> int:
        return self.epochs_done - self.best_epoch


@dataclass(frozen=True)
class Tensors:
    """Rows on the device: values `(rows, channels, times)`, labels `(rows,)`, lengths where declared."""

    values: Tensor
    labels: Tensor
    lengths: Tensor | None

    @classmethod
    def of(cls, rows: Rows, device: torch.device) -> "Tensors":
        lengths = None if rows.lengths is None else torch.from_numpy(rows.lengths).to(device)
        return cls(torch.from_numpy(rows.values).to(device), torch.from_numpy(rows.labels).to(device), lengths)

    def logits(self, model: nn.Module, index: Tensor | slice) -> Tensor:
        lengths = () if self.lengths is None else (self.lengths[index],)
        output: Tensor = model(self.values[index], *lengths)
        return output


def train(
    model: nn.Module,
    rows: Rows,
    validation: Rows,
    loss: Loss,
    settings: Training,
    hardware: Hardware,
    *,
    seed: int,
    watch: Watch,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Progress:
    """Train a model and leave it with the weights of its best epoch; the global random state is used.

    `seed` orders the batches. With `resume`, training goes on from `checkpoint` where there is one, to the
    very bits of an unbroken run. Raises Diverged when the loss or the logits become NaN or infinite.
    """
    model.to(hardware.device)
    if hardware.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    train_tensors, validation_tensors = (
        Tensors.of(rows, hardware.device),
        Tensors.of(validation, hardware.device),
    )
    optimiser = make_optimiser(model, settings)
    scheduler = make_scheduler(optimiser, settings)
    batches = torch.Generator().manual_seed(seed)
    progress = Progress()
    if resume and checkpoint is not None and checkpoint.exists():
        progress = _restore(checkpoint, model, optimiser, scheduler, batches, hardware.device)
    while progress.epochs_done < settings.epochs and not _out_of_patience(progress, settings):
        number, started = progress.epochs_done + 1, time.perf_counter()
        rate = optimiser.param_groups[0]["lr"]
        train_loss = _train_epoch(
            model,
            train_tensors,
            loss,
            optimiser,
            settings,
            hardware,
            batches,
            partial(watch.on_batch, number),
        )
        validation_loss, recall, accuracy = _validate(model, validation_tensors, number)
        if recall > progress.best_score:
            progress.best_epoch, progress.best_score = number, recall
            progress.best_state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        _step(scheduler, recall)
        seconds = time.perf_counter() - started
        progress.history.append(Epoch(number, train_loss, validation_loss, recall, accuracy, rate, seconds))
        if checkpoint is not None:
            _save(checkpoint, model, optimiser, scheduler, batches, progress, hardware.device)
        watch.on_epoch(progress.history[-1])
    model.load_state_dict(progress.best_state)
    return progress


def predict(model: nn.Module, tensors: Tensors) -> Tensor:
    """Logits, float32 `(rows, n_classes)` on the CPU, in evaluation batches of one fixed size."""
    model.eval()
    with torch.inference_mode():
        parts = [tensors.logits(model, part).float().cpu() for part in _slices(len(tensors.labels))]
    return torch.cat(parts)


def make_optimiser(model: nn.Module, settings: Training) -> Optimizer:
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), fused where torch has it."""
    kind: type[torch.optim.Adam] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimiser]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in model.parameters())
    return kind(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=fused or None)


def make_scheduler(optimiser: Optimizer, settings: Training) -> LRScheduler | ReduceLROnPlateau | None:
    """What lowers the learning rate between epochs; the plateau is one of validation macro recall."""
    if settings.scheduler == "plateau":
        return ReduceLROnPlateau(optimiser, mode="max", factor=settings.factor, patience=settings.scheduler_patience)
    if settings.scheduler == "cosine":
        return CosineAnnealingLR(optimiser, T_max=settings.epochs)
    return None


def _train_epoch(
    model: nn.Module,
    rows: Tensors,
    loss: Loss,
    optimiser: Optimizer,
    settings: Training,
    hardware: Hardware,
    batches: torch.Generator,
    report: Callable[[int, int, float], None],
) -> float:
    """One pass over the rows in a new order; gives the mean loss."""
    model.train()
    total, done, count = torch.zeros((), device=hardware.device), 0, len(rows.labels)
    reported = time.perf_counter()
    for index in _shuffled(count, settings.batch_size, batches):
        index = index.to(hardware.device)
        with torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.bf16):
            logits = rows.logits(model, index)
        value = loss(logits.float(), rows.labels[index])
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        if settings.clip:
            nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        optimiser.step()
        total += value.detach() * len(index)
        done += len(index)
        if (now := time.perf_counter()) - reported > REPORT_SECONDS:
            reported = now
            report(done, count, _finite(float(total) / done, "the training loss"))
    return _finite(float(total) / done, "the training loss")


def _shuffled(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Index batches in a new order. A last batch of one row is left out: batch normalisation cannot use it."""
    for index in torch.randperm(count, generator=generator).split(batch_size):
        if len(index) > 1 or count == 1:
            yield index


def _validate(model: nn.Module, rows: Tensors, epoch: int) -> tuple[float, float, float]:
    """Mean loss (plain cross entropy), macro recall over the classes present, and accuracy."""
    logits, labels = predict(model, rows), rows.labels.cpu()
    if not bool(torch.isfinite(logits).all()):
        raise Diverged(f"the logits became NaN or infinite in epoch {epoch}")
    hits = (logits.argmax(1) == labels).numpy()
    counts = np.bincount(labels.numpy())
    recalls = np.bincount(labels.numpy(), weights=hits)[counts > 0] / counts[counts > 0]
    return float(nn.functional.cross_entropy(logits, labels)), float(recalls.mean()), float(hits.mean())


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise Diverged(f"{what} became {value}: try a lower training.learning_rate or training.clip")
    return value


def _out_of_patience(progress: Progress, settings: Training) -> bool:
    return 0 < settings.patience <= progress.epochs_without_gain


def _step(scheduler: LRScheduler | ReduceLROnPlateau | None, score: float) -> None:
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(score)
    elif scheduler is not None:
        scheduler.step()


def _slices(count: int) -> Iterator[slice]:
    return (slice(start, start + EVALUATION_BATCH) for start in range(0, count, EVALUATION_BATCH))


def _save(
    path: Path,
    model: nn.Module,
    optimiser: Optimizer,
    scheduler: LRScheduler | ReduceLROnPlateau | None,
    batches: torch.Generator,
    progress: Progress,
    device: torch.device,
) -> None:
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "scheduler": None if scheduler is None else scheduler.state_dict(),
        "batches": batches.get_state(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "history": [asdict(epoch) for epoch in progress.history],
        "best": (progress.best_epoch, progress.best_score, progress.best_state),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getbuffer())


def _restore(
    path: Path,
    model: nn.Module,
    optimiser: Optimizer,
    scheduler: LRScheduler | ReduceLROnPlateau | None,
    batches: torch.Generator,
    device: torch.device,
) -> Progress:
    state = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    if scheduler is not None:
        scheduler.load_state_dict(state["scheduler"])
    batches.set_state(state["batches"].cpu())
    torch.set_rng_state(state["random"].cpu())
    if state["random_cuda"] is not None:
        torch.cuda.set_rng_state(state["random_cuda"].cpu(), device)
    best_epoch, best_score, best_state = state["best"]
    return Progress([Epoch(**epoch) for epoch in state["history"]], best_epoch, best_score, best_state)
