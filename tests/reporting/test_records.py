"""The records of a report: each number against a computation of its own, and the verdicts against `zoo compare`."""

import json
import math
import re
import shlex
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, recall_score
from typer.testing import CliRunner

import zoo
from zoo.assignments import parse_assignments
from zoo.cli.app import app
from zoo.cli.options import request_of
from zoo.harness.planner import make_plan
from zoo.records import Interval, plain
from zoo.references.record import Reference
from zoo.reporting.collect import Data, report_of
from zoo.reporting.page import page_of
from zoo.reporting.payload import payload
from zoo.reporting.records import Report, ReportedBoard, Row, plain_form
from zoo.reporting.repeat import repeat_of
from zoo.reporting.verdicts import decimals, names, verdict_of
from zoo.store.runs import Store
from zoo.versus.ranked import Ranked
from zoo.versus.result import Pair, Verdict
from zoo.workspace import Workspace

STUDY = Path(__file__).parents[2] / "benchmarks" / "results" / "study"


@pytest.fixture(scope="module")
def report(results: Path) -> Report:
    with Store(results, create=False) as store:
        return report_of(store, store.runs(), "macro_recall")


@pytest.fixture
def waves(report: Report) -> ReportedBoard:
    return next(board for board in report.boards if board.dataset == "waves")


def test_scores_are_the_means_over_seeds_of_the_stored_predictions(waves: ReportedBoard, store: Store) -> None:
    for row in waves.rows:
        tables = [pq.read_table(store.path(store.get(run), "predictions.parquet")) for run in row.ranked.runs]
        pairs = [true_and_said(table, waves.classes) for table in tables]
        assert row.ranked.score == pytest.approx(np.mean([balanced_accuracy_score(*pair) for pair in pairs]))
        recalls = np.mean([recall_score(*pair, labels=range(3), average=None) for pair in pairs], axis=0)
        assert [each.value for each in row.classes["recall"]] == pytest.approx(recalls)
        assert row.scores["macro_recall"] == Interval(row.ranked.score, row.ranked.low, row.ranked.high)


