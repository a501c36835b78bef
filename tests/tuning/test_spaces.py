"""Spaces: from a spec, a file or the command line, checked before anything runs."""

import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from studies import tune_request

from zoo.errors import SettingsError, UsageError, ZooError
from zoo.harness.request import Request
from zoo.networks import Incompatible
from zoo.settings import Settings
from zoo.space import Choice, Float, Int
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import space_from_json, space_to_json
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.request import TuneRequest
from zoo.tuning.run_study import run_study
from zoo.tuning.spaces import first_values, parse_override, read_space, resolve_space
from zoo.tuning.trial_cell import bench_request, cell_of
from zoo.workspace import Workspace


@pytest.mark.parametrize(
    ("text", "key", "domain"),
    [
        ("data=smote,oversampled", "data", Choice("smote", "oversampled")),
        ("hidden=8,16,32", "hidden", Choice(8, 16, 32)),
        ("hidden=8..64", "hidden", Int(8, 64)),
        ("hidden=8..64:log", "hidden", Int(8, 64, log=True)),
        ("dropout=0..0.5", "dropout", Float(0.0, 0.5)),
        ("training.learning_rate=1e-4..1e-2:log", "training.learning_rate", Float(1e-4, 1e-2, log=True)),
        ("packed=true,false", "packed", Choice(True, False)),
        ("hidden = 8", "hidden", Choice(8)),
        ("hidden = 8 , 16,8", "hidden", Choice(8, 16)),
        ("shift=-3..-1", "shift", Int(-3, -1)),
        ("same=4..4", "same", Int(4, 4)),
        ("dropout=0.1..1", "dropout", Float(0.1, 1.0)),
        ("dropout=1 .. 2.5", "dropout", Float(1.0, 2.5)),
        ("rate=1e-4..1:log", "rate", Float(1e-4, 1.0, log=True)),
    ],
)
def test_what_is_typed_is_a_domain(text, key, domain) -> None:
    found = parse_override(text)
    assert found == (key, domain)
    if isinstance(domain, Float) and isinstance(found[1], Float):
        assert (type(found[1].low), type(found[1].high)) == (float, float)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hidden", "is not key=a,b,c or key=low..high"),
        ("hidden=", "is not key=a,b,c or key=low..high"),
        ("=8,16", "--tune '=8,16' is not key=a,b,c or key=low..high"),
        ("hidden=true..3", "a range needs numbers, such as 1..3 or 1e-4..1e-2, not True"),
        ("hidden=1..true", "a range needs numbers, such as 1..3 or 1e-4..1e-2, not True"),
        ("hidden=0..8:log", "--tune 'hidden=0..8:log': a log scale needs low > 0, not 0"),
        ("hidden=8..many", "a range needs numbers, such as 1..3 or 1e-4..1e-2, not 'many'"),
        ("hidden=9..8", "low 9 is above high 8"),
        ("dropout=0..0.5:log", "a log scale needs low > 0, not 0.0"),
    ],
)
def test_what_is_typed_wrongly_is_said_in_a_line(text, said) -> None:
    with pytest.raises(UsageError, match=said.replace(".", r"\.")) as caught:
        parse_override(text)
    assert "\n" not in str(caught.value)


