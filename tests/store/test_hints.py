"""What the numbers of a run tell about its score."""

from dataclasses import replace
from typing import Any

import pytest

from zoo.records import Scores, SplitSummary
from zoo.store.hints import hints_of, hints_of_all, with_hints
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
LAST = "the best epoch is the last of 8: more epochs can raise the score"
SMALL = replace(PARTS, class_counts={"validation": [6, 1, 3]})


@pytest.mark.parametrize(
    ("changed", "hints"),
    [
        ({}, ()),
        ({"steps": 299}, ("299 gradient steps in all: with so few, more epochs can change the ranking",)),
        ({"steps": 1, "epochs": 1}, ("1 gradient step in all: with so few, more epochs can change the ranking",)),
        ({"best_epoch": 8}, (LAST,)),
        ({"best_epoch": 8, "config": {"training": {"keep": "best", "epochs": 8}}}, (LAST,)),
        ({"best_epoch": 8, "config": {"training": {"keep": "one-standard-error", "epochs": 8}}}, ()),
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
        (
            {"best_epoch": 8, "config": {"training": {"epochs": 9}}},
            ("the best epoch is the last of 8: early stopping came soon, and more patience can raise the score",),
        ),
        ({"best_epoch": 0, "steps": 1500, "config": {"training": {"epochs": 8, "members": 5}}}, ()),
        (
            {"best_epoch": 0, "epochs": 10, "steps": 1000, "config": {"training": {"epochs": 2, "members": 5}}},
            ("200 gradient steps of each of 5 networks: with so few, more epochs can change the ranking",),
        ),
        ({"parts": SMALL, "epochs": 5, "best_epoch": 0, "steps": 1500, "config": {"training": {"members": 5}}}, ()),
        ({"status": "failed", "steps": 3}, ()),
    ],
)
def test_hints(changed: dict[str, Any], hints: tuple[str, ...]) -> None:
    assert hints_of(replace(RUN, **changed)) == hints


def test_a_run_without_scores_has_none() -> None:
    assert hints_of(BLANK) == ()


@pytest.mark.parametrize(
    ("monitor", "counts", "groups", "known"),
    [
        ("macro_recall", [6, 1, 3], {}, "macro recall, which chooses the epoch, is precise to ±0.40"),
        ("macro_recall", [6, 1, 3], {"a": 4}, "macro recall, which chooses the epoch, is not precise"),
        ("macro_f1", [6, 1, 3], {}, "macro F1, which chooses the epoch, is not precise"),
        ("validation_loss", [6, 1, 3], {}, "loss, which chooses the epoch, is not precise"),
        ("balanced_loss", [6, 1, 3], {}, "balanced loss, which chooses the epoch, is not precise"),
        # 1.96 * sqrt(1/4 / 10): of all rows, whatever their classes
        ("accuracy", [6, 1, 3], {}, "accuracy, which chooses the epoch, is precise to ±0.31"),
        ("accuracy", [100, 1, 3], {}, ""),
        ("macro_recall", [100, 0, 30], {}, ""),
    ],
)
def test_the_precision_of_the_validation_set_is_that_of_the_monitored_score(
    monitor: str, counts: list[int], groups: dict[str, int], known: str
) -> None:
    parts, scores = replace(PARTS, class_counts={"validation": counts}), replace(RUN.scores, groups=groups)
    run = replace(RUN, parts=parts, scores=scores, config={"training": {"monitor": monitor}})
    assert hints_of(run) == ((f"validation has 10 rows, 1 of class b: its {known}",) if known else ())


FEW = "with so few, more epochs can change the ranking"


def test_of_many_runs_each_kind_of_hint_is_one_line() -> None:
    few = [replace(RUN, steps=each) for each in range(20)]
    assert hints_of_all([("one", few[7])]) == [f"7 gradient steps in all: {FEW}"]
    assert hints_of_all([("one", few[7]), ("two", few[7])]) == [f"7 gradient steps in all: {FEW}"]
    assert hints_of_all([("one", few[7]), ("two", RUN)]) == [f"one: 7 gradient steps in all: {FEW}"]
    assert hints_of_all([("one", few[7]), ("two", few[9]), ("three", few[7])]) == [
        f"one, three: 7 gradient steps in all: {FEW}",
        f"two: 9 gradient steps in all: {FEW}",
    ]
    last = replace(RUN, best_epoch=8)
    assert hints_of_all([(str(each.steps), each) for each in [*few, last]]) == [
        f"19 of 21 runs: fewer than 300 gradient steps: {FEW}",
        "300: the best epoch is the last of 8: more epochs can raise the score",
    ]
    small = replace(RUN, scores=Scores(confusion=[[0, 9], [0, 3]]))
    assert hints_of_all([(str(each), small if each else RUN) for each in range(5)]) == [
        "4 of 5 runs: only class b is predicted"
    ]
    assert hints_of_all([]) == hints_of_all([("one", RUN)]) == []


def test_hints_are_in_json() -> None:
    assert with_hints(RUN) == {**RUN.to_json(), "hints": []}
    assert with_hints(replace(RUN, steps=7))["hints"] == [f"7 gradient steps in all: {FEW}"]
