"""Who is ranked with whom: one board a test set, one standing a configuration, seeds averaged."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from zoo.store.leaderboard import Standing, boards, boards_of_all
from zoo.store.run import Run, RunStatus


def run(
    identifier: str, recall: float, *, seed: int = 0, configuration: str = "c", test: str = "t", **more: Any
) -> Run:
    config = {"params": {"hidden": 8}, "training": {"epochs": 2}, "seed": seed, **more.pop("config", {})}
    names = {
        "architecture": "net",
        "dataset": "waves",
        "protocol": "holdout",
        "data": "original",
        "status": RunStatus.DONE,
    }
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


def scored(identifier: str, *values: float | None, metric: str = "macro_recall") -> list[Run]:
    """A run for each seed of the configuration of that name."""
    runs = [run(f"{identifier}{seed}", 0.0, seed=seed, configuration=identifier) for seed in range(len(values))]
    return [replace(each, scores={metric: {"value": value}}) for each, value in zip(runs, values, strict=True)]


def ids(standings: Iterable[Standing]) -> list[list[str]]:
    return [[each.id for each in standing.runs] for standing in standings]


def test_seeds_are_averaged_never_the_best_taken() -> None:
    (board,) = boards([run("a", 0.9), run("b", 0.5, seed=1), run("c", 0.75, configuration="d")], "macro_recall")
    assert [standing.mean("macro_recall") for standing in board.standings] == [0.75, pytest.approx(0.7)]
    assert board.standings[1].deviation("macro_recall") == pytest.approx(0.2828, abs=1e-4)
    assert board.standings[0].deviation("macro_recall") is None


def test_the_same_rows_with_several_names_are_one_board_with_the_name_of_the_first_run() -> None:
    def stored(identifier: str, dataset: str, created: str, *, pool: str = "p", **more: Any) -> Run:
        parts = {"fingerprints": {"test": "t", "pool": pool}, "classes": ["x", "y"]}
        return replace(run(identifier, 0.5, dataset=dataset, created=created, **more), parts=parts)

    runs = [
        stored("c", "copy.csv", "2026-01-02", seed=1, config={"dataset": "copy.csv"}),
        stored("a", "waves.csv", "2026-01-01", config={"dataset": "waves.csv"}),
        stored("d", "other.csv", "2026-01-03", configuration="d", config={"dataset": "other.csv"}),
        stored("e", "waves.csv", "2026-01-04", configuration="e", pool="q"),
        stored("f", "simulated", "2026-01-05", synthetic=True),
        stored("g", "by-patient.csv", "2026-01-06", protocol="inter-patient"),
    ]
    found = boards(runs, "macro_recall")
    assert [(board.dataset, board.names, [*chain(*ids(board.standings))]) for board in found] == [
        ("by-patient.csv", (), ["g"]),
        ("simulated (synthetic)", (), ["f"]),
        ("waves.csv", ("copy.csv", "other.csv"), ["c", "a", "d", "e"]),
    ]
    assert [standing.settings for standing in found[2].standings] == ["", "", ""]


@pytest.mark.parametrize(
    ("steps", "text"), [((96,), 96), ((0, 0), 0), ((990, 96), "96-990"), ((None, 96), 96), ((None, None), None)]
)
def test_steps_of_the_seeds_are_a_number_or_a_range(steps: tuple[int | None, ...], text: int | str | None) -> None:
    runs = [run(f"a{seed}", 0.5, seed=seed, steps=each) for seed, each in enumerate(steps)]
    ((standing,),) = (board.standings for board in boards(runs, "macro_recall"))
    assert standing.steps() == text
    assert standing.to_json("macro_recall")["steps"] == list(steps)


def test_the_batches_of_trained_networks_are_not_compared_with_those_of_fitted_ones() -> None:
    """Small data have smaller batches in training only; a fitted network reads its rows in batches of the default."""
    trained = [
        run(name, 0.5, configuration=name, architecture=name, config={"training": {"batch_size": size}})
        for name, size in (("a", 100), ("b", 100))
    ]
    fitted = replace(
        run("c", 0.8, configuration="c", architecture="c"), config={"training": {"batch_size": 128}}, loss=""
    )
    (board,) = boards([*trained, fitted], "macro_recall")
    assert [standing.settings for standing in board.standings] == [""] * 3
    larger = replace(fitted, id="d", configuration="d", config={"training": {"batch_size": 32}})
    (board,) = boards([*trained, fitted, larger], "macro_recall")
    assert {each.runs[0].id: each.settings for each in board.standings} == {
        "a": "",
        "b": "",
        "c": "batch_size=128",
        "d": "batch_size=32",
    }


def test_a_fitted_network_differs_in_no_training_setting_that_it_lacks() -> None:
    fitted = replace(run("b", 0.8, configuration="b", architecture="fitted"), config={"training": {"members": 1}})
    trained = run("a", 0.9, configuration="a", config={"training": {"epochs": 2, "members": 1}})
    (board,) = boards([trained, fitted], "macro_recall")
    assert [standing.settings for standing in board.standings] == ["", ""]
    early = replace(fitted, loss="", config={"training": {"epochs": 6, "precision": "auto", "members": 1}})
    (board,) = boards([trained, early], "macro_recall")
    assert [standing.settings for standing in board.standings] == ["", ""], "early configurations name all settings"
    longer = run("c", 0.7, configuration="c", config={"training": {"epochs": 3, "members": 1}})
    (board,) = boards([trained, fitted, longer], "macro_recall")
    assert [standing.settings for standing in board.standings] == ["epochs=2", "", "epochs=3"]


def test_label_smoothing_is_a_difference_to_runs_without_it() -> None:
    smooth = run("a", 0.9, configuration="a", config={"training": {"epochs": 2, "label_smoothing": 0.1}})
    (board,) = boards([smooth, run("b", 0.8, configuration="b")], "macro_recall")
    assert [standing.settings for standing in board.standings] == ["label_smoothing=0.1", "label_smoothing=0.0"]


def test_the_rule_that_keeps_an_epoch_is_a_difference_to_runs_without_it() -> None:
    later = run("a", 0.9, configuration="a", config={"training": {"epochs": 2, "keep": "one-standard-error"}})
    (board,) = boards([later, run("b", 0.8, configuration="b", config={"training": {"epochs": 2}})], "macro_recall")
    assert [standing.settings for standing in board.standings] == ["keep=one-standard-error", "keep=best"]


def test_early_runs_in_bf16_and_in_fp32_are_not_averaged() -> None:
    """Their configuration is the same: it had the precision `auto`."""
    training = {"training": {"epochs": 2, "precision": "auto"}}
    runs = [run("a", 0.9, config=training), run("b", 0.5, seed=1, config=training, environment={"bf16": True})]
    (board,) = boards(runs, "macro_recall")
    assert ids(board.standings) == [["a"], ["b"]]
    assert [standing.settings for standing in board.standings] == ["precision=fp32", "precision=bf16"]


def test_a_rate_and_a_precision_are_named_only_where_one_architecture_has_several() -> None:
    def of(name: str, rate: float, *, bf16: bool, **more: Any) -> Run:
        config = {"training": {"learning_rate": rate}}
        return run(name, 0.5, configuration=name, config=config, environment={"bf16": bf16}, **more)

    fcn, cnn = of("a", 0.01, bf16=True, architecture="fcn"), of("b", 0.001, bf16=False, architecture="cnn1d")
    (board,) = boards([fcn, cnn], "macro_recall")
    assert [standing.settings for standing in board.standings] == ["", ""]
    (board,) = boards([fcn, cnn, of("c", 0.003, bf16=True, architecture="fcn")], "macro_recall")
    assert {each.runs[0].id: each.settings for each in board.standings} == {
        "a": "learning_rate=0.01",
        "b": "",
        "c": "learning_rate=0.003",
    }


PLAIN, TILTED = (0.5, -0.25, 0.125), (0.5, -0.2501, 0.125)


def losses_of(**gradients: tuple[float, ...]) -> list[Run]:
    """A run for each loss, in their order; all have the same configuration besides."""
    runs = [run(loss, 0.5, configuration=loss) for loss in gradients]
    named = zip(runs, gradients.items(), strict=True)
    return [replace(each, loss=loss, besides_loss="b", loss_gradients=values) for each, (loss, values) in named]


def ranked(runs: Iterable[Run]) -> list[tuple[str, int, tuple[str, ...]]]:
    (board,) = boards(runs, "macro_recall")
    return [(each.runs[0].loss, len(each.runs), each.same_losses) for each in board.standings]


def test_losses_with_equal_gradients_are_ranked_once_with_the_names_of_all() -> None:
    plain, weighted, tilted, unknown = losses_of(plain=PLAIN, weighted=PLAIN, tilted=TILTED, unknown=())
    assert ranked([weighted, tilted, plain, unknown]) == [
        ("weighted", 1, ("plain",)),
        ("tilted", 1, ()),
        ("unknown", 1, ()),
    ]
    more = replace(plain, id="more", seed=1)
    assert ranked([weighted, plain, more])[0] == ("plain", 2, ("weighted",)), "that with more seeds"
    other = replace(more, loss_gradients=TILTED)
    assert len(ranked([weighted, plain, other, replace(weighted, seed=1)])) == 2, "at every seed"
    for changed in ({"besides_loss": "c"}, {"besides_loss": ""}, {"environment": {"bf16": True}}):
        assert len(ranked([plain, replace(weighted, **changed)])) == 2
    assert len(ranked([replace(each, besides_loss="") for each in (plain, weighted)])) == 2, "earlier runs"
    rounded = replace(weighted, loss_gradients=tuple(1.00001 * value for value in PLAIN))
    assert ranked([plain, rounded]) == [("plain", 1, ("weighted",))]


def test_the_same_loss_is_named_with_the_parameters_that_differ() -> None:
    one, two = losses_of(focal=PLAIN, more=PLAIN)
    params = [{"gamma": 2.0, "alpha": alpha} for alpha in ("none", "balanced")]
    runs = [
        replace(each, loss="focal", config={"loss_params": own}) for each, own in zip((one, two), params, strict=True)
    ]
    assert ranked(runs) == [("focal", 1, ("focal alpha=balanced",))]
    (board,) = boards(runs, "macro_recall")
    assert board.standings[0].to_json("macro_recall")["same_losses"] == ["focal alpha=balanced"]


def test_changed_code_is_another_configuration_and_another_look_at_the_test_part() -> None:
    runs = [run("a", 0.9, configuration="old", code="1111aaaa"), run("b", 0.8, configuration="new", code="2222bbbb")]
    (board,) = boards(runs, "macro_recall")
    assert [standing.settings for standing in board.standings] == ["code=1111", "code=2222"]


def test_a_board_counts_configurations_not_seeds_failures_or_the_same_again() -> None:
    again, failed = (
        run("again", 0.2, seed=1, configuration="a"),
        run("failed", 0.9, configuration="c", status=RunStatus.FAILED),
    )
    (board,) = boards([*scored("a", 0.5, 0.6, 0.7), *scored("b", 0.1), again, failed], "macro_recall")
    assert ids(board.standings) == [["a0", "again", "a2"], ["b0"]]
    assert [standing.mean("macro_recall") for standing in board.standings] == [pytest.approx(1.4 / 3), 0.1]


@pytest.mark.parametrize(
    "status", [RunStatus.FAILED, RunStatus.DIVERGED, RunStatus.INTERRUPTED, RunStatus.RUNNING, RunStatus.STALE]
)
def test_only_finished_runs_stand_and_an_unfinished_one_replaces_none(status: str) -> None:
    runs = [run("a", 0.9), run("b", 0.95, status=status), run("c", 0.7, configuration="d", status=status)]
    assert [ids(board.standings) for board in boards(runs, "macro_recall")] == [[["a"]]]
    assert boards(runs[1:], "macro_recall") == []


def test_each_test_part_has_its_board_in_the_order_of_their_names() -> None:
    runs = [
        run("a", 0.9, test="u"),
        run("b", 0.8, test="t"),
        run("c", 0.7, dataset="beats"),
        run("d", 0.6, protocol="groups"),
        run("e", 0.5, synthetic=True),
    ]
    found = [(board.dataset, board.protocol, board.test, ids(board.standings)) for board in boards(runs, "accuracy")]
    assert found == [
        ("beats", "holdout", "t", [["c"]]),
        ("waves", "groups", "t", [["d"]]),
        ("waves", "holdout", "t", [["b"]]),
        ("waves", "holdout", "u", [["a"]]),
        ("waves (synthetic)", "holdout", "t", [["e"]]),
    ]


@pytest.mark.parametrize(
    ("metric", "lower_is_better"),
    [
        *(("macro_recall", False), ("macro_f1", False), ("accuracy", False), ("mcc", False), ("auroc", False)),
        *(("log_loss", True), ("ece", True)),
    ],
)
def test_the_best_mean_comes_first_ties_as_they_came_and_what_has_no_score_last(
    metric: str, lower_is_better: bool
) -> None:
    given = {"none": [None], "low": [0.2], "tie": [0.5], "same": [0.4, 0.6], "zero": [0.0], "high": [0.1, 1.5, None]}
    runs = [each for name, values in given.items() for each in scored(name, *values, metric=metric)]
    (board,) = boards(runs, metric)
    order = ["zero", "low", "tie", "same", "high"] if lower_is_better else ["high", "tie", "same", "low", "zero"]
    assert [standing.runs[0].configuration for standing in board.standings] == [*order, "none"]


def test_a_standing_averages_what_its_runs_have() -> None:
    one, two, three = scored("a", 0.2, None, 0.6)
    costs = [{"macs": 10, "latency_ms": None}, {"macs": 0}, {}]
    runs = [replace(each, cost=cost) for each, cost in zip((one, two, three), costs, strict=True)]
    standing = Standing(tuple(runs))
    assert standing.values("macro_recall") == [0.2, 0.6]
    assert standing.mean("macro_recall") == pytest.approx(0.4)
    assert standing.deviation("macro_recall") == pytest.approx(0.08**0.5)  # as of a sample: over n - 1
    assert (standing.mean("mcc"), standing.deviation("mcc")) == (None, None)
    assert [standing.cost(name) for name in ("macs", "latency_ms", "parameters")] == [5, None, None]


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


def test_settings_name_rows_and_nested_parameters_but_no_seed() -> None:
    runs = [
        run("a", 0.9, config={"params": {"block": {"width": 3}}, "seeds": {"split": 1}}),
        run("b", 0.8, seed=4, configuration="d", config={"params": {"block": {"width": 5}}, "seeds": {"split": 2}}),
        run("c", 0.7, configuration="e", rows=100, config={"params": {"block": {"width": 5}, "dropout": 0.1}}),
        run("d", 0.6, configuration="f", architecture="other", rows=50),
    ]
    (board,) = boards(runs, "macro_recall")
    assert [standing.settings for standing in board.standings] == [
        "width=3",
        "width=5",
        "width=5 dropout=0.1 rows=100",
        "rows=50",
    ]


@pytest.mark.parametrize("name", ["architecture", "block", "data", "loss"])
def test_settings_leave_out_what_has_a_column_of_its_own(name: str) -> None:
    runs = [
        run("a", 0.9),
        replace(run("b", 0.8, configuration="d", config={"params": {"hidden": 9}}), **{name: "another"}),
    ]
    (board,) = boards(runs, "macro_recall")
    assert [standing.settings for standing in board.standings] == ["", ""]


def test_seeds_that_ended_without_a_score_are_counted_unless_repeated() -> None:
    ends = [RunStatus.DONE, RunStatus.DIVERGED, RunStatus.FAILED, RunStatus.RUNNING, RunStatus.TIMEOUT]
    runs = [run(f"a{seed}", 0.5, seed=seed, status=status) for seed, status in enumerate(ends)]
    (board,) = boards([*runs, run("again", 0.6, seed=2)], "macro_recall")
    (standing,) = board.standings
    assert ids([standing]) == [["a0", "again"]]
    assert [each.id for each in standing.unscored] == ["a1", "a4"]
    shown = standing.to_json("macro_recall")
    assert (shown["seeds"], shown["seeds_asked"]) == (2, 4)
    assert shown["seeds_by_status"] == {"done": 2, "diverged": 1, "timeout": 1}


def test_configurations_without_a_score_are_named_with_the_reason_until_their_code_is_mended() -> None:
    failed = [
        run(f"f{seed}", 0.0, seed=seed, configuration="f", status=RunStatus.FAILED, error="no", config={"size": 9})
        for seed in (0, 1)
    ]
    (board,) = boards([run("a", 0.5, config={"size": 8}), *failed], "macro_recall")
    assert [(each.settings, each.reason(), len(each.runs)) for each in board.unscored] == [("size=9", "no", 2)]
    assert len(board.standings) == board.configurations_scored == 1
    mended = replace(failed[0], id="g", configuration="g", status=RunStatus.DONE, code="b", created="2026-01-02")
    (board,) = boards([*failed, mended], "macro_recall")
    assert board.unscored == ()
    assert boards(failed, "macro_recall") == []
    (board,) = boards_of_all(failed, "macro_recall")
    assert (board.standings, len(board.unscored)) == ((), 1)
