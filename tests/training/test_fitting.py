"""What becomes of a network by its own `fit`: it can be stored and loaded again, or one line says why not."""

import pytest
import torch
from torch import nn

from zoo.data.sealed import Rows
from zoo.errors import ModelError
from zoo.harness.watch import Silent
from zoo.settings import Settings
from zoo.training.fitting import fit
from zoo.training.hardware import Hardware

HARDWARE = Hardware(torch.device("cpu"), 1, False, False)


class Means(nn.Module):
    """Logits by the likeness to the mean of each class."""

    means: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(2, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0] @ self.means.T

    def fit(self, batches, *, generator: torch.Generator) -> None:
        for batch in batches:
            self.means.index_add_(0, batch.labels, batch.values[:, 0])


class Wider(Means):
    def fit(self, batches, *, generator: torch.Generator) -> None:
        self.means = torch.zeros(2, 5, dtype=torch.float64)


class Another(Means):
    def fit(self, batches, *, generator: torch.Generator) -> None:
        self.register_buffer("scale", torch.ones(1))


def fitted(model: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(10) % 2).numpy()
    values = torch.randn(10, 1, 5, generator=generator) + torch.from_numpy(labels)[:, None, None]
    rows = Rows(values.numpy(), labels, torch.arange(10).numpy())
    settings = Settings.load().training({"batch_size": 4}, {})
    fit(model, rows, rows, settings, HARDWARE, seeds=(1, 2), watch=Silent())
    return model


def test_a_fit_fills_what_was_built() -> None:
    assert fitted(Means()).means.abs().sum() > 0


@pytest.mark.parametrize(("kind", "name"), [(Wider, "means"), (Another, "scale")])
def test_a_fit_whose_state_could_not_be_loaded_is_refused(kind: type[Means], name: str) -> None:
    with pytest.raises(ModelError, match=f"^the fit of {kind.__name__} changed the shape or type of '{name}'"):
        fitted(kind())
