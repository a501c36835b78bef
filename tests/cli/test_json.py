"""What `--json` prints of runs, boards, studies and comparisons is at hand from Python."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from comparing import compared
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.cli.views.table import print_json
from zoo.comparison.comparison import Comparison, comparison_of
from zoo.comparison.result import ComparisonResult
from zoo.store.expected import expected
from zoo.store.hints import with_hints
from zoo.store.leaderboard import boards
from zoo.store.predictions import rescored
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.tuning.importance import importance
from zoo.tuning.study_json import study_to_json
from zoo.versus.board import judged_board


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(Path("zoo-results")) as opened:
        compared(opened, {"random": 0.62, "optuna": 0.85}, range(2))
        yield opened


@pytest.fixture
def race(store: Store) -> Comparison:
    return comparison_of(StudyStore(store), "race")


@pytest.fixture
def same(capsys: pytest.CaptureFixture[str]) -> Any:
    """Whether a command prints a value, and nothing else, as JSON."""

    def compare(value: Any, *words: str) -> bool:
        print_json(value)
        expected = json.loads(capsys.readouterr().out)
        return bool(json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout) == expected)

    return compare


def test_a_board(store: Store, same: Any) -> None:
    for run in store.runs():
        summary = replace(run.parts, fingerprints={"test": "t"})
        store.finish(replace(run, parts=summary, configuration=run.id, dataset="waves" if run.seed else "other"))
    found = boards(store.runs(), "accuracy")
    assert [len(board.standings) for board in found] == [3, 3]
    scores = {each: expected(store, each.runs, "accuracy") for board in found for each in board.standings}
    judged = [judged_board(store, board, "accuracy") for board in found]
    places = {each: place for board in judged for each, place in board.places.items()}
    shown = [board.to_json("accuracy", scores, places) for board in found]
    assert shown[0]["standings"][0]["score"]["low"] is not None
    assert same(shown, "leaderboard", "--metric", "accuracy")


def test_a_run_scored_again(store: Store, same: Any) -> None:
    run = store.runs()[0]
    again = rescored(store, run)
    assert again.scores.macro_recall.value == run.scores.macro_recall.value
    assert again.scores.macro_f1.low != run.scores.macro_f1.low, "these runs were stored with fewer draws"
    assert same(with_hints(again), "results", run.id)


def test_a_study(store: Store, race: Comparison, same: Any) -> None:
    study = race.studies[0]
    run = store.find(study.run)
    assert run is not None
    assert same(study_to_json(study, run, importance(study)), "studies", "show", study.name)


def test_a_comparison(store: Store, race: Comparison, same: Any) -> None:
    result = ComparisonResult.of(store, race)
    assert len(result.studies()) == 4
    assert same(result.to_json(StudyStore(store)), "studies", "show", "race")
