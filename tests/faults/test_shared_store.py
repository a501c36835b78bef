"""Several processes use one store at once: a cell is trained by one of them."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

NETWORK = """
import time
from torch import nn

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))

    def train(self, mode=True):
        if mode and self.layers[1].weight.device.type != "meta":
            time.sleep(1)
        return super().train(mode)

    def forward(self, x):
        return self.layers(x)
"""
# Several processes, forked after the slow imports, begin the same cells at the same moment.
CROWD = """
import json, os, sys
import torch
import zoo
from zoo.errors import ZooError

number, options = int(sys.argv[1]), json.loads(sys.argv[2])
waves = {"dataset": "waves.csv", "target": "kind", "drop": "patient", "protocol": "holdout", "epochs": 1, "threads": 1}
zoo.bench("net.py:Net", results="warm", **waves)  # imports the rest
ready, go = os.pipe(), os.pipe()
for child in range(number):
    if os.fork() == 0:
        os.write(ready[1], b"x")
        os.close(go[1])
        os.read(go[0], 1)
        said = []
        try:
            runs = zoo.bench("net.py:Net", results="zoo-results", **{**waves, **options})
            said = ["reused" if run.served else str(run.status) for run in runs]
        except ZooError as error:
            said = [str(error)]
        with open(f"said-{child}", "w") as file:
            json.dump(said, file)
        os._exit(0)
for _ in range(number):
    os.read(ready[0], 1)
os.close(go[1])
for _ in range(number):
    os.wait()
"""
BUSY = "is in progress in another process: wait for it"


@pytest.mark.parametrize("options", [{}, pytest.param({"resume": True}, marks=pytest.mark.slow)])
def test_of_six_processes_that_want_one_cell_one_trains_it(tmp_path: Path, waves_csv: Path, options: dict) -> None:
    said = crowd(tmp_path, 6, options)
    counted = Counter("busy" if BUSY in words[0] else words[0] for words in said)
    assert counted["done"] == 1
    assert counted["busy"] + counted["reused"] == 5
    with Store(tmp_path / "zoo-results", create=False) as store:
        assert [run.status for run in store.runs()] == [RunStatus.DONE]


@pytest.mark.slow
def test_processes_that_want_several_cells_train_each_once(tmp_path: Path, waves_csv: Path) -> None:
    for attempt in range(3):
        crowd(tmp_path, 4, {"seeds": 3, "data": ["original", "oversampled"], "epochs": attempt + 1})
        with Store(tmp_path / "zoo-results", create=False) as store:
            runs = store.runs()
        assert len(runs) == 6 * (attempt + 1)
        assert len({run.key for run in runs}) == len(runs)
        assert {run.status for run in runs} == {RunStatus.DONE}


def crowd(folder: Path, number: int, options: dict) -> list[list[str]]:
    """Run one bench in several processes at once, and return what each said."""
    (folder / "net.py").write_text(NETWORK)
    (folder / "crowd.py").write_text(CROWD)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "crowd.py", str(number), json.dumps(options)]
    subprocess.run(words, cwd=folder, env=environment, check=True, timeout=250, stdout=subprocess.DEVNULL)
    return [json.loads((folder / f"said-{child}").read_text()) for child in range(number)]


def test_two_new_runs_never_share_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are random: one that is taken must not replace the run that has it."""
    ids = iter(["aaaaaaaa", "aaaaaaaa", "bbbbbbbb"])
    monkeypatch.setattr("secrets.token_hex", lambda size: next(ids))
    run = Run(id="", key="k", architecture="a", dataset="d", protocol="p", data="original", loss="l", seed=0)
    with Store(tmp_path / "results") as store:
        assert [store.begin(run).id for _ in range(2)] == ["aaaaaaaa", "bbbbbbbb"]
        assert len(store.runs()) == 2
