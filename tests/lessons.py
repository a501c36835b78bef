"""Small networks, resamplers and losses for tests of what is learnt, and cells of them without a bench."""

import sys
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from conftest import waves
from torch import Tensor, nn

import zoo
import zoo_imbalance
from zoo.data.protocols import Parts, separate
from zoo.harness.cells import Cell
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.harness.training_run import TrainingRun
from zoo.registry import Registry, source_of
from zoo.settings import Settings
from zoo.training.hardware import Hardware
from zoo.workspace import Workspace

CPU = Hardware(torch.device("cpu"), threads=1, bf16=False, channels_last=False)
COUNTS: list[Tensor] = []  # what the loss `told` was told
STATES: list[int] = []  # of the resampler `stated`


class Turning(nn.Module):
    """Learns for `turn` epochs and unlearns in those after: its best epoch is never the last.

    It has all that training changes beside weights: running statistics, and draws of dropout.
    """

    epochs: Tensor

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, turn: int = 2) -> None:
        super().__init__()
        self.turn = turn
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(n_channels * n_times, 8),
            nn.BatchNorm1d(8),
            nn.Dropout(0.3),
            nn.Linear(8, n_classes),
        )

    def train(self, mode: bool = True) -> "Turning":
        self.epochs += mode
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return -logits if self.training and self.epochs > self.turn else logits


class Failing(Turning):
    """Fails in an epoch, in one of several ways."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, how: str = "raise", after: int = 0) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.how, self.after = how, after

    def forward(self, x: Tensor) -> Tensor:
        logits = super().forward(x)
        return self.end(logits) if self.training and self.epochs > self.after else logits

    def end(self, logits: Tensor) -> Tensor:
        if self.how == "exit":
            sys.exit(3)
        if self.how == "nan":
            return logits * float("nan")
        if self.how == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory, as it were")
        if self.how == "greedy":
            return torch.stack([torch.empty(2**30) for _ in range(1000)])
        raise ValueError("it is\nbroken")


class Seeing(nn.Module):
    """Notes whether it is trained and the first sample of each row that it sees, and the lengths it gets with them."""

    seen: ClassVar[list[tuple[bool, list[float], list[int] | None]]] = []

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if x.device.type != "meta":
            self.seen.append((self.training, x[:, 0, 0].tolist(), None if lengths is None else lengths.tolist()))
        logits: Tensor = self.layer(x.flatten(1))
        return logits


class Fitted(nn.Module):
    """Is fitted: what it stores is the mean of the rows of a pass, in the order it gets them, and a draw."""

    means: Tensor
    drawn: Tensor

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(n_classes, n_channels * n_times))
        self.register_buffer("drawn", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.means.T

    def fit(self, batches: Any, *, generator: torch.Generator) -> None:
        self.drawn[0] = torch.rand(1, generator=generator)[0]
        for number, batch in enumerate(batches):
            if number == 0:
                self.drawn[1] = batch.values[0, 0, 0]
            self.means.index_add_(0, batch.labels, batch.values.flatten(1) / batches.rows)


class Hiding(Turning):
    """Learns a part of what it says where nothing is stored: in an attribute."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.rows_seen = 0

    def forward(self, x: Tensor) -> Tensor:
        self.rows_seen += len(x) if self.training else 0
        return super().forward(x) + self.rows_seen / 1000 * torch.arange(3)


class Growing(Turning):
    """Is built wider each time."""

    built = 0

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        type(self).built += 1
        self.more = nn.Linear(1, self.built)


class Image(nn.Module):
    """Lays 48 samples out as an image: the weights of its convolution have a layout."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.Linear(3 * 3 * 5, n_classes))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x.reshape(-1, 2, 4, 6))
        return logits


class FittedImage(Image):
    def fit(self, batches: Any, *, generator: torch.Generator) -> None: ...


class Shaped(Turning):
    """Gives what are no logits of its classes."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, how: str = "wide") -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.how = how

    def forward(self, x: Tensor) -> Any:
        logits = super().forward(x)
        gives = {
            "wide": lambda: logits[:, [0, 0, 1, 2]],
            "flat": lambda: logits[:, 0],
            "fewer": lambda: logits[:-1],
            "list": lambda: [logits],
            "fine": lambda: logits,
        }
        return gives[self.how]()


class Stated:
    """Draws the rows of even numbers, and hardly ever another."""

    def row_weights(self, labels: np.ndarray) -> np.ndarray:
        return np.where(np.arange(len(labels)) % 2 == 0, 2.0, 1e-12)


def stated(*, random_state: int) -> Stated:
    STATES.append(random_state)
    return Stated()


def told(*, class_counts: Tensor) -> nn.Module:
    COUNTS.append(class_counts)
    return nn.CrossEntropyLoss()


class Turncoat(nn.Module):
    """Plain cross entropy for the first steps, and weighted in those after, as in deferred re-weighting."""

    def __init__(self, class_counts: Tensor) -> None:
        super().__init__()
        self.steps, self.weights = 0, 1 / class_counts.clamp(min=1).float()

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        self.steps += 1
        return nn.functional.cross_entropy(logits, targets, None if self.steps <= 20 else self.weights)


def turncoat(*, class_counts: Tensor) -> nn.Module:
    return Turncoat(class_counts)


@zoo.hookimpl
def zoo_components() -> Iterable[Any]:
    kinds = (Turning, Failing, Fitted, Hiding, Growing, Image, FittedImage, Shaped)
    return [
        *(
            zoo.Architecture(name=kind.__name__.lower(), factory=f"lessons:{kind.__name__}", summary=".")
            for kind in kinds
        ),
        zoo.Architecture(name="seeing", factory="lessons:Seeing", summary=".", takes_lengths=True),
        zoo.Resampler(name="stated", factory="lessons:stated", summary="."),
        zoo.Objective(name="told", factory="lessons:told", summary="."),
        zoo.Objective(name="turncoat", factory="lessons:turncoat", summary="."),
    ]


def registry() -> Registry:
    return Registry.load([source_of("imbalance", zoo_imbalance), source_of("lessons", sys.modules[__name__])])


def parts() -> Parts:
    return separate(waves(), "holdout", seed=0)


def cell_of(
    reference: str, *, seed: int = 0, data: str = "original", loss: str | None = None, epochs: int = 4, **settings: Any
) -> Cell:
    """A cell, in which `members=2` is a training setting and `how="nan"` a parameter of the network."""
    training = {"members", "monitor", "keep", "scheduler", "precision"}
    given = {f"training.{name}" if name in training else name: value for name, value in settings.items()}
    request = Request(
        architectures=(reference,),
        data=(data,),
        losses=() if loss is None else (loss,),
        datasets=("waves.csv",),
        seeds=(seed,),
        epochs=epochs,
        assignments={
            "training.batch_size": 16,
            "training.patience": 0,
            "training.keep": "best",
            "training.scheduler": "plateau",
            "training.learning_rate": 0.03,
            "training.monitor": "validation_loss",
            **given,
        },
    )
    (cell,) = make_plan(Workspace(registry(), Settings.load()), request).cells
    return cell


def lesson_of(cell: Cell, of: Parts | None = None, hardware: Hardware = CPU) -> TrainingRun:
    of = of or parts()
    return TrainingRun.of(cell, of, of.train, hardware)
