"""Runs as rows of a table: what tells them apart is seen, and what has no room is left out, not cut."""

import numpy as np
import pytest

from zoo.cli.views.runs import BY_CLASS, by_class_rows, class_columns, class_row, score_columns, score_row
from zoo.cli.views.table import fits
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
