"""A network that writes into its input: neither its neighbours nor its own next run see other rows."""

from pathlib import Path
from typing import Any

import pytest

import zoo

NETWORKS = """
from torch import nn


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(n_channels, 4, 3, padding=1), nn.Flatten())
        self.head = nn.Linear(4 * n_times, n_classes)

    def forward(self, x):
        return self.head(self.layers(x))


class Writer(Net):
    def forward(self, x):
        %s
        return super().forward(x)
"""


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ("x *= 2", 1),
        ("x *= 2", 2),
        ("x -= x.mean(-1, keepdim=True)", 1),
        pytest.param("x -= x.mean(-1, keepdim=True)", 2, marks=pytest.mark.slow),
    ],
)
def test_a_network_that_writes_into_its_input_changes_no_row_of_its_neighbour(
    tmp_path: Path, waves_csv: Path, change: str, jobs: int
) -> None:
    where = tmp_path / f"writes_{len(change)}_{jobs}.py"
    where.write_text(NETWORKS % change)
    writer = f"{where}:Writer"
    asked: dict[str, Any] = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "epochs": 2, "threads": 1}
    alone = zoo.bench(f"{where}:Net", **asked, results="alone")
    first, second = zoo.bench([writer, f"{where}:Net"], **asked, jobs=jobs, results="beside")
    assert [(run.status, run.error) for run in (first, second)] == [("done", "")] * 2
    assert second.scores == alone[0].scores
    again = zoo.bench(writer, **asked, results="again")
    assert again[0].scores == first.scores
