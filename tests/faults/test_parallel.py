"""Several runs at a time, in worker processes: to the same bits, stored and told as one after the other would be."""

import csv
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import torch

import zoo
from zoo.errors import UsageError
from zoo.harness.parallel import gpu_share
from zoo.harness.reporter import SilentReporter, UnderWay
from zoo.registry import Registry, Source, source_of
from zoo.store.predictions import read_predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store

HERE = Path(__file__).parents[1]
NOTE = "times were measured with up to 2 runs at a time: compare them only with such times"
PRESETS = """
[presets."cnngru.tiny"]
params = { hidden = 4, num_blocks = 1, gru_hidden = 4, num_layers = 1 }
training = { members = 2 }

[presets."cnngru.twin"]
params = { hidden = 4, num_blocks = 1, gru_hidden = 4, num_layers = 1 }
training = { members = 2 }

[presets."cnngru.crowded"]
params = { hidden = 4, num_blocks = 1, gru_hidden = 4, num_layers = 1 }
data = "smote"
data_params = { k_neighbors = 500 }

[presets."faulty.raise"]
params = { how = "raise" }

[presets."faulty.kill"]
params = { how = "kill" }

[presets."steady.logged"]
params = { log = "LOG", pause = 0.1 }

[presets."steady.slow"]
params = { log = "LOG", pause = 0.6 }
"""


class Notebook(SilentReporter):
    """Keeps what it is told; kills the process that trains `steady`, once, when its second epoch is done."""

    def __init__(self, log: Path, *, kill: bool = True, stop_at: int = 0) -> None:
        self.log, self.kill, self.stop_at = log, kill, stop_at
        self.seen: list[tuple[int, int, int]] = []
        self.finished: list[Run] = []

    def on_runs(self, running: Sequence[UnderWay], ended: int, total: int) -> None:
        self.seen.append((len(running), ended, total))
        for one in running:
            if one.run.architecture == "steady" and one.epoch >= 2 and self.kill:
                self.kill = False
                os.kill(int(self.log.read_text().splitlines()[-1].split()[0]), signal.SIGKILL)
            if self.stop_at and one.run.architecture == "steady" and one.epoch >= self.stop_at:
                self.stop_at = 0
                raise KeyboardInterrupt

    def on_run_finished(self, run: Run) -> None:
        self.finished.append(run)


class Observer:
    """A plugin that observes."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    @zoo.hookimpl
    def zoo_run_started(self, run: Run) -> None:
        self.told.append((run.id, "started", 0))

    @zoo.hookimpl
    def zoo_epoch_finished(self, run: Run, epoch: int, scores: dict[str, float]) -> None:
        assert 0 <= scores["macro_recall"] <= 1
        self.told.append((run.id, "epoch", epoch))

    @zoo.hookimpl
    def zoo_run_finished(self, run: Run) -> None:
        self.told.append((run.id, run.status, 0))


def registry_with(observer: Observer) -> Registry:
    installed = [Source(point.name, point.value, point.load) for point in entry_points(group="zoo")]
    faulty = source_of("faulty", import_module("faulty"))
    return Registry.load([*installed, faulty, Source("observer", __name__, lambda: observer)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "epochs.log"
    (tmp_path / "registry.toml").write_text(PRESETS.replace("LOG", str(path)))
    return path


@pytest.fixture
def bench(waves_csv: Path, log: Path):
    def run(*architectures: str, results: str = "results", **more: Any) -> list[Run]:
        fixed = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "protocol": "holdout", "epochs": 3}
        return zoo.bench(architectures, **{**fixed, "results": results, "set": {"training.batch_size": 16}, **more})

    return run


def trained_model(results: str, run: Run) -> tuple[list[list[str]], np.ndarray]:
    """A run's history but for its seconds, and the probabilities of its test rows."""
    with Store(Path(results)) as store:
        rows = csv.reader(store.read(run, "history.csv").read_text().splitlines())
        stored = read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"])
    head, *epochs = [*rows]
    seconds = head.index("seconds")
    return [row[:seconds] + row[seconds + 1 :] for row in epochs], stored.probabilities


def sessions_of(process: int) -> list[Path]:
    owned = f"{socket.gethostname()} {process}"
    return [path.parent for path in Path("/tmp").glob("zoo-*/owner") if path.read_text() == owned]


