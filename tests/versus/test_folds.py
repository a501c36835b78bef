"""Cross-validations: all folds as one result, compared by the variance over folds; incomplete sets."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparing import CLASSES, ROWS, guesses, labels_of
from scipy import stats
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.cli.leaderboard import show_own_boards
from zoo.cli.session import Session
from zoo.cli.views.spreads import spread_lines, unvaried_lines
from zoo.errors import StoreError, UsageError
from zoo.metrics.differences import difference
from zoo.metrics.outcome import Outcome
from zoo.metrics.spread import spread
from zoo.records import Interval
from zoo.store.folds import with_folds_pooled
from zoo.store.leaderboard import boards
from zoo.store.predictions import Predictions, Remembered, predictions_of
from zoo.store.run import PooledRun, Run, RunStatus
from zoo.store.runs import Store
from zoo.versus.board import judged_board
from zoo.versus.ranking import ranking
from zoo.versus.result import BoardComparison, Placed, Verdict
from zoo.versus.runs import compare_given, compare_runs

FOLDS = 5


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def part(found: Predictions, number: int, of: int) -> Predictions:
    """The rows of one fold; whole groups of rows if there are groups."""
    owner = np.arange(len(found.labels)) // 10 if found.groups is None else found.groups
    rows = owner % of == number - 1
    groups = None if found.groups is None else found.groups[rows]
    return Predictions(found.probabilities[rows], found.labels[rows], found.index[rows], CLASSES, groups)


def added(store: Store, name: str, share: float, seed: int = 0, of: int = FOLDS, only: Sequence[int] = ()) -> list[Run]:
    """Finished runs of the folds of one configuration, which is right on about that share of the rows."""
    found = guesses(share, 31 * sum(map(ord, name)) + seed)
    return [kept(store, name, seed, part(found, number, of), number, of) for number in only or range(1, of + 1)]


def kept(store: Store, name: str, seed: int, found: Predictions, number: int, of: int) -> Run:
    run = Run(
        id="",
        key=f"{name} {seed} {number} {of}",
        architecture=name,
        configuration=f"{name} {of}",
        dataset="waves",
        protocol="cross-validation",
        fold=number,
        folds=of,
        data="original",
        loss="",
        seed=seed,
    )
    summary = {
        "classes": list(CLASSES),
        "rows": {"train": ROWS - len(found.labels), "test": len(found.labels)},
        "class_counts": {"test": np.bincount(found.labels, minlength=3).tolist()},
        "fingerprints": {"test": f"part {number} of {of}", "pool": f"others {number} of {of}", "folds": f"all {of}"},
    }
    ended = replace(store.begin(run), status=RunStatus.DONE, scores=found.scores(), parts=summary)
    return store.finish(ended, {"predictions.parquet": found.to_parquet()})


def test_all_folds_are_one_result_scored_on_all_rows_together(store: Store) -> None:
    runs = added(store, "fcn", 0.7)
    (pooled,) = with_folds_pooled(store, store.runs()).runs
    assert isinstance(pooled, PooledRun)
    assert pooled.members == pooled.ids == tuple(run.id for run in runs)
    whole = guesses(0.7, 31 * sum(map(ord, "fcn")))
    assert pooled.scores.macro_recall == whole.scores().macro_recall
    assert pooled.scores.confusion == whole.scores().confusion
    assert pooled.score("log_loss") == pytest.approx(whole.scores().log_loss.value)
    assert pooled.parts.rows == {"test": ROWS}
    assert pooled.parts.class_counts == {"test": np.bincount(labels_of()).tolist()}
    assert pooled.protocol_text == "cross-validation (5 folds)"
    assert runs[1].protocol_text == "cross-validation (fold 2 of 5)"
    found = predictions_of(store, pooled)
    assert sorted(found.index.tolist()) == list(range(ROWS))
    (board,) = boards([pooled], "macro_recall")
    assert (board.test, board.protocol_text) == ("all 5", "cross-validation (5 folds)")
    assert board.to_json("macro_recall")["standings"][0]["runs"] == list(pooled.members)


def test_boards_and_comparisons_read_each_fold_once(tmp_path: Path) -> None:
    class Counting(Store):
        def read(self, run: Run, name: str) -> Path:
            times[run.id] += 1
            return super().read(run, name)

    times: Counter[str] = Counter()
    with Counting(tmp_path / "results") as store:
        runs = [run for name in ("fcn", "tcn") for seed in range(2) for run in added(store, name, 0.7, seed)]
        found = compare_runs(store, store.runs(), "macro_recall")
        assert times == Counter(run.id for run in runs)
        assert ranking(store, store.runs(), "macro_recall").rows()[0].spread_seed is not None
        assert times == Counter(run.id for run in runs * 2)
        assert found.boards[0].configurations[0].spread is not None


def test_predictions_are_remembered_until_they_are_forgotten(store: Store) -> None:
    remembered, (run, other) = Remembered(store), added(store, "fcn", 0.7, of=2)
    first, second = predictions_of(remembered, run), predictions_of(remembered, other)
    assert first.outcome is first.outcome
    for each in (run, other):
        store.path(each, "predictions.parquet").unlink()
    remembered.forget([run])
    assert predictions_of(remembered, other) is second
    with pytest.raises(StoreError):
        predictions_of(remembered, run)


def test_folds_of_the_newest_repetition_count_and_other_runs_stay(store: Store) -> None:
    added(store, "fcn", 0.7)
    again = kept(store, "fcn", 0, part(guesses(1.0, 0), 2, FOLDS), 2, FOLDS)
    begun = store.begin(
        Run(id="", key="k", architecture="tcn", dataset="waves", protocol="holdout", data="", loss="", seed=0)
    )
    found = with_folds_pooled(store, store.runs()).runs
    assert [run.id for run in found if not run.folds] == [begun.id]
    (pooled,) = [run for run in found if run.folds]
    assert pooled.ids[1] == again.id


def test_a_set_with_a_fold_missing_is_told_and_not_ranked(store: Store) -> None:
    added(store, "fcn", 0.7)
    added(store, "tcn", 0.9, only=(1, 2, 4, 5))
    found = with_folds_pooled(store, store.runs())
    assert [run.architecture for run in found.runs] == ["fcn"]
    assert found.incomplete == ("tcn original seed=0 on waves, cross-validation: 4 of 5 folds, no pooled result",)
    with pytest.raises(UsageError, match=r"nothing to compare: tcn .* 4 of 5 folds.* fcn is the only configuration"):
        compare_runs(store, store.runs(), "macro_recall")


def test_a_fold_that_failed_counts_as_a_seed_without_a_score_on_the_pooled_test_set(store: Store) -> None:
    added(store, "fcn", 0.7)
    added(store, "tcn", 0.9)
    begun = added(store, "tcn", 0.9, seed=1)[3]
    store.finish(replace(begun, status=RunStatus.DIVERGED, error="NaN"))
    found = ranking(store, store.runs(), "macro_recall")
    (board,) = found.boards
    by_name = {each.runs[0].architecture: each for each in board.standings}
    assert [(run.seed, run.status) for run in by_name["tcn"].unscored] == [(1, "diverged")]
    assert found.notes == ("tcn original seed=1 on waves, cross-validation: 4 of 5 folds, no pooled result",)
    assert {row.architecture: len(row.runs) for row in found.rows()} == {"fcn": 5, "tcn": 5}


def test_a_fold_whose_predictions_have_changed_leaves_no_result(store: Store) -> None:
    runs = added(store, "fcn", 0.7)
    store.path(runs[2], "predictions.parquet").write_bytes(b"changed")
    found = with_folds_pooled(store, store.runs())
    assert not found.runs
    assert "has changed since it was stored" in found.incomplete[0]


def test_cross_validations_of_other_numbers_of_parts_are_other_boards(store: Store) -> None:
    for of in (5, 3):
        added(store, "fcn", 0.7, of=of)
        added(store, "tcn", 0.8, of=of)
    found = compare_runs(store, store.runs(), "macro_recall")
    assert sorted(board.folds for board in found.boards) == [3, 5]
    assert found.over_datasets is None
    assert "waves has 2 test sets and is left out of the comparison over data sets" in found.notes


def test_a_difference_has_the_corrected_variance_over_folds(store: Store) -> None:
    added(store, "fcn", 0.55)
    for number, share in enumerate((0.75, 1.0, 0.85, 1.0, 0.7), start=1):  # folds differ more than their rows do
        kept(store, "tcn", 0, part(guesses(share, 7), number, FOLDS), number, FOLDS)
    found = compare_runs(store, store.runs(), "accuracy", baseline="fcn")
    (pair,) = found.boards[0].pairs
    runs = {run.architecture: run for run in with_folds_pooled(store, store.runs()).runs}
    pooled = {name: predictions_of(store, run) for name, run in runs.items()}
    right = {name: each.probabilities.argmax(1) == each.labels for name, each in pooled.items()}
    fold = pooled["fcn"].fold
    apart = [right["tcn"][fold == number].mean() - right["fcn"][fold == number].mean() for number in range(FOLDS)]
    test, train = ROWS / FOLDS, ROWS - ROWS / FOLDS
    deviation = np.sqrt(np.var(apart, ddof=1) * (1 / FOLDS + test / train))
    half = stats.t.ppf(0.975, FOLDS - 1) * deviation
    assert pair.difference.value == pytest.approx(np.mean(apart))
    assert (pair.difference.low, pair.difference.high) == pytest.approx((np.mean(apart) - half, np.mean(apart) + half))
    assert pair.p == pytest.approx(2 * stats.t.sf(np.mean(apart) / deviation, FOLDS - 1), rel=1e-3)
    assert (pair.verdict, pair.seeds) == (Verdict.BETTER, (0,))


def test_folds_that_differ_alike_leave_the_variance_over_rows() -> None:
    """Without it, a class with one row in each part, right on one side only, would prove a difference."""
    labels = np.concatenate([np.zeros(50, np.int64), np.ones(5, np.int64)])
    fold = np.concatenate([np.arange(50) % 5, np.arange(5)])
    one, other = np.eye(2)[labels], np.eye(2)[np.zeros(55, np.int64)]
    pair = (Outcome.of(one, labels, fold=fold), Outcome.of(other, labels, fold=fold))
    found = difference([pair], "macro_recall")
    assert found.folds == (pytest.approx(0), 4)
    without = difference([tuple(replace(each, fold=None) for each in pair)], "macro_recall")  # type: ignore[list-item]
    assert (found.p, found.limits) == (without.p, without.limits)
    assert found.p > 0.01


def test_places_need_one_seed_of_all_folds(store: Store) -> None:
    added(store, "fcn", 0.4)
    added(store, "tcn", 0.95)
    (board,) = boards(with_folds_pooled(store, store.runs()).runs, "macro_recall")
    places = [judged_board(store, board, "macro_recall").places[each] for each in board.standings]
    assert [(each.low, each.high, each.tied) for each in places] == [(1, 1, True), (2, 2, False)]


def test_two_folds_are_compared_as_single_runs_on_their_test_part(store: Store) -> None:
    one, other = added(store, "fcn", 0.5)[1], added(store, "tcn", 0.9)[1]
    single = compare_given(store, [one.id, other.id], "accuracy").single
    assert single is not None
    assert single.scores == (one.score("accuracy"), other.score("accuracy"))
    assert (single.fold, single.folds) == (2, 5)
    third = added(store, "gru", 0.9)[2]
    with pytest.raises(UsageError, match=r"different test rows: .*\(fold 2 of 5\); .*\(fold 3 of 5\)"):
        compare_given(store, [one.id, third.id], "accuracy")


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        ([("fcn", 1)], r"^run \w{8} has nothing to be compared with: name two runs"),
        ([("fcn", 1), ("fcn", 1)], r"^run \w{8} was given twice"),
        ([("fcn", 1), ("tcn", 1), ("fcn", 1)], r"^run \w{8} was given twice"),
        ([("fcn", 1), ("fcn", 3)], r"are folds 1 and 3 of 5 of one configuration, with different test rows"),
        ([("fcn", 1), ("fcn", 2), ("fcn", 3)], r"^no configuration has all its folds: fcn .* 3 of 5 folds"),
        ([("fcn", 1), ("three", 1)], r"different test rows: .*\(fold 1 of 5\); .*\(fold 1 of 3\)"),
        ([("fcn", n) for n in range(1, 6)], r"^nothing to compare: .* fcn is the only configuration$"),
        (
            [*[("fcn", n) for n in range(1, 6)], *[("three", n) for n in range(1, 4)]],
            r"^nothing to compare: no two configurations were scored on the same test rows: ",
        ),
    ],
)
def test_runs_that_make_no_comparison_are_one_line(
    store: Store, chosen: Sequence[tuple[str, int]], reason: str
) -> None:
    runs = {(run.architecture, run.fold): run for run in (*added(store, "fcn", 0.7), *added(store, "tcn", 0.9))}
    runs |= {("three", run.fold): run for run in added(store, "gru", 0.9, of=3)}
    with pytest.raises(UsageError, match=reason):
        compare_given(store, [runs[each].id for each in chosen], "accuracy")


def test_commands_rank_pooled_results_note_incomplete_ones_and_list_folds(store: Store) -> None:
    added(store, "fcn", 0.4)
    added(store, "tcn", 0.95)
    added(store, "gru", 0.9, only=(3,))
    board, comparison, runs = (
        CliRunner().invoke(app, [*words, "--results", str(store.folder)])
        for words in (("leaderboard", "--json"), ("compare", "--json"), ("results",))
    )
    (found,) = json.loads(board.stdout)
    assert (found["folds"], [each["architecture"] for each in found["standings"]]) == (5, ["tcn", "fcn"])
    assert [len(each["runs"]) for each in found["standings"]] == [5, 5]
    assert found["standings"][1]["tied"] is False
    assert json.loads(comparison.stdout)["boards"][0]["folds"] == 5
    for each in (board, comparison):
        assert "gru original seed=0 on waves, cross-validation: 1 of 5 folds" in " ".join(each.stderr.split())
    heading, *lines = (line.split("\t") for line in runs.stdout.splitlines())
    assert [line[heading.index("fold")] for line in lines] == [*[f"{n}/5" for n in range(1, 6)] * 2, "3/5"]


def test_folds_with_several_seeds_have_a_spread_by_split_and_by_seed(store: Store) -> None:
    for seed in range(3):
        added(store, "fcn", 0.6, seed)
        for number, share in enumerate((0.3, 1.0, 0.5, 1.0, 0.7), start=1):  # folds differ much more than seeds do
            kept(store, "tcn", seed, part(guesses(share, seed), number, FOLDS), number, FOLDS)
    found = compare_runs(store, store.runs(), "accuracy", baseline="fcn").boards[0]
    by_name = {each.name: each for each in found.configurations}
    runs = {(run.architecture, run.fold, run.seed): run.score("accuracy") for run in store.runs()}
    scores = np.array([[runs["tcn", number, seed] for seed in range(3)] for number in range(1, FOLDS + 1)], np.float64)
    tcn = by_name["tcn"].spread
    assert tcn is not None
    alone = spread(scores)
    assert alone is not None
    assert (tcn.total, tcn.share.low) == pytest.approx((alone.total, alone.share.low))
    assert (tcn.mostly, tcn.folds, tcn.seeds) == ("split", FOLDS, 3)
    other = np.array([[runs["fcn", number, seed] for seed in range(3)] for number in range(1, FOLDS + 1)], np.float64)
    apart, alone = found.pairs[0].spread, spread(scores - other, 1.0)
    assert apart is not None
    assert alone is not None
    assert (apart.split.high, apart.seed.high) == pytest.approx((alone.split.high, alone.seed.high))
    board = CliRunner().invoke(app, ["leaderboard", "--json", "--metric", "accuracy", "--results", str(store.folder)])
    (first, _) = json.loads(board.stdout)[0]["standings"]
    assert first["score"]["spread"]["split"]["value"] == pytest.approx(tcn.split.value)
    rows = {row.architecture: row for row in ranking(store, store.runs(), "accuracy").rows()}
    assert (rows["tcn"].spread_split, rows["tcn"].spread_seed) == (tcn.split.value, tcn.seed.value)
    lines = list(spread_lines(found))
    assert lines == [
        f"tcn: of the spread of {tcn.total:.3f}, {tcn.split.value:.3f} is the split and {tcn.seed.value:.3f} the seed; "
        "the split is shown to be larger: more seeds change little"
    ]


@pytest.mark.parametrize(
    ("folds", "seeds", "words"),
    [
        (5, 1, "not separated for fcn, tcn: 1 seed, at least 2 are needed: --seeds 3"),
        (2, 2, "not separated for fcn, tcn: 2 folds, at least 3 are needed: --cv 5"),
    ],
)
def test_what_is_missing_to_separate_split_and_seed_is_said(store: Store, folds: int, seeds: int, words: str) -> None:
    for seed in range(seeds):
        added(store, "fcn", 0.7, seed, folds)
        added(store, "tcn", 0.6, seed, folds)
    (board,) = compare_runs(store, store.runs(), "accuracy").boards
    assert {each.spread for each in board.configurations} == {None}
    assert board.pairs[0].spread is None
    assert [words in line for line in spread_lines(board)] == [True]
    assert list(unvaried_lines([board])) == []


@pytest.mark.parametrize(("seeds", "varied"), [((0,), "neither split nor seed"), ((0, 1), "only the seed")])
def test_one_line_for_all_boards_without_folds_names_what_was_varied(seeds: tuple[int, ...], varied: str) -> None:
    placed = Placed("fcn", "fcn", "", "", "", "", seeds, Interval(0.5), None, 1, 1, 1, None, (), None)
    board = BoardComparison("waves", "holdout", "t", "mcc", "fcn", False, 0, "rows", (placed,), ())
    assert list(spread_lines(board)) == []
    (line,) = unvaried_lines([board, replace(board, dataset="beats")])
    assert line.startswith(f"{varied} was varied: the spread over splits is not known. zoo bench … --cv 5 --seeds 3")


def test_the_leaderboard_notes_incomplete_sets_of_the_shown_configurations_only(store: Store) -> None:
    added(store, "fcn", 0.7)
    added(store, "tcn", 0.9, only=(1, 2))
    added(store, "gru", 0.9, only=(3,))
    found = {
        pattern: CliRunner().invoke(app, ["leaderboard", "--architecture", pattern, "--results", str(store.folder)])
        for pattern in ("fcn", "tcn", "*")
    }
    notes = {
        pattern: [word for word in ("tcn", "gru") if f"{word} original" in run.stderr] for pattern, run in found.items()
    }
    assert notes == {"fcn": [], "tcn": ["tcn"], "*": ["tcn", "gru"]}


def test_a_bench_of_folds_ends_with_its_own_board(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    added(store, "gru", 0.9)
    runs = [*added(store, "fcn", 0.5), *added(store, "tcn", 0.7)]
    show_own_boards(Session(), store.folder, runs)
    heading, *standings = (line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line)
    assert [row[heading.index("architecture")] for row in standings] == ["tcn", "fcn"]
