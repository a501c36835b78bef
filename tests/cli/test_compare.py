"""`zoo compare`: what is shown, at which widths, in which forms, and what is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import CLASSES, guesses
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.cli.views.configurations import PAIR, PLACES, p_text
from zoo.cli.views.table import fits
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.versus.runs import compare_runs


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(Path("zoo-results")) as opened:
        for name, data, share in (("fcn", "original", 0.9), ("fcn", "smote", 0.88), ("tcn", "original", 0.5)):
            for seed in range(5):
                found = guesses(share, seed + int(1000 * share))
                what: dict[str, Any] = {"architecture": name, "data": data, "configuration": name + data, "seed": seed}
                begun = opened.begin(Run(id="", key="k", dataset="waves", protocol="holdout", loss="", **what))
                parts = {"classes": list(CLASSES), "fingerprints": {"test": "t", "pool": "p"}}
                ended = replace(begun, status=RunStatus.DONE, scores=found.scores(), parts=parts)
                opened.finish(ended, {"predictions.parquet": found.to_parquet()})
        yield opened


def output(*words: str) -> str:
    found = CliRunner().invoke(app, ["compare", *words])
    assert found.exit_code == 0, found.output
    return found.stdout


def test_json_is_that_of_python_and_a_pipe_has_a_line_for_each_pair(store: Store) -> None:
    assert json.loads(output("--json")) == json.loads(
        json.dumps(compare_runs(store, store.runs(), "macro_recall").to_json())
    )
    heading, *lines = (line.split("\t") for line in output("--all-pairs", "--metric", "recall:a").splitlines())
    assert len(lines) == 3
    rows = [dict(zip(heading, line, strict=True)) for line in lines]
    assert {row["metric"] for row in rows} == {"recall:a"}
    assert [row["verdict"] for row in rows] == ["tied", "worse", "worse"]
    assert all(float(row["low"]) < float(row["difference"]) < float(row["high"]) for row in rows)


def test_filters_choose_configurations_and_a_baseline_is_named_by_its_words(store: Store) -> None:
    named = json.loads(output("--baseline", "smote", "--json"))["boards"][0]
    assert (named["baseline"], named["chosen"]) == ("fcn smote", True)
    some = json.loads(output("--architecture", "f*", "--json"))["boards"][0]
    assert [each["name"] for each in some["configurations"]] == ["fcn original", "fcn smote"]
    two = [run.id for run in store.runs()[:2]]
    assert json.loads(output(*two, "--json"))["single"]["runs"] == two


def test_the_verdict_ranks_and_interval_fit_eighty_columns() -> None:
    row = {
        "configuration": "convtran balanced-batches",
        "ranks": "12-20",
        "score": "0.853",
        "difference": "-0.150 (-0.214 to -0.087)",
        "adjusted": 0.011,
        "verdict": "too few seeds",
    }
    assert fits([column for column in (*PLACES, *PAIR) if not column.drop], [row], 80)


@pytest.mark.parametrize(("p", "text"), [(None, "-"), (0.0004, "<0.001"), (0.0456, "0.046"), (1.0, "1.000")])
def test_a_small_p_is_not_zero(p: float | None, text: str) -> None:
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--baseline", "fcn"], "'fcn' is 2 configurations: fcn original, fcn smote. Name one of them"),
        (["--architecture", "gru*"], "no run matches these filters"),
        (["1a2b", "--data", "smote"], "name either runs or filters"),
        (["--results", "absent"], "no results in 'absent'"),
    ],
)
def test_what_cannot_be_compared_is_one_line(store: Store, words: list[str], message: str) -> None:
    found = CliRunner().invoke(app, ["compare", *words])
    assert found.exit_code == 2
    assert message in found.stderr
    assert np.size(found.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jpg", "a figure is written as .svg or .png, not as 'a.jpg'"),
        ("a.svg", "a diagram needs configurations that were scored on several data sets"),
    ],
)
def test_a_diagram_needs_several_data_sets_and_a_known_format(store: Store, name: str, message: str) -> None:
    found = CliRunner().invoke(app, ["compare", "-o", name])
    assert (found.exit_code, message in found.stderr, Path(name).exists()) == (2, True, False)


def test_the_leaderboard_shows_possible_ranks_and_ties_also_by_class(store: Store) -> None:
    (board,) = json.loads(CliRunner().invoke(app, ["leaderboard", "--metric", "recall:a", "--json"]).stdout)
    compared = compare_runs(store, store.runs(), "recall:a").boards[0].configurations
    fields = ("rank_low", "rank_high", "tied")
    assert [[each[name] for name in fields] for each in board["standings"]] == [
        [getattr(each, name) for name in fields] for each in compared
    ]
    assert [each["tied"] for each in board["standings"]] == [True, True, False]
    assert [each["score"]["low"] for each in board["standings"]] == [each.score.low for each in compared]
    heading, *lines = (each.split("\t") for each in CliRunner().invoke(app, ["leaderboard"]).stdout.splitlines())
    rows = [dict(zip(heading, line, strict=True)) for line in lines]
    assert [(row["rank_low"], row["rank_high"]) for row in rows] == [("1", "2"), ("1", "2"), ("3", "3")]
    refused = CliRunner().invoke(app, ["leaderboard", "--metric", "recall:z"])
    assert (refused.exit_code, "no class named 'z'. Available: a, b, c" in refused.stderr) == (2, True)
