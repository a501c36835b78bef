"""Which trial is the best, what a study says of itself, and a space as plain data."""

from dataclasses import replace

import pytest
from studies import study_of

from zoo.space import Choice, Float, Int
from zoo.store.study import METRICS, SCORED, UNFINISHED, Trial, best_of, space_from_json, space_to_json
from zoo.tuning.worker import WORST


def trial(number: int, value: float | None, status: str = "done") -> Trial:
    return Trial(number=number, config={}, status=status, value=value)


@pytest.mark.parametrize(("mode", "best"), [("max", 2), ("min", 1)])
def test_the_best_is_chosen_from_trials_that_ended_as_they_should_early_or_not(mode: str, best: int) -> None:
    others = ("failed", "diverged", "timeout", "memory", "died", "running", "interrupted")
    ended = [trial(1, 0.2), trial(2, 0.7, "pruned"), trial(3, 0.4), trial(4, None)]
    lost = [trial(number, value, status) for number, status in enumerate(others, start=5) for value in (0.9, 0.1)]
    found = best_of([*lost, *ended], mode)
    assert found is not None
    assert found.number == best
    assert best_of(lost, mode) is None


@pytest.mark.parametrize("mode", ["max", "min"])
def test_of_equal_trials_the_earliest_is_the_best(mode: str) -> None:
    found = best_of([trial(3, 0.5), trial(1, 0.5), trial(2, 0.5, "pruned")], mode)
    assert found == trial(1, 0.5)


@pytest.mark.parametrize(("mode", "best"), [("max", 2), ("min", 1)])
def test_a_value_of_zero_is_a_value(mode: str, best: int) -> None:
    found = best_of([trial(1, 0.0), trial(2, 0.3)], mode)
    assert found is not None
    assert found.number == best


def test_each_metric_has_its_direction_and_its_worst_value() -> None:
    assert dict(METRICS) == {name: "min" if name.endswith("loss") else "max" for name in METRICS}
    assert [*METRICS] == ["macro_recall", "macro_f1", "accuracy", "validation_loss", "balanced_loss"]
    assert dict(WORST) == {"max": 0.0, "min": 1e6}
    assert (SCORED, UNFINISHED) == (("done", "pruned"), ("running", "interrupted"))
    assert study_of(metric="validation_loss").mode == "min"


def test_a_study_says_what_was_asked() -> None:
    study = study_of((), architecture="cnngru.study", scheduler="asha", trials=7, comparison="race")
    asked = (study.architecture, study.searcher, study.scheduler, study.comparison, study.wanted)
    assert asked == ("cnngru.study", "optuna", "asha", "race", 7)
    alone = {key: value for key, value in study.request.items() if key != "comparison"}  # of a version without them
    assert type(study)(name="old", request=alone, space={}).comparison == ""


def test_a_study_as_plain_data_has_all_that_is_known_of_it() -> None:
    study = study_of(("done", "failed"))
    record = study.to_json()
    assert set(record) == {
        "name", "status", "request", "space", "created", "finished", "trials", "winner", "run", "scored", "defaults",
        "notes",
    }  # fmt: skip
    assert [each["status"] for each in record["trials"]] == ["done", "failed"]
    assert record["trials"][0] == {
        "number": 1,
        "config": study.trials[0].config,
        "status": "done",
        "value": study.trials[0].value,
        "epochs": 2,
        "seconds": 1.5,
        "reason": "",
        "history": study.trials[0].history,
        "started": "",
        "finished": "",
    }


def test_the_trials_that_a_winner_is_chosen_from_are_counted() -> None:
    assert len(study_of(("done", "pruned", "failed", "running", "timeout")).candidates) == 2
    assert len(study_of(("done", "failed")).candidates) == 1
    assert len(study_of(()).candidates) == 0
    without = study_of(("done", "done"))
    assert len(replace(without, trials=(without.trials[0], replace(without.trials[1], value=None))).candidates) == 1


def test_a_space_is_written_down_with_its_kinds_and_both_ends() -> None:
    space = {
        "a": Choice(1, "x"),
        "b": Int(1, 3, log=True),
        "c": Float(0.1, 0.4),
        "d": Int(2, 5),
        "e": Float(1, 2, True),
    }
    record = {
        "a": {"kind": "choice", "values": [1, "x"]},
        "b": {"kind": "int", "low": 1, "high": 3, "log": True},
        "c": {"kind": "float", "low": 0.1, "high": 0.4, "log": False},
        "d": {"kind": "int", "low": 2, "high": 5, "log": False},
        "e": {"kind": "float", "low": 1, "high": 2, "log": True},
    }
    assert space_to_json(space) == record
    assert space_from_json(record) == space
    assert [type(domain) for domain in space_from_json(record).values()] == [Choice, Int, Float, Int, Float]
