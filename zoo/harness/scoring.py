"""Scoring: a trained network, rebuilt from the bytes that are stored, predicts the rows of the test set.

Any process can do that. It gets no labels of the test set: they stay in the main process, which compares them.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from zoo.cost import latency_ms
from zoo.data.rows import Rows
from zoo.data.scaling import Scaling
from zoo.harness.cells import Cell
from zoo.harness.seeds import axis_seeds
from zoo.harness.trained import Product, weights_of
from zoo.inspection import count_parameters
from zoo.training.batches import in_order
from zoo.training.hardware import Hardware
from zoo.training.loop import predict
from zoo.training.randomness import seed_all


@dataclass(frozen=True)
class Scored:
    """What a network computed for the test rows, and what that cost.

    logits           float32 `(rows, n_classes)`
    weights          the stored weights of the network, with its scaling
    rows_per_second  of the prediction
    notes, spoilt    as in `Product`
    """

    logits: Tensor
    weights: bytes
    parameters: int
    rows_per_second: float
    latency_ms: float
    notes: tuple[str, ...] = ()
    spoilt: bool = False


@dataclass(frozen=True)
class ToScore:
    """A trained network to score, with everything except the test rows.

    probed  the first validation rows, which check whether the stored weights reproduce the network
    """

    cell: Cell
    shape: Mapping[str, int]
    product: Product
    probed: Rows
    scaling: Scaling
    hardware: Hardware

    def score(self, test: Rows) -> Scored:
        """Predict test rows, whose labels are not used. Raises any error of the network.

        Raises ModelError if the stored weights do not reproduce the network.
        """
        device, product = self.hardware.device, self.product
        trained = product.trained(self.cell, self.shape, self.probed, self.hardware).scaled(self.scaling, device)
        model = trained.trained_model.model
        weights = product.weights if self.scaling.scale == "none" else weights_of(model)
        seed_all(axis_seeds(self.cell.seed)["batches"])  # for a network that draws random numbers in eval mode, too
        started = time.perf_counter()
        logits = predict(model, in_order(test, device))
        seconds = time.perf_counter() - started
        size = {name: self.shape[name] for name in ("n_channels", "n_times")}
        latency = latency_ms(model, device=device, **size)
        return Scored(logits, weights, count_parameters(model), len(test) / seconds, latency)
