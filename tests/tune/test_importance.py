"""How much each hyperparameter mattered."""

import warnings
from dataclasses import replace

import pytest
from studies import SPACE, study_of

from zoo.tune.importance import importance


def test_the_parameter_that_decides_comes_first() -> None:
    found = importance(study_of(("done",) * 40))
    assert next(iter(found.shares)) == "training.learning_rate"
    assert set(found.shares) == set(SPACE)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    assert found.note == ""
    assert importance(study_of(("done",) * 40)) == found


def test_lower_is_better_where_the_metric_says_so() -> None:
    study = study_of(("done",) * 40, metric="validation_loss")
    trials = [replace(trial, value=-(trial.value or 0)) for trial in study.trials]
    assert importance(replace(study, trials=tuple(trials))) == importance(study_of(("done",) * 40))


def test_few_trials_are_a_hint_and_fewer_say_nothing() -> None:
    few = importance(study_of(("done",) * 7 + ("pruned",) * 5 + ("failed",) * 5))
    assert (few.shares, few.note) == ({}, "importance takes 8 trials trained to their end, and there are 7")
    hint = importance(study_of(("done",) * 8))
    assert set(hint.shares) == set(SPACE)
    assert hint.note.startswith("a hint only: 8 trials")


def test_trials_that_did_not_end_as_they_should_change_nothing() -> None:
    study = study_of(("done",) * 20)
    more = [replace(trial, number=trial.number + 20, status="timeout", value=0.0) for trial in study.trials]
    assert importance(replace(study, trials=(*study.trials, *more))) == importance(study)


def test_what_cannot_be_told_is_said() -> None:
    study = study_of(("done",) * 20)
    same = replace(study, trials=tuple(replace(trial, value=0.5) for trial in study.trials))
    assert importance(same).note.startswith("all trials scored the same")
    single = replace(study, space={"hidden": {"kind": "choice", "values": [8]}})
    assert importance(single).note.startswith("no hyperparameter had more than one value")
    alien = replace(study, space={"block": {"kind": "choice", "values": ["cbam", "eca"]}})
    assert importance(alien).note.startswith("the trials do not fit the space")


def test_numbers_at_the_bounds_are_within_them() -> None:
    study = study_of(("done",) * 10)
    odd = [{**trial.config, "training.learning_rate": 0.010000000000000002} for trial in study.trials[:1]]
    trials = (replace(study.trials[0], config=odd[0]), *study.trials[1:])
    assert set(importance(replace(study, trials=trials)).shares) == set(SPACE)


def test_it_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importance(study_of(("done",) * 30))
