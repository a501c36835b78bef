"""Ctrl-C, SIGTERM and kill: nothing is lost, and --resume continues."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Zoo
from studies import stored, study_of, tune_request

from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Trial


def words(csv: Path) -> list[str]:
    fixed = ["--dataset", str(csv), "--target", "kind", "--columns", "t*", "--rows", "60", "--epochs", "12"]
    small = ["--set", "training.batch_size=2", "--set", "training.patience=0"]
    return ["bench", "cnngru", *fixed, *small, "--results", "results"]


def _listen() -> None:
    """Undo what a shell does to the jobs it starts in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start_and_signal(csv: Path, number: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Start a bench, or another command, and send it a signal when the second checkpoint of a run is there."""
    environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", *(command or words(csv))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=csv.parent,
        preexec_fn=_listen,
    )
    deadline = time.monotonic() + 120
    seen: set[int] = set()
    while time.monotonic() < deadline and process.poll() is None and len(seen) < 2:
        seen |= {path.stat().st_mtime_ns for path in (csv.parent / "results").glob("runs/*/checkpoint/state.pt")}
        time.sleep(0.02)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def test_ctrl_c_exits_130_with_the_way_to_go_on(zoo: Zoo, waves_csv: Path) -> None:
    stopped = start_and_signal(waves_csv, signal.SIGINT)
    assert stopped.returncode == 130
    assert "--resume" in stopped.stderr.splitlines()[-1]
    assert "Traceback" not in stopped.stderr
    (left,) = json.loads(zoo("results", "--results", "results", "--json").stdout)
    assert left["status"] == "interrupted"
    resumed = zoo(*words(waves_csv), "--resume", "--json")
    assert resumed.returncode == 0, resumed.stderr
    (run,) = json.loads(resumed.stdout)
    assert (run["id"], run["status"], run["epochs"]) == (left["id"], "done", 12)


def test_sigterm_exits_143_with_the_way_to_go_on(waves_csv: Path) -> None:
    stopped = start_and_signal(waves_csv, signal.SIGTERM)
    assert (stopped.returncode, stopped.stdout) == (143, "")
    assert stopped.stderr.splitlines()[-1].startswith("zoo bench cnngru ")
    assert stopped.stderr.endswith(" --resume\n")
    assert "Traceback" not in stopped.stderr
    with Store(Path("results"), create=False) as store:
        assert [run.status for run in store.runs()] == ["interrupted"]


def test_sigterm_in_the_winners_run_leaves_a_study_to_go_on_with(waves_csv: Path) -> None:
    fixed = {"training.batch_size": 2, "training.patience": 0}
    asked = tune_request(dataset=str(waves_csv), target="kind", columns="t*", epochs=12, trials=1, assignments=fixed)
    trial = Trial(number=1, config={"dropout": 0.1}, status="done", value=0.5)
    study = replace(study_of(()), name="mine", request=asked.to_json(), trials=(trial,), status="interrupted")
    with Store(Path("results")) as store:
        stored(store, study)
        stopped = start_and_signal(waves_csv, signal.SIGTERM, "tune", "--resume", "mine", "--results", "results")
        assert stopped.returncode == 143, stopped.stderr
        assert stopped.stderr.endswith("Resume with:\nzoo tune --resume mine --results results\n")
        assert StudyStore(store).get("mine").status == "interrupted"
        assert [run.status for run in store.runs()] == ["interrupted"]


@pytest.mark.parametrize(
    ("number", "module", "code"),
    [(signal.SIGINT, "typer", 130), (signal.SIGINT, "torch.nn", 130), (signal.SIGTERM, "rich.console", 143)],
)
def test_a_signal_while_modules_are_imported_is_one_line(number: int, module: str, code: int) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "zoo", "bench", "cnngru", "--device", "nowhere"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=_listen) as process:
        assert process.stderr is not None
        while not process.stderr.readline().endswith(f" {module}\n"):  # a module is named when its import has ended
            assert process.poll() is None
        process.send_signal(number)
        said = process.stderr.read()  # not communicate(), which ignores lines that were read ahead
    said = "".join(line for line in said.splitlines(keepends=True) if not line.startswith("import time:"))
    assert (process.returncode, said) == (code, "interrupted\n")


def test_a_killed_bench_leaves_a_stale_run_that_resumes_to_the_same_bits(zoo: Zoo, waves_csv: Path) -> None:
    assert start_and_signal(waves_csv, signal.SIGKILL).returncode == -signal.SIGKILL
    (left,) = json.loads(zoo("results", "--results", "results", "--json").stdout)
    assert left["status"] == "stale"
    (resumed,) = json.loads(zoo(*words(waves_csv), "--resume", "--json").stdout)
    assert resumed["id"] == left["id"]
    (unbroken,) = json.loads(zoo(*words(waves_csv), "--force", "--json").stdout)
    assert unbroken["id"] != left["id"]
    folder = waves_csv.parent / "results" / "runs"
    ours, theirs = (folder / run["id"] / "predictions.parquet" for run in (resumed, unbroken))
    assert ours.read_bytes() == theirs.read_bytes()