def test_a_file_has_choices_ranges_and_keys_with_dots(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        'hidden = [8, 16]\nnum_blocks = { low = 1, high = 3 }\nnorm = "batch"\n'
        '"training.learning_rate" = { low = 1e-4, high = 1e-2, log = true }\n[block]\nreduction = [2, 4]\n'
        "[block.se]\nreduction = { low = 2, high = 8, log = true }\n[training]\nfactor = 0.5\n"
        'patience = [true, "x", 0.5]\n'
    )
    assert read_space(path) == {
        "hidden": Choice(8, 16),
        "num_blocks": Int(1, 3),
        "norm": Choice("batch"),
        "training.learning_rate": Float(1e-4, 1e-2, log=True),
        "block.reduction": Choice(2, 4),
        "block.se.reduction": Int(2, 8, log=True),
        "training.factor": Choice(0.5),
        "training.patience": Choice(True, "x", 0.5),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hidden = ", "is not valid TOML"),
        ("hidden = []", "hidden must be a list of values"),
        ("hidden = { low = 1 }", "hidden: a range needs numbers, .* not None"),
        ("hidden = { high = 1 }", "hidden: a range needs numbers, .* not None"),
        ("hidden = { low = 1, high = 3, log = 1 }", "hidden: log must be true or false, not 1"),
        ("hidden = { low = 3, high = 1 }", "hidden: low 3 is above high 1"),
        ("hidden = [8, [16]]", r"hidden must be a list of values or .* not \[8, \[16\]\]"),
        ("hidden = 1979-05-27", "hidden must be a list of values"),
        ("hidden = { low = 1, high = 3, logarithmic = true }", "no key of hidden named 'logarithmic'"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text, said) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="space.toml.*" + said):
        read_space(path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_bytes(b"hidden = [8]  # \xff")
    with pytest.raises(SettingsError, match=r"space\.toml: cannot be read: it is not UTF-8 text"):
        read_space(tmp_path / "space.toml")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_space(tmp_path / "none.toml")


def resolved(workspace, **given):
    return resolve_space(workspace, tune_request(**given))


def test_the_study_space_is_the_specs(registry, workspace) -> None:
    space, notes = resolved(workspace, space="study")
    assert space == dict(registry.get("architecture", "cnngru").spec.spaces["study"])
    assert notes == ()


def test_what_is_typed_replaces_and_adds(workspace) -> None:
    space, _ = resolved(workspace, overrides=("hidden=8", "data=smote,oversampled"))
    assert space["hidden"] == Choice(8)
    assert space["data"] == Choice("smote", "oversampled")
    assert "dropout" in space


def test_what_is_typed_lies_over_the_file_and_the_file_stands_in_for_the_spec(workspace, tmp_path) -> None:
    (tmp_path / "own.toml").write_text("hidden = [8, 16]\ndropout = { low = 0.0, high = 0.5 }\n")
    given = {"space": str(tmp_path / "own.toml"), "overrides": ("hidden=4..6", "num_layers=1,2", "hidden=4..7")}
    space, notes = resolved(workspace, **given)
    assert space == {"hidden": Int(4, 7), "dropout": Float(0.0, 0.5), "num_layers": Choice(1, 2)}
    assert list(space) == ["hidden", "dropout", "num_layers"], "so that the same seed draws the same"
    assert notes == ()


def test_a_specs_own_space_is_not_changed_by_a_study(registry, workspace) -> None:
    before = dict(registry.get("architecture", "cnngru").spec.spaces["default"])
    resolved(workspace, overrides=("hidden=8..9",), assignments={"dropout": 0.1})
    assert registry.get("architecture", "cnngru").spec.spaces["default"] == before


def test_the_first_values_are_the_first_choices_and_the_low_ends() -> None:
    space = {"a": Choice("x", "y"), "b": Int(2, 5), "c": Float(0.25, 0.5, log=True)}
    assert first_values(space) == {"a": "x", "b": 2, "c": 0.25}


def test_epochs_loss_and_block_that_flags_set_are_not_searched(workspace) -> None:
    searched = ("training.epochs=2..9", "loss=focal,weighted", "hidden=4,8")
    space, notes = resolved(workspace, space="study", epochs=3, loss="focal", overrides=searched)
    assert space["hidden"] == Choice(4, 8)
    assert not {"loss", "training.epochs"} & space.keys()
    assert notes == (
        "loss is set to focal, so it is not searched",
        "training.epochs is set to 3, so it is not searched",
    )


def test_a_space_of_which_flags_set_every_key_has_nothing_to_search(with_faulty) -> None:
    with pytest.raises(UsageError, match="the search space is empty: add keys with --tune"):
        resolved(with_faulty, architecture="steady", overrides=("width=2..8",), assignments={"width": 4})


def test_a_space_is_refused_where_no_configuration_makes_a_network_and_taken_where_one_does(workspace) -> None:
    with pytest.raises(UsageError, match="nothing to search: minirocket"):
        resolved(workspace, architecture="minirocket", overrides=("block=se,resnet",))
    for blocks in ("block=none,se", "block=se,none"):
        space, _ = resolved(workspace, architecture="minirocket", overrides=(blocks,))
        assert "block" in space


def test_what_a_flag_fixes_has_its_own_parameters_searched(workspace) -> None:
    space, _ = resolved(workspace, block="se", overrides=("block.reduction=2,4",))
    assert space["block.reduction"] == Choice(2, 4)
    several = ("block=se+eca,none", "block.se.reduction=2,4", "block.eca.kernel_size=3,5")
    space, _ = resolved(workspace, overrides=several)
    assert {"block.se.reduction", "block.eca.kernel_size"} < space.keys()


def test_what_a_flag_sets_is_not_searched_and_that_is_said(workspace) -> None:
    space, notes = resolved(
        workspace,
        space="study",
        data="smote",
        block="se",
        overrides=("block=none,se",),
        assignments={"num_layers": 2},
    )
    assert not {"data", "block", "num_layers"} & space.keys()
    assert notes == (
        "block is set to se, so it is not searched",
        "data is set to smote, so it is not searched",
        "num_layers is set to 2, so it is not searched",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"space": "paper"}, "no search space of cnngru named 'paper'. Available: default, study."),
        ({"architecture": "gru", "space": "none"}, "no search space of gru named"),
        ({"overrides": ("hiden=1..3",)}, "no parameter of cnngru named 'hiden'. Did you mean hidden"),
        ({"overrides": ("training.rate=1..3",)}, "no training setting named 'rate'"),
        ({"overrides": ("hidden=small,large",)}, "cnngru's hidden must be a whole number, not 'small'"),
        ({"overrides": ("data=smote,smot",)}, "no resampler named 'smot'"),
        ({"overrides": ("block=none,so",)}, "no block named 'so'"),
        ({"overrides": ("block=none,se", "block.size=1..3")}, "no parameter of none, se named 'size'"),
        (
            {"overrides": ("block=none,se", "block.eca.reduction=1..3")},
            "no parameter of none, se named 'eca.reduction'",
        ),
        ({"overrides": ("data=original,smote", "data.gamma=1..3")}, "no parameter of original, smote named 'gamma'"),
        ({"overrides": ("hidden=8,0.5",)}, "cnngru's hidden must be a whole number, not 0.5"),
        ({"overrides": ("training.factor=0.5..1.5",)}, "training.factor must be between 0 and 1, not 1.5"),
        ({"overrides": ("loss=1..3",)}, "loss takes names, not a range: --tune loss=a,b"),
        ({"overrides": ("block=1..3",)}, "block takes names, not a range"),
        (
            {"overrides": ("dataset.seed=1..3",)},
            "dataset.seed cannot be searched, because all trials use the same data",
        ),
        (
            {"overrides": ("training.validation=0.1..0.3",)},
            "training.validation cannot be searched, because all trials use the same data",
        ),
        ({"overrides": ("optimiser.rate=1..3",)}, "no scope of --set named 'optimiser'"),
        ({"overrides": ("training.learning_rate=0..1",)}, "training.learning_rate must be above 0"),
    ],
)
def test_a_key_or_a_value_that_makes_no_sense_is_said_before_anything_runs(workspace, given, said) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(workspace, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_architecture_without_a_space_says_how_to_give_one(with_faulty) -> None:
    with pytest.raises(UsageError, match="steady has no search space: add one with --space FILE"):
        resolved(with_faulty, architecture="steady")
    with pytest.raises(UsageError, match="steady has no search space: add one with --space FILE"):
        resolved(with_faulty, architecture="steady", space="wide", overrides=("width=2..8",))
    space, _ = resolved(with_faulty, architecture="steady", overrides=("width=2..8",))
    assert space == {"width": Int(2, 8)}


def test_parameters_of_a_block_go_with_the_blocks_that_have_them(registry, workspace) -> None:
    request = tune_request(architecture="cnngru")
    config = {"block": "none", "block.reduction": 2, "hidden": 8}
    assert bench_request(registry, request, config).assignments == {"training.min_steps": 0, "hidden": 8}
    cell = cell_of(workspace, request, {**config, "block": "se"})
    assert cell.network.block_params == {"reduction": 2}
    assert cell.network.params["hidden"] == 8
    several = {"block": "se+eca", "block.se.reduction": 2, "block.eca.kernel_size": 5, "block.cbam.reduction": 4}
    found = bench_request(registry, request, several)
    assert found.blocks == ("se+eca",)
    assert found.assignments == {"training.min_steps": 0, "block.se.reduction": 2, "block.eca.kernel_size": 5}


def test_a_trial_asks_the_bench_for_its_cell_alone(registry) -> None:
    request = tune_request(
        architecture="cnngru", block="se", data="smote", loss="focal", dataset="d.csv", protocol="holdout", rows=50,
        epochs=3, assignments={"hidden": 8, "dropout": 0.1}, data_dir=Path("there"), target="kind", group="patient",
        device="cpu", seed=7, metric="accuracy",
    )  # fmt: skip
    assert bench_request(registry, request, {"data": "original", "dropout": 0.2}) == Request(
        architectures=("cnngru",), blocks=("se",), data=("original",), losses=("focal",), datasets=("d.csv",),
        protocols=("holdout",), seeds=(7,), rows=50, epochs=3, assignments={"hidden": 8, "dropout": 0.2},
        monitor="accuracy", data_dir=Path("there"), target="kind", group="patient", device="cpu", threads=1,
    )  # fmt: skip
    bare = bench_request(registry, tune_request(architecture="cnngru"), {})
    assert (bare.blocks, bare.data, bare.losses, bare.datasets, bare.protocols) == ((),) * 5


def test_a_configuration_whose_parts_do_not_go_together_has_no_cell(workspace) -> None:
    with pytest.raises(Incompatible, match="minirocket"):
        cell_of(workspace, tune_request(architecture="minirocket"), {"block": "se"})


def test_the_best_epoch_is_chosen_by_the_metric_unless_the_user_says_otherwise(registry, monkeypatch) -> None:
    def monitor(config: dict[str, str] | None = None, **given: Any) -> str:
        request = tune_request(architecture="cnngru.mine", metric="validation_loss", **given)
        return cell_of(Workspace(registry, Settings.load()), request, config or {}).training.monitor

    mine = "[presets.'cnngru.mine']\ntraining = { monitor = 'accuracy' }\n"
    Path("registry.toml").write_text(mine)
    assert monitor() == "validation_loss"
    assert monitor(assignments={"training.monitor": "accuracy"}) == "accuracy"
    assert monitor({"training.monitor": "macro_recall"}) == "macro_recall"
    Path("registry.toml").write_text(f"[training]\nmonitor = 'macro_recall'\n{mine}")
    assert monitor() == "macro_recall"
    monkeypatch.setenv("ZOO_MONITOR", "accuracy")
    assert monitor() == "accuracy"


def test_a_space_comes_back_from_json() -> None:
    space = {"a": Choice(1, "x", 0.5, True), "b": Int(1, 3, log=True), "c": Float(0.1, 0.4)}
    assert space_from_json(space_to_json(space)) == space


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"architecture": ""}, "name an architecture"),
        ({"architecture": "cnn*"}, "a study tunes one architecture"),
        ({"architecture": "cnn?gru"}, "a study tunes one architecture"),
        ({"architecture": "cnn[g]ru"}, "a study tunes one architecture"),
        ({"scheduler": "ash"}, "Did you mean asha?"),
        ({"metric": "recall"}, "no metric to tune for named 'recall'"),
        ({"trials": 0}, "--trials must be at least 1, not 0"),
        ({"jobs": 0}, "--jobs must be at least 1"),
        ({"rows": 0}, "--rows must be at least 1"),
        ({"epochs": 0}, "--epochs must be at least 1"),
        ({"time_budget": 0.0}, "--time-budget must be a time above 0 s, not 0.0 s"),
        ({"time_budget": float("inf")}, "--time-budget must be a time above 0 s"),
        ({"startup": -1}, "--startup must be at least 0, not -1"),
        ({"gpus_per_trial": float("inf")}, "--gpus-per-trial must be a finite number of at least 0"),
        ({"name": "x" * 101}, "the name of a study"),
        ({"name": "-x"}, "the name of a study"),
        ({"trial_timeout": 0.0}, "--trial-timeout must be a time above 0 s"),
        ({"time_budget": float("nan")}, "--time-budget must be a time above 0 s"),
        ({"seed": -1}, "--seed must be at least 0"),
        ({"gpus_per_trial": -0.5}, "--gpus-per-trial must be a finite number of at least 0"),
        ({"name": "../x"}, "the name of a study"),
        ({"block": ("se", "eca")}, "a study takes one block, not se, eca"),
        ({"threads": 2}, "the study sets threads"),
        ({"force": True}, "the study sets force"),
    ],
)
def test_a_request_that_makes_no_sense_is_said(given, said) -> None:
    with pytest.raises(UsageError) as caught:
        tune_request(**given)
    assert said in str(caught.value)