def true_and_said(table: Any, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The label and the most probable class of each row, as numbers, read without the zoo."""
    labels = np.array([classes.index(name) for name in table["label"].to_pylist()])
    return labels, np.stack([table[f"p_{name}"].to_numpy() for name in classes], 1).argmax(1)


def test_the_verdicts_are_those_of_compare(waves: ReportedBoard, results: Path) -> None:
    (board,) = zoo.compare(results=results, all_pairs=True).boards
    assert [row.name for row in waves.rows] == [placed.name for placed in board.configurations]
    ranks = [(row.ranked.rank_low, row.ranked.rank_high, row.ranked.tied) for row in waves.rows]
    assert ranks == [(placed.rank_low, placed.rank_high, placed.tied) for placed in board.configurations]
    found = {(waves.rows[duel.one].name, waves.rows[duel.other].name): duel for duel in waves.duels}
    assert len(found) == len(board.pairs) == 6
    for pair in board.pairs:
        duel = found[pair.configuration, pair.baseline]
        assert (duel.verdict, duel.p, duel.difference) == (str(pair.verdict), pair.adjusted, pair.difference)


def test_three_sentences_name_the_tied_ones_what_is_not_decided_and_the_cheapest(waves: ReportedBoard) -> None:
    first, undecided, choice = waves.verdict.sentences
    assert waves.verdict.top == (0, 1)
    tied = {row.name for row in waves.rows[:2]}
    assert first.startswith("Tied for the best macro recall are 2 of 4 configurations: ")
    assert all(name in first for name in tied)
    assert undecided.startswith(
        "Not decided: which of these 2 is the best, since differences from the first of up to 0."
    )
    assert undecided.endswith("the place of gru original, with 2 seeds of the 5 that a verdict needs.")
    assert choice.startswith("Of these, fcn original costs least: 150,000 multiply-accumulates for one series, 3,000")


def test_a_board_of_one_seed_has_no_verdict(report: Report) -> None:
    (beats,) = (board for board in report.boards if board.dataset == "beats")
    assert beats.verdict.first.startswith("Only one configuration was scored on this test set: fcn original, 0.")
    assert beats.verdict.undecided == "Nothing was compared."


def row_of(name: str, tied: bool | None, score: float = 0.8, **more: Any) -> Row:
    texts = ("dataset", "protocol", "test", "architecture", "block", "data", "loss", "settings", "metric")
    counts = ("seeds_failed", "seeds_diverged", "seeds_timeout", "seeds_interrupted", "seeds_stale")
    given = {"seeds": 5, "seeds_asked": 5, "score": score, "low": score - 0.03, "high": score + 0.03, "runs": ()}
    flat = Ranked(**{**dict.fromkeys(texts, ""), **dict.fromkeys(counts, 0), **given, "tied": tied, **more})
    return Row(key=name, name=name, ranked=flat, scores={}, classes={})


def pair_of(verdict: Verdict, difference: Interval) -> Pair:
    return Pair("", "", (0,), difference, None, None, 0.5, 0.5, verdict, None)


FEW = pair_of(Verdict.NO_INTERVAL, Interval(0.1, reason="class F has 2 patients"))
APART = pair_of(Verdict.WORSE, Interval(-0.2, -0.3, -0.1))
TIED = pair_of(Verdict.TIED, Interval(-0.02, -0.11, 0.07))


@pytest.mark.parametrize(
    ("rows", "pairs", "first", "undecided", "choice"),
    [
        (
            [row_of("a", True, macs=9, parameters=3, train_seconds=0.02), row_of("b", False)],
            {(0, 1): APART},
            "The best macro recall has a, 0.80 (0.77\N{EN DASH}0.83): the other configuration was shown to be worse.",
            "The first place is decided. 1 of 1 pair of configurations differ, so the whole order is decided.",
            "It costs 9 multiply-accumulates for one series, 3 parameters, less than 0.1 s of training.",
        ),
        (
            [row_of("a", True), row_of("b", True)],
            {(0, 1): TIED},
            "Tied for the best macro recall are all 2 configurations: a and b. The first of them has 0.80 "
            "(0.77\N{EN DASH}0.83).",
            "Not decided: which of these 2 is the best, since differences from the first of up to 0.11 are possible.",
            "The cost of these configurations is not known.",
        ),
        (
            [row_of("a", True), row_of("b", None), row_of("c", False)],
            {(0, 1): FEW, (0, 2): APART, (1, 2): FEW},
            "The highest macro recall has a, 0.80 (0.77\N{EN DASH}0.83): no compared configuration is tied with it, "
            "but not all were compared.",
            "Not decided: the place of b, since there is no interval: class F has 2 patients.",
            "The cost of these configurations is not known.",
        ),
        (
            [row_of("a", True), row_of("b", True), *(row_of(name, None, seeds=2) for name in "cde")],
            {(0, 1): TIED},
            "Tied for the best macro recall are 2 of 5 configurations: a and b. The first of them has 0.80 "
            "(0.77\N{EN DASH}0.83).",
            "Not decided: which of these 2 is the best, since differences from the first of up to 0.11 are possible; "
            "the places of 3 configurations with fewer than the 5 seeds that a verdict needs.",
            "The cost of these configurations is not known.",
        ),
        (
            [row_of("a", True, seeds=3), row_of("b", None, seeds=3)],
            {},
            "No configuration is shown to be the best: the highest mean, a, 0.80 (0.77\N{EN DASH}0.83), may be chance.",
            "Not decided: the first place, since a verdict needs 5 seeds and a has 3.",
            "The cost of these configurations is not known.",
        ),
    ],
)
def test_each_kind_of_verdict_is_a_plain_sentence(
    rows: list[Row], pairs: dict[tuple[int, int], Pair], first: str, undecided: str, choice: str
) -> None:
    assert verdict_of(rows, pairs, "macro_recall").sentences == (first, undecided, choice)


def test_of_many_names_only_the_first_are_in_a_sentence() -> None:
    assert names([row_of(name, None) for name in "abcdefg"]) == "a, b, c, d and 3 more"


@pytest.mark.parametrize(
    ("low", "high", "found"), [(0.5, 0.7, 2), (0.80, 0.83, 2), (0.8, 0.81, 3), (0.8, 0.8, 4), (0.8, 0.802, 3)]
)
def test_decimals_are_not_finer_than_the_noise(low: float, high: float, found: int) -> None:
    assert decimals(low, high) == found
    assert found == 2 or 10**-found > (high - low) / 2 / 10


def test_the_stamp_tells_how_the_numbers_were_made(waves: ReportedBoard) -> None:
    assert waves.stamp.line == (
        "holdout, split by row · 3 equal rows in training and test set, patients unknown · rows: 600 training, 60 "
        "validation, 200 test · 2 to 5 seeds · 160 to 164 gradient steps · scale none · test set used by 4 "
        "configurations · real data · test set test-wav"
    )


def test_a_configuration_without_a_score_has_its_reason(waves: ReportedBoard) -> None:
    (missing,) = waves.missing
    assert (missing.name, missing.seeds) == ("fcn smote cross-entropy", {"failed": 2})
    assert missing.reason == "smote: class '</script>' has 2 rows"


def test_references_on_the_same_data_are_beside_the_scores(store: Store) -> None:
    given = {"scores": {"macro_recall": 0.9}, "source": "a paper", "protocol": "holdout"}
    others = [Reference(architecture="tcn", **{**given, "dataset": "beats"})]  # type: ignore[arg-type]
    others += [Reference(architecture="tcn", **{**given, "dataset": "waves", "scores": {"accuracy": 1.0}})]  # type: ignore[arg-type]
    here = Reference(architecture="fcn", preset="paper", dataset="waves", **given)  # type: ignore[arg-type]
    found = report_of(store, store.runs(), "macro_recall", references=[*others, here])
    known = {board.dataset: board.references for board in found.boards}
    assert [(each.name, each.status, each.score, each.source) for each in known["waves"]] == [
        ("fcn.paper", "reported", 0.9, "a paper")
    ]


def test_a_run_without_predictions_is_shown_and_named(results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "copy")
    with Store(tmp_path / "copy", create=False) as store:
        (lost,) = (run for run in store.runs() if run.dataset == "beats")
        store.path(lost, "predictions.parquet").unlink()
        found = report_of(store, store.runs(), "macro_recall", lambda run: run.dataset == "beats")
    (board,) = found.boards
    assert board.rows[0].ranked.score == pytest.approx(lost.score("macro_recall"))
    assert any(f"no predictions of run {lost.id}" in note for note in board.notes)


def test_confusion_matrices_and_their_examples_are_those_of_the_predictions(results: Path) -> None:
    (board,) = ward_of(results, rows=True).boards
    (row,) = board.rows
    with Store(results, create=False) as store:
        runs = [store.get(run) for run in row.ranked.runs]
        tables = [pq.read_table(store.path(run, "predictions.parquet")) for run in runs]
    pairs = [true_and_said(table, board.classes) for table in tables]
    assert np.array_equal(row.confusion, sum(confusion_matrix(*pair, labels=range(3)) for pair in pairs))
    places = {number: place for place, number in enumerate(tables[0]["row"].to_pylist())}
    series = np.genfromtxt(results.parent / "ward.csv", delimiter=",", skip_header=1, usecols=range(24))
    assert {(each.true, each.predicted) for each in row.examples} == {
        (true, said) for labels, predicted in pairs for true, said in zip(labels, predicted, strict=True)
    }
    for example in row.examples:
        sample = board.samples[example.place]
        at = places[sample.row]
        assert [int(pair[0][at]) for pair in pairs] == [example.true, example.true]
        assert sum(int(pair[1][at]) == example.predicted for pair in pairs) == example.votes
        mean = [np.mean([table[f"p_{name}"][at].as_py() for table in tables]) for name in board.classes]
        assert example.probabilities == pytest.approx(mean, abs=1e-4)
        assert sample.channels[0] == pytest.approx(series[sample.row], rel=1e-3)
        assert sample.group == tables[0]["group"][at].as_py()


def ward_of(results: Path, *, rows: bool | None, data_dir: Path | None = None) -> Report:
    """The report of the data set `ward` alone."""
    data = Data(workspace=Workspace.load(), data_dir=data_dir or results.parent, rows=rows)
    with Store(results, create=False) as store:
        return report_of(store, store.runs(), "macro_recall", lambda run: run.dataset == "ward.csv", data=data)


@pytest.mark.parametrize(
    ("rows", "place", "reason"),
    [
        (None, "", "the rows are those of patients: --rows puts a sample of them into the report"),
        (False, "", "the report was made without data"),
        (True, "elsewhere", "the series are not shown: there is no file 'elsewhere/ward.csv'; check"),
        (True, "other", "the series are not shown: other/ward.csv has other test rows than these runs"),
    ],
)
def test_series_of_patients_are_shown_only_if_asked_and_if_they_are_the_same(
    results: Path, rows: bool | None, place: str, reason: str
) -> None:
    Path("other").mkdir()
    heading, *lines = (results.parent / "ward.csv").read_text().splitlines()
    Path("other/ward.csv").write_text("\n".join([heading, *lines[2:]]) + "\n")
    (board,) = ward_of(results, rows=rows, data_dir=Path(place) if place else None).boards
    assert board.samples == ()
    assert board.no_samples.startswith(reason)
    text = payload(plain_form(board))
    assert not re.search(r"p[0-7]\b", text)


@pytest.mark.parametrize("identifier", ["d6e5826b", "8e69c7a8"])
def test_the_command_asks_for_the_cell_of_the_run(identifier: str, workspace: Workspace) -> None:
    with Store(STUDY, create=False) as store:
        run = store.get(identifier)
    (command,) = repeat_of([run]).commands
    words = shlex.split(command)[2:]
    bench = typer.main.get_command(app).commands["bench"]  # type: ignore[attr-defined]
    context = bench.make_context("bench", words)
    seeds = range(context.params["seed"], context.params["seed"] + context.params["seeds"])
    assignments = parse_assignments(context.params["set_"])
    request = request_of(context, context.params["architectures"], seeds=seeds, assignments=assignments)
    (cell,) = make_plan(workspace, request).cells
    asked = {**cell.config(), "dataset_params": run.config["dataset_params"]}
    assert json.loads(json.dumps(asked, default=dict)) == plain(run.config)


@pytest.mark.parametrize("text", ["</script>", "<!--", "<img src=x>", "a\u2028b\u2029", "&amp;", '"\\', "\ud800"])
def test_no_text_leaves_its_place_in_the_page(text: str) -> None:
    written = payload({"name": text, text: [1]})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"name": text, text: [1]}


def test_numbers_that_are_not_finite_are_null() -> None:
    written = payload([math.nan, math.inf, -math.inf, 1 / 3, 12345678.0, 0, True, None])
    assert json.loads(written) == [None, None, None, 0.333333, 12345700.0, 0, True, None]


class Scripts(HTMLParser):
    """The scripts of a page as a browser separates them, and all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, text: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += text


def test_a_page_is_one_small_file_whose_data_are_the_records(report: Report) -> None:
    text = page_of(report)
    found = Scripts()
    found.feed(text)
    assert json.loads(found.scripts[0]) == json.loads(payload(report.to_json()))
    assert "img" not in found.tags
    assert "b" not in found.tags
    data = len(found.scripts[0].encode())
    assert len(text.encode()) - data < 6_000_000
    rules = text.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert rules.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in rules
    assert "unsafe-eval" not in rules


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--results", "absent"], "no results in 'absent': start a run with `zoo bench cnngru`, or name --results DIR"),
        (["--dataset", "absent"], "no run matches these filters: `zoo results` lists the stored runs"),
        (["--metric", "recal"], "no metric named 'recal'"),
        (["--metric", "recall:z"], "no class named 'z'"),
        (["-o", "report.pdf"], "a report is an HTML file: name one that ends in .html, not 'report.pdf'"),
        (["-o", "folder.html"], "'folder.html' is a folder: name a file in it"),
        (["-o", "no.html/report.html"], "cannot be written"),
    ],
)
def test_refusals_are_one_line(words: list[str], line: str, results: Path) -> None:
    Path("folder.html").mkdir()
    Path("no.html").touch()
    given = words if "--results" in words else [*words, "--results", str(results)]
    found = CliRunner().invoke(app, ["report", *given])
    assert (found.exit_code, found.stderr.count("\n")) == (2 if "written" not in line else 1, 1), found.output
    assert line in found.stderr
    assert not Path("report.html").exists()


def test_an_empty_store_is_one_line() -> None:
    Store(Path("empty")).close()
    found = CliRunner().invoke(app, ["report", "--results", "empty"])
    assert (found.exit_code, found.stderr) == (2, "error: no runs in 'empty': start one with `zoo bench cnngru`\n")


def test_without_plotly_the_line_names_the_extra(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    found = CliRunner().invoke(app, ["report", "--results", str(results)])
    assert (found.exit_code, found.stderr) == (
        2,
        "error: reports need plotly: pip install 'zoo-registry[report]'\n",
    )


def test_the_command_writes_the_chosen_runs_and_names_its_file(results: Path) -> None:
    words = ["report", "--results", str(results), "--dataset", "b*", "-o", "some/beats.html"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    assert "wrote some/beats.html: 1 test set, 1 run, " in found.stderr
    read = Scripts()
    read.feed(Path("some/beats.html").read_text())
    data = json.loads(read.scripts[0])
    assert (data["chosen"], [board["dataset"] for board in data["boards"]]) == ("dataset b*", ["beats"])
