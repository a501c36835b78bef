"""What Ray Tune is asked for: domains with both ends, searchers, schedulers and what is written down as epochs come."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ray.tune import Callback
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, HyperBandScheduler, MedianStoppingRule
from ray.tune.search import BasicVariantGenerator, SearchGenerator
from ray.tune.search.sample import Categorical
from studies import study_of

from zoo.errors import PluginError, UsageError
from zoo.registry import Registry
from zoo.space import Choice, Domain, Float, Int
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.tuning.ray_schedulers import last_epoch, make_scheduler
from zoo.tuning.ray_search import make_searcher, to_tune
from zoo.tuning.recorder import Recorder
from zoo.tuning.worker import NUMBER


def draws(domain: Domain, size: int = 3000) -> Any:
    found = to_tune({"key": domain})["key"]
    return np.array(found.sample(size=size, random_state=np.random.default_rng(0)))


@pytest.mark.parametrize("log", [False, True])
def test_whole_numbers_are_drawn_up_to_their_high_end(log: bool) -> None:
    found = draws(Int(2, 5, log))
    assert set(found) == {2, 3, 4, 5}
    counts = [int((found == number).sum()) for number in (2, 3, 4, 5)]
    assert (counts == sorted(counts, reverse=True)) == log  # on a log scale small numbers come more often


@pytest.mark.parametrize("log", [False, True])
def test_numbers_are_drawn_between_their_ends_evenly_on_their_scale(log: bool) -> None:
    found = draws(Float(1e-4, 1e-2, log))
    assert 1e-4 <= found.min() < found.max() <= 1e-2
    assert np.median(found) == pytest.approx(1e-3 if log else 0.00505, rel=0.2)


def test_choices_are_drawn_and_a_domain_of_one_value_is_that_value() -> None:
    space = to_tune({"a": Choice("x", 2), "b": Choice("x"), "c": Int(4, 4), "d": Float(0.5, 0.5)})
    assert isinstance(space["a"], Categorical)
    assert space["a"].categories == ["x", 2]
    assert (space["b"], space["c"], space["d"]) == ("x", 4, 0.5)


def test_a_searcher_of_ray_tunes_is_wrapped_where_it_must_be(both: Registry) -> None:
    made = {
        name: make_searcher(both.get("searcher", name), {}, seed=3, startup=5)
        for name in ("random", "optuna", "hyperopt", "in-order")
    }
    assert isinstance(made["random"], BasicVariantGenerator)
    assert all(isinstance(made[name], SearchGenerator) for name in ("optuna", "hyperopt", "in-order"))


def test_a_factory_that_makes_no_searcher_or_fails_is_said(both: Registry) -> None:
    entry = both.get("searcher", "no-searcher")
    with pytest.raises(PluginError, match="searcher no-searcher: its factory returned list, not a Ray Tune searcher"):
        make_searcher(entry, {"whole": 4}, seed=0, startup=3)
    with pytest.raises(UsageError, match="searcher no-searcher cannot be built: RuntimeError: no such thing"):
        make_searcher(entry, {"whole": 3}, seed=0, startup=3)


@pytest.mark.parametrize(("epochs", "first"), [(1, 1), (3, 1), (8, 2), (20, 5), (100, 5)])
def test_asha_judges_after_a_quarter_of_the_epochs_and_five_at_most(epochs: int, first: int) -> None:
    made = make_scheduler("asha", epochs)
    assert type(made) is ASHAScheduler
    (bracket,) = made._brackets
    rungs = [milestone for milestone, _ in bracket._rungs]
    assert (min(rungs), made._max_t, made._reduction_factor, made._time_attr) == (first, epochs, 3, "epoch")
    assert last_epoch(made) == epochs


@pytest.mark.parametrize(("epochs", "first"), [(2, 1), (8, 2), (100, 25)])
def test_the_median_rule_judges_after_a_quarter_of_the_epochs_with_three_to_compare(epochs: int, first: int) -> None:
    made = make_scheduler("median", epochs)
    assert type(made) is MedianStoppingRule
    assert (made._grace_period, made._min_samples_required, made._time_attr) == (first, 3, "epoch")
    assert made._min_time_slice == float("inf")
    assert last_epoch(made) == float("inf")


def test_hyperband_goes_up_to_the_last_epoch_and_none_stops_nothing() -> None:
    made = make_scheduler("hyperband", 9)
    assert type(made) is HyperBandScheduler
    assert (made._max_t_attr, made._eta, made._time_attr) == (9, 3, "epoch")
    assert type(make_scheduler("none", 9)) is FIFOScheduler


class Ticks:
    """The number of calls of a reporter."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_the_epochs_of_trials_are_written_as_they_come(tmp_path: Path) -> None:
    trial = SimpleNamespace(config={NUMBER: 1})
    with Store(tmp_path) as store:
        studies = StudyStore(store)
        studies.create(study_of((), name="mine"))
        studies.propose("mine", 1, {})
        studies.interrupt("mine")
        book = Recorder(studies, "mine", Ticks())
        book.on_trial_start(0, [], trial)
        assert (studies.starts("mine", 1), studies.trial("mine", 1).status) == (1, "running")
        result = {"value": 0.6, "new": [(1, 0.4, 2.0), (2, 0.6, 3.0)]}
        book.on_trial_result(0, [], trial, result)
        kept = studies.trial("mine", 1)
        assert (kept.value, kept.history, kept.seconds) == (0.6, ((1, 0.4), (2, 0.6)), 5.0)
        assert "new" not in result, "so that Tune carries no list along"
        book.on_trial_result(0, [], trial, {"value": 0.7})
        assert (studies.trial("mine", 1).value, studies.trial("mine", 1).epochs) == (0.7, 2)
    assert type(pickle.loads(pickle.dumps(book))) is Callback


def test_a_watch_is_told_of_changes_soon_and_of_none_after_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    trial, ticks = SimpleNamespace(config={NUMBER: 1}), Ticks()

    def told(after: float) -> bool:
        clock[0] += after
        before = ticks.count
        book.on_step_end(0, [])
        return ticks.count > before

    with Store(tmp_path) as store:
        studies = StudyStore(store)
        studies.create(study_of((), name="mine"))
        studies.propose("mine", 1, {})
        book = Recorder(studies, "mine", ticks)
        assert told(0.0)  # the first step
        assert not told(0.9)
        assert told(0.125)
        changes = [
            lambda: book.on_trial_start(0, [], trial),
            lambda: book.on_trial_result(0, [], trial, {"value": None}),
            lambda: book.on_trial_complete(0, [], trial),
            lambda: book.on_trial_error(0, [], trial),
        ]
        for change in changes:
            change()
            assert not told(0.0625)
            assert told(0.0625)
            assert not told(0.5)
            assert told(0.5)
