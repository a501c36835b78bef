"""Spaces: from a spec, a file or the command line, checked before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from zoo.errors import SettingsError, UsageError, ZooError
from zoo.results.store import Store
from zoo.settings import Settings
from zoo.space import Choice, Float, Int
from zoo.tune.configuration import bench_request, cell_of
from zoo.tune.records import space_from_json, space_to_json
from zoo.tune.request import TuneRequest
from zoo.tune.spaces import parse_override, read_space, resolve_space
from zoo.tune.store import StudyStore
from zoo.tune.study import run_study
from zoo.tune.watch import SilentTune


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
    ],
)
def test_what_is_typed_is_a_domain(text, key, domain) -> None:
    assert parse_override(text) == (key, domain)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hidden", "is not key=a,b,c or key=low..high"),
        ("hidden=", "is not key=a,b,c or key=low..high"),
        ("hidden=8..many", "a range is of numbers, as in 1..3 or 1e-4..1e-2, not 'many'"),
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
    )
    assert read_space(path) == {
        "hidden": Choice(8, 16),
        "num_blocks": Int(1, 3),
        "norm": Choice("batch"),
        "training.learning_rate": Float(1e-4, 1e-2, log=True),
        "block.reduction": Choice(2, 4),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hidden = ", "is not TOML"),
        ("hidden = []", "hidden is a list of values"),
        ("hidden = { low = 1 }", "a range is of numbers"),
        ("hidden = { low = 1, high = 3, logarithmic = true }", "no key of hidden named 'logarithmic'"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path: Path, text, said) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="space.toml.*" + said):
        read_space(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_space(tmp_path / "none.toml")


def resolved(registry, settings, **given):
    return resolve_space(registry, settings, TuneRequest(**{"architecture": "cnngru", **given}))


def test_the_study_space_is_the_specs(registry, settings) -> None:
    space, notes = resolved(registry, settings, space="study")
    assert space == dict(registry.get("architecture", "cnngru").spec.spaces["study"])
    assert notes == ()


def test_what_is_typed_replaces_and_adds(registry, settings) -> None:
    space, _ = resolved(registry, settings, overrides=("hidden=8", "data=smote,oversampled"))
    assert space["hidden"] == Choice(8)
    assert space["data"] == Choice("smote", "oversampled")
    assert "dropout" in space


def test_what_a_flag_sets_is_not_searched_and_that_is_said(registry, settings) -> None:
    space, notes = resolved(
        registry,
        settings,
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
        ({"space": "paper"}, "no search space of cnngru named 'paper'. There is default, study"),
        ({"architecture": "gru", "space": "none"}, "no search space of gru named"),
        ({"overrides": ("hiden=1..3",)}, "no parameter of cnngru named 'hiden'. Did you mean hidden"),
        ({"overrides": ("training.rate=1..3",)}, "no training setting named 'rate'"),
        ({"overrides": ("hidden=small,large",)}, "cnngru's hidden is a whole number, not 'small'"),
        ({"overrides": ("data=smote,smot",)}, "no resampler named 'smot'"),
        ({"overrides": ("block=none,so",)}, "no block named 'so'"),
        ({"overrides": ("block=none,se", "block.size=1..3")}, "no parameter of none, se named 'size'"),
        ({"overrides": ("block=1..3",)}, "block is searched by name"),
        (
            {"overrides": ("dataset.seed=1..3",)},
            "all trials learn from the same data, so dataset.seed cannot be searched",
        ),
        ({"overrides": ("optimiser.rate=1..3",)}, "no scope of --set named 'optimiser'"),
        ({"overrides": ("training.learning_rate=0..1",)}, "training.learning_rate is above 0"),
    ],
)
def test_a_key_or_a_value_that_makes_no_sense_is_said_before_anything_runs(registry, settings, given, said) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(registry, settings, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_architecture_without_a_space_says_how_to_give_one(both, settings) -> None:
    with pytest.raises(UsageError, match="steady has no search space: give one by --space FILE"):
        resolved(both, settings, architecture="steady")
    space, _ = resolved(both, settings, architecture="steady", overrides=("width=2..8",))
    assert space == {"width": Int(2, 8)}


def test_parameters_of_a_block_go_with_the_blocks_that_have_them(registry, settings) -> None:
    request = TuneRequest(architecture="cnngru")
    config = {"block": "none", "block.reduction": 2, "hidden": 8}
    assert bench_request(registry, request, config).assignments == {"hidden": 8}
    cell = cell_of(registry, settings, request, {**config, "block": "se"})
    assert cell.network.block_params == {"reduction": 2}
    assert cell.network.params["hidden"] == 8


def test_the_best_epoch_is_chosen_by_the_metric_unless_the_user_says_otherwise(registry, monkeypatch) -> None:
    def monitor(config: dict[str, str] | None = None, **given: Any) -> str:
        request = TuneRequest(architecture="cnngru.mine", metric="validation_loss", **given)
        return cell_of(registry, Settings.load(), request, config or {}).training.monitor

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
        ({"architecture": "cnn*"}, "of one architecture"),
        ({"scheduler": "ash"}, "Did you mean asha?"),
        ({"metric": "recall"}, "no metric to tune for named 'recall'"),
        ({"trials": 0}, "--trials is at least 1"),
        ({"trial_timeout": 0.0}, "--trial-timeout is a time above 0 s"),
        ({"time_budget": float("nan")}, "--time-budget is a time above 0 s"),
        ({"seed": -1}, "--seed is 0 or more"),
        ({"gpus_per_trial": -0.5}, "--gpus-per-trial is 0 or more"),
        ({"name": "../x"}, "a study's name"),
    ],
)
def test_a_request_that_makes_no_sense_is_said(given, said) -> None:
    with pytest.raises(UsageError) as caught:
        TuneRequest(**{"architecture": "cnngru", **given})
    assert said in str(caught.value)


def test_a_request_comes_back_from_json(tmp_path: Path) -> None:
    request = TuneRequest(
        architecture="cnngru", data_dir=tmp_path, overrides=("hidden=8..16",), assignments={"a": 1}, time_budget=60.0
    )
    assert TuneRequest.from_json({**request.to_json(), "of_a_later_version": 1}) == request


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search": "optima"}, "no searcher named 'optima'. Did you mean optuna?"),
        ({"search": "hyperopt", "search_params": {"gama": 0.5}}, "Did you mean gamma?"),
        ({"search": "hyperopt", "search_params": {"gamma": 2.0}}, "hyperopt's gamma is between 0 and 1, not 2.0"),
        ({"overrides": ("hidden=8",), "space": "none.toml"}, "none.toml: cannot be read"),
        ({"gpus_per_trial": 64.0}, "--gpus-per-trial 64 asks for more GPUs than there are"),
        ({"device": "tpu"}, "hardware.device is auto, cpu, cuda, cuda:N or mps, not 'tpu'"),
    ],
)
def test_a_study_that_cannot_begin_is_not_stored(registry, settings, asked, tmp_path, given, said) -> None:
    with Store(tmp_path / "results") as store:
        with pytest.raises(ZooError) as caught:
            run_study(registry, settings, asked(**given), store, SilentTune())
        assert said in str(caught.value)
        assert StudyStore(store).studies() == []


def test_a_space_without_a_choice_is_refused(registry, settings, asked, tmp_path) -> None:
    (tmp_path / "one.toml").write_text("dropout = 0.1\nhead = { low = 3, high = 3 }\n")
    with Store(tmp_path / "results") as store, pytest.raises(UsageError, match="no parameter of cnngru named 'head'"):
        run_study(registry, settings, asked(space="one.toml", overrides=()), store, SilentTune())
    (tmp_path / "one.toml").write_text("dropout = 0.1\n")
    with Store(tmp_path / "results") as store, pytest.raises(UsageError, match="random has nothing to choose"):
        run_study(registry, settings, asked(space="one.toml", overrides=()), store, SilentTune())
