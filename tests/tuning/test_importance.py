"""How much each hyperparameter mattered."""

import math
import random
import warnings
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from studies import SPACE, study_of

from zoo.store.study import Study, Trial
from zoo.tuning.importance import importance


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
    assert (few.shares, few.note) == ({}, "importance needs 8 fully trained trials; this study has 7")
    hint = importance(study_of(("done",) * 8))
    assert set(hint.shares) == set(SPACE)
    assert hint.note.startswith("only a hint: 8 fully trained trials")


def test_trials_that_did_not_end_as_they_should_change_nothing() -> None:
    study = study_of(("done",) * 20)
    more = [replace(trial, number=trial.number + 20, status="timeout", value=0.0) for trial in study.trials]
    assert importance(replace(study, trials=(*study.trials, *more))) == importance(study)


def test_what_cannot_be_told_is_said() -> None:
    study = study_of(("done",) * 20)
    same = replace(study, trials=tuple(replace(trial, value=0.5) for trial in study.trials))
    assert importance(same).note.startswith("all trials have the same score")
    single = replace(study, space={"hidden": {"kind": "choice", "values": [8]}})
    assert importance(single).note.startswith("no hyperparameter had more than one possible value")
    alien = replace(study, space={"block": {"kind": "choice", "values": ["cbam", "eca"]}})
    assert importance(alien).note.startswith("the trials do not fit the recorded space")


def test_a_trial_that_does_not_fit_the_space_is_left_out_alone() -> None:
    study = study_of(("done",) * 20)
    alien = replace(study.trials[0], config={**study.trials[0].config, "block": "unknown"})
    left = importance(replace(study, trials=(alien, *study.trials[1:])))
    assert left.shares == importance(replace(study, trials=study.trials[1:])).shares


def test_numbers_at_the_bounds_are_within_them() -> None:
    study = study_of(("done",) * 10)
    odd = [{**trial.config, "training.learning_rate": 0.010000000000000002} for trial in study.trials[:1]]
    trials = (replace(study.trials[0], config=odd[0]), *study.trials[1:])
    assert set(importance(replace(study, trials=trials)).shares) == set(SPACE)


def test_it_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importance(study_of(("done",) * 30))


MADE_UP: dict[str, Any] = {
    "size": {"kind": "int", "low": 1, "high": 64, "log": True},
    "rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "share": {"kind": "float", "low": 0.0, "high": 1.0, "log": False},
    "depth": {"kind": "int", "low": 1, "high": 4, "log": False},
    "kind": {"kind": "choice", "values": ["a", "b"]},
    "one": {"kind": "choice", "values": ["only"]},
    "same": {"kind": "int", "low": 3, "high": 3, "log": False},
}


def made_up(value: Any, count: int = 60, **request: Any) -> Study:
    """A study whose trials are drawn at random and scored by a known function of their values."""
    rng = random.Random(5)
    trials = []
    for number in range(1, count + 1):
        config: dict[str, Any] = {
            "size": round(math.exp(rng.uniform(0, math.log(64)))),
            "rate": 10 ** rng.uniform(-4, -2),
            "share": rng.random(),
            "depth": rng.randint(1, 4),
            "kind": rng.choice("ab"),
            "one": "only",
            "same": 3,
        }
        trials.append(Trial(number=number, config=config, status="done", value=value(config)))
    return replace(study_of((), **request), trials=tuple(trials), space=MADE_UP)


@pytest.mark.parametrize("name", ["size", "rate", "share", "depth", "kind"])
def test_of_a_function_of_one_value_that_value_is_nearly_all(name: str) -> None:
    def value(config: dict[str, Any]) -> float:
        places = {
            "size": math.log(config["size"]) / math.log(64),
            "rate": math.log10(config["rate"]) / 2 + 2,
            "share": config["share"],
            "depth": config["depth"] / 4,
            "kind": float(config["kind"] == "b"),
        }
        return places[name]

    found = importance(made_up(value))
    assert next(iter(found.shares)) == name
    assert found.shares[name] > 0.6
    assert set(found.shares) == {"size", "rate", "share", "depth", "kind"}, "what has one value cannot matter"


@pytest.mark.parametrize(("metric", "direction"), [("macro_recall", "maximize"), ("validation_loss", "minimize")])
def test_shares_are_those_that_optuna_finds_in_the_same_trials(metric: str, direction: str) -> None:
    study = made_up(
        lambda config: config["share"] * config["size"] + config["depth"] + 20 * config["rate"], metric=metric
    )
    domains = {
        "size": IntDistribution(1, 64, log=True),
        "rate": FloatDistribution(1e-4, 1e-2, log=True),
        "share": FloatDistribution(0.0, 1.0),
        "depth": IntDistribution(1, 4),
        "kind": CategoricalDistribution(["a", "b"]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        made = optuna.create_study(direction=direction)
        for trial in study.trials:
            params = {name: trial.config[name] for name in domains}
            made.add_trial(optuna.trial.create_trial(value=trial.value, params=params, distributions=domains))
        expected = optuna.importance.get_param_importances(made)
    found = importance(study)
    assert found.shares == pytest.approx(expected)
    assert list(found.shares) == list(expected)


def test_a_value_that_the_space_does_not_hold_costs_its_trial_alone() -> None:
    study = made_up(lambda config: config["share"], 20)
    alien = Trial(number=21, config={**study.trials[0].config, "kind": "z"}, status="done", value=9.0)
    assert importance(replace(study, trials=(*study.trials, alien))) == importance(study)
    mostly = [replace(trial, config={**trial.config, "kind": "z"}) for trial in study.trials[7:]]
    assert importance(replace(study, trials=(*study.trials[:7], *mostly))).note.startswith("the trials do not fit")


@pytest.mark.parametrize(("name", "outside", "inside"), [("size", 65, 64), ("size", 0, 1), ("share", -1e-9, 0.0)])
def test_a_number_just_outside_its_bounds_counts_as_the_end(name: str, outside: float, inside: float) -> None:
    study = made_up(lambda config: config["share"], 20)

    def with_first(value: float) -> Study:
        first = replace(study.trials[0], config={**study.trials[0].config, name: value})
        return replace(study, trials=(first, *study.trials[1:]))

    assert importance(with_first(outside)) == importance(with_first(inside))


@pytest.mark.parametrize(
    ("count", "shares", "hint"), [(7, False, True), (8, True, True), (19, True, True), (20, True, False)]
)
def test_it_takes_eight_trials_for_a_hint_and_twenty_for_more(count: int, shares: bool, hint: bool) -> None:
    found = importance(made_up(lambda config: config["share"], count))
    assert (bool(found.shares), bool(found.note)) == (shares, hint)
    if shares and hint:
        assert found.note == f"only a hint: {count} fully trained trials, but a reliable result needs 20"