def test_several_at_a_time_give_the_bits_of_one_after_the_other(
    bench, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, put = [], ray.put
    monkeypatch.setattr(ray, "put", lambda rows: (sent.append(rows), put(rows))[1])
    observer, notebook = Observer(), Notebook(log)
    asked = ("cnngru.tiny", "minirocket", "cnngru.twin", "cnngru.crowded", "faulty.raise", "steady.logged")
    grid = {"data": ["original", "smote"], "scale": "standard", "seeds": 2, "registry": registry_with(observer)}
    runs = bench(*asked, **grid, jobs=2, reporter=notebook)
    assert [run.reference for run in runs] == [*asked] * 4, "in the order of the plan"
    assert sorted(run.id for run in notebook.finished) == sorted(run.id for run in runs)
    for run in runs:
        crowded = run.preset == "crowded" and run.data == "smote"
        broken = (
            "ValueError: it is broken"
            if run.architecture == "faulty"
            else "smote needs more than k_neighbors=500 training rows"
            if crowded
            else ""
        )
        assert run.status == (RunStatus.FAILED if broken else RunStatus.DONE)
        assert run.error.startswith(broken) if broken else not run.error
    assert "it is broken" in (Path("results/runs") / runs[4].id / "traceback.txt").read_text()
    twins = [(run.id, run.served) for run in runs if run.preset == "twin"]
    assert twins == [(run.id, True) for run in runs if run.preset == "tiny"], "the same in other words is served"
    assert notebook.seen[-1] == (0, 24, 24)
    assert max(running for running, _, _ in notebook.seen) >= 2

    assert not notebook.kill, "a worker was killed, and its run went on from its checkpoint"
    assert len({id(rows) for rows in sent}) == len(sent) > 0, "cells that share rows have them sent once"
    assert {rows.groups for rows in sent if not rows.labels.any()} == {None}, "test rows are sent without labels"
    begun = len(log.read_text().splitlines())
    assert begun - 4 * 3 in (0, 1), "no finished epoch is trained twice"
    told = [(kind, epoch) for run, kind, epoch in observer.told if run == runs[0].id]
    assert told == [("started", 0), *(("epoch", epoch) for epoch in range(1, 7)), (RunStatus.DONE, 0)]

    several = [run for run in runs if run.reference in asked[:2]]
    alone = bench(*asked[:2], **grid, threads=1, results="alone")
    for ours, theirs in zip(several, alone, strict=True):
        assert (ours.scale, ours.fingerprint, ours.scores) == ("standard", theirs.fingerprint, theirs.scores)
        assert ours.train_macro_recall == theirs.train_macro_recall is not None
        assert ours.notes == (*theirs.notes, NOTE)
        assert all(ours.cost[name] > 0 for name in ("train_seconds", "peak_memory_mib", "latency_ms"))
        assert not (Path("results/runs") / ours.id / "checkpoint").exists()
        (history, probabilities), (same_history, same) = trained_model("results", ours), trained_model("alone", theirs)
        assert history == same_history
        assert np.array_equal(probabilities, same)

    again = bench(*asked[:2], **grid, jobs=2)
    assert [run.id for run in again] == [run.id for run in several]
    assert all(run.served and not run.differs for run in again)
    assert sessions_of(os.getpid()) == []


def test_an_interruption_keeps_what_ended_and_goes_on_from_the_last_epoch(bench, log: Path) -> None:
    asked = ("steady.logged", "cnngru.tiny")
    registry = registry_with(Observer())
    with pytest.raises(KeyboardInterrupt):
        bench(*asked, registry=registry, jobs=2, epochs=4, reporter=Notebook(log, kill=False, stop_at=2))
    with Store(Path("results")) as store:
        left = {run.architecture: run for run in store.runs()}
    assert left["steady"].status == RunStatus.INTERRUPTED
    epochs = len(log.read_text().splitlines())
    resumed, _ = bench(*asked, registry=registry, epochs=4, threads=1, resume=True)
    assert (resumed.id, resumed.status, resumed.epochs) == (left["steady"].id, RunStatus.DONE, 4)
    begun = len(log.read_text().splitlines()) - epochs
    assert begun <= 2, "epochs that were done are not trained again"
    (unbroken,) = bench(asked[0], registry=registry, epochs=4, threads=1, results="alone")
    assert np.array_equal(trained_model("results", resumed)[1], trained_model("alone", unbroken)[1])


def test_no_row_of_the_test_part_can_be_sent(registry: Registry, series: Any) -> None:
    from zoo.data.protocols import separate

    parts = separate(series, "holdout", seed=0)
    sent = pickle.dumps((parts.summary, parts.train, parts.validation))
    test = parts.for_run().test
    test.training_ended()
    rows = test.open()
    assert not any(row.tobytes() in sent for row in rows.values)
    scored = rows.unlabelled()
    assert scored.values is rows.values, "what is scored has the series alone"
    assert (scored.labels.any(), set(scored.index.tolist()), scored.groups) == (False, {-1}, None)
    assert all(row.tobytes() in sent for row in parts.train.values), "as others are"


def test_what_is_served_or_cannot_be_read_starts_no_worker(bench, waves_csv: Path, log: Path) -> None:
    bench("cnngru.tiny", epochs=1, threads=1, seeds=2)
    phases: list[str] = []
    notebook = Notebook(log)
    notebook.on_phase = phases.append  # type: ignore[method-assign]
    sets = ["absent.csv", str(waves_csv)]
    with pytest.raises(zoo.DataError, match=r"there is no file 'absent\.csv'"):
        bench("cnngru.tiny", epochs=1, dataset=sets, seeds=2, jobs=2, reporter=notebook)
    assert phases == ["planning", "loading absent.csv", f"loading {waves_csv}"]
    assert [(run.seed, run.served, run.differs) for run in notebook.finished] == [(0, True, ()), (1, True, ())]
    assert sessions_of(os.getpid()) == []


def test_jobs_below_one_are_refused(bench) -> None:
    with pytest.raises(UsageError, match="--jobs must be at least 1, not 0"):
        bench("cnngru", jobs=0)


@pytest.mark.parametrize(
    ("device", "gpus", "jobs", "share"),
    [("cpu", 2, 2, 0.0), ("cuda", 1, 1, 1.0), ("cuda", 1, 3, 0.3333), ("cuda", 2, 3, 0.5), ("cuda", 4, 2, 1.0),
     ("cuda:1", 2, 2, 0.0), ("cuda", 0, 2, 0.0)],
)  # fmt: skip
def test_gpus_are_shared_so_that_all_find_room(device: str, gpus: int, jobs: int, share: float) -> None:
    assert gpu_share(torch.device(device), gpus, jobs) == share
    if share:
        assert int(1 / share) * gpus >= jobs


DRIVER = """
import sys
from importlib import import_module
sys.path.insert(0, sys.argv[1])
import zoo
from zoo.registry import Registry, source_of
import zoo_imbalance
registry = Registry.load([source_of("imbalance", zoo_imbalance), source_of("faulty", import_module("faulty"))])
asked = {"dataset": "waves.csv", "target": "kind", "drop": "patient", "protocol": "holdout", "epochs": 8, "seeds": 3}
asked["results"] = "results"
zoo.bench(sys.argv[2], **asked, jobs=2, resume=sys.argv[3] == "resume", registry=registry)
"""


def drive(folder: Path, architecture: str, word: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", DRIVER, str(HERE), architecture, word]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    listen = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, preexec_fn=listen, **pipes)


def with_epochs(folder: Path, driver: subprocess.Popen[str]) -> None:
    """Waits until two runs have checkpoints."""
    for _ in range(1200):
        time.sleep(0.1)
        assert driver.poll() is None, driver.communicate()[1]
        if len(list((folder / "results").glob("runs/*/checkpoint/state.pt"))) == 2:
            return
    raise AssertionError("the bench did not come so far")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "status"),
    [
        (signal.SIGKILL, -9, RunStatus.STALE),
        (signal.SIGTERM, 143, RunStatus.INTERRUPTED),
        (signal.SIGINT, -2, RunStatus.INTERRUPTED),
    ],
)
def test_a_bench_whose_driver_was_ended_goes_on(tmp_path, log, waves_csv, number, code, status) -> None:
    driver = drive(tmp_path, "steady.slow", "run")
    with_epochs(tmp_path, driver)
    driver.send_signal(number)
    driver.communicate(timeout=60)
    assert driver.returncode == code
    left_behind = sessions_of(driver.pid)
    assert bool(left_behind) == (number == signal.SIGKILL)
    with Store(tmp_path / "results") as store:
        broken = store.runs()
    assert {run.status for run in broken} == {status}
    assert len(broken) >= 2, "on a busy machine, the first is trained and waits for its scoring when the third begins"
    before = len(log.read_text().splitlines())
    again = drive(tmp_path, "steady.slow", "resume")
    out, err = again.communicate(timeout=240)
    assert (again.returncode, out, err) == (0, "", "")
    with Store(tmp_path / "results") as store:
        runs = store.runs()
    assert [run.status for run in runs] == [RunStatus.DONE] * 3
    assert {run.id for run in broken} <= {run.id for run in runs}
    assert len(log.read_text().splitlines()) - before <= 3 * 8 - 2, "no finished epoch is trained twice"
    assert not any(folder.exists() for folder in left_behind)


