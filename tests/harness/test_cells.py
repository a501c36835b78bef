"""What was asked becomes cells; the key says what was asked and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from zoo.errors import UnknownName, UsageError
from zoo.harness.cells import Cell, Request, make_plan, split_assignments
from zoo.harness.seeds import axis_seeds
from zoo.registry import Registry
from zoo.settings import Settings

PARTS = {
    "fingerprints": {"train": "a", "validation": "b", "test": "c", "pool": "d"},
    "classes": ["x", "y"],
    "by_group": False,
}


def plan(registry: Registry, *architectures: str, **more) -> list[Cell]:
    request = Request(architectures=architectures or ("cnngru",), **more)
    return list(make_plan(registry, Settings.load(), request).cells)


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
    assert split_assignments({"a": 1, "block.se.reduction": 2, "data.k_neighbors": 3})["block"] == {"se.reduction": 2}
    (cell,) = plan(registry, data=("smote",), assignments={"data.k_neighbors": 3})
    assert cell.resampler.params == {"k_neighbors": 3}
    with pytest.raises(UnknownName, match="no scope of --set named 'blok'"):
        plan(registry, assignments={"blok.x": 1})
    with pytest.raises(UnknownName, match=r"no parameter of cnngru named 'batch_size'.*training.batch_size"):
        plan(registry, assignments={"batch_size": 1})


def test_the_key_is_of_what_was_asked(registry: Registry) -> None:
    (cell,) = plan(registry)
    assert cell.key(PARTS) == plan(registry)[0].key(PARTS)
    others = [
        plan(registry, seeds=(1,)),
        plan(registry, "cnn2d"),
        plan(registry, blocks=("se",)),
        plan(registry, data=("smote",)),
        plan(registry, losses=("weighted",)),
        plan(registry, epochs=99),
        plan(registry, assignments={"hidden": 8}),
    ]
    keys = {cell.key(PARTS), *(found[0].key(PARTS) for found in others)}
    assert len(keys) == 8
    for changed in ({"fingerprints": {**PARTS["fingerprints"], "test": "d"}}, {"classes": ["x", "z"]}):
        assert cell.key({**PARTS, **changed}) not in keys


def test_a_configuration_is_what_was_asked_but_for_the_seed(registry: Registry) -> None:
    one, two = plan(registry, seeds=(0, 1))
    assert one.key(PARTS) != two.key(PARTS)
    other_seed = {**PARTS, "fingerprints": {**PARTS["fingerprints"], "train": "e", "validation": "f"}}
    assert one.configuration(PARTS) == two.configuration(other_seed)
    other_data = {**PARTS, "fingerprints": {**PARTS["fingerprints"], "pool": "e"}}
    assert one.configuration(PARTS) != one.configuration(other_data)
    assert one.configuration(PARTS) != replace(one, rows=100).configuration(PARTS)


def test_the_key_does_not_know_machine_or_presets_name(registry: Registry) -> None:
    same = {"hidden": 64, "num_blocks": 5, "gru_hidden": 256, "num_layers": 2, "dropout": 0.4}
    training = {"training.batch_size": 32, "training.factor": 0.2, "training.epochs": 30}
    (spelled,) = plan(registry, "cnngru", assignments={**same, **training}, device="cpu", threads=2)
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
        ({"rows": 0}, "--rows is at least 1"),
        ({"epochs": 0}, "--epochs is at least 1"),
        ({"threads": -1}, "--threads is at least 1"),
    ],
)
def test_requests_that_make_no_sense(request_: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Request(**{"architectures": ("cnngru",), **request_})


def test_axes_have_seeds_of_their_own() -> None:
    seeds = axis_seeds(0)
    assert len(set(seeds.values())) == 4
    assert seeds == axis_seeds(0)
    assert not set(seeds.values()) & set(axis_seeds(1).values())
