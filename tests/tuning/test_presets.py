"""A study's winner as a preset in registry.toml."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from studies import study_of, tune_request

from zoo import SettingsError, UsageError
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.networks import Network
from zoo.registry import Registry
from zoo.settings import Layer, Settings, shipped_path
from zoo.space import Value
from zoo.store.run import Run
from zoo.store.study import Trial
from zoo.tuning.presets import check_free, preset_of, save_preset, target_file
from zoo.tuning.trial_cell import cell_of
from zoo.workspace import Workspace

PRESET: dict[str, Any] = {"summary": "found", "params": {"hidden": 16, "dropout": 1e-05}, "training": {"epochs": 3}}


EXACT = {"min_steps": 0}  # the epochs of the study, whatever the size of the data


def preset_for(registry: Registry, config: dict[str, Any], **request: Any) -> dict[str, Any]:
    study = study_of((), **request)
    trial = Trial(number=1, config=config, status="done", value=0.5)
    return preset_of(Workspace(registry, Settings.load()), replace(study, trials=(trial,)), trial, None)


def test_the_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = target_file(Settings.load())
    save_preset(path, "cnngru.mine", PRESET)
    assert (tmp_path / "registry.toml").read_text() == (
        '[presets."cnngru.mine"]\nsummary = "found"\nparams = {hidden = 16, dropout = 1e-05}\ntraining = {epochs = 3}\n'
    )
    assert Settings.load().presets["cnngru.mine"].params == {"hidden": 16, "dropout": 1e-05}


@pytest.mark.parametrize(
    "before",
    [
        '# mine\n\n[defaults]\ndata   = "smote"  # balanced\n',
        '[presets."cnn2d.old"]\nsummary = "kept"\n\n[training]\nepochs = 3\n# the end, without a line break',
        '[presets]\n"cnn2d.old" = {block = "se"}\n',
        "# windows\r\n[training]\r\nepochs = 3\r\n",
        "\n\n",
    ],
)
def test_all_that_was_in_the_file_stays_byte_for_byte(tmp_path: Path, before: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_bytes(before.encode())
    save_preset(path, "cnngru.mine", PRESET)
    save_preset(path, "timm/resnet18.mine", PRESET)
    after = path.read_bytes().decode()
    assert after.startswith(before)
    assert ("\r\n" in before) == ("\r\n" in after)
    assert after.replace("\r\n", "").count("\r") == 0
    tables = Layer.read(path).tables
    old = tomllib.loads(before)
    expected = {**old, "presets": {**old.get("presets", {}), "cnngru.mine": PRESET, "timm/resnet18.mine": PRESET}}
    assert tables == expected


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("[training\n", r"registry\.toml:1: "),
        ("[trainings]\n", "no table named 'trainings'"),
        ('presets = {"cnn2d.old" = {block = "se"}}\n', "edit the file by hand"),
        ('[presets."cnngru.mine"]\nblock = "se"\n', "a preset 'cnngru.mine' already exists"),
    ],
)
def test_a_file_that_cannot_take_it_is_left_as_it_is(tmp_path: Path, before: str, line: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(before)
    with pytest.raises((SettingsError, UsageError), match=line) as error:
        save_preset(path, "cnngru.mine", PRESET)
    assert "\n" not in str(error.value)
    assert path.read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["registry.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "registry.toml"
    real.write_text("# real\n")
    link.symlink_to(real)
    save_preset(link, "cnngru.mine", PRESET)
    assert link.is_symlink()
    assert real.read_text().startswith("# real\n\n[presets")


def test_the_shipped_file_is_not_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shipped_path().parent)
    with pytest.raises(UsageError, match="ships with the zoo"):
        target_file(Settings.load())


def test_the_file_that_was_named_is_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.toml"
    other.touch()
    assert target_file(Settings.load(other)) == other
    monkeypatch.setenv("ZOO_CONFIG", str(other))
    assert target_file(Settings.load()) == other


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("mine", "a preset of cnngru, such as cnngru.mine"),
        ("cnn2d.mine", "a preset of cnngru"),
        ("cnngru.", "a preset of cnngru"),
        ("cnngru.My Own", "a preset of cnngru"),
        ('cnngru."x', "a preset of cnngru"),
        ("cnngru.study", "a preset 'cnngru.study' already exists"),
        ("cnngru.old", "a preset 'cnngru.old' already exists"),
    ],
)
def test_the_name_is_a_free_one_of_the_studys_architecture(
    tmp_path: Path, registry: Registry, name: str, line: str
) -> None:
    (tmp_path / "registry.toml").write_text('[presets."cnngru.old"]\nblock = "se"\n')
    with pytest.raises(UsageError, match=line):
        check_free(Workspace(registry, Settings.load()), "cnngru.table", name)
    check_free(Workspace(registry, Settings.load()), "cnngru.table", "cnngru.mine")


def test_a_preset_holds_what_was_fixed_and_what_was_found(registry: Registry) -> None:
    preset = preset_for(
        registry,
        {"hidden": 16, "block": "se", "data": "smote", "training.learning_rate": 0.002},
        epochs=4,
        loss="focal",
        assignments={"gru_hidden": 32, "block.reduction": 4, "training.patience": 0},
    )
    assert preset == {
        "summary": "study cnngru-optuna-0, 1 trial, validation macro recall 0.500",
        "params": {"gru_hidden": 32, "hidden": 16},
        "block": "se",
        "block_params": {"reduction": 4},
        "data": "smote",
        "loss": "focal",
        "training": {"epochs": 4, "patience": 0, "learning_rate": 0.002},
    }


def test_it_lies_over_the_preset_the_study_began_with(registry: Registry) -> None:
    preset = preset_for(registry, {"num_blocks": 2}, architecture="cnngru.study")
    assert preset["params"] == {"hidden": 64, "num_blocks": 2, "gru_hidden": 256, "num_layers": 2, "dropout": 0.4}
    trained = {"batch_size": 32, "factor": 0.2, "epochs": 30, "epoch": "resampled", "patience": 0}
    trained |= {"keep": "best", "scheduler": "plateau"}
    assert preset["training"] == {**trained, "min_steps": 0}


def test_what_epochs_were_chosen_by_is_kept(registry: Registry) -> None:
    assert preset_for(registry, {"hidden": 16})["training"] == EXACT  # as everywhere
    assert preset_for(registry, {"hidden": 16}, metric="accuracy")["training"] == {**EXACT, "monitor": "accuracy"}
    Path("registry.toml").write_text("[presets.'cnngru.mine']\ntraining = { monitor = 'accuracy' }\n")
    assert preset_for(registry, {}, architecture="cnngru.mine")["training"] == {**EXACT, "monitor": "macro_recall"}
    searched = preset_for(registry, {"training.monitor": "accuracy"}, metric="validation_loss")
    assert searched["training"] == {**EXACT, "monitor": "accuracy"}


def test_what_says_nothing_to_the_block_that_won_is_left_out(registry: Registry, tmp_path: Path) -> None:
    preset = preset_for(registry, {"block": "resnet", "block.reduction": 4})
    assert "block_params" not in preset
    save_preset(tmp_path / "registry.toml", "cnngru.mine", preset)
    network = Network.resolve(registry, "cnngru.mine", presets=Settings.load().presets)
    assert network.block == "resnet"


def test_parameters_of_the_resampler_and_the_loss_come_back_as_they_were(registry: Registry, tmp_path: Path) -> None:
    request = tune_request(architecture="cnngru", loss="focal", assignments={"loss.gamma": 1.5, "hidden": 8})
    config: dict[str, Value] = {"data": "smote", "data.k_neighbors": 3, "block": "se", "block.reduction": 4}
    study = replace(study_of(()), request=request.to_json())
    preset = preset_of(Workspace(registry, Settings.load()), study, Trial(number=1, config=config), None)
    assert (preset["data_params"], preset["loss_params"]) == ({"k_neighbors": 3}, {"gamma": 1.5})
    tuned = cell_of(Workspace(registry, Settings.load()), request, config)
    save_preset(tmp_path / "registry.toml", "cnngru.mine", preset)
    (cell,) = make_plan(Workspace(registry, Settings.load()), Request(architectures=("cnngru.mine",))).cells
    assert cell.config() == tuned.config()

    further = tune_request(architecture="cnngru.mine").to_json()
    for found, kept in ((None, {"k_neighbors": 3}), ("smote", {"k_neighbors": 3}), ("oversampled", None)):
        trial = Trial(number=1, config={"data": found} if found else {})
        again = preset_of(Workspace(registry, Settings.load()), replace(study, request=further), trial, None)
        assert again.get("data_params") == kept
        assert again["loss_params"] == {"gamma": 1.5}


def ran(**more: Any) -> Run:
    usual = {"architecture": "cnngru", "dataset": "d", "protocol": "p", "data": "original", "loss": "", "seed": 0}
    return Run(id="1a2b3c4d", key="", **{**usual, **more})


def of_winner(registry: Registry, config: dict[str, Any], run: Run | None, **request: Any) -> dict[str, Any]:
    study = study_of((), **request)
    return preset_of(Workspace(registry, Settings.load()), study, Trial(number=1, config=config), run)


def test_what_came_from_defaults_is_written_down_so_that_other_defaults_change_nothing(registry: Registry) -> None:
    run = ran(block="se", data="smote", loss="focal")
    preset = of_winner(registry, {"hidden": 16}, run)
    assert (preset["block"], preset["data"], preset["loss"]) == ("se", "smote", "focal")
    assert preset["summary"] == "study cnngru-optuna-0, 0 trials", "a trial without a value has none to say"
    fitted = of_winner(registry, {}, ran(architecture="minirocket"), architecture="minirocket")
    assert (fitted["data"], "loss" in fitted, "loss_params" in fitted) == ("original", False, False)
    unknown = of_winner(registry, {}, None)
    assert (unknown["data"], unknown["loss"], "block" in unknown) == ("original", "cross-entropy", False)


def test_what_the_study_found_or_was_given_comes_before_what_its_run_had(registry: Registry) -> None:
    run = ran(block="resnet", data="smote", loss="focal")
    config = {"block": "se", "data": "oversampled", "loss": "weighted"}
    assert {**of_winner(registry, config, run), "summary": ""} == {**config, "summary": "", "training": EXACT}
    given = of_winner(registry, {}, run, block="eca", data="undersampled", loss="class-balanced")
    assert (given["block"], given["data"], given["loss"]) == ("eca", "undersampled", "class-balanced")


def test_the_preset_a_study_began_with_gives_what_was_not_searched(registry: Registry) -> None:
    base = (
        "[presets.'cnngru.base']\nblock = 'se'\nblock_params = { reduction = 2 }\n"
        "data = 'smote'\ndata_params = { k_neighbors = 3 }\nloss = 'focal'\nloss_params = { gamma = 1.5 }\n"
    )
    Path("registry.toml").write_text(base)
    kept = of_winner(registry, {"hidden": 8}, None, architecture="cnngru.base")
    assert {**kept, "summary": ""} == {
        "summary": "",
        "params": {"hidden": 8},
        "block": "se",
        "block_params": {"reduction": 2},
        "data": "smote",
        "data_params": {"k_neighbors": 3},
        "loss": "focal",
        "loss_params": {"gamma": 1.5},
        "training": EXACT,
    }
    changed = of_winner(
        registry, {"data.k_neighbors": 4, "block": "eca", "loss.gamma": 2.0}, None, architecture="cnngru.base"
    )
    assert (changed["data_params"], changed["loss_params"]) == ({"k_neighbors": 4}, {"gamma": 2.0})
    assert "block_params" not in changed
    Path("registry.toml").write_text("[defaults]\ndata = 'adasyn'\n" + base)
    of_user = of_winner(registry, {}, None, architecture="cnngru.base")  # whose defaults lie over any preset
    assert (of_user["data"], "data_params" in of_user, of_user["loss"]) == ("adasyn", False, "focal")


@pytest.mark.parametrize(
    ("given", "config"),
    [
        ({}, {"hidden": 8, "block": "se", "block.reduction": 2, "training.learning_rate": 0.0012345678901234567}),
        ({"epochs": 4, "metric": "accuracy"}, {"data": "oversampled", "loss": "focal", "loss.gamma": 1.25}),
        ({"architecture": "cnngru.study"}, {"num_blocks": 2, "dropout": 0.1}),
        ({"architecture": "minirocket", "assignments": {"training.batch_size": 16}}, {}),
    ],
)
def test_a_saved_preset_makes_the_very_cell_of_its_trial(
    registry: Registry, tmp_path: Path, given: dict[str, Any], config: dict[str, Any]
) -> None:
    request = tune_request(**given)
    tuned = cell_of(Workspace(registry, Settings.load()), request, config)
    study = replace(study_of(()), request=request.to_json())
    preset = preset_of(Workspace(registry, Settings.load()), study, Trial(number=1, config=config, value=0.5), None)
    name = f"{request.architecture.partition('.')[0]}.mine"
    save_preset(tmp_path / "registry.toml", name, preset)
    asked = Request(architectures=(name,), threads=1)
    (cell,) = make_plan(Workspace(registry, Settings.load()), asked).cells
    assert cell.config() == tuned.config()
