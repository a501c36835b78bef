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
from zoo.cli.views.configurations import PAIR, PLACES, _lines_of, p_text, show_comparisons
from zoo.cli.views.table import fits
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.versus.result import Comparisons
from zoo.versus.runs import compare_runs
from zoo.versus.several import over_datasets


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


@pytest.mark.parametrize(("sets", "needed"), [(5, "3 comparisons of all pairs need 7"), (7, "")])
def test_without_enough_data_sets_a_line_tells_how_many_a_verdict_needs(
    sets: int, needed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {f"set{number}": {"fcn": 0.9, "tcn": 0.8, "gru": 0.1 + number / 100} for number in range(sets)}
    found = over_datasets(table, "mcc", all_pairs=True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_comparisons(print, Comparisons(over_datasets=found), as_json=False)
    shown = capsys.readouterr().out
    assert (f"no verdicts: not enough data sets. {needed}" in shown) == bool(needed)
    assert ("verdict" in shown.split("no verdicts")[0]) != bool(needed)
    assert ("p of the verdicts: Wilcoxon's signed ranks" in shown) != bool(needed)


@pytest.mark.parametrize(
    ("tied", "worse", "text"),
    [
        (2, 0, "all others are tied with it"),
        (2, 1, "tied with it: t0, t1; 1 configuration shown to be worse"),
        (8, 2, "tied with it: 8 configurations; shown to be worse: w0, w1"),
        (8, 9, f"tied with it: {', '.join(f't{number}' for number in range(8))}; 9 configurations shown to be worse"),
    ],
)
def test_the_shorter_list_of_configurations_is_named(store: Store, tied: int, worse: int, text: str) -> None:
    board = compare_runs(store, store.runs(), "macro_recall").boards[0]
    first = board.configurations[0]
    others = [replace(first, name=f"t{number}", tied=True) for number in range(tied)]
    others += [replace(first, name=f"w{number}", tied=False) for number in range(worse)]
    line, *_ = _lines_of(replace(board, configurations=(first, *others)))
    assert line == f"first: {first.name}; {text}"


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
