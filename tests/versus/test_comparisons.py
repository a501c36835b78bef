"""Boards, two runs and data sets compared: every number from the stored files, with scipy; what cannot be compared."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from comparing import CLASSES, ROWS, guesses, labels_of, predictions
from scipy import stats

import zoo
from zoo.errors import UnknownName, UsageError
from zoo.scores import score_words
from zoo.store.predictions import Predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.versus.result import Comparisons, Pair
from zoo.versus.runs import _without_code, compare_given, compare_runs, compare_two
from zoo.versus.several import over_datasets


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


def added(
    store: Store, name: str, share: float, seeds: int = 5, groups: np.ndarray | None = None, dataset: str = "waves"
) -> list[Run]:
    """Finished runs of one configuration, right on about that share of the rows."""
    first = 31 * sum(map(ord, name))
    return [kept(store, name, seed, guesses(share, first + seed, groups), dataset) for seed in range(seeds)]


def kept(store: Store, name: str, seed: int, found: Predictions, dataset: str = "waves") -> Run:
    """A finished run with these predictions."""
    what = {"architecture": name, "configuration": f"{name} on {dataset}", "dataset": dataset, "seed": seed}
    begun = store.begin(Run(id="", key="k", protocol="holdout", data="original", loss="", **what))  # type: ignore[arg-type]
    prints = {"test": f"test-{dataset}", "pool": dataset}
    ended = replace(
        begun, status=RunStatus.DONE, scores=found.scores(), parts={"classes": list(CLASSES), "fingerprints": prints}
    )
    return store.finish(ended, {"predictions.parquet": found.to_parquet()})


def pair_of(found: Comparisons, name: str) -> Pair:
    (pair,) = [each for each in found.boards[0].pairs if each.configuration == name]
    return pair


def by_row(store: Store, run: Run) -> np.ndarray:
    """What each row of the stored file adds to macro recall."""
    table = pq.read_table(store.path(run, "predictions.parquet")).to_pandas()
    said = table[["p_a", "p_b", "p_c"]].to_numpy().argmax(1)
    support = table["label"].map(table["label"].value_counts()).to_numpy(float)
    return np.where(said == table["label"].map({"a": 0, "b": 1, "c": 2}).to_numpy(), 1 / (3 * support), 0.0)


def test_a_board_equals_an_independent_computation_from_the_stored_predictions(store: Store) -> None:
    shares = {"fcn": 0.84, "tcn": 0.80, "gru": 0.55, "cnn1d": 0.79}
    runs = {name: added(store, name, share) for name, share in shares.items()}
    found = compare_runs(store, store.runs(), "macro_recall")
    rows = {name: np.array([by_row(store, run) for run in each]) for name, each in runs.items()}
    means = {name: each.sum(1).mean() for name, each in rows.items()}
    order = sorted(means, key=lambda name: -means[name])
    board = found.boards[0]
    assert [each.name for each in board.configurations] == order
    assert [each.score.value for each in board.configurations] == pytest.approx(sorted(means.values(), reverse=True))

    p = {}
    for number, high in enumerate(order):
        for low in order[number + 1 :]:
            apart = rows[low] - rows[high]
            values, mean = apart.sum(1), apart.mean(0)
            variances = values.var(ddof=1) / 5, (mean**2).sum() * ROWS / (ROWS - 1)
            levels = np.logspace(-14, 0, 20_001)
            ends = sum(stats.t.isf(levels / 2, free) ** 2 * v for free, v in zip((4, ROWS - 1), variances, strict=True))
            p[low, high] = levels[np.argmin(np.abs(ends - values.mean() ** 2))]
            if high == order[0]:
                pair = pair_of(found, low)
                half = np.sqrt(
                    sum(stats.t.isf(0.025, free) ** 2 * v for free, v in zip((4, ROWS - 1), variances, strict=True))
                )
                middle = values.mean()
                assert pair.difference == pytest.approx({"value": middle, "low": middle - half, "high": middle + half})
                assert pair.p == pytest.approx(p[low, high], rel=1e-3)
                drawn = _bootstrap(apart)
                assert (pair.difference.high or 0) - middle == pytest.approx(2.3 * drawn.std(), rel=0.3)
    sorted_p = sorted(p, key=lambda key: p[key])
    adjusted = np.maximum.accumulate([p[key] * (6 - step) for step, key in enumerate(sorted_p)]).clip(max=1)
    worse = {key for key, value in zip(sorted_p, adjusted, strict=True) if value <= 0.05}
    assert {low for low, high in worse if high == order[0]} == {"gru"}  # so far apart, the others so near
    assert [each.verdict for each in board.pairs] == ["tied", "tied", "worse"]
    assert [each.tied for each in board.configurations] == [True, True, True, False]
    ranks = [
        (1 + sum((name, other) in worse for other in order), 4 - sum((other, name) in worse for other in order))
        for name in order
    ]
    assert [(each.rank_low, each.rank_high) for each in board.configurations] == ranks
    assert board.comparisons == 6


def _bootstrap(apart: np.ndarray) -> np.ndarray:
    """Return mean differences of drawn seeds and rows, `apart` `(seeds, rows)`."""
    rng = np.random.default_rng(0)
    seeds, rows = apart.shape
    return np.array(
        [apart[rng.integers(seeds, size=seeds)].mean(0)[rng.integers(rows, size=rows)].sum() for _ in range(300)]
    )


def test_a_named_baseline_is_adjusted_for_its_own_comparisons(store: Store) -> None:
    for name, share in {"fcn": 0.9, "tcn": 0.7, "gru": 0.6}.items():
        added(store, name, share)
    first = compare_runs(store, store.runs(), "accuracy")
    named = compare_runs(store, store.runs(), "accuracy", "tcn")
    every = compare_runs(store, store.runs(), "accuracy", all_pairs=True)
    board = named.boards[0]
    assert (board.baseline, board.chosen, board.comparisons) == ("tcn", True, 2)
    assert (every.boards[0].baseline, every.boards[0].comparisons, len(every.boards[0].pairs)) == ("", 3, 3)
    one, other = pair_of(first, "tcn"), pair_of(named, "fcn")
    assert (one.verdict, other.verdict) == ("worse", "better")
    assert other.difference.value == pytest.approx(-(one.difference.value or 0))
    assert (other.difference.low, other.difference.high) == pytest.approx(
        (-(one.difference.high or 0), -(one.difference.low or 0))
    )
    assert (one.effect, other.effect) == (0.0, 1.0)
    small, large = sorted(pair.p or 0 for pair in board.pairs)
    assert sorted(pair.adjusted or 0 for pair in board.pairs) == pytest.approx([2 * small, max(large, 2 * small)])


def test_fewer_than_five_common_seeds_have_no_verdict(store: Store) -> None:
    added(store, "fcn", 0.9)
    added(store, "tcn", 0.5, seeds=4)
    board = compare_runs(store, store.runs(), "macro_recall").boards[0]
    (pair,) = board.pairs
    assert (pair.verdict, pair.seeds, pair.p, pair.adjusted) == ("too few seeds", (0, 1, 2, 3), None, None)
    assert pair.difference.low is not None
    assert [(each.rank_low, each.rank_high, each.tied) for each in board.configurations] == [(1, 2, True), (1, 2, None)]


def test_a_lower_log_loss_is_better(store: Store) -> None:
    added(store, "fcn", 0.9)
    added(store, "tcn", 0.5)
    board = compare_runs(store, store.runs(), "log_loss").boards[0]
    assert board.configurations[0].name == "fcn"
    (pair,) = board.pairs
    assert (pair.verdict, pair.effect) == ("worse", 0.0)
    assert (pair.difference.value or 0) > 0


def test_a_class_with_too_few_patients_has_no_interval_and_its_score_alone_none(store: Store) -> None:
    groups = np.where(np.equal(labels_of(), 2), 0, np.arange(ROWS) % 15)
    added(store, "fcn", 0.9, groups=groups)
    added(store, "tcn", 0.6, groups=groups)
    assert pair_of(compare_runs(store, store.runs(), "macro_recall"), "tcn").verdict == "no interval"
    assert pair_of(compare_runs(store, store.runs(), "recall:c"), "tcn").difference.reason.startswith("class c has 1")
    other = compare_runs(store, store.runs(), "recall:a").boards[0]
    assert (other.pairs[0].verdict, other.resampled) == ("worse", "15 groups")


def test_two_runs_are_two_networks(store: Store) -> None:
    one, other = added(store, "fcn", 0.9, seeds=2)
    found = compare_two(store, [one, other], "recall:b").single
    assert found is not None
    rows = np.equal(labels_of(), 1)
    right = [guesses(0.9, 31 * sum(map(ord, "fcn")) + seed).probabilities.argmax(1)[rows] == 1 for seed in range(2)]
    alone = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (found.only_first, found.only_second, found.rows) == (*alone, "b")
    assert found.p == pytest.approx(stats.binomtest(alone[0], sum(alone)).pvalue)
    assert found.difference.value == pytest.approx(right[0].mean() - right[1].mean())
    again = compare_given(store, [one.id, other.id], "recall:b")
    assert again.single == found
    (record,) = again.records()
    assert [record[name] for name in ("run_1", "run_2", "p", "low")] == [
        one.id,
        other.id,
        found.p,
        found.difference.low,
    ]


def test_over_data_sets_each_counts_once_and_only_complete_configurations_take_part(store: Store) -> None:
    for number in range(7):
        for name, share in {"fcn": 0.9, "tcn": 0.7, "gru": 0.5}.items():
            if (name, number) != ("gru", 3):
                added(store, name, share, seeds=1, dataset=f"set{number}")
    found = compare_runs(store, store.runs(), "accuracy").over_datasets
    assert found is not None
    assert (found.left_out, found.mean_ranks) == (("gru",), {"fcn": 1.0, "tcn": 2.0})
    (pair,) = found.pairs
    assert (pair.wins, pair.ties, pair.losses, pair.verdict) == (0, 0, 7, "worse")
    assert pair.p == pair.adjusted == pytest.approx(2 / 2**7)
    assert pair.worse == pytest.approx(1.0, abs=0.01)


def test_over_data_sets_the_newest_code_of_a_configuration_counts(store: Store) -> None:
    for number in range(2):
        for name, share in {"fcn": 0.9, "tcn": 0.7}.items():
            added(store, name, share, seeds=1, dataset=f"set{number}")
    runs = store.runs()
    old = replace(runs[0], configuration="before", code="0123abcd", created="2020-01-01T00:00:00")
    found = compare_runs(store, [*(replace(run, code="4567abcd") for run in runs), old], "accuracy")
    assert found.over_datasets is not None
    assert set(found.over_datasets.mean_ranks) == {"fcn", "tcn"}
    assert found.notes == ("set0: over data sets, the newest code of each configuration counts",)
    assert len(found.boards[0].configurations) == 3


def losses(store: Store, shares: dict[str, tuple[float, float, bool]]) -> list[Run]:
    """Runs of fcn with two losses on each data set: right on these shares, and whether they are the same training."""
    runs = []
    for dataset, (plain, weighted, same) in shares.items():
        for number, (loss, share) in enumerate({"plain": plain, "weighted": weighted}.items()):
            gradients = (0.5, 0.1 if same else 0.1 * number)
            found = replace(kept(store, "fcn", 0, guesses(share, number), dataset), loss=loss, loss_gradients=gradients)
            runs.append(replace(found, configuration=f"fcn {loss} on {dataset}", besides_loss="b"))
    return runs


def test_over_data_sets_losses_that_are_the_same_training_on_one_have_one_score_there(store: Store) -> None:
    runs = losses(store, {"even": (0.7, 0.7, True), "uneven": (0.6, 0.9, False)})
    found = compare_runs(store, [*runs, *added(store, "tcn", 0.8, 1, dataset="even")], "accuracy").over_datasets
    assert found is not None
    plain, twin, *apart = (run.score("accuracy") for run in runs)
    assert plain != twin, "the runs differ, so the score says which was taken"
    assert found.scores == {
        "even": {"fcn weighted": plain, "fcn plain": plain},
        "uneven": dict(zip(("fcn plain", "fcn weighted"), apart, strict=True)),
    }
    assert found.mean_ranks == {"fcn weighted": (1.5 + 1) / 2, "fcn plain": (1.5 + 2) / 2}
    assert [(pair.wins, pair.ties, pair.losses) for pair in found.pairs] == [(0, 1, 1)]
    assert found.left_out == ("tcn",)


def test_a_baseline_that_is_the_same_training_as_a_ranked_one_is_compared_as_this(store: Store) -> None:
    runs = [*losses(store, {"even": (0.7, 0.7, True)}), *added(store, "tcn", 0.8, 1, dataset="even")]
    runs += [*losses(store, {"uneven": (0.6, 0.9, False)}), *added(store, "tcn", 0.8, 1, dataset="uneven")]
    found = compare_runs(store, runs, "accuracy", "fcn weighted")
    assert [board.baseline for board in found.boards] == ["fcn plain", "fcn weighted"]
    assert found.notes == ("even, holdout: losses that are the same training, compared once: plain = weighted",)
    assert found.over_datasets is not None
    assert found.over_datasets.baseline == "fcn weighted"


def test_losses_that_are_the_same_training_on_all_data_sets_count_once(store: Store) -> None:
    runs = losses(store, {"even": (0.7, 0.7, True), "alike": (0.6, 0.6, True)})
    runs[2:] = reversed(runs[2:])  # on the second data set, the other loss is ranked
    others = [run for dataset in ("even", "alike") for run in added(store, "tcn", 0.9, 1, dataset=dataset)]
    found = compare_runs(store, [*runs, *others], "accuracy").over_datasets
    assert found is not None
    assert (set(found.mean_ranks), found.left_out) == ({"tcn", "fcn weighted"}, ())
    named = compare_runs(store, [*runs, *others], "accuracy", "fcn plain").over_datasets
    assert named is not None
    assert (named.baseline, set(named.mean_ranks)) == ("fcn plain", {"tcn", "fcn plain"})


def test_the_same_loss_with_other_parameters_is_found_over_data_sets(store: Store) -> None:
    runs = losses(store, {"even": (0.7, 0.7, True), "uneven": (0.6, 0.9, False)})
    params = {"plain": {"gamma": 1}, "weighted": {"gamma": 2}}
    runs = [replace(run, loss="focal", config={"loss_params": params[run.loss]}) for run in runs]
    found = compare_runs(store, runs, "accuracy").over_datasets
    assert found is not None
    assert set(found.mean_ranks) == {"fcn gamma=1", "fcn gamma=2"}


def test_too_few_data_sets_have_no_verdict() -> None:
    table = {f"set{number}": {"fcn": 0.9, "tcn": 0.8 - number / 100, "gru": 0.1} for number in range(6)}
    every, named = over_datasets(table, "mcc"), over_datasets({**table, "more": table["set1"]}, "mcc", "tcn")
    assert every is not None
    assert named is not None
    assert [(pair.verdict, pair.p) for pair in every.pairs] == [("not enough data sets", None)] * 2
    assert every.friedman_p == pytest.approx(
        stats.friedmanchisquare(*np.array([list(r.values()) for r in table.values()]).T).pvalue
    )
    assert [(pair.configuration, pair.verdict) for pair in named.pairs] == [("fcn", "better"), ("gru", "worse")]


@pytest.mark.parametrize(
    ("metric", "baseline", "all_pairs", "message"),
    [
        ("ece", "", False, "ece cannot be compared"),
        ("macro", "", False, "no metric named 'macro'"),
        ("recall", "", False, "write recall with a class, such as recall:F"),
        ("mcc:a", "", False, "no metric named 'mcc:a': write 'mcc'"),
        ("recall:z", "", False, "no class named 'z'. Available: a, b, c"),
        ("mcc", "gcn", False, "no configuration named 'gcn'. Did you mean tcn or fcn"),
        ("mcc", "fcn", True, "--all-pairs compares all configurations and has no --baseline"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    store: Store, metric: str, baseline: str, all_pairs: bool, message: str
) -> None:
    for name in ("fcn", "tcn"):
        added(store, name, 0.7, seeds=1)
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        compare_given(store, None, metric, baseline, all_pairs=all_pairs)


def test_runs_that_have_nothing_in_common_are_named(store: Store) -> None:
    with pytest.raises(UsageError, match="no finished run to compare"):
        compare_runs(store, [], "mcc")
    one, other = added(store, "fcn", 0.7, seeds=1)[0], added(store, "tcn", 0.7, seeds=1, dataset="beats")[0]
    with pytest.raises(UsageError, match="waves, holdout: fcn is the only configuration"):
        compare_runs(store, [one], "mcc")
    with pytest.raises(UsageError, match=f"different test rows: {one.id} on waves, holdout; {other.id} on beats"):
        compare_two(store, [one, other], "mcc")
    with pytest.raises(UsageError, match="name two runs"):
        compare_two(store, [one, one], "mcc")
    later = replace(added(store, "gru", 0.7, seeds=2)[1])
    with pytest.raises(UsageError, match="no two configurations have a seed in common"):
        compare_runs(store, [one, later], "mcc")
    with pytest.raises(UsageError, match="only finished runs can be compared"):
        compare_two(store, [one, replace(other, status=RunStatus.FAILED)], "mcc")
    with pytest.raises(UnknownName, match="no run 'zz'"):
        compare_given(store, ["zz", one.id], "mcc")


def test_a_run_without_its_predictions_is_left_out_with_a_note(store: Store) -> None:
    runs = [*added(store, "fcn", 0.9), *added(store, "tcn", 0.5)]
    store.path(runs[0], "predictions.parquet").unlink()
    board = compare_runs(store, store.runs(), "mcc").boards[0]
    assert board.pairs[0].seeds == (1, 2, 3, 4)
    assert board.notes[0].startswith(f"run {runs[0].id} is not compared: ")


def test_seeds_that_diverged_are_noted(store: Store) -> None:
    added(store, "fcn", 0.9)
    runs = [*added(store, "tcn", 0.5)]
    lost = [replace(runs[0], id=f"lost{seed}", seed=seed, status=RunStatus.DIVERGED) for seed in (0, 5, 6)]
    found = compare_runs(store, [*store.runs(), *lost], "mcc")
    assert found.notes == ("tcn: 2 diverged, of 7 seeds; only the others are compared",)


def test_seeds_without_a_score_are_noted_with_their_data_set_where_there_are_several(store: Store) -> None:
    runs = [run for name in ("fcn", "tcn") for set_ in ("a", "b") for run in added(store, name, 0.9, 2, dataset=set_)]
    lost = [replace(runs[2], id="lost", seed=5, status=RunStatus.DIVERGED)]
    lost += [replace(run, id=f"{run.id}-", configuration=run.dataset, status=RunStatus.FAILED) for run in runs[:4:2]]
    found = compare_runs(store, [*runs, *lost], "mcc")
    assert found.notes == (
        "b: fcn: 1 diverged, of 3 seeds; only the others are compared",
        "a: without a finished seed, and not compared: fcn original (1 failed)",
        "b: without a finished seed, and not compared: fcn original (1 failed)",
    )


def test_each_status_without_a_score_is_counted_by_its_name(store: Store) -> None:
    for name, share in (("fcn", 0.6), ("tcn", 0.9)):
        added(store, name, share)
    runs, statuses = store.runs(), ("failed", "diverged", "timeout", "interrupted", "stale", "running")
    for name, first in (("tcn", 5), ("gru", 0)):
        for seed, status in enumerate(statuses, start=first):
            runs.append(replace(kept(store, name, seed, guesses(0.5, seed)), status=RunStatus(status)))
    lost = "1 failed, 1 diverged, 1 timeout, 1 interrupted, 1 stale, 1 running"
    found = compare_runs(store, [*runs, Run.damaged("0" * 8, "no JSON")], "accuracy")
    assert found.notes == (
        f"tcn: {lost}, of 11 seeds; only the others are compared",
        f"without a finished seed, and not compared: gru original ({lost})",
        "1 damaged run left out; `zoo results` shows why",
    )


def test_from_python_pairs_are_records_and_a_frame(tmp_path: Path) -> None:
    with Store(tmp_path / "results") as store:
        for name, share in {"fcn": 0.9, "tcn": 0.5}.items():
            added(store, name, share)
    found = zoo.compare(baseline="tcn", metric="mcc", results=tmp_path / "results")
    frame = found.to_frame()
    assert frame[["configuration", "baseline", "seeds", "verdict"]].to_numpy().tolist() == [["fcn", "tcn", 5, "better"]]
    assert frame["low"][0] == found.boards[0].pairs[0].difference.low
    record = found.to_json()
    assert record["boards"][0]["pairs"][0]["verdict"] == "better"
    assert record["boards"][0]["configurations"][0]["score"]["low"] is not None


def test_a_class_without_test_rows_has_no_difference(store: Store) -> None:
    labels = np.arange(60) % 2
    for name in ("fcn", "tcn"):
        for seed in range(5):
            kept(store, name, seed, Predictions(np.eye(3, dtype=np.float32)[labels], labels, np.arange(60), CLASSES))
    (pair,) = compare_runs(store, store.runs(), "recall:c").boards[0].pairs
    assert (pair.verdict, pair.difference.value, pair.difference.reason) == ("no interval", None, "no such test rows")
    assert compare_runs(store, store.runs(), "macro_recall").boards[0].pairs[0].verdict == "tied"
    with pytest.raises(UsageError, match="recall:c has no value"):
        compare_two(store, store.runs()[:2], "recall:c")


def test_equal_predictions_are_tied(store: Store) -> None:
    for name in ("fcn", "tcn"):
        for seed in range(5):
            kept(store, name, seed, predictions(np.arange(ROWS) % 4 != 0))
    (pair,) = compare_runs(store, store.runs(), "macro_f1").boards[0].pairs
    assert (pair.verdict, pair.p, pair.effect) == ("tied", 1.0, 0.5)


def test_headings_keep_the_names_of_classes_and_names_keep_their_words() -> None:
    assert [score_words(name) for name in ("macro_recall", "recall:a_b", "f1:x:_")] == [
        "macro recall",
        "recall:a_b",
        "f1:x:_",
    ]
    names = ["my  net.py code=01ab", "code=x.py smote", "fcn scale=none code=01ab rows=5"]
    assert [_without_code(name) for name in names] == ["my  net.py", "code=x.py smote", "fcn scale=none rows=5"]