def test_a_request_at_its_limits_is_taken() -> None:
    least = {"trials": 1, "jobs": 1, "rows": 1, "epochs": 1, "time_budget": 0.1, "trial_timeout": 0.1}
    tune_request(architecture="cnngru", seed=0, startup=0, gpus_per_trial=0.0, name="x" * 100, **least)
    tune_request(architecture="cnngru", name="A9_.-")


def test_what_is_not_asked_is_as_documented() -> None:
    asked = tune_request(architecture="cnngru")
    assert (asked.search, asked.scheduler, asked.metric, asked.space) == ("random", "none", "macro_recall", "default")
    assert (asked.trials, asked.startup, asked.jobs, asked.gpus_per_trial, asked.seed) == (20, 0, 1, 0.0, 0)
    assert (asked.time_budget, asked.trial_timeout, asked.address, asked.name) == (None, None, None, "")


def test_a_request_comes_back_from_json(tmp_path: Path) -> None:
    request = tune_request(
        architecture="cnngru", data_dir=tmp_path, overrides=("hidden=8..16",), assignments={"a": 1}, time_budget=60.0
    )
    record = request.to_json()
    assert TuneRequest.from_json({**record, "of_a_later_version": 1}) == request
    assert (record["data_dir"], record["overrides"], record["assignments"]) == (
        str(tmp_path),
        ["hidden=8..16"],
        {"a": 1},
    )
    assert " ".join(record) == (
        "architecture block data loss dataset protocol rows epochs assignments data_dir target group device "
        "search search_params scheduler trials startup time_budget trial_timeout jobs gpus_per_trial address metric "
        "seed space overrides name comparison"
    ), "as earlier versions wrote it"
    scaled = replace(request, cell=replace(request.cell, scales=("standard",)))
    assert TuneRequest.from_json(scaled.to_json()) == scaled != request
    classes = {"drop_class": ("F", "Q"), "merge_class": ("S=A,J",)}
    request = tune_request(architecture="cnngru", **classes)
    plain = json.loads(json.dumps(request.to_json()))
    assert (plain["drop_class"], plain["merge_class"]) == (["F", "Q"], ["S=A,J"])
    assert TuneRequest.from_json(plain) == request
    views = {"assignments": MappingProxyType({"a": 1}), "search_params": MappingProxyType({"gamma": 0.5})}
    plain = json.loads(json.dumps(tune_request(architecture="cnngru", **views).to_json()))
    assert (plain["assignments"], plain["search_params"]) == ({"a": 1}, {"gamma": 0.5})
    here = tune_request(architecture="cnngru", data_dir=Path("data")).to_json()
    assert here["data_dir"] == str(tmp_path / "data"), "so that a study goes on from any folder"
    assert TuneRequest.from_json({"architecture": "cnngru"}) == tune_request(architecture="cnngru")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search": "optima"}, "no searcher named 'optima'. Did you mean optuna?"),
        ({"search": "hyperopt", "search_params": {"gama": 0.5}}, "Did you mean gamma?"),
        ({"search": "hyperopt", "search_params": {"gamma": 2.0}}, "hyperopt's gamma must be between 0 and 1, not 2.0"),
        ({"overrides": ("hidden=8",), "space": "none.toml"}, "none.toml: cannot be read"),
        ({"gpus_per_trial": 64.0}, "--gpus-per-trial 64 is more than this machine has"),
        ({"device": "tpu"}, "hardware.device must be auto, cpu, cuda, cuda:N or mps, not 'tpu'"),
    ],
)
def test_a_study_that_cannot_begin_is_not_stored(workspace, asked, tmp_path, given, said) -> None:
    with Store(tmp_path / "results") as store:
        with pytest.raises(ZooError) as caught:
            run_study(workspace, asked(**given), store, SilentTuneReporter())
        assert said in str(caught.value)
        assert StudyStore(store).studies() == []


def test_a_space_without_a_choice_is_refused(workspace, asked, tmp_path) -> None:
    (tmp_path / "one.toml").write_text("dropout = 0.1\nhead = { low = 3, high = 3 }\n")
    with Store(tmp_path / "results") as store, pytest.raises(UsageError, match="no parameter of cnngru named 'head'"):
        run_study(workspace, asked(space="one.toml", overrides=()), store, SilentTuneReporter())
    (tmp_path / "one.toml").write_text("dropout = 0.1\n")
    with Store(tmp_path / "results") as store, pytest.raises(UsageError, match="random has nothing to search"):
        run_study(workspace, asked(space="one.toml", overrides=()), store, SilentTuneReporter())
