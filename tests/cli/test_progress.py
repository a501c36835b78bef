"""The live display of a bench."""

import io
from collections.abc import Sequence
from datetime import datetime

import pytest
from rich.console import Console

from zoo.cli.views.bench_progress import BenchDisplay
from zoo.cli.views.failures import failure_lines
from zoo.cli.views.pace import end_text
from zoo.harness.reporter import UnderWay
from zoo.store.run import Run, RunStatus


def test_brackets_in_a_path_are_shown_as_they_are() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with BenchDisplay(console) as display:
        display.on_phase("loading beats[old]/x[/y].csv")
        display.progress.refresh()
    assert "loading beats[old]/x[/y].csv" in console.file.getvalue()


def test_of_several_at_a_time_one_bar_says_how_far_each_is() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    run = Run(id="a", key="k", architecture="cnngru", dataset="d", protocol="p", data="smote", loss="", seed=1)
    with BenchDisplay(console) as display:
        display.on_runs([UnderWay(run, 2, 6)], 3, 12)
        display.progress.refresh()
        (task,) = display.progress.tasks
        assert (round(task.completed, 2), task.total) == (3.33, 12)
        display.on_phase("scoring")
        assert task.description == "3/12 done, 1 running scoring"
    assert "3/12 done, 1 running" in console.file.getvalue()
    assert "cnngru smote seed 1 epoch 2/6" in console.file.getvalue()


FEW = "class '5' has 2 rows"


def run(
    data: str = "original", seed: int = 0, error: str = "", *, dataset: str = "d", loss: str = "cross-entropy", **more
) -> Run:
    status = more.pop("status", RunStatus.FAILED if error else RunStatus.DONE)
    config = {"training": {"members": 1}}
    names = {"id": "a", "key": "k", "architecture": "fcn", "protocol": "p", "config": config, **more}
    return Run(data=data, seed=seed, error=error, status=status, dataset=dataset, loss=loss, **names)


@pytest.mark.parametrize(
    ("runs", "lines"),
    [
        (
            [run(data, seed, FEW if data == "smote" else "") for data in ("original", "smote") for seed in range(18)],
            [f"smote: 18 cells failed: {FEW}"],
        ),
        ([run(seed=seed, error=FEW) for seed in (0, 1)], [f"2 cells failed: {FEW}"]),
        ([run(), run("smote", error=FEW), run("adasyn", error=FEW)], [f"adasyn, smote: 2 cells failed: {FEW}"]),
        (
            [run(loss="focal"), run("smote", 1, FEW), run("smote", 1, "no neighbours", loss="focal")],
            [f"smote cross-entropy: 1 cell failed: {FEW}", "smote focal: 1 cell failed: no neighbours"],
        ),
        # a treatment: the loss tells nothing more
        (
            [run("smote", error=FEW), run(loss="focal"), run()],
            [f"smote: 1 cell failed: {FEW}"],
        ),
        (
            [run(dataset="a.csv"), run(dataset="b.csv", error="longer than 1 s", status=RunStatus.TIMEOUT)],
            ["b.csv: 1 cell timed out: longer than 1 s"],
        ),
        (
            [run(seed=1), run(error="loss is NaN", status=RunStatus.DIVERGED)],
            ["seed 0: 1 cell diverged: loss is NaN"],
        ),
        ([run(), run(seed=1)], []),
    ],
)
def test_equal_failures_are_one_line_with_what_only_they_have(runs: Sequence[Run], lines: list[str]) -> None:
    assert failure_lines(runs) == lines


def shown(display: BenchDisplay, console: Console) -> str:
    display.progress.refresh()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_failure_is_shown_once_and_runs_name_their_data_set_where_there_are_several() -> None:
    console = Console(file=io.StringIO(), width=200)
    with BenchDisplay(console, ["dataset"]) as display:
        for seed in range(3):
            display.on_run_finished(run("smote", seed, FEW, dataset="a.csv"))
        display.on_run_finished(run("smote", 0, "other", dataset="b.csv"))
        display.on_run_finished(run(dataset="b.csv"))
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        f"failed: a.csv fcn smote seed 0: {FEW}",
        "failed: b.csv fcn smote seed 0: other",
        "done: b.csv fcn original seed 0: macro recall -, 0 s of training (run a)",
    ]


def test_the_bar_covers_the_grid_and_shows_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("zoo.cli.views.pace.time.monotonic", lambda: clock[0])
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    one = run()
    with BenchDisplay(console) as display:
        (task,) = display.progress.tasks
        for number in (1, 2):  # two are reused, which takes no time
            display.on_run_finished(run(seed=number, served=True))
        display.on_run_started(one, 3, 6, 10)
        assert (task.completed, task.total, task.fields["end"]) == (2, 6, "")
        clock[0] += 10
        display.on_batch(5, 32, 32, 0.1)  # half a run in 10 s: 3.5 are left
        assert (task.completed, task.total) == (2.5, 6)
        assert task.fields["end"].startswith("1:10 left, ends ")
        assert f"{task.fields['end']} " in shown(display, console)
        clock[0] += 10
        display.on_run_finished(one)
        assert task.completed == 3
        display.on_run_started(one, 4, 6, 10)
        assert task.fields["end"].startswith("1:00 left, ends ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (65, "1:05 left, ends 23:01"),
        (7200, "2:00:00 left, ends 2026-03-02 01:00"),
    ],
)
def test_an_end_on_another_day_has_its_date(seconds: float | None, text: str) -> None:
    assert end_text(seconds, datetime(2026, 3, 1, 23, 0)) == text
