"""Checkpoints of a killed bench: an intact one is resumed to the same bits, and a changed one is never used."""

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Zoo

import zoo as library
from zoo.store.run import Run, RunStatus
from zoo.training.checkpoints import write_checkpoint

NETWORK = """
import os
import random
import signal

import numpy as np
from torch import nn


class Drawing(nn.Module):
    '''Draws from all random states, and is killed in its third epoch if KILL is set.'''

    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layer = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(n_channels * n_times, n_classes))
        self.epochs = 0

    def train(self, mode=True):
        self.epochs += mode
        if self.epochs == 3 and "KILL" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train(mode)

    def forward(self, x):
        return self.layer(x + random.random() + np.random.random() if self.training else x)
"""


@pytest.fixture
def killed(zoo: Zoo, tmp_path: Path, waves_csv: Path) -> Path:
    """The checkpoint that a process left when it was killed in its third epoch."""
    network_of(tmp_path).write_text(NETWORK)
    words = (
        "bench",
        f"{network_of(tmp_path)}:Drawing",
        "--dataset",
        str(waves_csv),
        "--target",
        "kind",
        "--drop",
        "patient",
        "--threads",
        "1",
    )
    done = zoo(*words, "--epochs", "4", "--rows", "60", "--results", "killed", KILL="1")
    assert done.returncode == -signal.SIGKILL
    (checkpoint,) = tmp_path.glob("killed/runs/*/checkpoint/state.pt")
    return checkpoint


def network_of(tmp_path: Path) -> Path:
    """The file of the network; a process imports only one module of each name."""
    return tmp_path / f"{tmp_path.name}.py"


def bench(tmp_path: Path, results: str, **more: Any) -> Run:
    data: dict[str, Any] = {
        "dataset": str(tmp_path / "waves.csv"),
        "target": "kind",
        "drop": "patient",
        "rows": 60,
        "threads": 1,
    }
    (run,) = library.bench(f"{network_of(tmp_path)}:Drawing", **data, epochs=4, results=results, **more)
    assert (run.status, run.error) == (RunStatus.DONE, "")
    return run


def resumed(tmp_path: Path, checkpoint: Path, damage: Callable[[Path], object]) -> Run:
    """The run that is resumed after the damage of its checkpoint, in a copy of the results."""
    folder = tmp_path / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tmp_path / "killed", folder)
    damage(folder / checkpoint.relative_to(tmp_path / "killed"))
    return bench(tmp_path, "copy", resume=True)


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def test_a_killed_bench_resumes_to_the_bits_of_an_unbroken_one(tmp_path: Path, killed: Path) -> None:
    unbroken = bench(tmp_path, "unbroken")
    run = resumed(tmp_path, killed, lambda path: None)
    assert (run.scores, run.fingerprint) == (unbroken.scores, unbroken.fingerprint)
    assert not any("checkpoint" in note for note in run.notes)


def test_a_flipped_bit_is_one_note_and_the_run_starts_again(
    tmp_path: Path, killed: Path, record_property: Callable[[str, object], None]
) -> None:
    unbroken = bench(tmp_path, "unbroken")
    bits = 8 * killed.stat().st_size
    places = [0, bits - 1, *random.Random(13).sample(range(bits), 12)]
    record_property("faults", len(places))
    for bit in places:
        run = resumed(tmp_path, killed, lambda path, bit=bit: flip(path, bit))  # type: ignore[misc]
        note = run.notes[-1]
        assert "sha256 differs; the network was trained again from its first epoch" in note, bit
        assert "\n" not in note
        assert run.scores == unbroken.scores, bit


def content(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def without(name: str) -> Callable[[Path], None]:
    return lambda path: write_checkpoint(path, {key: value for key, value in content(path).items() if key != name})


def changed(**more: Any) -> Callable[[Path], None]:
    return lambda path: write_checkpoint(path, {**content(path), **more})


ODD: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, 1000),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "without its digest": lambda path: torch.save(content(path), path),
    "a list": lambda path: write_checkpoint(path, [1, 2]),
    "a tensor": lambda path: write_checkpoint(path, torch.ones(3)),
    "none": lambda path: write_checkpoint(path, None),
    "nothing": lambda path: write_checkpoint(path, {}),
    "no torch file": lambda path: path.write_text("nothing"),
    **{f"without {name}": without(name) for name in ("model", "optimiser", "batches", "random", "history", "best")},
    "another network": changed(model=torch.nn.Linear(3, 2).state_dict()),
    "a network of text": changed(model={"layer.2.weight": "no", "layer.2.bias": "tensor"}),
    "an optimiser of numbers": changed(optimiser={"state": 3, "param_groups": 4}),
    "epochs of text": changed(history=["one", "two"]),
    "epochs with text": changed(history=[{"number": "one"}]),
    "a best epoch that never was": lambda path: changed(best=(9, *content(path)["best"][1:]))(path),
    "a best epoch of text": lambda path: changed(best=("one", *content(path)["best"][1:]))(path),
    "best weights of none": lambda path: changed(best=(*content(path)["best"][:2], None))(path),
    "a random state of text": changed(random="dice"),
    "numbers of text": changed(random_python=[3, ["one"], None]),
}


def test_odd_contents_are_one_note_and_the_run_starts_again(
    tmp_path: Path, killed: Path, record_property: Callable[[str, object], None]
) -> None:
    unbroken = bench(tmp_path, "unbroken")
    record_property("faults", len(ODD))
    for name, damage in ODD.items():
        run = resumed(tmp_path, killed, damage)
        assert run.notes[-1].endswith("; the network was trained again from its first epoch"), name
        assert "\n" not in run.notes[-1], name
        assert run.scores == unbroken.scores, name


@pytest.mark.slow
def test_damage_is_survived_with_jobs_too(tmp_path: Path, killed: Path) -> None:
    unbroken = bench(tmp_path, "unbroken")
    flip(killed, 4000)
    run = bench(tmp_path, "killed", resume=True, jobs=2)
    assert "sha256 differs" in run.notes[-1]
    assert run.scores == unbroken.scores
