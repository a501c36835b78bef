"""A bench with --cv: one run for each fold, one pooled result; what it takes and refuses."""

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.errors import UsageError
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.settings import Settings
from zoo.store.folds import with_folds_pooled
from zoo.store.runs import Store
from zoo.tuning.request import TuneRequest
from zoo.workspace import Workspace

X = np.random.default_rng(0).normal(size=(31, 16)).astype(np.float32)
Y = np.array([0, 1, 0] * 10 + [1])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_test_part_is_one_run_and_all_are_one_configuration(place: Path) -> None:
    asked = {"dataset": (X, Y), "threads": 1, "results": "results"}
    runs = zoo.bench("fcn", cv=3, epochs=1, set={"training.min_steps": 3}, **asked)
    assert [(run.fold, run.folds, run.status) for run in runs] == [(1, 3, "done"), (2, 3, "done"), (3, 3, "done")]
    assert {run.protocol for run in runs} == {"cross-validation"}
    assert len({run.key for run in runs}) == 3
    assert len({run.configuration for run in runs}) == 1
    assert len({run.besides_loss for run in runs}) == 1
    assert sum(run.parts.rows["test"] for run in runs) == 31
    with Store(place / "results") as store:
        (pooled,) = with_folds_pooled(store, store.runs()).runs
        assert sum(pooled.scores.support.values()) == 31
        assert store.path(runs[0], "config.toml").read_text().count("fold") == 2
    again = zoo.bench("fcn", cv=3, epochs=1, set={"training.min_steps": 3}, **asked)
    assert [(run.served, run.id) for run in again] == [(True, run.id) for run in runs]


def plan_of(**more: object) -> list[tuple[str, int, int]]:
    request = Request.of("fcn", **more)  # type: ignore[arg-type]
    cells = make_plan(Workspace.discover(Settings.load()), request).cells
    return [(cell.protocol, cell.seed, cell.fold.number if cell.fold else 0) for cell in cells]


def test_a_plan_has_all_folds_of_a_seed_before_the_next_seed(place: Path) -> None:
    of_seed = [[("cross-validation", seed, number) for number in (1, 2)] for seed in (0, 1)]
    assert plan_of(cv=2, seeds=(0, 1)) == of_seed[0] + of_seed[1]
    both = plan_of(cv=2, protocol=["holdout", "cross-validation"])
    assert both == [("holdout", 0, 0), *of_seed[0]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"protocol": "cross-validation"}, "--protocol cross-validation needs the number of folds: --cv 5"),
        ({"cv": 3, "protocol": "holdout"}, "--cv 3 is for the protocol cross-validation: leave out --protocol holdout"),
        ({"cv": 1}, "--cv must be from 2 to 10000, not 1"),
    ],
)
def test_a_protocol_and_a_number_of_folds_that_do_not_fit_are_refused(
    place: Path, more: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan_of(**more)


@pytest.mark.parametrize("more", [{"cv": 3}, {"protocol": "cross-validation"}])
def test_a_study_has_one_test_set(more: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="a study has one test set: leave out --protocol cross-validation"):
        TuneRequest(cell=Request.of("fcn", **more))  # type: ignore[arg-type]
