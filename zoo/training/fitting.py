"""Networks that are fitted, not trained: those whose class has `fit(batches, *, generator)`.

The method replaces the epoch loop. It goes through `batches` as often as it needs, holds no more than it must, and
leaves a module that maps rows to logits, like any other. It is called without gradients, and fills parameters and
buffers that the class has made: what it learns elsewhere, or in another shape, would not be stored.
"""

import time
from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.errors import ModelError, guarded
from zoo.settings import Training
from zoo.training.batches import Tensors, drawn_order, in_batches, slices
from zoo.training.hardware import EVALUATION_BATCH, Hardware
from zoo.training.loop import REPORT_SECONDS, Epoch, Progress, TrainingReporter, monitored, validate

Report = Callable[[int, int], None]


class Batches:
    """What `fit` gets: each iteration is one pass over the training rows in a new order.

    An item has `values` float32 `(batch, channels, times)`, `labels` int64 `(batch,)` and `lengths` int64 `(batch,)`
    or None, on the module's device. `rows` is how many there are in a pass.
    """

    def __init__(
        self,
        rows: Tensors,
        validation: Tensors,
        batch_size: int,
        generator: torch.Generator,
        weights: torch.Tensor | None,
        report: Report,
    ) -> None:
        self._rows, self._validation, self._report = rows, validation, report
        self._batch_size, self._generator, self._weights = batch_size, generator, weights
        self.rows = len(rows.labels)

    def __len__(self) -> int:
        """Batches in a pass."""
        return -(-self.rows // self._batch_size)

    def __iter__(self) -> Iterator[Tensors]:
        done, reported = 0, time.perf_counter()
        for batch in in_batches(self._rows, drawn_order(self.rows, self._generator, self._weights), self._batch_size):
            yield batch
            done += len(batch.labels)
            if (now := time.perf_counter()) - reported > REPORT_SECONDS:
                reported = now
                self._report(done, self.rows)

    @property
    def validation(self) -> list[Tensors]:
        """The validation rows, in an order that stays: what the fit may choose by."""
        return list(slices(self._validation, EVALUATION_BATCH))


def fit(
    model: nn.Module,
    rows: Rows,
    validation: Rows,
    settings: Training,
    hardware: Hardware,
    *,
    seeds: tuple[int, int],
    watch: TrainingReporter,
    weights: torch.Tensor | None = None,
) -> Progress:
    """Fit a model; what it draws comes from the first seed, the order of batches from the second.

    Gives one epoch without a training loss. Raises Diverged when its logits are NaN or infinite, ModelError, one
    line, for what the method raises and for a state that could not be loaded again.
    """
    model.to(hardware.device)
    own, order = (torch.Generator().manual_seed(seed) for seed in seeds)
    here, chosen_by = Tensors.of(rows, hardware.device), Tensors.of(validation, hardware.device)
    started = time.perf_counter()
    report: Report = lambda done, count: watch.on_batch(1, done, count, None)  # noqa: E731
    batches = Batches(here, chosen_by, settings.batch_size, order, weights, report)
    built = _forms(model)
    with torch.no_grad(), guarded(ModelError, f"{type(model).__name__} cannot be fitted"):
        cast(Callable[..., None], model.fit)(batches, generator=own)
    _check_forms(model, built)
    loss, recall, accuracy = validate(model, chosen_by, 1)
    epoch = Epoch(1, None, loss, recall, accuracy, None, time.perf_counter() - started)
    watch.on_epoch(epoch)
    return Progress([epoch], 1, monitored(epoch, settings))


def _forms(model: nn.Module) -> dict[str, tuple[torch.Size, torch.dtype]]:
    """The shape and type of everything that is stored of a model."""
    return {name: (value.shape, value.dtype) for name, value in model.state_dict().items() if isinstance(value, Tensor)}


def _check_forms(model: nn.Module, built: dict[str, tuple[torch.Size, torch.dtype]]) -> None:
    """A network is loaded into one that was built and not fitted, so that both must be of one form."""
    fitted = _forms(model)
    changed = [name for name in {**built, **fitted} if built.get(name) != fitted.get(name)]
    if changed:
        raise ModelError(
            f"the fit of {type(model).__name__} changed the shape or type of {changed[0]!r}, so that its weights could "
            "not be loaded again: make it as it will be when the network is built, and fill it in place"
        )
