"""What was asked becomes cells; the key says what was asked and nothing else."""

import re
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import zoo
import zoo_blocks
import zoo_fcn
import zoo_heartbeats
import zoo_imbalance
from zoo import Architecture, Block, Dataset, Objective, Preset, Resampler, hookimpl
from zoo.assignments import split_assignments
from zoo.errors import UnknownName, UsageError
from zoo.harness.cells import Cell
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.harness.seeds import axis_seeds
from zoo.records import SplitSummary
from zoo.registry import Registry, Source, source_of
from zoo.settings import Settings, Training
from zoo.sources import source_hash
from zoo.workspace import Workspace

PARTS = SplitSummary.of(
    {
        "fingerprints": {"train": "a", "validation": "b", "test": "c", "pool": "d"},
        "classes": ["x", "y"],
        "by_group": False,
    }
)


def plan(registry: Registry, *architectures: str, **more) -> list[Cell]:
    request = Request(architectures=architectures or ("cnngru",), **more)
    return list(make_plan(Workspace(registry, Settings.load()), request).cells)


def test_several_values_of_an_axis_make_the_grid(registry: Registry) -> None:
    cells = plan(
        registry,
        "cnn2d",
        "cnngru",
        blocks=("none", "se"),
        data=("original", "smote"),
        seeds=(0, 1),
        losses=("weighted",),
    )
    found = {(c.network.entry.name, c.network.block, c.resampler.entry.name, c.seed) for c in cells}
    assert len(cells) == len(found) == 2 * 2 * 2 * 2
    assert {cell.objective.entry.name for cell in cells} == {"weighted"}


def test_cells_that_share_data_are_neighbours(registry: Registry) -> None:
    cells = plan(registry, "cnn2d", "cnngru", data=("original", "smote"), seeds=(0, 1))
    order = [(cell.seed, cell.resampler.entry.name) for cell in cells]
    assert order == sorted(order)


def test_patterns_name_every_match(registry: Registry) -> None:
    names = [cell.network.entry.name for cell in plan(registry, "cnn*")]
    assert names == [entry.name for entry in registry.match("architecture", "cnn*")]


def test_patterns_name_presets_the_users_too(registry: Registry) -> None:
    Path("registry.toml").write_text("[presets.'cnngru.study-of-mine']\n[presets.'fcn.study']\n")

    def references(pattern: str) -> list[str]:
        return [cell.network.reference for cell in plan(registry, pattern)]

    assert references("cnn[2g]*.study") == ["cnn2d.study", "cnngru.study"]
    assert references("cnngru.study*") == ["cnngru.study", "cnngru.study-of-mine"]
    assert references("f?n.*") == ["fcn.paper", "fcn.study"]
    with pytest.raises(UnknownName, match=r"^no preset matches 'cnngru\.x\*'\. `zoo show NAME` lists"):
        references("cnngru.x*")


def test_what_cannot_be_is_said_once_for_all_seeds_and_resamplers(registry: Registry) -> None:
    asked = Request(
        architectures=("minirocket", "cnngru.study"),
        blocks=("none", "se"),
        data=("original", "oversampled"),
        losses=("focal",),
        seeds=(0, 1),
    )
    found = make_plan(Workspace(registry, Settings.load()), asked)
    assert found.left_out == (
        "minirocket with block se: minirocket has no slot for a block",
        "minirocket with loss focal: its fit() takes no loss",
    )
    assert [cell.network.reference for cell in found.cells] == ["cnngru.study"] * 8


@pytest.mark.parametrize(
    ("treatments", "grids"),
    [
        (("original", "smote"), [("original", None), ("smote", None)]),
        # treatments with equal rows are neighbours, and equal ones are one
        (
            ("original", "smote", "original/weighted", "smote", "imbalance:smote"),
            [("original", None), ("original", "weighted"), ("smote", None)],
        ),
        (
            ("balanced-batches/logit-adjusted", "imbalance:original/imbalance:focal"),
            [("balanced-batches", "logit-adjusted"), ("original", "focal")],
        ),
    ],
)
def test_treatments_are_the_cells_of_their_resampler_and_loss(
    registry: Registry, treatments: tuple[str, ...], grids: list[tuple[str, str | None]]
) -> None:
    Path("registry.toml").write_text("[presets.'cnngru.mine']\nloss = 'focal'\nloss_params = {gamma = 1.0}\n")
    for name in ("cnngru", "cnngru.mine"):
        expected = [
            cell.config()
            for data, loss in grids
            for cell in plan(registry, name, data=(data,), losses=() if loss is None else (loss,))
        ]
        assert [cell.config() for cell in plan(registry, name, treatments=treatments)] == expected


