"""Kills at random times: each is resumed, and the results have the bits of a run without a kill."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import WAVES, Zoo

DATA = (*WAVES, "--protocol", "holdout", "--rows", "60")
SMALL = ("--set", "training.batch_size=2", "--set", "training.patience=0")
BENCH = ("bench", "cnn1d", "fcn", *DATA, *SMALL, "--epochs", "8", "--threads", "1")
TUNE = ("tune", "cnn1d", *DATA, *SMALL, "--epochs", "4", "--trials", "3", "--jobs", "2", "--name", "mine")
SECONDS = 280


def run(*words: str, seconds: float = SECONDS) -> int | None:
    """Run the command, and kill it after some seconds; return its exit code, or None if it was killed."""
    environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    nothing: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", "zoo", *words], env=environment, **nothing)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(family, timeout=15)
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
        return None


def kill_often(number: int, words: Callable[[Path], tuple[str, ...]], check: Callable[[Path], None]) -> None:
    """Kill a command at `number` random times, each time resumed in the same folder, and check what it has ended with.

    After an end the next kill begins in a new folder.
    """
    chance, kills, folders = random.Random(13), 0, 0
    started = time.monotonic()
    assert run(*words(Path("unbroken")), "--results", "unbroken") == 0
    whole = time.monotonic() - started
    while kills < number:
        folder = Path(f"killed-{folders}")
        code = None
        while code is None:
            seconds = chance.uniform(0.2, 0.9) * whole if kills < number else SECONDS
            code = run(*words(folder), "--results", str(folder), seconds=seconds)
            kills += code is None
        assert code == 0
        check(folder)
        folders += 1


def done(zoo: Zoo, folder: Path) -> dict[str, tuple[bytes, bytes]]:
    """The predictions and weights of the finished runs, by architecture; nothing else is left."""
    runs = json.loads(zoo("results", "--results", str(folder), "--json").stdout)
    finished = {run["architecture"]: folder / "runs" / run["id"] for run in runs if run["status"] == "done"}
    assert not [run for run in runs if run["status"] in ("running", "failed")]
    return {
        name: ((place / "predictions.parquet").read_bytes(), (place / "model.safetensors").read_bytes())
        for name, place in finished.items()
    }


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("number", "more"), [(40, ()), (10, ("--jobs", "2"))], ids=["one", "jobs"])
def test_a_bench_that_is_killed_often_ends_with_the_same_bits(
    zoo: Zoo, waves_csv: Path, number: int, more: tuple[str, ...], record_property
) -> None:
    record_property("faults", number)
    same = lambda folder: done(zoo, folder) == done(zoo, Path("unbroken"))  # noqa: E731

    def check(folder: Path) -> None:
        assert done(zoo, folder).keys() == {"cnn1d", "fcn"}
        assert same(folder)

    kill_often(number, lambda folder: (*BENCH, *more, "--resume"), check)


def study(zoo: Zoo, folder: Path) -> tuple[Any, ...]:
    """What a study has found: its trials with every epoch, its winner, and the winner's run."""
    found = json.loads(zoo("studies", "show", "mine", "--results", str(folder), "--json").stdout)
    trials = [(trial["config"], trial["status"], trial["value"], trial["history"]) for trial in found["trials"]]
    return found["status"], trials, found["winner"], done(zoo, folder)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_study_that_is_killed_often_ends_with_the_same_trials(zoo: Zoo, waves_csv: Path, record_property) -> None:
    record_property("faults", 10)

    def words(folder: Path) -> tuple[str, ...]:
        known = zoo("studies", "show", "mine", "--results", str(folder)).returncode == 0
        return ("tune", "--resume", "mine") if known else TUNE

    def check(folder: Path) -> None:
        assert study(zoo, folder) == study(zoo, Path("unbroken"))

    kill_often(10, words, check)
