"""A network that breaks ends its own run, and no other."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import WAVES, Zoo

import zoo as zoo_package

ON = (*WAVES, "--protocol", "holdout", "--epochs", "1")
HERE = Path(__file__).parent
# What ends a run in every case, in a process of its own or not: the network, the status, and how the error begins.
RAISING = {
    "Interrupt": ("failed", "KeyboardInterrupt"),
    "Closed": ("failed", "GeneratorExit"),
    "Stopped": ("failed", "RuntimeError: generator raised StopIteration"),
    "Own": ("failed", "OfItsOwn: mine"),
    "Exit": ("failed", "sys.exit('xxx"),
    "NoText": ("failed", "Wordless: its message cannot be shown (KeyboardInterrupt)"),
    "LongText": ("failed", r"ValueError: a \x1b[31m\u202e\ud800a"),
    "Deep": ("failed", "RecursionError: "),
    "Init": ("failed", "KeyboardInterrupt"),
    "Fork": ("failed", "the network forked its process, and the copy did not end: it must call os._exit()"),
    "EndingFork": ("done", ""),
    "Thread": ("done", ""),
}
SLEEPING = dict.fromkeys(("Sleep", "Stubborn", "Always", "SleepyInit"), ("timeout", "exceeded its limit of 0.5 s"))
SLEEPING["Importing"] = ("timeout", "exceeded its limit of 0.5 s")
DYING = {
    "Segfault": ("failed", "its process died twice: signal SIGSEGV, segmentation fault"),
    "Abort": ("failed", "its process died twice: signal SIGABRT, aborted"),
    "Leave": ("failed", "its process died twice: exit code 3"),
    "AlwaysLeave": ("failed", "its process died twice: exit code 4"),
    "InitLeave": ("failed", "its process died twice: exit code 5"),
    "Kill": ("failed", "its process died twice: it was killed, probably by signal SIGKILL, or it ended itself"),
    "Hang": ("timeout", "exceeded its limit of 0.5 s in code that cannot be interrupted"),
    "AlwaysHang": ("timeout", "exceeded its limit of 0.5 s in code that cannot be interrupted"),
}
SCORED = {
    "OneRowLeave": ("failed", "its process died twice: exit code 6"),
    "OneRowSegfault": ("failed", "its process died twice: signal SIGSEGV, segmentation fault"),
    "OneRowHang": ("timeout", "exceeded its limit of 0.5 s in code that cannot be interrupted"),
    "OneRowRaise": ("failed", "KeyboardInterrupt"),
}


@pytest.fixture(autouse=True)
def _networks(tmp_path: Path, waves_csv: Path) -> None:
    shutil.copy(HERE / "breaking.py", tmp_path)
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(1.5)\nwhole = True\n")


def references(*names: str) -> list[str]:
    return [f"breaking.py:{name}" for name in names]


def check(runs: list[dict[str, Any]], expected: dict[str, tuple[str, str]]) -> None:
    found = {run["architecture"].rpartition(":")[2]: run for run in runs}
    assert found.keys() == expected.keys()
    for name, (status, error) in expected.items():
        assert (found[name]["status"], found[name]["error"][: len(error)]) == (status, error), name
        text = found[name]["error"]
        assert len(text) < 1000
        assert text.isprintable(), name
        assert not any(word in text for word in ("ray::", "pid", "ip=", "[36m", "actor")), text


def test_whatever_a_network_raises_ends_only_its_run(zoo: Zoo, record_property) -> None:
    expected = {**RAISING, "Good": ("done", "")}
    record_property("faults", len(RAISING))
    ended = zoo("bench", *references(*expected), *ON, "--json")
    check(json.loads(ended.stdout), expected)
    assert ended.returncode == 1
    check(json.loads(zoo("results", "--json").stdout), expected)
    assert max(map(len, ended.stderr.splitlines())) < 1000


def test_a_time_limit_ends_only_its_run(zoo: Zoo, record_property) -> None:
    expected = {**SLEEPING, "Good": ("done", "")}
    record_property("faults", len(SLEEPING))
    ended = zoo("bench", *references(*expected), *ON, "--run-timeout", "0.5s", "--json")
    check(json.loads(ended.stdout), expected)
    assert ended.returncode == 1
    again = json.loads(zoo("bench", *references("Good"), *ON, "--run-timeout", "0.5s", "--json").stdout)
    assert [run["served"] for run in again] == [True], "the key does not contain the time limit"


@pytest.mark.parametrize(
    ("name", "code", "error"),
    [
        ("Segfault", -signal.SIGSEGV, "its process died: signal SIGSEGV, segmentation fault"),
        ("Abort", -signal.SIGABRT, "its process died: signal SIGABRT, aborted"),
        ("Leave", 3, "its process died: exit code 3"),
    ],
)
def test_a_crash_of_the_process_is_a_failed_run_for_the_next_command(
    zoo: Zoo, name: str, code: int, error: str
) -> None:
    assert zoo("bench", *references("Good", name), *ON).returncode == code
    check(json.loads(zoo("results", "--json").stdout), {"Good": ("done", ""), name: ("failed", error)})
    again = zoo("bench", *references("Good"), *ON, "--json")
    assert [run["served"] for run in json.loads(again.stdout)] == [True]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Hang", "AlwaysHang"])
def test_a_hang_in_native_code_ends_the_process_half_a_minute_after_the_limit(zoo: Zoo, name: str) -> None:
    started = time.monotonic()
    assert zoo("bench", *references("Good", name), *ON, "--run-timeout", "2").returncode == 1
    assert 32 < time.monotonic() - started < 60
    error = "exceeded its time limit in code that cannot be interrupted, so its process was ended"
    check(json.loads(zoo("results", "--json").stdout), {"Good": ("done", ""), name: ("timeout", error)})


def start(*words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    listen = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    return subprocess.Popen([sys.executable, "-m", "zoo", *words], env=environment, preexec_fn=listen, **pipes)


def wait_for(path: str, process: subprocess.Popen[str]) -> None:
    while not Path(path).exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_ctrl_c_ends_a_bench_whose_network_catches_everything(zoo: Zoo) -> None:
    process = start("bench", *references("Swallow", "Good"), *ON)
    wait_for("training", process)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    check(json.loads(zoo("results", "--json").stdout), {"Swallow": ("interrupted", "interrupted")})


def test_a_time_limit_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {
        "dataset": "waves.csv",
        "target": "kind",
        "drop": "patient",
        "protocol": "holdout",
        "epochs": 1,
        "results": "results",
    }
    (run,) = zoo_package.bench(references("Sleep"), **data, run_timeout=0.2)
    assert (run.status, run.error) == ("timeout", "exceeded its limit of 0.2 s")
    with pytest.raises(zoo_package.UsageError, match="--run-timeout must be a time above 0 s, not -1 s"):
        zoo_package.bench(references("Good"), **data, run_timeout=-1)


@pytest.mark.slow
@pytest.mark.parametrize("how", [("--jobs", "2"), ("--isolate",)])
def test_in_worker_processes_whatever_a_network_does_ends_only_its_run(
    zoo: Zoo, how: tuple[str, ...], record_property
) -> None:
    expected = {**RAISING, **SLEEPING, **DYING, **SCORED, "Good": ("done", "")}
    record_property("faults", len(expected) - 1)
    ended = zoo("bench", *references(*expected), *ON, *how, "--run-timeout", "0.5", "--json")
    check(json.loads(ended.stdout), expected)
    assert ended.returncode == 1
    check(json.loads(zoo("results", "--json").stdout), expected)


def test_a_network_that_breaks_only_when_it_is_scored_ends_only_its_run(zoo: Zoo, record_property) -> None:
    names = ("OneRowLeave", "OneRowRaise")  # the others are among the slow tests
    expected = {**{name: SCORED[name] for name in names}, "Good": ("done", "")}
    record_property("faults", len(names))
    ended = zoo("bench", *references(*expected), *ON, "--isolate", "--json")
    check(json.loads(ended.stdout), expected)
    assert ended.returncode == 1
    assert not list(Path("results").glob(".look-*"))


@pytest.mark.slow
def test_memory_that_runs_out_in_a_worker_process_ends_only_its_run(zoo: Zoo) -> None:
    ended = zoo("bench", *references("Greedy", "Good"), *ON, "--isolate", "--json")
    greedy, good = json.loads(ended.stdout)
    assert (greedy["status"], good["status"]) == ("failed", "done")
    assert "memory" in greedy["error"].lower()


@pytest.mark.slow
def test_a_network_in_a_worker_process_has_the_bits_of_one_here(zoo: Zoo) -> None:
    words = ("bench", "cnn1d", *ON, "--rows", "60")
    for more in (("--results", "here"), ("--results", "there", "--isolate")):
        assert zoo(*words, *more).returncode == 0
    here, there = (next(Path(name).glob("runs/*/predictions.parquet")).read_bytes() for name in ("here", "there"))
    assert here == there


@pytest.mark.slow
def test_nothing_lives_on_after_a_kill_of_the_driver() -> None:
    process = start("bench", *references("Hang", "Swallow"), *ON, "--jobs", "2")
    wait_for("training", process)
    time.sleep(2)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) > 5
    assert any("ray::" in " ".join(child.cmdline()) for child in family)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
