"""What a run computes with and does not store: such a run fails, and random numbers come from its seeds alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.store.run import Run, RunStatus

NETWORKS = """
import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.n_classes = n_classes
        self.head = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x):
        return self.head(x.flatten(1))


class Attribute(Net):
    def fit(self, batches, *, generator):
        seen = list(batches)
        self.rows = torch.cat([batch.values for batch in seen]).flatten(1)
        self.labels = torch.cat([batch.labels for batch in seen])

    def forward(self, x):
        if not hasattr(self, "rows"):
            return super().forward(x)
        return F.one_hot(self.labels[torch.cdist(x.flatten(1), self.rows).argmin(1)], self.n_classes).float()


class Wrapped(Net):
    def fit(self, batches, *, generator):
        self.__dict__["learnt"] = {"head": nn.Linear(self.head.in_features, self.n_classes)}

    def forward(self, x):
        return self.__dict__.get("learnt", {"head": self.head})["head"](x.flatten(1))


class OfTheClass(Attribute):
    def fit(self, batches, *, generator):
        super().fit(batches, generator=generator)
        OfTheClass.rows, OfTheClass.labels = self.__dict__.pop("rows"), self.__dict__.pop("labels")


KEPT = {}
LISTED = []


class OfTheModule(Net):
    def fit(self, batches, *, generator):
        model = Attribute.__new__(Attribute)
        nn.Module.__init__(model)
        Attribute.fit(model, batches, generator=generator)
        model.n_classes = self.n_classes
        KEPT["model"] = model
        LISTED.append([model])

    def forward(self, x):
        return KEPT["model"](x) if KEPT else LISTED[0][0](x) if LISTED else super().forward(x)


PLACE = torch.zeros(3)


class InPlace(Net):
    def fit(self, batches, *, generator):
        PLACE.copy_(torch.cat([batch.labels for batch in batches]).bincount(minlength=3))

    def forward(self, x):
        return super().forward(x) + PLACE


class Drawn(Net):
    def __init__(self, **sizes):
        super().__init__(**sizes)
        self.signs = torch.randn(self.head.in_features)

    def forward(self, x):
        return self.head(x.flatten(1) * self.signs)


class DrawnByNumPy(Net):
    def __init__(self, **sizes):
        super().__init__(**sizes)
        self.shift = np.random.normal() + random.random()

    def forward(self, x):
        return super().forward(x + self.shift)


class Moving(Net):
    moved = 0.0

    def forward(self, x):
        if self.training:
            self.moved = self.moved + x.detach().mean() + 1
        return super().forward(x) + self.moved * torch.arange(self.n_classes)


class Noisy(Net):
    def forward(self, x):
        return super().forward(x) + torch.randn(len(x), self.n_classes)


class NoisyByNumPy(Net):
    def forward(self, x):
        return super().forward(x) * random.random() + float(np.random.normal())
"""


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    path = tmp_path / f"{tmp_path.name.replace('-', '_')}.py"
    path.write_text(NETWORKS)
    return path


def bench(networks: Path, name: str, waves_csv: Path, **more: Any) -> Run:
    data: dict[str, Any] = {
        "dataset": str(waves_csv),
        "target": "kind",
        "drop": "patient",
        "rows": 60,
        "epochs": 2,
        "threads": 1,
    }
    (run,) = zoo.bench(f"{networks}:{name}", **{**data, "results": "results", "force": True, **more})
    return run


@pytest.mark.parametrize(
    "name", ["Attribute", "Wrapped", "OfTheClass", "OfTheModule", "InPlace", "Drawn", "DrawnByNumPy", "Moving"]
)
def test_a_network_that_its_stored_weights_do_not_reproduce_is_a_failed_run(
    networks: Path, waves_csv: Path, name: str
) -> None:
    run = bench(networks, name, waves_csv)
    assert run.status == RunStatus.FAILED
    assert run.error == (
        f"{networks.name}:{name} keeps state outside its parameters and buffers, so its stored weights do not "
        "reproduce it: keep everything that it learns or draws in a parameter or in register_buffer(…)"
    )
    assert not run.scores


@pytest.mark.parametrize("name", ["Noisy", "NoisyByNumPy"])
def test_random_numbers_of_a_network_come_from_the_seed_of_its_run(networks: Path, waves_csv: Path, name: str) -> None:
    runs = []
    for seed in (1, 2):  # of the process
        torch.manual_seed(seed)
        np.random.seed(seed)
        runs.append(bench(networks, name, waves_csv))
    assert [run.status for run in runs] == [RunStatus.DONE] * 2
    assert runs[0].fingerprint == runs[1].fingerprint
    assert runs[0].scores == runs[1].scores
