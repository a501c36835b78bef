from pathlib import Path

import pytest

from zoo.errors import SettingsError, UnknownName, UsageError
from zoo.settings import Settings, shipped_path
from zoo.shipped import shipped_references
from zoo.workspace import Workspace


def test_precedence_flag_variable_user_preset_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Settings.load().training({}, {})
    assert Settings.load().training({}, {"epochs": 30}).epochs == 30
    Path("registry.toml").write_text("[training]\nepochs = 7\n")
    assert Settings.load().training({}, {"epochs": 30}).epochs == 7
    monkeypatch.setenv("ZOO_EPOCHS", "8")
    assert Settings.load().training({}, {"epochs": 30}).epochs == 8
    assert Settings.load().training({"epochs": 9}, {"epochs": 30}).epochs == 9
    assert Settings.load().training({}, {}).batch_size == shipped.batch_size


def test_the_file_named_goes_before_the_one_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("registry.toml").write_text("[defaults]\ndata = 'smote'\n")
    Path("other.toml").write_text("[defaults]\ndata = 'undersampled'\n")
    assert Settings.load().default("defaults", "data") == "smote"
    assert Settings.load(Path("other.toml")).default("defaults", "data") == "undersampled"
    monkeypatch.setenv("ZOO_CONFIG", "other.toml")
    assert Settings.load().default("defaults", "data") == "undersampled"


def test_the_old_variable_of_the_file_works_and_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text("[defaults]\ndata = 'undersampled'\n")
    monkeypatch.setenv("ZOO_REGISTRY", "other.toml")
    with pytest.warns(DeprecationWarning, match=r"^ZOO_REGISTRY is now ZOO_CONFIG; release 0\.3 removes the old name$"):
        assert Settings.load().default("defaults", "data") == "undersampled"
    monkeypatch.setenv("ZOO_CONFIG", "another.toml")
    with pytest.raises(UsageError, match=r"ZOO_CONFIG is 'another\.toml' and ZOO_REGISTRY is 'other\.toml'"):
        Settings.load()


def test_where_data_lies_is_not_the_resampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_DATA", "/beats")
    monkeypatch.setenv("ZOO_RESAMPLER", "smote")
    settings = Settings.load()
    assert settings.default("defaults", "data") == "smote"
    assert settings.data_dir("mitbih", None) == Path("/beats")
    assert settings.data_dir("mitbih", Path("/flag")) == Path("/flag")


def test_a_data_sets_folder_can_stand_in_the_file() -> None:
    Path("registry.toml").write_text("[datasets.mitbih]\ndir = '/somewhere'\n")
    assert Settings.load().data_dir("mitbih", None) == Path("/somewhere")
    assert Settings.load().data_dir("other", None) is None


def test_disabled_plugins_come_from_variable_and_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("registry.toml").write_text("[plugins]\ndisabled = ['one']\n")
    monkeypatch.setenv("ZOO_DISABLE_PLUGINS", "two, three")
    assert set(Settings.load().disabled) == {"one", "two", "three"}


