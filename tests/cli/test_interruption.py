"""Ctrl-C and kill: nothing is lost, and --resume goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import Zoo


def words(csv: Path) -> list[str]:
    fixed = ["--dataset", str(csv), "--target", "kind", "--epochs", "12", "--set", "training.batch_size=2"]
    return ["bench", "cnngru", *fixed, "--set", "training.patience=0", "--results", "results"]


def _listen() -> None:
    """Undo what a shell does to the jobs it starts in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start_and_signal(csv: Path, number: int) -> subprocess.CompletedProcess[str]:
    """Start a bench, and send it a signal when its second checkpoint is there."""
    environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", *words(csv)],
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
