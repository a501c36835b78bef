"""`zoo hypotheses`: plans without training, runs of a bench, --run with a budget, and all forms of the answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import zoo
from zoo.cli.app import app
from zoo.cli.views.hypotheses import COLUMNS, duration_text
from zoo.cli.views.table import fits
from zoo.store.runs import Store

FILE = """
[common]
architecture = "fcn"
dataset = "waves.csv"
target = "kind"
protocol = "holdout"
epochs = 1
set = { filters = 4 }

[[hypothesis]]
id = "smote"
text = "Oversampling raises macro recall."
seeds = 2
direction = "higher"
margin = 0.0
first = { data = "oversampled" }
second = { data = "original" }

[[hypothesis]]
id = 13
text = "A seed makes a run reproducible."
kind = "reproducible"
seeds = 2
"""


@pytest.fixture(autouse=True)
def waves() -> None:
    """A file with 60 rows of two classes, and hypotheses on it."""
    draws = np.random.default_rng(0)
    kinds = np.repeat(["calm", "wild"], [40, 20])
    rows = draws.normal(size=(60, 16)) + np.where(kinds == "wild", 1.5, 0.0)[:, None]
    lines = [",".join([*(f"t{n}" for n in range(16)), "kind"])]
    lines += [",".join([*(f"{value:.4f}" for value in row), kind]) for row, kind in zip(rows, kinds, strict=True)]
    Path("waves.csv").write_text("\n".join(lines))
    Path("claims.toml").write_text(FILE)


def output(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["hypotheses", "claims.toml", *words])
    assert found.exit_code == code, found.output
    return found.stdout


def answers(*words: str) -> dict[str, dict[str, object]]:
    found = json.loads(output("--json", *words))
    return {each["hypothesis"]: each for one in found["hypotheses"] for each in one["findings"]}


def test_runs_of_a_bench_count_and_only_the_missing_ones_are_trained() -> None:
    before = answers()
    assert {name: each["missing"] for name, each in before.items()} == {"smote": 4, "13": 4}
    assert before["smote"]["reason"] == "not run"
    assert not Path("zoo-results").exists(), "a plan creates nothing"
    asked = {
        "dataset": "waves.csv",
        "target": "kind",
        "protocol": "holdout",
        "epochs": 1,
        "set": {"filters": 4},
        "threads": 1,
    }
    zoo.bench("fcn", data="oversampled", seeds=2, **asked)  # type: ignore[arg-type]
    assert answers()["smote"]["missing"] == 2
    output("--run", "--threads", "1", "--time-budget", "1s")  # too short for any run, by the estimate
    assert answers()["smote"]["missing"] == 2
    after = answers("--run", "--threads", "1")
    assert {name: each["missing"] for name, each in after.items()} == {"smote": 0, "13": 0}
    assert after["13"]["answer"] == "confirmed"
    assert after["smote"]["reason"] == "2 seeds: an answer needs 5"
    with Store(Path("zoo-results"), create=False) as store:
        runs = store.runs()
    assert len(runs) == 6, "two oversampled, two original, and these two again"
    assert answers("--run") == after, "nothing is left to train"

    found = zoo.hypotheses("claims.toml")
    assert found.to_json() == json.loads(output("--json"))
    assert [each["hypothesis"] for each in found.records()] == ["smote", "13"]
    assert found.to_frame()["answer"].tolist() == ["undecided", "confirmed"]
    assert [each.id for each in zoo.hypotheses("claims.toml", only="13").answers] == ["13"]

    output("--export", "published")
    Path("zoo-results").rename("elsewhere")
    Path("claims.toml").write_text('results = "published"\n' + FILE)
    shown = answers()
    assert shown["13"]["answer"] == "confirmed"
    assert shown["smote"]["difference"] == after["smote"]["difference"]
    Path("waves.csv").unlink()
    alone = answers()
    assert alone["smote"]["difference"] == after["smote"]["difference"], "the data are not needed to answer"
    assert output("--export", "published", code=2) == ""

    assert output("-o", "claims.svg").startswith("hypothesis\t")
    assert "smote  fcn: macro recall of oversampled &gt; original" in Path("claims.svg").read_text()
    refused = CliRunner().invoke(app, ["hypotheses", "claims.toml", "--only", "13", "-o", "none.svg"])
    assert (refused.exit_code, Path("none.svg").exists()) == (2, False)
    assert "no figure was written: no hypothesis has a difference yet" in refused.stderr

    markdown = output("--markdown").splitlines()
    assert markdown[0].startswith("| hypothesis | claim |")
    assert "| 13 | fcn: equal seeds agree to the bit, different seeds differ |" in markdown[3]
    heading, *lines = (line.split("\t") for line in output().splitlines())
    assert [line[heading.index("answer")] for line in lines] == ["undecided", "confirmed"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('"fcn"', '"fnc"'), r"claims.toml: hypothesis smote: no architecture named 'fnc'. Did you mean fcn"),
        (
            ('"oversampled"', '"smoet"'),
            r"claims.toml: hypothesis smote: no resampler named 'smoet'. Did you mean smote",
        ),
        (("filters = 4", "filtrs = 4"), r"claims.toml: hypothesis smote: .*filtrs.*filters"),
        (("margin = 0.0", ""), r"claims.toml: hypothesis smote: there is no margin"),
        (("id = 13", "id = [1]"), r"claims.toml: hypothesis 2: id must be a text or a number"),
    ],
)
def test_a_fault_is_one_line(change: tuple[str, str], reason: str) -> None:
    Path("claims.toml").write_text(FILE.replace(*change))
    found = CliRunner().invoke(app, ["hypotheses", "claims.toml"])
    assert found.exit_code == 2
    assert found.stdout == ""
    assert re.search(rf"^error: {reason}.*$", found.stderr, re.MULTILINE)
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--json", "--markdown"], "--json and --markdown are two formats"),
        (["--time-budget", "20m"], "--time-budget is for --run"),
        (["--only", "smot"], "no hypothesis named 'smot'. Did you mean smote?"),
        (["-o", "a.pdf"], "a figure is written as .svg or .png, not as 'a.pdf'"),
    ],
)
def test_options_that_exclude_each_other_are_refused(words: list[str], reason: str) -> None:
    found = CliRunner().invoke(app, ["hypotheses", "claims.toml", *words])
    assert (found.exit_code, found.stdout) == (2, "")
    assert reason in found.stderr


def test_data_that_cannot_be_read_leave_it_undecided_unless_they_are_optional() -> None:
    Path("claims.toml").write_text(FILE.replace('"waves.csv"', '"gone.csv"'))
    assert "gone.csv" in str(answers()["smote"]["reason"])
    Path("claims.toml").write_text(
        FILE.replace('dataset = "waves.csv"', 'dataset = "waves.csv"\nif_available = "gone.csv"')
    )
    found = json.loads(output("--json"))
    assert [each["left_out"] for each in found["hypotheses"][0]["findings"]] == [True, False]
    assert found["missing"] == 8


def rows() -> Iterator[dict[str, object]]:
    yield {"hypothesis": "9.2", "claim": "macro recall of smote > original + 0.02", "seeds": "5", "answer": "undecided"}


@pytest.mark.parametrize(("width", "number"), [(80, 4), (120, 6), (200, 8)])
def test_columns_fit_their_widths(width: int, number: int) -> None:
    row = {
        "dataset": "heartbeats (synthetic), official",
        "difference": "+0.067 (+0.041 to +0.090)",
        "p": "<0.001",
        "reason": "about 12 seeds would decide it",
        **next(rows()),
    }
    shown = list(COLUMNS)
    while not fits(shown, [row], width):
        shown.remove(max(shown, key=lambda column: column.drop))
    assert len(shown) >= number
    assert {"answer", "claim", "difference"} <= {column.key for column in shown}


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (600, "10 min"), (12_600, "3.5 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
