"""From a cell and its rows to a trained model: one network, or the members of an ensemble one after the other."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.protocols import Parts
from zoo.data.resampling import batch_weights, resample
from zoo.data.rows import Rows
from zoo.errors import ModelError
from zoo.factories import load_factory
from zoo.harness.cells import Cell
from zoo.harness.seeds import axis_seeds
from zoo.networks import ensemble
from zoo.training.batches import Tensors
from zoo.training.fitting import fit
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Learner, Loss, Progress, TrainingReporter, train


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, and the epochs of all its members."""

    model: nn.Module
    history: tuple[Epoch, ...]
    best_epoch: int


@dataclass(frozen=True)
class TrainingRun:
    """What the members of one run share: the cell, the rows as they are trained on, how they are drawn, the loss."""

    cell: Cell
    parts: Parts
    rows: Rows
    weights: Tensor | None
    loss: Loss | None
    hardware: Hardware

    @classmethod
    def of(cls, cell: Cell, parts: Parts, rows: Rows, hardware: Hardware) -> "TrainingRun":
        weights = _weights(cell, rows, parts.classes)
        return cls(cell, parts, rows, weights, _loss(cell, parts, rows, weights, hardware.device), hardware)

    def learn(self, watch: TrainingReporter, checkpoint: Path, *, resume: bool) -> TrainedModel:
        """Train every member, each from seeds of its own; with `resume`, from where its checkpoint stands."""
        course = self.course(watch, checkpoint, resume=resume)
        while True:
            try:
                epoch = next(course)
            except StopIteration as end:
                trained: TrainedModel = end.value
                return trained
            watch.on_epoch(epoch)

    def course(
        self, watch: TrainingReporter, checkpoint: Path, *, resume: bool
    ) -> Generator[Epoch, None, TrainedModel]:
        """The same an epoch at a time, each trained and its checkpoint written when it is asked for.

        Epochs are numbered through all members; `watch` is told of batches alone.
        """
        members: list[nn.Module] = []
        history: list[Epoch] = []
        for number in range(1, self.cell.training.members + 1):
            path = checkpoint if number == 1 else checkpoint.with_stem(f"{checkpoint.stem}-{number}")
            model, progress = yield from self._member(number, len(history), watch, path, resume)
            members.append(model)
            history += [replace(epoch, member=number) for epoch in progress.history]
        best = progress.best_epoch if len(members) == 1 else 0
        return TrainedModel(ensemble(members), tuple(history), best)

    def member(self, number: int) -> nn.Module:
        """A member as training begins with it; torch's random state is then that of its training."""
        seeds = axis_seeds(self.cell.seed, number)
        torch.manual_seed(seeds["weights"])
        model = self.cell.network.build(**self.parts.summary.shape)
        self._check_output(model)
        torch.manual_seed(seeds["batches"])  # dropout, in the order of the batches
        return model

    def learner(self, number: int) -> Learner:
        """A member before its first epoch, for whoever trains it epoch by epoch; not for one that is fitted."""
        seed = axis_seeds(self.cell.seed, number)["batches"]
        return Learner.start(self.member(number), self.cell.training, self.hardware, seed)

    def epochs(self, learner: Learner, watch: TrainingReporter, checkpoint: Path | None = None) -> Iterator[Epoch]:
        """A learner's remaining epochs, each trained when it is asked for; its model ends with the best weights."""
        assert self.loss is not None
        data = (self.rows, self.parts.validation)
        return train(learner, *data, self.loss, watch=watch, weights=self.weights, checkpoint=checkpoint)

    def fit(self, model: nn.Module, number: int, watch: TrainingReporter) -> Progress:
        """Fit a member whose class has a method for that."""
        seeds = axis_seeds(self.cell.seed, number)
        both = (seeds["weights"], seeds["batches"])
        data, how = (self.rows, self.parts.validation), (self.cell.training, self.hardware)
        return fit(model, *data, *how, seeds=both, watch=watch, weights=self.weights)

    def _member(
        self, number: int, before: int, watch: TrainingReporter, checkpoint: Path, resume: bool
    ) -> Generator[Epoch, None, tuple[nn.Module, Progress]]:
        """A member's epochs, counted after the `before` of those before it; it ends with the weights of its best."""
        batches = _Batches(watch, before)
        if self.loss is None:
            model = self.member(number)
            progress = self.fit(model, number, batches)
            yield replace(progress.history[0], number=before + 1, member=number)
            return model, progress
        learner = self.learner(number)
        if resume and checkpoint.exists():
            learner.restore(checkpoint)
        for epoch in self.epochs(learner, batches, checkpoint):
            yield replace(epoch, number=before + epoch.number, member=number)
        return learner.model, learner.progress

    def _check_output(self, model: nn.Module) -> None:
        """Two rows through the untrained model: a wrong shape is said before an epoch was spent on it."""
        model.eval()
        rows = Tensors.of(self.parts.validation, torch.device("cpu"))
        with torch.no_grad():
            output = rows.take(slice(0, 2)).logits(model)
        wanted = (min(2, len(self.parts.validation)), len(self.parts.classes))
        if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
            got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ModelError(f"{self.cell.network.reference} gave {got} for logits of shape {wanted}")


@dataclass(frozen=True)
class _Batches:
    """Hands on the batches of a member, its epochs counted after those of the members before it."""

    watch: TrainingReporter
    before: int

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.watch.on_batch(self.before + epoch, rows_done, rows, loss)

    def on_epoch(self, epoch: Epoch) -> None:
        """Epochs are told by whoever asked for them."""


def resampled(cell: Cell, parts: Parts) -> Rows:
    """The training rows as the cell's resampler leaves them. Raises ResamplingError where it cannot."""
    seed = axis_seeds(cell.seed)["resampling"]
    return resample(cell.resampler.entry.spec, cell.resampler.params, parts.train, parts.classes, seed)


def epoch_scores(epoch: Epoch) -> dict[str, float]:
    """What observers are told of an epoch."""
    values: Mapping[str, float | None] = asdict(epoch)
    return {
        name: value
        for name, value in values.items()
        if name not in ("number", "seconds", "member") and value is not None
    }


def _weights(cell: Cell, rows: Rows, classes: tuple[str, ...]) -> Tensor | None:
    """How likely each row is to be drawn for a batch; None where each is taken once an epoch."""
    spec = cell.resampler.entry.spec
    seed = axis_seeds(cell.seed)["resampling"]
    found = batch_weights(spec, cell.resampler.params, rows.labels, classes, seed)
    return None if found is None else torch.from_numpy(found)


def _loss(cell: Cell, parts: Parts, rows: Rows, weights: Tensor | None, device: torch.device) -> Loss | None:
    """The training loss, which is told the rows of each class as they are seen; None for a network that is fitted."""
    if cell.objective is None:
        return None
    drawn = None if weights is None else weights.numpy() * (len(rows.labels) / float(weights.sum()))
    seen = np.rint(np.bincount(rows.labels, weights=drawn, minlength=len(parts.classes)))
    there = np.bincount(rows.labels, minlength=len(parts.classes)) > 0  # a class hardly ever drawn has a weight too
    counts = torch.from_numpy(np.maximum(seen, there).astype(np.int64)).to(device)
    factory: Callable[..., Loss] = load_factory(cell.objective.entry.spec.factory)
    objective = factory(class_counts=counts, **cell.objective.params)
    return objective.to(device) if isinstance(objective, nn.Module) else objective
