"""Who is ranked with whom: one board a test part, one standing a configuration, seeds averaged."""

from typing import Any

import pytest

from zoo.results.leaderboard import boards
from zoo.results.run import DONE, FAILED, Run


def run(
    identifier: str, recall: float, *, seed: int = 0, configuration: str = "c", test: str = "t", **more: Any
) -> Run:
    config = {"params": {"hidden": 8}, "training": {"epochs": 2}, "seed": seed, **more.pop("config", {})}
    names = {"architecture": "net", "dataset": "waves", "protocol": "holdout", "data": "original", "status": DONE}
    return Run(
        id=identifier,
        key=f"{configuration}{seed}",
        configuration=configuration,
        loss="cross-entropy",
        seed=seed,
        config=config,
        parts={"fingerprints": {"test": test}},
        scores={"macro_recall": {"value": recall, "low": recall, "high": recall}, "log_loss": {"value": 1 - recall}},
        **{**names, **more},
    )


def test_seeds_are_averaged_never_the_best_taken() -> None:
    (board,) = boards([run("a", 0.9), run("b", 0.5, seed=1), run("c", 0.75, configuration="d")], "macro_recall")
    assert [standing.mean("macro_recall") for standing in board.standings] == [0.75, pytest.approx(0.7)]
    assert board.standings[1].deviation("macro_recall") == pytest.approx(0.2828, abs=1e-4)
    assert board.standings[0].deviation("macro_recall") is None


def test_changed_code_is_another_configuration_and_another_look_at_the_test_part() -> None:
    runs = [run("a", 0.9, configuration="old", code="1111aaaa"), run("b", 0.8, configuration="new", code="2222bbbb")]
    (board,) = boards(runs, "macro_recall")
    assert [standing.settings for standing in board.standings] == ["code=1111", "code=2222"]


def test_the_same_again_counts_once() -> None:
    (board,) = boards([run("a", 0.9), run("b", 0.9)], "macro_recall")
    assert [[each.id for each in standing.runs] for standing in board.standings] == [["b"]]


def test_each_test_part_has_its_board_and_only_finished_runs_stand() -> None:
    found = boards([run("a", 0.9), run("b", 0.8, test="u"), run("c", 0.7, status=FAILED)], "macro_recall")
    assert [[standing.runs[0].id for standing in board.standings] for board in found] == [["a"], ["b"]]


def test_a_loss_ranks_upwards() -> None:
    (board,) = boards([run("a", 0.9), run("b", 0.8, configuration="d")], "log_loss")
    assert [standing.runs[0].id for standing in board.standings] == ["a", "b"]


def test_settings_say_what_tells_configurations_apart() -> None:
    longer = {"training": {"epochs": 9}}
    wider = {"params": {"hidden": 99}}
    runs = [
        run("a", 0.9),
        run("b", 0.8, configuration="d", config=longer),
        run("c", 0.7, configuration="e", config=wider),
        run("d", 0.6, configuration="f", architecture="other", config={"params": {"depth": 3}}),
    ]
    (board,) = boards(runs, "macro_recall")
    assert [standing.settings for standing in board.standings] == [
        "hidden=8 epochs=2",
        "hidden=8 epochs=9",
        "hidden=99 epochs=2",
        "epochs=2",
    ]
