"""`zoo leaderboard`: seeds that ended without a score, numbers as numbers, widths."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import CLASSES, guesses
from typer.testing import CliRunner

import zoo
from zoo.cli.app import app
from zoo.cli.leaderboard import _columns, _row, show_own_boards
from zoo.cli.session import Session
from zoo.cli.small import small_line
from zoo.cli.views.legends import number_ranges, shared_lines
from zoo.cli.views.papers import Paper, latex, markdown
from zoo.cli.views.table import Column, fits, has_value, shown_columns
from zoo.networks import Network
from zoo.registry import Registry
from zoo.specs import Architecture
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.versus.ranked import Ranked

TOO_FEW = "smote: class '5' has 2 rows"
SEEDS: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {
    ("fcn", "original"): (0.9, ("done",) * 5),
    ("tcn", "original"): (0.5, ("done", "diverged", "done", "diverged", "done")),
    ("fcn", "smote"): (0.0, ("failed",) * 2),
    ("tcn", "smote"): (0.0, ("failed",) * 2),
}


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(Path("zoo-results")) as opened:
        for (name, data), (share, ends) in SEEDS.items():
            for seed, status in enumerate(ends):
                stored(opened, name, data, share, seed, status)
        yield opened


def stored(store: Store, name: str, data: str, share: float, seed: int, status: str, dataset: str = "waves") -> Run:
    what: dict[str, Any] = {"architecture": name, "data": data, "configuration": name + data, "seed": seed}
    parts = {"classes": list(CLASSES), "fingerprints": {"test": f"t-{dataset}", "pool": f"p-{dataset}"}}
    begun = store.begin(Run(id="", key="k", dataset=dataset, protocol="holdout", loss="", parts=parts, **what))
    if status != "done":
        return store.finish(replace(begun, status=RunStatus(status), error=TOO_FEW if status == "failed" else ""))
    found = guesses(share, seed + int(1000 * share))
    ended = replace(begun, status=RunStatus.DONE, scores=found.scores())
    return store.finish(ended, {"predictions.parquet": found.to_parquet()})


def output(*words: str) -> str:
    found = CliRunner().invoke(app, ["leaderboard", *words])
    assert found.exit_code == 0, found.output
    return found.stdout


def rows(*words: str) -> list[dict[str, str]]:
    heading, *lines = (line.split("\t") for line in output(*words).splitlines())
    return [dict(zip(heading, line, strict=True)) for line in lines]


def test_seeds_without_a_score_are_counted_and_configurations_without_one_have_the_reason(store: Store) -> None:
    (board,) = json.loads(output("--json"))
    names = ("seeds", "seeds_asked", "seeds_by_status")
    assert [tuple(each[name] for name in names) for each in board["standings"]] == [
        (5, 5, {"done": 5}),
        (3, 5, {"done": 3, "diverged": 2}),
    ]
    assert [(each["architecture"], each["data"], each["reason"]) for each in board["unscored"]] == [
        ("fcn", "smote", TOO_FEW),
        ("tcn", "smote", TOO_FEW),
    ]
    assert board["configurations_scored"] == 2


def test_a_pipe_has_a_number_in_each_column_of_numbers(store: Store) -> None:
    best, second, *failed = rows()
    for row in (best, second):
        assert float(row["low"]) < float(row["score"]) < float(row["high"])
        assert {row["metric"], row["rank"]} <= {"macro_recall", "1", "2"}
    assert (best["over"], second["over"]) == ("seeds and rows", "rows")
    counts = ("seeds", "seeds_asked", "seeds_diverged", "seeds_failed")
    assert [[int(row[name]) for name in counts] for row in (best, second, *failed)] == [
        [5, 5, 0, 0],
        [3, 5, 2, 0],
        [0, 2, 0, 2],
        [0, 2, 0, 2],
    ]
    assert [(row["rank"], row["score"], row["reason"]) for row in failed] == [("", "", TOO_FEW)] * 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--architecture", "t*", "--dataset", "w*"], [("waves", "tcn", "original"), ("waves", "tcn", "smote")]),
        (["--dataset", "b*"], [("beats", "tcn", "original")]),
        (["--dataset", "waves", "--architecture", "f?n"], [("waves", "fcn", "original"), ("waves", "fcn", "smote")]),
    ],
)
def test_filters_choose_configurations_by_patterns(
    store: Store, words: list[str], found: list[tuple[str, ...]]
) -> None:
    stored(store, "tcn", "original", 0.5, 0, "done", dataset="beats")
    assert [(row["dataset"], row["architecture"], row["data"]) for row in rows(*words)] == found


def test_a_filtered_board_tells_how_many_configurations_were_scored(store: Store) -> None:
    (board,) = json.loads(output("--architecture", "tcn", "--json"))
    assert (len(board["standings"]), board["configurations_scored"]) == (1, 2)
    refused = CliRunner().invoke(app, ["leaderboard", "--dataset", "absent"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "no run matches these filters" in refused.stderr


def test_python_has_records_json_and_a_data_frame(store: Store) -> None:
    found = zoo.leaderboard()
    assert json.loads(json.dumps(found.to_json())) == json.loads(output("--json"))
    best, second, *failed = found.rows()
    assert (best.rank, best.seeds, second.seeds, second.seeds_diverged) == (1, 5, 3, 2)
    assert best.score == pytest.approx(np.mean([store.get(run).score("macro_recall") for run in best.runs]))
    assert [row.reason for row in failed] == [TOO_FEW] * 2
    frame = found.to_frame()
    assert list(frame.columns) == list(rows()[0])
    assert np.allclose(frame["score"][:2], [float(row["score"]) for row in rows()[:2]])
    some = zoo.leaderboard(best.runs[:2], metric="recall:a")
    assert [(row.seeds, row.metric) for row in some.rows()] == [(2, "recall:a")]
    assert some.boards[0].configurations_scored == 2
    empty = zoo.leaderboard(results="absent")
    assert (empty.rows(), list(empty.to_frame().columns)) == ([], list(frame.columns))
    for wrong in ({"runs": ["absent"]}, {"metric": "recal"}, {"metric": "recall:z"}):
        with pytest.raises(zoo.ZooError):
            zoo.leaderboard(**wrong)  # type: ignore[arg-type]


def ranked(**more: Any) -> Ranked:
    names = ("dataset", "protocol", "test", "block", "loss", "settings", "metric", "runs")
    counts = ("seeds_failed", "seeds_diverged", "seeds_timeout", "seeds_interrupted", "seeds_stale")
    given = {"architecture": "inceptiontime", "data": "balanced-batches", "seeds": 3, "seeds_asked": 5}
    return Ranked(**{**dict.fromkeys(names, ""), **dict.fromkeys(counts, 0), **given, **more})


@pytest.mark.parametrize(
    ("metric", "title"), [("macro_recall", "macro recall"), ("recall:a_b", "recall:a_b"), ("mcc", "mcc")]
)
def test_a_heading_keeps_the_name_of_a_class(metric: str, title: str) -> None:
    columns = {column.key: column.title for column in _columns(metric, [], steps=False)}
    assert columns["score"] == title
    assert "deviation" not in columns


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"seeds": 5}, "5"),
        ({"seeds_diverged": 2}, "3/5 (2 diverged)"),
        ({"seeds_failed": 1, "seeds_timeout": 1}, "3/5 (1 failed, 1 timeout)"),
    ],
)
def test_seeds_are_shown_in_eighty_columns(more: dict[str, Any], text: str) -> None:
    row = _row(ranked(rank=1, rank_low=1, rank_high=2, score=0.83, low=0.738, high=0.91, **more), compared=True)
    assert row["seeds"] == text
    row["seeds"] = re.sub(" .*", "", text)  # a narrow table leaves the other ends to a line below it
    same = ranked(deviation=0.1, loss="weighted")
    columns = [column for column in _columns("macro_recall", [same], steps=True) if not column.drop]
    assert fits([column for column in columns if has_value(column, [row])], [row | {"block": "resnet"}], 80)


def test_a_narrow_table_leaves_the_loss_out_only_where_all_rows_have_the_same() -> None:
    def kept(*losses: str) -> set[str]:
        rows = [ranked(loss=loss) for loss in losses]
        return {column.key for column in _columns("macro_recall", rows, steps=False) if not column.drop}

    assert kept("weighted", "cross-entropy") - kept("weighted", "weighted", "") == {"loss"}


def test_a_narrow_table_leaves_the_block_out_before_the_ranks_where_each_architecture_has_one() -> None:
    def kept(*blocks: tuple[str, str], width: int) -> list[str]:
        rows = [ranked(architecture=name, block=block, loss=str(len(block))) for name, block in blocks]
        texts = [_row(replace(row, rank_low=1, rank_high=12), compared=True) for row in rows]
        return [column.key for column in shown_columns(_columns("macro_recall", rows, steps=False), texts, width)]

    same, apart = ("inceptiontime", "resnet"), ("inceptiontime", "none")
    other = ("transformer1d", "none")
    assert kept(same, other, width=70)[:4] == ["rank", "ranks", "architecture", "data"]
    assert kept(same, apart, width=70)[:4] == ["rank", "architecture", "block", "data"]
    assert kept(same, other, width=200)[:4] == ["rank", "ranks", "architecture", "block"]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([], ""), ([3], "3"), ([2, 3], "2-3"), ([2, 4, 5, 6, 9], "2, 4-6, 9"), (range(2, 18), "2-17")],
)
def test_ranks_that_follow_each_other_are_a_range(numbers: Sequence[int], text: str) -> None:
    assert number_ranges(numbers) == text


def test_lines_that_all_tables_have_are_shared() -> None:
    assert shared_lines([["a", "b", "c"], ["c", "a"], ["a", "d", "c"]]) == ["a", "c"]
    assert shared_lines([["a"]]) == []
    assert shared_lines([["a"], []]) == []


@pytest.mark.parametrize("width", [80, 200])
def test_lines_explain_the_columns_that_are_shown_once_for_all_boards(
    store: Store, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, share in (("fcn", 0.9), ("tcn", 0.5)):
        for seed in range(5):
            stored(store, name, "original", share, seed, "done", dataset="beats")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_own_boards(Session(), None, store.runs())
    shown = " ".join(capsys.readouterr().out.split())
    for line, times in {
        "tied with the first": 1,  # with three seeds, nothing is compared
        "brackets: 95 % interval over": 2,
        "seeds without a score: 2: 2 diverged": 1,
        f"without a score: fcn smote, tcn smote (2 failed each): {TOO_FEW}": 1,
        "±: standard deviation over seeds": 1,
    }.items():
        assert shown.count(line) == times, line
    assert shown.endswith("±: standard deviation over seeds")


def paper(name: str = "fcn", **marks: Any) -> Paper:
    columns = (Column("#", "rank", numeric=True), Column("net", "architecture"), Column("±", "score", numeric=True))
    table = [{"rank": 1, "architecture": name, "score": "0.9"}, {"rank": 2, "architecture": "b", "score": "-0.8"}]
    return Paper("T_1", columns, table, ["95 %"], **marks)


@pytest.mark.parametrize(
    ("name", "in_markdown", "in_latex"),
    [
        ("fcn", "fcn", "fcn"),
        ("a|b_c", r"a\|b\_c", r"a\textbar{}b\_c"),
        ("50 % & $2 #1 {x}", r"50 % \& \$2 \#1 \{x\}", r"50 \% \& \$2 \#1 \{x\}"),
        ("<b>[/][red]`*", r"\<b\>\[/\]\[red\]\`\*", r"\textless{}b\textgreater{}[/][red]`*"),
        ("C:\\a~b^2", r"C:\\a\~b^2", r"C:\textbackslash{}a\textasciitilde{}b\textasciicircum{}2"),
        ("a--b\tc", r"a--b\\tc", r"a-{}-b\textbackslash{}tc"),
        ("größe", "größe", "größe"),
        ("a---b ``c'' ?`d ,,e", "a---b \\`\\`c'' ?\\`d ,,e", "a-{}-{}-b `{}`c'{}' ?{}`d ,{},e"),
        ("(a):smile:", r"(a)\:smile:", "(a):smile:"),
        ("recall:F", "recall:F", "recall:F"),
    ],
)
def test_names_are_escaped_in_documents(name: str, in_markdown: str, in_latex: str) -> None:
    assert f"| 1 | {in_markdown} | 0.9 |\n| 2 | b | -0.8 |\n\n- 95 %\n" in markdown(paper(name))
    assert rf"1 & {in_latex} & 0.9 \\" + "\n" + r"2 & b & $-$0.8 \\" in latex(paper(name))
    assert r"\begin{tabular}{rlr}" in latex(paper(name))
    assert (r"\caption{T\_1}" in latex(paper(name)), r"{\footnotesize 95 \%\par}" in latex(paper(name))) == (True, True)
    assert ("XeLaTeX" in latex(paper("心"))) > ("XeLaTeX" in latex(paper(name)))


@pytest.mark.parametrize(("first", "written"), [("[1] x", "{}[1] x"), ("*", "{}*"), ("a[1]*", "a[1]*")])
def test_a_row_of_latex_does_not_begin_as_an_argument_of_the_line_end_above(first: str, written: str) -> None:
    found = Paper("T", [Column("name", "name"), Column("score", "score")], [{"name": first, "score": "1"}], [])
    assert f"\n{written} & 1 \\\\\n" in latex(found)


@pytest.mark.parametrize(
    ("marks", "in_markdown", "in_latex"),
    [
        ({}, ["0.9", "-0.8"], ["0.9", "$-$0.8"]),
        ({"best": 0}, ["**0.9**", "-0.8"], [r"\textbf{0.9}", "$-$0.8"]),
        ({"tied": (0, 1)}, [r"0.9\*", r"-0.8\*"], ["0.9*", "$-$0.8*"]),
    ],
)
def test_only_a_best_score_that_was_shown_is_bold(
    marks: dict[str, Any], in_markdown: list[str], in_latex: list[str]
) -> None:
    assert [line.split(" | ")[-1][:-2] for line in markdown(paper(**marks)).splitlines()[4:6]] == in_markdown
    assert [line.split(" & ")[-1][:-3] for line in latex(paper(**marks)).splitlines()[8:10]] == in_latex


def test_documents_state_which_scores_could_not_be_compared(store: Store) -> None:
    text = output("--markdown")
    assert "| 2 | tcn | 3/5 (2 diverged) | 0.4" in text
    assert "- could not be compared with the first: 2\n- data in all rows: original\n" in text
    assert "**0." not in text, "three seeds are too few to show that the second is worse"
    for seed in (1, 3):
        stored(store, "tcn", "original", 0.5, seed, "done")
    assert "**0." in output("--markdown")
    assert r"\textbf{0." in output("--latex")
    refused = CliRunner().invoke(app, ["leaderboard", "--latex", "--json"])
    assert (refused.exit_code, "choose one" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("architecture", "more", "preset"),
    [
        ("fcn", {}, "fcn.paper"),
        ("cnngru", {}, "cnngru.study"),
        ("minirocket", {}, "minirocket.paper"),
        ("fcn.paper", {}, ""),
        ("fcn", {"filters": 128}, ""),
        ("fcn", {"filters": 256}, ""),
        ("lite", {}, ""),
        ("gru", {}, ""),
    ],
)
def test_networks_that_are_smaller_than_published_are_named(
    architecture: str, more: dict[str, Any], preset: str
) -> None:
    registry = Registry.discover()
    network = Network.resolve(registry, architecture, params=more)
    name = network.entry.name
    what: dict[str, Any] = {"architecture": name, "preset": network.preset, "config": {"params": dict(network.params)}}
    run = Run(id="", key="k", dataset="waves", protocol="holdout", data="original", loss="", seed=0, **what)
    assert [f"{name} ({preset})" in line for line in small_line(registry, [run])] == [True] * bool(preset)
    assert small_line(registry, [replace(run, architecture="mine.py:Net")]) == []


def test_no_default_is_larger_than_its_published_size() -> None:
    """Otherwise `small_line` would have to compare more than whole numbers."""
    registry = Registry.discover()
    for entry in registry.of_kind(Architecture):
        for name in {"paper", "study"} & set(entry.spec.presets):
            usual = Network.resolve(registry, entry.name).params
            sizes = {key: value for key, value in entry.spec.presets[name].params.items() if type(value) is int}
            assert all(usual[key] <= value for key, value in sizes.items()), entry.name


def test_a_bench_ranks_its_own_configurations_where_there_are_several(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = store.runs()
    first = [run for run in everything if run.seed == 0]
    show_own_boards(Session(), None, first)
    printed = capsys.readouterr()
    (heading, *standings) = (line.split("\t") for line in printed.out.splitlines() if "\t" in line)
    assert [(row[heading.index("architecture")], row[heading.index("seeds")]) for row in standings] == [
        ("fcn", "1"),
        ("tcn", "1"),
    ]
    show_own_boards(Session(), None, [run for run in first if run.architecture == "fcn"])
    assert capsys.readouterr().out == "", "one configuration needs no ranking"
