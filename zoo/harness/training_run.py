"""Train the model of a cell: one network, or the members of an ensemble one after another."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.protocols import Parts
from zoo.data.resampling import batch_weights, resample
from zoo.data.rows import Rows
from zoo.errors import ModelError, StoreError
from zoo.factories import load_factory
from zoo.harness.cells import Cell, ChosenComponent
from zoo.harness.containment import contained
from zoo.harness.seeds import axis_seeds
from zoo.networks import ensemble
from zoo.specs import Objective
from zoo.store.alike import alike
from zoo.training.batches import Tensors, in_order
from zoo.training.fitting import fit
from zoo.training.gradients import gradients_of, remark
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Learner, Loss, Progress, TrainingReporter, macro_recall, train
from zoo.training.randomness import own_random, seed_all
from zoo.training.smoothing import smoothed

EVALUATION_SEED = 0  # for a network that draws random numbers in eval mode, too
UNKNOWN_RECALL = "the logits of training rows are NaN or infinite, so the macro recall on these rows is unknown"


@dataclass(frozen=True)
class TrainedModel:
    """A trained model with the epochs of all its members.

    train_macro_recall  of the kept weights on the training rows before resampling; None if their logits are not finite
    loss_gradients  what the objective does for the class counts: see `zoo.training.gradients`
    """

    model: nn.Module
    history: tuple[Epoch, ...]
    best_epoch: int
    notes: tuple[str, ...] = ()
    train_macro_recall: float | None = None
    loss_gradients: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrainingRun:
    """The common data of all members of one run: cell, resampled rows, sampling weights, loss and hardware.

    The training rows of `parts` are those before resampling. The loss is the objective, without label smoothing.
    """

    cell: Cell
    parts: Parts
    rows: Rows
    weights: Tensor | None
    loss: Loss | None
    hardware: Hardware

    @classmethod
    def of(cls, cell: Cell, parts: Parts, rows: Rows, hardware: Hardware) -> "TrainingRun":
        seed_all(axis_seeds(cell.seed)["weights"])  # for a resampler or a loss that draws random numbers
        weights = _weights(cell, rows, parts.classes)
        return cls(cell, parts, rows, weights, _loss(cell, parts, rows, weights, hardware.device), hardware)

    def learn(self, reporter: TrainingReporter, checkpoint: Path, *, resume: bool) -> TrainedModel:
        """Train every member from its own seeds; with `resume`, continue each from its checkpoint, if it is intact."""
        course = self.course(reporter, checkpoint, resume=resume)
        while True:
            with contained():
                try:
                    epoch = next(course)
                except StopIteration as end:
                    trained: TrainedModel = end.value
                    return trained
            reporter.on_epoch(epoch)

    def course(
        self, reporter: TrainingReporter, checkpoint: Path, *, resume: bool
    ) -> Generator[Epoch, None, TrainedModel]:
        """Train like `learn`, one epoch per step: yield each epoch after its checkpoint is written.

        Epochs are numbered across all members. `reporter` receives batches only.
        """
        members: list[nn.Module] = []
        history: list[Epoch] = []
        notes: list[str] = []
        for number in range(1, self.cell.training.members + 1):
            path = checkpoint if number == 1 else checkpoint.with_stem(f"{checkpoint.stem}-{number}")
            model, progress, told = yield from self._member(number, len(history), reporter, path, resume)
            members.append(model)
            notes += told
            history += [replace(epoch, member=number) for epoch in progress.history]
        best, model = progress.best_epoch if len(members) == 1 else 0, ensemble(members)
        recall = self._train_macro_recall(model)
        notes += [UNKNOWN_RECALL] if recall is None else []
        gradients, said = self._loss_gradients()
        notes += [said] if said else []
        return TrainedModel(model, tuple(history), best, tuple(notes), recall, gradients)

    def member(self, number: int) -> nn.Module:
        """Build a member before its training, and set the random states for that training."""
        seeds = axis_seeds(self.cell.seed, number)
        seed_all(seeds["weights"])
        model = self.cell.network.build(**self.parts.summary.shape)
        self._check_output(model)
        seed_all(seeds["batches"])  # dropout, in the order of the batches
        return model

    def learner(self, number: int) -> Learner:
        """Return a learner for a member before its first epoch; not for a network with fit()."""
        seed = axis_seeds(self.cell.seed, number)["batches"]
        return Learner.start(self.member(number), self.cell.training, self.hardware, seed)

    def resumed(self, number: int, checkpoint: Path) -> tuple[Learner, str]:
        """Return the learner of a member at its checkpoint, and a note if the checkpoint cannot be used.

        Without a usable checkpoint, the learner is before its first epoch.
        """
        learner = self.learner(number)
        try:
            if checkpoint.exists():
                learner.restore(checkpoint)
        except StoreError as problem:
            return self.learner(number), f"{problem}; the network was trained again from its first epoch"
        return learner, ""

    def epochs(self, learner: Learner, reporter: TrainingReporter, checkpoint: Path | None = None) -> Iterator[Epoch]:
        """Train the remaining epochs of a learner, and yield each; at the end its model has the kept weights."""
        assert self.loss is not None
        validation = self.parts.validation
        data = (self.rows, validation if self.parts.summary.by_group else replace(validation, groups=None))
        return train(
            learner,
            *data,
            smoothed(self.loss, self.cell.training.label_smoothing),
            reporter=reporter,
            weights=self.weights,
            rows_per_epoch=self.rows_per_epoch,
            checkpoint=checkpoint,
        )

    @property
    def rows_per_epoch(self) -> int:
        """The number of rows in an epoch: as before resampling, unless `training.epoch` is `resampled`."""
        resampled = self.cell.training.epoch == "resampled"
        return len(self.rows) if resampled else self.parts.summary.rows["train"]

    def fit(self, model: nn.Module, number: int, reporter: TrainingReporter) -> Progress:
        """Train a member by the fit() method of its class."""
        seeds = axis_seeds(self.cell.seed, number)
        both = (seeds["weights"], seeds["batches"])
        data, how = (self.rows, self.parts.validation), (self.cell.training, self.hardware)
        return fit(model, *data, *how, seeds=both, reporter=reporter, weights=self.weights)

    def _member(
        self, number: int, before: int, reporter: TrainingReporter, checkpoint: Path, resume: bool
    ) -> Generator[Epoch, None, tuple[nn.Module, Progress, tuple[str, ...]]]:
        """Yield the epochs of a member, numbered from `before` + 1; at the end it has the weights of its kept epoch.

        The last item returned is notes for readers of the run.
        """
        numbered = _MemberReporter(reporter, before)
        if self.loss is None:
            model = self.member(number)
            progress = self.fit(model, number, numbered)
            yield replace(progress.history[0], number=before + 1, member=number)
            return model, progress, progress.notes
        learner, note = self.resumed(number, checkpoint) if resume else (self.learner(number), "")
        for epoch in self.epochs(learner, numbered, checkpoint):
            yield replace(epoch, number=before + epoch.number, member=number)
        return learner.model, learner.progress, (note,) if note else ()

    def _train_macro_recall(self, model: nn.Module) -> float | None:
        device = self.hardware.device
        with own_random(device):
            seed_all(EVALUATION_SEED)
            return macro_recall(model, in_order(self.parts.train, device))

    def _loss_gradients(self) -> tuple[tuple[float, ...], str]:
        """Return the gradients of the objective, and a note if the class counts make it plain.

        An objective that has changed during training has none: they would not show what it did in each step.
        """
        if self.loss is None or self.cell.objective is None:
            return (), ""
        trained, make = self.loss, partial(_objective, self.cell.objective, device=self.hardware.device)
        counts = _class_counts(self.parts, self.rows, self.weights).to(self.hardware.device)
        found = gradients_of(make, counts)
        if not alike(found, gradients_of(lambda _: trained, counts)):
            return (), ""
        return found, remark(self.cell.objective.entry.name, make, counts)

    def _check_output(self, model: nn.Module) -> None:
        """Pass two rows through the untrained model, to report a wrong shape before an epoch is trained."""
        model.eval()
        rows = Tensors.of(self.parts.to_check_with.part(slice(0, 2)), torch.device("cpu"))
        with torch.no_grad():
            output = rows.copy().logits(model)
        wanted = (len(rows.labels), len(self.parts.classes))
        if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
            got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ModelError(f"{self.cell.network.reference} returned {got}, not logits of shape {wanted}")


@dataclass(frozen=True)
class _MemberReporter:
    """Forwards the batches of a member, with epochs numbered across all members."""

    reporter: TrainingReporter
    before: int

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.reporter.on_batch(self.before + epoch, rows_done, rows, loss)

    def on_epoch(self, epoch: Epoch) -> None:
        """Ignored: the caller reports epochs."""


def resampled(cell: Cell, parts: Parts) -> Rows:
    """Apply the resampler of a cell to its training rows. Raises ResamplingError if it fails."""
    seed = axis_seeds(cell.seed)["resampling"]
    with own_random(torch.device("cpu")):
        seed_all(seed)  # for a resampler that ignores its `random_state`
        return resample(cell.resampler.entry.spec, cell.resampler.params, parts.train, parts.classes, seed)


def epoch_scores(epoch: Epoch) -> dict[str, float]:
    """Return the values of an epoch that observers receive."""
    values: Mapping[str, float | None] = {name: known(value) for name, value in asdict(epoch).items()}
    return {
        name: value
        for name, value in values.items()
        if name not in ("number", "seconds", "member", "steps", "standard_error") and value is not None
    }


def known(value: float | None) -> float | None:
    """Return a value of an epoch, or None if it is NaN: without validation rows a score may be unknown."""
    return None if value is None or math.isnan(value) else value


def _weights(cell: Cell, rows: Rows, classes: tuple[str, ...]) -> Tensor | None:
    """Return the weight of each row for drawing batches; None if each row is used once per epoch."""
    spec = cell.resampler.entry.spec
    seed = axis_seeds(cell.seed)["resampling"]
    found = batch_weights(spec, cell.resampler.params, rows.labels, classes, seed)
    return None if found is None else torch.from_numpy(found)


def _loss(cell: Cell, parts: Parts, rows: Rows, weights: Tensor | None, device: torch.device) -> Loss | None:
    """Build the training loss from the rows per class that training sees; None for a network with fit()."""
    if cell.objective is None:
        return None
    return _objective(cell.objective, _class_counts(parts, rows, weights).to(device), device=device)


def _objective(chosen: ChosenComponent[Objective], class_counts: Tensor, *, device: torch.device) -> Loss:
    factory: Callable[..., Loss] = load_factory(chosen.entry.spec.factory)
    objective = factory(class_counts=class_counts, **chosen.params)
    return objective.to(device) if isinstance(objective, nn.Module) else objective


def _class_counts(parts: Parts, rows: Rows, weights: Tensor | None) -> Tensor:
    """Return the rows of each class, int64 `(n_classes,)`, that as many drawn rows as there are have on average."""
    drawn = None if weights is None else weights.numpy() * (len(rows.labels) / float(weights.sum()))
    seen = np.bincount(rows.labels, weights=drawn, minlength=len(parts.classes))
    there = np.bincount(rows.labels, minlength=len(parts.classes)) > 0  # a rarely drawn class counts at least one row
    whole = np.rint(np.round(seen, 6))  # classes that are drawn equally often are equal, also around a half
    return torch.from_numpy(np.maximum(whole, there).astype(np.int64))
