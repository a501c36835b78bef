"""Fitted networks: networks whose class has a method `fit(batches, *, generator)`.

The method replaces the epoch loop. It iterates over `batches` as often as it needs, and keeps no more of them in memory
than it must. Afterwards the module maps rows to logits, like any other. The method is called without gradients. It must
fill parameters and buffers that the class has created: values elsewhere, or of another shape, would not be stored.

A network that chooses something, such as a penalty, chooses by `batches.score` of the rows in `batches.validation`. If
it can choose without them, for example by leave-one-out scores, its spec declares `needs_validation=False`. Users may
then set `training.validation=0`: `batches.validation` is empty, and the method passes the logits that it has chosen by
to `batches.held_out`. `batches.note` adds a note to the run.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import cast

import torch
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.errors import ModelError, guarded
from zoo.scores import MONITORS
from zoo.settings import Training
from zoo.training.batches import InOrder, RowOrder, Slices, Tensors, in_batches, in_order
from zoo.training.hardware import EVALUATION_BATCH, Hardware
from zoo.training.loop import REPORT_SECONDS, Epoch, Progress, TrainingReporter, Validation, monitored, scored, validate
from zoo.visible import sentence

Report = Callable[[int, int], None]
UNKNOWN = Validation(*[math.nan] * 5)  # no row was held out


class Batches:
    """The argument `batches` of `fit`: each iteration is one pass over the training rows in a new order.

    A batch has `values` float32 `(batch, channels, times)`, `labels` int64 `(batch,)` and `lengths` int64 `(batch,)`
    or None, on the module's device. `rows` is the number of rows in a pass. `monitor` is the setting
    `training.monitor`: the name of the score that chooses.
    """

    def __init__(
        self,
        rows: Tensors,
        validation: InOrder,
        batch_size: int,
        generator: torch.Generator,
        weights: torch.Tensor | None,
        report: Report,
        monitor: str = "macro_recall",
    ) -> None:
        self._rows, self._validation, self._report = rows, validation, report
        self._batch_size, self._order, self._weights = batch_size, RowOrder(generator), weights
        self.rows, self.monitor = len(rows.labels), monitor
        self.notes: list[str] = []
        self.without_validation = UNKNOWN

    def __len__(self) -> int:
        """Return the number of batches in a pass."""
        return -(-self.rows // self._batch_size)

    def __iter__(self) -> Iterator[Tensors]:
        done, reported = 0, time.perf_counter()
        order = self._order.take(self.rows, self.rows, self._weights)
        for batch in in_batches(self._rows, order, self._batch_size):
            yield batch
            done += len(batch.labels)
            if (now := time.perf_counter()) - reported > REPORT_SECONDS:
                reported = now
                self._report(done, self.rows)

    @property
    def validation(self) -> Sequence[Tensors]:
        """The validation rows in a fixed order, on which `fit` may base its choices; empty if there are none."""
        return Slices(self._validation, EVALUATION_BATCH)

    def score(self, logits: Tensor, labels: Tensor) -> float:
        """Return the score to choose by, of logits `(rows, classes)` for these labels: more is better.

        It is the score that `training.monitor` names; of a loss, minus the loss. Raises Diverged for logits that are
        NaN or infinite.
        """
        found = float(getattr(scored(logits, labels), self.monitor))
        return found if MONITORS[self.monitor] == "max" else -found

    def held_out(self, logits: Tensor, labels: Tensor) -> None:
        """Report logits of training rows, each computed without that row; their scores are the history of the run.

        They are not used if there are validation rows.
        """
        self.without_validation = scored(logits, labels)

    def note(self, text: str) -> None:
        """Add a note to the run, in one line, for readers of its score."""
        self.notes.append(sentence(text))


def fit(
    model: nn.Module,
    rows: Rows,
    validation: Rows,
    settings: Training,
    hardware: Hardware,
    *,
    seeds: tuple[int, int],
    reporter: TrainingReporter,
    weights: torch.Tensor | None = None,
) -> Progress:
    """Fit a model. The first seed is for its own random numbers, the second for the order of batches.

    Returns one epoch without a training loss. Without validation rows it has the scores of the rows that the method
    held out; they are NaN if it held out none. Raises Diverged if the logits are NaN or infinite; ModelError, in one
    line, if the method raises or leaves a state that could not be loaded again.
    """
    model.to(hardware.device)
    own, order = (torch.Generator().manual_seed(seed) for seed in seeds)
    here, chosen_by = Tensors.of(rows, hardware.device), in_order(validation, hardware.device)
    started = time.perf_counter()
    report: Report = lambda done, count: reporter.on_batch(1, done, count, None)  # noqa: E731
    batches = Batches(here, chosen_by, settings.batch_size, order, weights, report, settings.monitor)
    built = _forms(model)
    with torch.no_grad(), guarded(ModelError, f"{type(model).__name__} cannot be fitted"):
        cast(Callable[..., None], model.fit)(batches, generator=own)
    _check_forms(model, built)
    found = validate(model, chosen_by, 1) if len(validation) else batches.without_validation
    epoch = Epoch(1, None, learning_rate=None, seconds=time.perf_counter() - started, steps=0, **asdict(found))
    reporter.on_epoch(epoch)
    return Progress([epoch], 1, monitored(epoch, settings), notes=tuple(batches.notes))


def _forms(model: nn.Module) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """Return the shape and type of every tensor that is stored of a model."""
    return {name: (value.shape, value.dtype) for name, value in model.state_dict().items() if isinstance(value, Tensor)}


def _check_forms(model: nn.Module, built: dict[str, tuple[torch.Size, torch.dtype]]) -> None:
    """Raise ModelError if the fit changed a shape or type: weights are loaded into a network that is not fitted."""
    fitted = _forms(model)
    changed = [name for name in {**built, **fitted} if built.get(name) != fitted.get(name)]
    if changed:
        raise ModelError(
            f"fit() of {type(model).__name__} changed the shape or type of {changed[0]!r}, so its weights could not be "
            "loaded again: create it in its final form when the network is built, and fill it in place"
        )
