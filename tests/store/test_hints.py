"""What the numbers of a run tell about its score."""

from dataclasses import replace
from typing import Any

import pytest

from zoo.records import Scores, SplitSummary
from zoo.store.hints import hints_of
from zoo.store.run import Run

PARTS = SplitSummary(classes=["a", "b", "c"], class_counts={"validation": [30, 20, 10]})
BLANK = Run(
    id="1", key="k", architecture="fcn", dataset="waves", protocol="holdout", data="original", loss="focal", seed=7
)
RUN = replace(
    BLANK,
    status="done",
    parts=PARTS,
    scores=Scores(confusion=[[8, 1, 1], [2, 5, 0], [0, 1, 1]]),
    epochs=8,
    best_epoch=5,
    steps=300,
)
SMALL = replace(PARTS, class_counts={"validation": [6, 1, 3]})


@pytest.mark.parametrize(
    ("changed", "hints"),
    [
        ({}, ()),
        ({"steps": 299}, ("299 gradient steps in all: with so few, more epochs can change the order",)),
        ({"steps": 1, "epochs": 1}, ("1 gradient step in all: with so few, more epochs can change the order",)),
        ({"best_epoch": 8}, ("the best epoch is the last of 8: more epochs can raise the score",)),
        ({"best_epoch": 1, "epochs": 1}, ()),
        ({"scores": Scores(confusion=[[0, 10, 0], [0, 7, 0], [0, 2, 0]])}, ("only class b is predicted",)),
        (
            {"parts": SMALL},
            # 1.96 * sqrt((1/6 + 1/1 + 1/3) / 4) / 3
            ("validation has 10 rows, 1 of class b: its macro recall, which chooses the epoch, is precise to ±0.40",),
        ),
        ({"parts": SMALL, "epochs": 1, "best_epoch": 1}, ()),
        ({"parts": SMALL, "steps": 0, "epochs": 1, "best_epoch": 1}, ()),
        ({"steps": None, "best_epoch": 8}, ()),
        ({"status": "failed", "steps": 3}, ()),
    ],
)
def test_hints(changed: dict[str, Any], hints: tuple[str, ...]) -> None:
    assert hints_of(replace(RUN, **changed)) == hints


def test_a_run_without_scores_has_none() -> None:
    assert hints_of(BLANK) == ()