REFERENCE = "[[reference]]\narchitecture = 'x'\ndataset = 'y'\nstatus = 'reported'\nsource = 'z'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[training]\nepochs = \n", r"registry.toml:2: invalid value"),
        ("[training]\n\nepoch = 3\n", "registry.toml:3: training.epoch must be one of original, resampled, not 3"),
        ("[training]\n\nepoc = 3\n", r"registry.toml:3: no key in \[training\] named 'epoc'. Did you mean epoch"),
        ("[training]\nepochs = 'many'\n", r"registry.toml:2: training.epochs must be a whole number, not 'many'"),
        ("[training]\nepochs = true\n", r"registry.toml:2: training.epochs must be a whole number, not True"),
        ("[trainig]\nepochs = 3\n", r"registry.toml:1: no table named 'trainig'. Did you mean training\?"),
        ("training = 3\n", r"registry.toml:1: training must be a table, not 3"),
        ("[presets.mine]\nparams = {}\n", r"registry.toml:1: a preset's name must be ARCHITECTURE.NAME"),
        ("[[reference]]\narchitecture = 'x'\n", r"registry.toml:1: a \[\[reference\]\] lacks dataset"),
        ("x = [1\n", r"^registry\.toml, at its end: unclosed array$"),
        (
            "[known.zoo-x]\nprovides = ['net']\n",
            r":1: known.zoo-x: each entry of provides must be a kind and a name, .*'net'",
        ),
        (
            "[known.zoo-x]\nprovide = []\n",
            r"registry.toml:2: no key in \[known.zoo-x\] named 'provide'",
        ),
        ("[training]\nclip = nan\n", r"registry.toml:2: training.clip must be a finite number, not nan"),
        ("[presets.'cnngru.']\n", r"a preset's name must be ARCHITECTURE.NAME"),
        ("[presets.'cnngru.x']\ntraining = { epoch = 3 }\n", "not 3; training.epochs is the number of epochs"),
        ("[presets.'cnngru.x']\ntraining = { epoc = 3 }\n", r"named 'epoc'. Did you mean epoch"),
        (
            "[presets.'cnngru.x']\ndata_params = { k_neighbors = 3 }\n",
            r"registry.toml:1: preset cnngru.x: data_params without data",
        ),
        (REFERENCE + "scores = { macro_recall = 'high' }\n", "reference scores.macro_recall must be a finite number"),
        (REFERENCE + "scores = { macro_recal = 0.5 }\n", "no score named 'macro_recal'. Did you mean macro_recall"),
    ],
)
def test_a_broken_file_is_one_line_with_file_line_and_what_is_wrong(text: str, message: str) -> None:
    Path("registry.toml").write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        Settings.load()
    assert "\n" not in str(caught.value)


def test_a_missing_named_file_and_a_binary_one_are_one_line() -> None:
    with pytest.raises(SettingsError, match=r"nowhere.toml: cannot be read: No such file"):
        Settings.load(Path("nowhere.toml"))
    Path("registry.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        Settings.load()


def test_known_distributions_are_read() -> None:
    Path("registry.toml").write_text("[known.zoo-pulse]\nprovides = ['architecture pulse', 'block gate']\n")
    assert Settings.load().known == {("architecture", "pulse"): "zoo-pulse", ("block", "gate"): "zoo-pulse"}


def test_presets_of_the_user_are_read() -> None:
    Path("registry.toml").write_text("[presets.'cnngru.mine']\nparams = { hidden = 8 }\ntraining = { epochs = 2 }\n")
    preset = Settings.load().presets["cnngru.mine"]
    assert (preset.params, preset.training) == ({"hidden": 8}, {"epochs": 2})


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"epochs": 0}, "training.epochs must be at least 1"),
        ({"optimiser": "sgd"}, "training.optimiser must be one of adam, adamw, not 'sgd'"),
        ({"keep": "last"}, "training.keep must be one of one-standard-error, best, not 'last'"),
        (
            {"monitor": "recall"},
            "training.monitor must be one of macro_recall, macro_f1, accuracy, validation_loss, balanced_loss, not",
        ),
        ({"validation": 0.6}, "training.validation must be above 0 and at most 0.5, not 0.6; 0 is for architectures"),
        ({"validation": -0.1}, "training.validation must be above 0 and at most 0.5, not -0.1"),
        ({"factor": 1.0}, "training.factor must be between 0 and 1"),
        ({"learning_rate": -1.0}, "training.learning_rate must be above 0"),
        ({"clip": -1.0}, "training.clip must be at least 0"),
        ({"label_smoothing": 1.0}, "training.label_smoothing must be at least 0 and below 1, not 1.0"),
        ({"label_smoothing": -0.1}, "training.label_smoothing must be at least 0 and below 1, not -0.1"),
        ({"epochs": "ten"}, "training.epochs must be a whole number, not 'ten'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(flags: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Settings.load().training(flags, {})


@pytest.mark.parametrize("text", ["abc", "nan", "inf"])
def test_a_variable_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ZOO_CLIP", text)
    with pytest.raises(UsageError, match=f"ZOO_CLIP must be a finite number, not '{text}'"):
        Settings.load().training({}, {})


def test_a_misspelled_training_setting_is_answered() -> None:
    with pytest.raises(UnknownName, match="Did you mean batch_size"):
        Settings.load().training({"batchsize": 3}, {})


def test_the_shipped_file_is_found_and_complete() -> None:
    assert shipped_path().is_file()
    workspace = Workspace.load()
    references = [*shipped_references(workspace.registry).references, *workspace.settings.references]
    assert {reference.status for reference in references} >= {"reported"}
