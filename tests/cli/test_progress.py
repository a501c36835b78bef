"""The live display of a bench."""

import io

from rich.console import Console

from zoo.cli.views.bench_progress import BenchDisplay
from zoo.harness.reporter import UnderWay
from zoo.store.run import Run


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
