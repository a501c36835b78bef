"""Runs as rows of a table: what tells them apart is seen, and what has no room is left out, not cut."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.cli.views.runs import BY_CLASS, by_class_rows, class_columns, class_row, score_columns, score_row
from zoo.cli.views.table import fits, steps_column
from zoo.metrics import score
from zoo.store.run import Run, RunStatus


def run(loss: str, dataset: str = "waves.csv", seed: int = 0) -> Run:
    probabilities = np.full((8, 2), 0.5)
    names = {"architecture": "minirocket", "block": "none", "data": "original", "protocol": "holdout"}
    scores = score(probabilities, np.arange(8) % 2, ("a", "b"), None)
    return Run(
        id="1a2b3c4d", key="", loss=loss, dataset=dataset, seed=seed, scores=scores, status=RunStatus.DONE, **names
    )


@pytest.mark.parametrize(
    ("other", "title"),
    [(run("focal"), "loss"), (run("weighted", dataset="b.csv"), "dataset"), (run("weighted", seed=1), "seed")],
)
def test_recalls_by_class_say_which_run_they_are_of(other: Run, title: str) -> None:
    runs = [run("weighted"), other]
    assert title in [column.title for column in class_columns(runs)]
    one, two = (class_row(each) for each in runs)
    assert one[title] != two[title]


def test_scores_are_whole_on_a_terminal_sixty_wide() -> None:
    runs = [run("weighted"), run("focal")]
    kept = [column for column in score_columns(runs) if not column.drop]
    assert {"architecture", "loss", "macro recall"} < {column.title for column in kept}
    assert fits(kept, [score_row(each) for each in runs], 60)
    kept = [column for column in BY_CLASS if column.drop < 2]
    assert fits(kept, by_class_rows(runs[0]), 60)


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ((720, 720), False),
        ((720, 710), True),
        ((720, 0), False),  # a fitted network has none
        ((720, None), False),  # a run of an earlier version
        ((720, None, 0, 710), True),
        ((None, None), False),
    ],
)
def test_steps_are_shown_where_trained_networks_differ_in_them(steps: tuple[int | None, ...], shown: bool) -> None:
    runs = [replace(run("focal"), steps=each) for each in steps]
    assert ("steps" in [column.key for column in score_columns(runs)]) == shown
    assert [score_row(each)["steps"] for each in runs] == list(steps)


def test_steps_on_different_test_sets_are_not_compared() -> None:
    runs = [replace(run("focal"), steps=720), replace(run("focal", dataset="b.csv"), steps=90)]
    assert "steps" not in [column.key for column in score_columns(runs)]


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0, "-"), (96, "96"), (12345, "12,345"), ("980-1008", "980-1,008")]
)
def test_steps_and_their_range_on_a_terminal(value: int | str | None, text: str) -> None:
    assert steps_column(drop=1).plain(value) == text