def test_a_treatment_that_names_the_default_loss_is_not_run_twice(registry: Registry) -> None:
    Path("registry.toml").write_text("[presets.'cnngru.mine']\nloss = 'focal'\n")
    names = ("original", "original/cross-entropy", "original/focal")
    asked = Request(architectures=("cnngru", "cnngru.mine"), treatments=names)
    found = make_plan(Workspace(registry, Settings.load()), asked)
    assert [cell.objective.entry.name for cell in found.cells if cell.objective] == [
        *("cross-entropy", "focal"),
        *("focal", "cross-entropy"),
    ]
    assert found.notes == (
        "cnngru: original/cross-entropy is the same treatment as original",
        "cnngru.mine: original/focal is the same treatment as original",
    )


def test_a_fitted_network_takes_the_treatments_without_a_loss(registry: Registry) -> None:
    asked = Request(architectures=("minirocket",), treatments=("original/weighted", "smote", "smote/focal"))
    found = make_plan(Workspace(registry, Settings.load()), asked)
    assert [cell.resampler.entry.name for cell in found.cells] == ["smote"]
    assert found.left_out == (
        "minirocket with loss weighted: its fit() takes no loss",
        "minirocket with loss focal: its fit() takes no loss",
    )


@pytest.mark.parametrize("axis", [{"data": ("smote",)}, {"losses": ("focal",)}])
def test_treatments_replace_resamplers_and_losses(axis: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UsageError, match=r"^--treatment names the resamplers and the losses: leave out --data and"):
        Request(architectures=("cnngru",), treatments=("original",), **axis)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("treatment", "error", "message"),
    [
        ("original/", UsageError, "'original/' must be RESAMPLER or RESAMPLER/OBJECTIVE"),
        ("/weighted", UsageError, "'/weighted' must be RESAMPLER or"),
        ("/", UsageError, "'/' must be RESAMPLER or"),
        ("", UsageError, "'' must be RESAMPLER or"),
        ("smot", UnknownName, "no resampler named 'smot'. Did you mean smote"),
        ("smot/weighted", UnknownName, "no resampler named 'smot'. Did you mean smote"),
        ("smote/wieghted", UnknownName, "no objective named 'wieghted'. Did you mean weighted?"),
        ("smote/focal/weighted", UnknownName, "no objective named 'focal/weighted'."),
    ],
)
def test_a_treatment_of_another_form_is_one_line(
    registry: Registry, treatment: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        plan(registry, treatments=(treatment,))


def test_a_preset_brings_parameters_and_training_and_flags_go_before_it(registry: Registry) -> None:
    (cell,) = plan(registry, "cnngru.study")
    assert (cell.network.params["gru_hidden"], cell.training.batch_size, cell.training.epochs) == (256, 32, 30)
    (cell,) = plan(registry, "cnngru.study", epochs=2, assignments={"gru_hidden": 8, "training.batch_size": 4})
    assert (cell.network.params["gru_hidden"], cell.training.batch_size, cell.training.epochs) == (8, 4, 2)


def test_a_presets_resampler_stands_between_the_flag_and_the_shipped_default(registry: Registry) -> None:
    Path("registry.toml").write_text("[presets.'cnngru.mine']\ndata = 'smote'\n")
    assert plan(registry, "cnngru.mine")[0].resampler.entry.name == "smote"
    assert plan(registry, "cnngru.mine", data=("undersampled",))[0].resampler.entry.name == "undersampled"
    assert plan(registry, "cnngru")[0].resampler.entry.name == "original"


@pytest.mark.parametrize(
    ("scope", "variable", "names"),
    [
        ("data", "ZOO_RESAMPLER", ("original", "smote", "oversampled", "undersampled", "adasyn")),
        ("loss", "ZOO_LOSS", ("cross-entropy", "focal", "weighted", "class-balanced", "logit-adjusted")),
        ("training.batch_size", "ZOO_BATCH_SIZE", (128, 7, 8, 9, 10)),
        ("training.optimiser", "ZOO_OPTIMISER", ("adam", "adamw", "adam", "adamw", "adam")),
    ],
)
def test_a_flag_goes_before_a_variable_the_users_file_a_preset_and_the_shipped_file(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, scope: str, variable: str, names: tuple[Any, ...]
) -> None:
    shipped, preset, user, environment, flag = names
    table, _, key = scope.rpartition(".")

    def chosen(reference: str = "cnngru.mine", **more: Any) -> Any:
        (cell,) = plan(registry, reference, **more)
        parts = {"data": cell.resampler.entry.name, "loss": cell.objective.entry.name}
        return getattr(cell.training, key) if table else parts[scope]

    own = f"training = {{ {key} = {preset!r} }}" if table else f"{scope} = {preset!r}"
    presets = f"[presets.'cnngru.mine']\n{own}\n"
    Path("registry.toml").write_text(presets)
    assert (chosen("cnngru"), chosen()) == (shipped, preset)
    Path("registry.toml").write_text(f"[{table or 'defaults'}]\n{key} = {user!r}\n{presets}")
    assert (chosen("cnngru"), chosen()) == (user, user)
    monkeypatch.setenv(variable, str(environment))
    assert (chosen("cnngru"), chosen()) == (environment, environment)
    flags = {"data": {"data": (flag,)}, "loss": {"losses": (flag,)}}.get(scope, {"assignments": {scope: flag}})
    assert chosen(**flags) == flag


def test_the_learning_rate_of_an_architecture_stands_below_that_of_its_presets(registry: Registry) -> None:
    def rates() -> list[float]:
        return [cell.training.learning_rate for cell in plan(registry, "fcn", "fcn.mine", "fcn.paper", "cnn1d")]

    Path("registry.toml").write_text("[presets.'fcn.mine']\nparams = { filters = 8 }\n")
    assert rates() == [1e-2, 1e-2, 1e-3, 1e-3]
    Path("registry.toml").write_text("[presets.'fcn.mine']\ntraining = { learning_rate = 0.5 }\n")
    assert rates() == [1e-2, 0.5, 1e-3, 1e-3]
    with Path("registry.toml").open("a") as file:
        file.write("[training]\nlearning_rate = 0.25\n")
    assert rates() == [0.25] * 4
    (cell,) = plan(registry, "fcn", assignments={"training.learning_rate": 0.125})
    assert cell.training.learning_rate == 0.125


@pytest.mark.parametrize("rate", [0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_of_a_spec_is_above_0(rate: float) -> None:
    with pytest.raises(ValueError, match=r"^architecture 'a': learning_rate \S+ is not above 0$"):
        Architecture(name="a", factory="a:A", summary="A.", learning_rate=rate)


def test_a_data_set_and_a_protocol_come_from_flag_variable_and_file(registry: Registry, monkeypatch) -> None:
    def chosen(**more: Any) -> tuple[str, str]:
        (cell,) = plan(registry, **more)
        return cell.dataset, cell.protocol

    assert chosen() == ("heartbeats", "")
    Path("registry.toml").write_text("[defaults]\ndataset = 'waves.csv'\nprotocol = 'holdout'\n")
    assert chosen() == ("waves.csv", "holdout")
    monkeypatch.setenv("ZOO_DATASET", "mitbih")
    monkeypatch.setenv("ZOO_PROTOCOL", "official")
    assert chosen() == ("mitbih", "official")
    assert chosen(datasets=("heartbeats",), protocols=("inter-patient",)) == ("heartbeats", "inter-patient")
    monkeypatch.setenv("ZOO_PROTOCOL", "ofical")
    with pytest.raises(UnknownName, match=r"^no protocol named 'ofical'\. Did you mean official\?"):
        chosen()


def test_epochs_go_before_settings_and_what_a_study_monitors_before_a_preset_alone(registry: Registry) -> None:
    def training(**more: Any) -> tuple[int, str]:
        (cell,) = plan(registry, "cnngru.mine", **more)
        return cell.training.epochs, cell.training.monitor

    preset = "[presets.'cnngru.mine']\ntraining = { epochs = 3, monitor = 'accuracy' }\n"
    Path("registry.toml").write_text(preset)
    assert training() == (3, "accuracy")
    assert training(epochs=5, assignments={"training.epochs": 4}, monitor="validation_loss") == (5, "validation_loss")
    assert training(assignments={"training.epochs": 4}) == (4, "accuracy")
    set_by_user = {"training.monitor": "macro_recall"}
    assert training(assignments=set_by_user, monitor="validation_loss") == (3, "macro_recall")
    Path("registry.toml").write_text(f"[training]\nmonitor = 'macro_recall'\n{preset}")
    assert training(monitor="validation_loss") == (3, "macro_recall")


def rivals() -> Registry:
    """The zoo's own, and another distribution's that has taken two of its names and has an architecture too."""

    class Rival:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            taken = [
                Objective(name=name, factory="zoo_imbalance.objectives:weighted", summary="Another.")
                for name in ("cross-entropy", "focal")
            ]
            preset = {"own": Preset(loss="focal")}
            pulse = Architecture(name="pulse", factory="zoo_fcn.fcn:FCN", summary="A net.", presets=preset)
            factory = "zoo_heartbeats.dataset:heartbeats"
            return [pulse, *taken, Dataset(name="heartbeats", factory=factory, summary="Others.")]

    own = {"imbalance": zoo_imbalance, "heartbeats": zoo_heartbeats, "fcn": zoo_fcn, "blocks": zoo_blocks}
    ours = [Source(name, module.__name__, lambda module=module: module, "zoo-registry") for name, module in own.items()]
    return Registry.load([*ours, Source("rival", __name__, Rival, "zoo-rival")])


def test_a_shipped_default_is_the_zoos_own_and_a_presets_name_its_distributions() -> None:
    Path("registry.toml").write_text("[presets.'fcn.mine']\nloss = 'focal'\n")
    for reference, loss in (
        ("fcn", "imbalance:cross-entropy"),
        ("fcn.mine", "imbalance:focal"),
        ("pulse", "imbalance:cross-entropy"),
        ("pulse.own", "rival:focal"),
    ):
        (cell,) = plan(rivals(), reference)
        assert (cell.dataset, cell.objective.entry.name) == ("heartbeats:heartbeats", loss)
    ambiguous = "'focal' is provided by more than one plugin"
    for architecture in ("fcn", "pulse"):
        with pytest.raises(UnknownName, match=f"{ambiguous}: use imbalance:focal or rival:focal"):
            plan(rivals(), architecture, losses=("focal",))
    Path("registry.toml").write_text("[defaults]\nloss = 'focal'\n")
    for architecture in ("fcn", "pulse"):
        with pytest.raises(UnknownName, match=ambiguous):
            plan(rivals(), architecture)


MINE = """[presets.'cnngru.mine']
data = 'smote'
data_params = { k_neighbors = 3 }
loss = 'focal'
loss_params = { gamma = 1.5 }
"""


def test_a_presets_parameters_are_those_of_its_own_resampler_and_loss(registry: Registry, monkeypatch) -> None:
    def parts(**more) -> list[dict]:
        cells = plan(registry, "cnngru.mine", **more)
        return [{**cell.resampler.params, **cell.objective.params} for cell in cells]

    Path("registry.toml").write_text(MINE)
    assert parts() == parts(data=("smote",), losses=("focal",)) == [{"k_neighbors": 3, "gamma": 1.5, "alpha": "none"}]
    assert parts(assignments={"data.k_neighbors": 7})[0]["k_neighbors"] == 7
    assert parts(data=("smote", "oversampled"), losses=("weighted",)) == [{"k_neighbors": 3}, {}]
    monkeypatch.setenv("ZOO_RESAMPLER", "oversampled")
    Path("registry.toml").write_text(f"[defaults]\nloss = 'weighted'\n{MINE}")
    assert parts() == [{}]


def test_a_presets_parameter_that_its_resampler_does_not_have_is_one_line(registry: Registry) -> None:
    Path("registry.toml").write_text("[presets.'cnngru.mine']\ndata = 'smote'\ndata_params = { neighbours = 3 }\n")
    with pytest.raises(UnknownName, match=r"no parameter of smote named 'neighbours'\. Did you mean k_neighbors"):
        plan(registry, "cnngru.mine")


def test_assignments_go_to_their_scope(registry: Registry) -> None:
    given = {"a": 1, "block.se.reduction": 2, "data.k": 3, "loss.gamma": 4, "dataset.header": True, "training.clip": 5}
    assert split_assignments(given) == {
        "": {"a": 1},
        "block": {"se.reduction": 2},
        "data": {"k": 3},
        "loss": {"gamma": 4},
        "dataset": {"header": True},
        "training": {"clip": 5},
    }
    (cell,) = plan(registry, data=("smote",), assignments={"data.k_neighbors": 3})
    assert cell.resampler.params == {"k_neighbors": 3}
    with pytest.raises(UnknownName, match="no scope of --set named 'blok'"):
        plan(registry, assignments={"blok.x": 1})
    with pytest.raises(UnknownName, match=r"no parameter of cnngru named 'batch_size'.*training.batch_size"):
        plan(registry, assignments={"batch_size": 1})


ASKED: dict[str, Any] = {
    "architectures": ("cnngru",),
    "blocks": ("se",),
    "data": ("smote",),
    "losses": ("focal",),
    "datasets": ("heartbeats",),
    "protocols": ("holdout",),
}
TRAINING = {
    "epochs": 7,
    "batch_size": 7,
    "optimiser": "adamw",
    "learning_rate": 0.5,
    "weight_decay": 0.5,
    "scheduler": "plateau",
    "factor": 0.5,
    "min_lr": 0.5,
    "epoch": "resampled",
    "scheduler_patience": 7,
    "monitor": "accuracy",
    "keep": "one-standard-error",
    "patience": 7,
    "clip": 0.5,
    "label_smoothing": 0.5,
    "precision": "fp32",
    "members": 7,
    "validation": 0.3,
}


def test_everything_asked_changes_key_and_configuration_and_the_seed_the_key_alone(registry: Registry) -> None:
    assert {*TRAINING, "min_steps"} == {item.name for item in fields(Training)}
    settings = {
        **{f"training.{name}": value for name, value in TRAINING.items()},
        **{"hidden": 8, "dropout": 0.5, "block.reduction": 8, "data.k_neighbors": 3},
        **{"loss.gamma": 3.0, "loss.alpha": "balanced"},
    }
    axes = {"architectures": "cnn2d", "blocks": "eca", "data": "adasyn", "losses": "weighted", "protocols": "official"}
    axes["scales"] = "standard"
    changes = [
        {},
        *({axis: (name,)} for axis, name in axes.items()),
        {"datasets": ("waves.csv",)},
        *({"assignments": {name: value}} for name, value in settings.items()),
    ]
    workspace = Workspace(registry, Settings.load())
    cells = [make_plan(workspace, Request(**{**ASKED, **change})).cells for change in changes]
    assert all(len(found) == 1 for found in cells)
    assert len({cell.key(PARTS) for (cell,) in cells}) == len(changes) == 32
    assert len({cell.configuration(PARTS) for (cell,) in cells}) == len(changes)
    (other_seed,) = make_plan(workspace, Request(**ASKED, seeds=(1,))).cells
    assert other_seed.key(PARTS) not in {cell.key(PARTS) for (cell,) in cells}
    assert other_seed.configuration(PARTS) == cells[0][0].configuration(PARTS)


def test_all_that_the_parts_are_changes_the_key(registry: Registry) -> None:
    (cell,) = plan(registry)
    prints = PARTS.fingerprints
    changed = [
        PARTS,
        *(replace(PARTS, fingerprints={**prints, name: "e"}) for name in prints),
        replace(PARTS, fingerprints={**prints, "groups": "e"}),
        replace(PARTS, classes=["x", "z"]),
        replace(PARTS, classes=["y", "x"]),
        replace(PARTS, by_group=True),
    ]
    assert len({cell.key(parts) for parts in changed}) == len(changed)
    assert cell.key(replace(PARTS, shared_rows={"train/test": 3})) == cell.key(PARTS)
    configurations = [cell.configuration(parts) for parts in changed]
    train, validation, test, pool, *_, renamed, turned = range(1, 8)
    same = {number for number, found in enumerate(configurations) if found == configurations[0]}
    assert {0, train, validation} <= same
    assert not {test, pool, renamed, turned} & same


def test_what_is_not_asked_changes_no_key(registry: Registry) -> None:
    (cell,) = plan(registry, assignments={"hidden": 8, "gru_hidden": 9, "training.clip": 2.0})
    turned = {"training.clip": 2.0, "gru_hidden": 9, "hidden": 8}
    elsewhere = {"data_dir": Path("elsewhere"), "device": "cpu", "threads": 3, "force": True}
    (same,) = plan(registry, assignments=turned, **elsewhere)
    named = replace(same, dataset_params={"target": "kind"})  # what these change, the fingerprints say
    assert same.key(PARTS) == named.key(PARTS) == cell.key(PARTS)
    assert same.configuration(PARTS) == named.configuration(PARTS) == cell.configuration(PARTS)


def test_a_name_with_its_plugin_is_the_same_component(registry: Registry) -> None:
    plain = {"blocks": ("se+cbam",), "data": ("smote",), "losses": ("focal",), "datasets": ("heartbeats",)}
    full = {
        "blocks": ("blocks:se+blocks:cbam",),
        "data": ("imbalance:smote",),
        "losses": ("imbalance:focal",),
        "datasets": ("heartbeats:heartbeats",),
    }
    (one,) = plan(registry, "cnngru", **plain)
    (two,) = plan(registry, "cnngru:cnngru", **full)
    assert (two.key(PARTS), two.config()) == (one.key(PARTS), one.config())
    both = {axis: (*plain[axis], *full[axis]) for axis in plain}
    assert len(plan(registry, "cnngru", "cnngru:cnngru", **both)) == 1


def test_a_later_plugin_with_the_same_names_changes_no_key(registry: Registry) -> None:
    class Later:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            summary = "Another one."
            return [
                Architecture(name="cnngru", factory="zoo_recurrent.gru:GRU", summary=summary),
                Block(name="se", factory="zoo_blocks.none:made", summary=summary),
                Resampler(name="smote", factory="zoo_imbalance.resamplers:smote", summary=summary),
                Objective(name="focal", factory="zoo_imbalance.losses:focal", summary=summary),
            ]

    asked: dict[str, Any] = {"blocks": ("se",), "data": ("smote",), "losses": ("focal",)}
    (before,) = plan(registry, **asked)
    sources = [Source(plugin.name, plugin.module, partial(import_module, plugin.module)) for plugin in registry.plugins]
    clashing = Registry.load([*sources, Source("later", __name__, Later)])
    asked = {"blocks": ("blocks:se",), "data": ("imbalance:smote",), "losses": ("imbalance:focal",)}
    (after,) = plan(clashing, "cnngru:cnngru", **asked)
    assert after.network.reference == "cnngru:cnngru"
    assert after.key(PARTS) == before.key(PARTS)
    assert after.configuration(PARTS) == before.configuration(PARTS)
    other = plan(clashing, "later:cnngru", **{**asked, "blocks": ()})[0]
    assert other.key(PARTS) != plan(clashing, "cnngru:cnngru", **{**asked, "blocks": ("none",)})[0].key(PARTS)


def test_the_name_of_a_file_is_in_no_key(registry: Registry) -> None:
    (cell,) = plan(registry)
    one, two = (replace(cell, dataset=name, dataset_key="") for name in ("one.csv", "two.npz"))
    assert one.key(PARTS) == two.key(PARTS) != cell.key(PARTS)
    assert one.configuration(PARTS) == two.configuration(PARTS) != cell.configuration(PARTS)


def test_a_cell_is_written_out_in_full(registry: Registry) -> None:
    (cell,) = plan(registry, blocks=("se",), data=("smote",), losses=("focal",), seeds=(3,), rows=50)
    config = replace(cell, dataset_params={"target": "kind", "group": None}).config()
    seeds, training = config.pop("seeds"), config.pop("training")
    assert set(seeds) == {"split", "resampling", "weights", "batches"}
    assert (training["epochs"], set(training)) == (6, {*TRAINING} - {"label_smoothing", "validation", "keep"})
    assert config.pop("params")["hidden"] == cell.network.params["hidden"]
    assert config == {
        "architecture": "cnngru",
        "block": "se",
        "dataset": "heartbeats",
        "protocol": "",
        "data": "smote",
        "loss": "focal",
        "seed": 3,
        "block_params": {"reduction": 16},
        "data_params": {"k_neighbors": 5},
        "loss_params": {"gamma": 2.0, "alpha": "none"},
        "dataset_params": {"target": "kind"},
        "rows": 50,
    }


def test_the_share_of_validation_rows_is_none_unless_somebody_sets_it(registry: Registry) -> None:
    assert [cell.validation for cell in plan(registry)] == [None]
    assert "validation" not in plan(registry)[0].config()["training"]
    (asked,) = plan(registry, assignments={"training.validation": 0.25})
    assert (asked.validation, asked.config()["training"]["validation"]) == (0.25, 0.25)


def test_only_what_can_choose_without_them_goes_without_validation_rows(registry: Registry) -> None:
    request = Request(architectures=("cnngru", "hydra"), assignments={"training.validation": 0})
    found = make_plan(Workspace(registry, Settings.load()), request)
    assert [cell.network.reference for cell in found.cells] == ["hydra"]
    assert found.left_out == ("cnngru with training.validation=0: it needs validation rows",)
    assert found.notes == ()


def test_a_fitted_network_has_no_loss_to_write_down(registry: Registry) -> None:
    config = plan(registry, "minirocket")[0].config()
    assert (config["loss"], config["loss_params"], config["block"]) == ("", {}, "")


def test_settings_that_do_not_reach_a_fitted_network_are_in_no_key_and_are_noted(registry: Registry) -> None:
    (cell,) = plan(registry, "minirocket")
    assert set(cell.config()["training"]) == {"batch_size", "members"}
    reach = ("batch_size", "members", "monitor", "validation")
    unused = {f"training.{name}": value for name, value in TRAINING.items() if name not in reach}
    unused["training.min_steps"] = 7
    (same,) = plan(registry, "minirocket", assignments={**unused, "loss.gamma": 3.0}, epochs=7)
    assert (same.key(PARTS), same.configuration(PARTS)) == (cell.key(PARTS), cell.configuration(PARTS))
    assert (cell.besides_loss(PARTS), cell.for_rows(10), cell.with_precision("bf16")) == ("", cell, cell)
    for name in reach:
        (other,) = plan(registry, "minirocket", assignments={f"training.{name}": TRAINING[name]})
        assert other.key(PARTS) != cell.key(PARTS)
        assert other.configuration(PARTS) != cell.configuration(PARTS)
    asked = {"assignments": {"training.learning_rate": 0.1, "training.members": 2}, "seeds": (0, 1)}
    workspace = Workspace(registry, Settings.load())
    assert make_plan(workspace, Request(architectures=("minirocket", "cnngru"), epochs=3, **asked)).notes == (
        "epochs, training.learning_rate have no effect on minirocket, a fitted network",
    )
    asked = {"assignments": {"training.clip": 0.1, "training.batch_size": 16}}
    assert make_plan(workspace, Request(architectures=("hydra",), **asked)).notes == (
        "training.clip has no effect on hydra, a fitted network",
    )
    assert make_plan(workspace, Request(architectures=("cnngru",), epochs=3, **asked)).notes == ()


NETWORK = """from torch import nn


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes, block, width=4, scale=None):
        super().__init__()
"""
FUNCTION = "def made(**given): ...\n"


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Four components, each in a module of its own that can be changed."""
    modules = {"network_of_mine": NETWORK, "slot_of_mine": FUNCTION, "rows_of_mine": FUNCTION, "loss_of_mine": FUNCTION}
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    class Plugin:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            summary = "Mine."
            return [
                Architecture(name="mine", factory="network_of_mine:Net", summary=summary, block_dims=1, block="mine"),
                Block(name="mine", factory="slot_of_mine:made", summary=summary),
                Resampler(name="mine", factory="rows_of_mine:made", summary=summary),
                Objective(name="mine", factory="loss_of_mine:made", summary=summary),
            ]

    source_hash.cache_clear()
    yield Registry.load([source_of("heartbeats", zoo_heartbeats), Source("mine", __name__, Plugin)])
    for name in modules:
        sys.modules.pop(name, None)
    source_hash.cache_clear()


def test_changed_code_of_any_part_is_another_key(mine: Registry, tmp_path: Path) -> None:
    (cell,) = plan(mine, "mine", data=("mine",), losses=("mine",))
    keys, codes = [cell.key(PARTS)], [cell.code()]
    for module in ("network_of_mine", "slot_of_mine", "rows_of_mine", "loss_of_mine"):
        path = tmp_path / f"{module}.py"
        path.write_text(path.read_text() + "# changed\n")
        assert cell.key(PARTS) == keys[-1], "code is read once in a process"
        source_hash.cache_clear()
        keys.append(cell.key(PARTS))
        codes.append(cell.code())
    assert (len(set(keys)), len(set(codes))) == (5, 5)
    configurations = {replace(cell, seed=seed).configuration(PARTS) for seed in (0, 1)}
    path.write_text(path.read_text() + "# and again\n")
    source_hash.cache_clear()
    assert len(configurations) == 1
    assert cell.configuration(PARTS) not in configurations


def test_changed_code_of_the_zoo_is_another_key(mine: Registry, tmp_path: Path, monkeypatch) -> None:
    (cell,) = plan(mine, "mine", data=("mine",), losses=("mine",))
    before = cell.key(PARTS)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "module.py").write_text("")
    places = [*zoo.__path__, str(tmp_path / "more")]  # as if the package had a file more
    monkeypatch.setattr(zoo.__spec__, "submodule_search_locations", places)
    source_hash.cache_clear()
    assert cell.key(PARTS) != before


def test_a_parameter_that_is_none_is_left_to_its_default(mine: Registry) -> None:
    (cell,) = plan(mine, "mine", data=("mine",), losses=("mine",))
    assert cell.network.params == {"width": 4, "scale": None}
    assert cell.config()["params"] == {"width": 4}


def test_a_configuration_is_what_was_asked_but_for_the_seed(registry: Registry) -> None:
    one, two = plan(registry, seeds=(0, 1))
    assert one.key(PARTS) != two.key(PARTS)
    other_seed = replace(PARTS, fingerprints={**PARTS.fingerprints, "train": "e", "validation": "f"})
    assert one.configuration(PARTS) == two.configuration(other_seed)
    other_data = replace(PARTS, fingerprints={**PARTS.fingerprints, "pool": "e"})
    assert one.configuration(PARTS) != one.configuration(other_data)
    assert one.configuration(PARTS) != replace(one, rows=100).configuration(PARTS)


def test_the_rule_that_keeps_an_epoch_is_in_the_configuration_but_for_that_of_earlier_runs(registry: Registry) -> None:
    (cell,), (late,) = plan(registry), plan(registry, assignments={"training.keep": "one-standard-error"})
    assert late.config()["training"]["keep"] == "one-standard-error"
    assert "keep" not in cell.config()["training"]
    assert cell.key(PARTS) != late.key(PARTS)


def test_few_validation_rows_keep_the_last_epoch_within_one_standard_error(registry: Registry) -> None:
    def rule(validation: int | None, reference: str = "fcn", **assignments: Any) -> str:
        given = {f"training.{name}": value for name, value in assignments.items()}
        (cell,) = plan(registry, reference, assignments=given)
        return cell.for_rows(100, validation).training.keep

    assert (rule(29), rule(30), rule(None)) == ("one-standard-error", "best", "best")
    assert rule(3, keep="best") == rule(3, scheduler="plateau") == rule(3, "fcn.paper") == "best", "somebody sets it"
    assert rule(5000, keep="one-standard-error") == "one-standard-error"


def test_the_number_of_rows_is_that_of_the_sets_that_a_run_has(registry: Registry) -> None:
    def adapted(train: int, validation: int, **more: Any) -> tuple[int, str]:
        asked = {name: more.pop(name) for name in ("rows",) if name in more}
        (cell,) = plan(registry, "fcn", **asked)
        rows = {"train": train, "validation": validation, "test": 500}
        training = cell.for_data(replace(PARTS, rows=rows, **more)).training
        return training.epochs, training.keep

    assert adapted(5000, 5000, published_validation=True) == (25, "best"), "1,000 steps of 128 rows"
    assert adapted(5000, 29, published_validation=True) == (25, "one-standard-error")
    assert adapted(5000, 5000) == (15, "best"), "the validation rows are drawn: all seeds plan for the same number"
    assert adapted(90, 10) == adapted(88, 12) == (167, "one-standard-error")
    assert adapted(90, 10, by_group=True) == (167, "best"), "another seed may have more of them"
    assert adapted(1000, 1000, published_validation=True, rows=1000) == (100, "best")


def test_settings_of_the_plateau_are_noted_where_the_scheduler_is_another(registry: Registry) -> None:
    def notes(*references: str, **training: Any) -> tuple[str, ...]:
        asked = {f"training.{name}": value for name, value in training.items()}
        return make_plan(
            Workspace(registry, Settings.load()), Request(architectures=references, assignments=asked)
        ).notes

    assert notes("cnngru", factor=0.5) == (
        "training.factor has no effect with the scheduler cosine, only with plateau",
    )
    assert notes("cnngru", "fcn", scheduler="none", factor=0.5, min_lr=0.1) == (
        "training.factor, training.min_lr have no effect with the scheduler none, only with plateau",
    )
    assert notes("fcn.paper", "cnngru.study", factor=0.5, scheduler_patience=3) == (), "whose scheduler is plateau"
    assert notes("cnngru", scheduler="plateau", factor=0.5) == notes("cnngru", patience=3) == ()


def test_small_data_get_as_many_epochs_as_the_steps_need_unless_somebody_sets_them(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def adapted(rows: int, reference: str = "fcn", **more: Any) -> tuple[int, ...]:
        (cell,) = plan(registry, reference, **more)
        training = cell.for_rows(rows).training
        return training.epochs, training.batch_size, training.patience, training.scheduler_patience

    cosine = {"training.scheduler": "cosine"}
    assert adapted(100) == adapted(100, assignments=cosine) == (143, 15, 0, 48), "the cosine is not cut short"
    assert adapted(100, assignments={**cosine, "training.patience": 9}) == (143, 15, 9, 48), "somebody sets it"
    monkeypatch.setenv("ZOO_SCHEDULER", "plateau")
    assert adapted(100_000) == (6, 128, 4, 2)
    assert adapted(100) == (143, 15, 96, 48), "1,000 steps, seven in an epoch; patience in proportion"
    assert adapted(2) == (1000, 2, 667, 334)
    assert adapted(600) == (100, 60, 67, 34), "a tenth of the rows"
    assert adapted(1) == (1000, 2, 667, 334), "a batch has two rows, for batch normalisation"
    assert adapted(21_249) == (6, 128, 4, 2)
    assert adapted(21_248) == (7, 128, 5, 3), "six epochs have 996 steps"
    assert adapted(100, epochs=6) == (6, 15, 4, 2)
    assert adapted(100, assignments={"training.batch_size": 50}) == (500, 50, 334, 167)
    assert adapted(100, assignments={"training.patience": 0}) == (143, 15, 0, 48)
    assert adapted(100, assignments={"training.min_steps": 0}) == (6, 15, 4, 2)
    assert adapted(100, "fcn.paper")[:2] == (2000, 16), "a preset is what it says"
    assert adapted(100, "minirocket") == (6, 128, 4, 2), "a fitted network has no epochs"
    monkeypatch.setenv("ZOO_EPOCHS", "8")
    assert adapted(100)[0] == 8
    monkeypatch.delenv("ZOO_EPOCHS")
    Path("registry.toml").write_text("[training]\nbatch_size = 64\n")
    assert adapted(100)[:2] == (500, 64)


def test_the_key_does_not_know_machine_or_presets_name(registry: Registry) -> None:
    same = {"hidden": 64, "num_blocks": 5, "gru_hidden": 256, "num_layers": 2, "dropout": 0.4}
    training = {"batch_size": 32, "factor": 0.2, "epochs": 30, "epoch": "resampled", "patience": 0}
    training |= {"keep": "best", "scheduler": "plateau"}
    given = {**same, **{f"training.{name}": value for name, value in training.items()}}
    (spelled,) = plan(registry, "cnngru", data=("smote",), assignments=given, device="cpu", threads=2)
    (preset,) = plan(registry, "cnngru.study")
    assert spelled.key(PARTS) == preset.key(PARTS)


def test_no_rows_is_all_the_rows_there_are(registry: Registry) -> None:
    (cell,) = plan(registry)
    assert replace(cell, rows=100).key(PARTS) == cell.key(PARTS)  # the fingerprint of train tells them apart
    assert "rows" not in cell.config()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"architectures": ()}, "name an architecture"),
        ({"rows": 0}, "--rows must be at least 1"),
        ({"epochs": 0}, "--epochs must be at least 1"),
        ({"seeds": ()}, "--seeds must be at least 1, not 0"),
        ({"threads": -1}, r"--threads must be at least 0 \(automatic\)"),
        ({"force": True, "resume": True}, "--force trains again and --resume continues: choose one"),
    ],
)
def test_requests_that_make_no_sense(request_: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Request(**{"architectures": ("cnngru",), **request_})


@pytest.mark.parametrize(
    "least", [{"rows": 1}, {"epochs": 1}, {"threads": 0}, {"threads": 1}, {"force": True}, {"resume": True}]
)
def test_the_least_that_can_be_asked_for(least: dict[str, Any]) -> None:
    Request(architectures=("cnngru",), **least)


def test_axes_have_seeds_of_their_own() -> None:
    seeds = axis_seeds(0)
    assert len(set(seeds.values())) == 4
    assert seeds == axis_seeds(0)
    assert not set(seeds.values()) & set(axis_seeds(1).values())