@pytest.mark.slow
def test_a_network_that_kills_its_process_twice_is_a_failed_run(bench) -> None:
    runs = bench("faulty.kill", "cnngru.tiny", registry=registry_with(Observer()), jobs=2, epochs=1)
    assert [run.status for run in runs] == [RunStatus.FAILED, RunStatus.DONE]
    assert runs[0].error.startswith("its process died twice: ")
    assert "\n" not in runs[0].error


SLOW_TWICE = """
import time
from torch import nn


class Net(nn.Module):
    trains = False

    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x):
        Net.trains |= self.training
        if self.training or not Net.trains and len(x) > 8:
            time.sleep(4)
        return self.head(x.flatten(1))
"""


@pytest.mark.slow
def test_a_time_limit_is_for_training_and_scoring_together(tmp_path: Path, waves_csv: Path) -> None:
    (tmp_path / "slow_twice.py").write_text(SLOW_TWICE)
    options: dict[str, Any] = {"dataset": str(waves_csv), "target": "kind", "columns": "t*", "results": "results"}
    asked = {**options, "epochs": 1, "rows": 20, "isolate": True}
    (limited,) = zoo.bench(f"{tmp_path}/slow_twice.py:Net", run_timeout=7.0, **asked)
    (free,) = zoo.bench(f"{tmp_path}/slow_twice.py:Net", run_timeout=60.0, **asked)
    assert (limited.status, limited.error) == (RunStatus.TIMEOUT, "exceeded its limit of 7 s")
    assert free.status == RunStatus.DONE
