"""Files by their paths, through the whole bench: unequal lengths, published splits, what fits and what does not."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import zoo
import zoo_imbalance
from zoo import Architecture, Dataset, hookimpl
from zoo.data.protocols import Parts, separate
from zoo.data.series import LabelledSeries
from zoo.errors import DataError, UnknownName, UsageError
from zoo.harness.datasets import Loaded, is_file, load_dataset, separated
from zoo.harness.reporter import SilentReporter
from zoo.harness.request import Request
from zoo.harness.seeds import axis_seeds
from zoo.registry import Registry, Source, source_of
from zoo.settings import Settings
from zoo.store.run import Run, RunStatus
from zoo.workspace import Workspace

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ZOO_TEST_DATA", ROOT.parent / "shared" / "data"))


class Notebook(SilentReporter):
    """Remembers notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_note(self, text: str) -> None:
        self.notes.append(text)


def bench(*architectures: str, **more: Any) -> list[Run]:
    fixed = {"epochs": 1, "threads": 1, "results": "results", "set": {"training.batch_size": 16}}
    return zoo.bench(architectures, **{**fixed, **more})


def load(registry: Registry, name: str, **given: Any) -> Loaded:
    """A data set with what is given: `rows`, `data_dir`, `target` and `group`, and its own parameters."""
    options = ("rows", "data_dir", "target", "group", "columns", "drop")
    asked = {key: given.pop(key) for key in options if key in given}
    params = {f"dataset.{key}": value for key, value in given.items()}
    request = Request.of("cnngru", assignments=params, **asked)
    return load_dataset(Workspace(registry, Settings.load()), name, request)


def parts_of(loaded: Loaded, protocol: str, seed: int = 0, **given: Any) -> Parts:
    return separated(loaded, protocol, seed, Request.of("cnngru", **given))


def noise(size: int = 60, scale: float = 1.0) -> LabelledSeries:
    """As many rows of each of three classes, from six patients."""
    values = scale * np.random.default_rng(0).normal(size=(size, 1, 12)).astype(np.float32)
    return LabelledSeries(values, np.arange(size) % 3, ("a", "b", "c"), np.arange(size) // 3 % 6)


def plain(*, scale: float = 1.0) -> LabelledSeries:
    return noise(scale=scale)


def sized(*, rows: int | None) -> LabelledSeries:
    """Two thirds of the rows are for training: fewer than were asked for."""
    return noise(60 if rows is None else rows)


def folder(*, data_dir: Path | None) -> LabelledSeries:
    raise DataError(f"read from {data_dir}")


def nothing() -> list[int]:
    return []


def broken() -> LabelledSeries:
    raise ValueError("half a file")


class Plugin:
    @hookimpl
    def zoo_components(self) -> list[Any]:
        kinds: dict[str, dict[str, Any]] = {
            "plain": {},
            "sized": {"generated": True, "synthetic": True},
            "folder": {"from_files": True},
            "nothing": {},
            "broken": {},
        }
        sets = [Dataset(name=name, factory=f"{__name__}:{name}", summary="Rows.", **own) for name, own in kinds.items()]
        return [*sets, Architecture(name="layer", factory=f"{__name__}:layer", summary="One layer.")]


def layer(*, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))


@pytest.fixture
def own() -> Registry:
    return Registry.load([source_of("imbalance", zoo_imbalance), Source("own", __name__, Plugin)])


def write_pair(folder: Path) -> Path:
    """Two classes of unequal lengths, 24 rows for training and 12 for the test."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for half, rows in (("TRAIN", 24), ("TEST", 12)):
        lines = ["@equalLength false", "@classLabel true low high", "@data"]
        for row in range(rows):
            label = row % 3 == 0
            samples = rng.normal(size=(2, rng.integers(14, 20))) + 3 * label
            channels = ":".join(",".join(f"{sample:.4f}" for sample in channel) for channel in samples)
            lines.append(f"{channels}:{'high' if label else 'low'}")
        (folder / f"Waves_{half}.ts").write_text("\n".join(lines) + "\n")
    return folder


def test_unequal_lengths_by_path_train_and_what_cannot_take_them_is_left_out() -> None:
    folder = write_pair(Path("waves"))
    notebook = Notebook()
    runs = bench("cnngru", "cnn2d", dataset=str(folder), data=["original", "smote", "oversampled"], reporter=notebook)
    mine = [run for run in runs if run.architecture == "cnngru"]
    assert [(run.data, run.status) for run in mine] == [("original", RunStatus.DONE), ("oversampled", RunStatus.DONE)]
    smote = "smote interpolates between rows, which unequal lengths do not allow: use oversampled or undersampled"
    assert f"left out: cnngru with block resnet on Waves.ts: {smote}" in notebook.notes
    assert mine[0].protocol == "official"
    assert mine[0].parts["rows"]["test"] == 12
    assert "official: Waves_TRAIN.ts is the training set, Waves_TEST.ts the test set" in mine[0].notes
    reason = "cnn2d takes no lengths, and the data set declares unequal lengths"
    assert notebook.notes.count(f"left out: cnn2d with block resnet on Waves.ts: {reason}") == 1


def test_each_name_of_a_pair_is_served_from_the_store() -> None:
    folder = write_pair(Path("waves"))
    (first,) = bench("cnngru", dataset=str(folder))
    assert first.dataset == "Waves.ts"
    for name in (folder.name, str(folder / "Waves_TRAIN.ts"), str(folder / "Waves_TEST.ts")):
        (served,) = bench("cnngru", dataset=name)
        assert (served.id, served.served) == (first.id, True)


def test_the_archives_unequal_lengths() -> None:
    folder = DATA / "ucr" / "JapaneseVowels"
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}; set ZOO_TEST_DATA to the folder above ucr")
    (run,) = bench("cnngru", dataset=str(folder / "JapaneseVowels_TRAIN.ts"))
    assert (run.status, run.protocol, run.dataset) == (RunStatus.DONE, "official", "JapaneseVowels.ts")
    assert run.parts["rows"] == {"train": 243, "validation": 27, "test": 370}
    assert run.parts["shape"] == {"n_channels": 12, "n_times": 29, "n_classes": 9}


def test_arrays_with_groups_are_separated_by_them(series: LabelledSeries) -> None:
    arrays = {"X": series.values, "kind": series.labels, "patient": series.groups}
    np.savez("waves.npz", **arrays)  # type: ignore[arg-type]
    (run,) = bench("cnngru", dataset="waves.npz", target="kind", group="patient")
    assert (run.status, run.protocol) == (RunStatus.DONE, "inter-patient")
    assert run.parts["groups_by"] == "patient"
    assert run.parts["shared_groups"]["train/test"] == []


def test_published_arrays_are_separated_as_they_were(series: LabelledSeries) -> None:
    halves = {"train": slice(0, 200), "test": slice(200, 240)}
    arrays = {f"X_{half}": series.values[rows, 0] for half, rows in halves.items()}
    np.savez("waves.npz", **arrays, **{f"y_{half}": series.labels[rows] for half, rows in halves.items()})  # type: ignore[arg-type]
    (run,) = bench("cnngru", dataset="waves.npz")
    assert (run.status, run.protocol, run.parts["rows"]["test"]) == (RunStatus.DONE, "official", 40)


def test_a_files_parameters_are_kept_and_others_refused(registry: Registry, series: LabelledSeries) -> None:
    np.savez("waves.npz", X=series.values, kind=series.labels)
    loaded = load(registry, "waves.npz", target="kind", constant="drop")
    assert (loaded.name, loaded.params) == ("waves.npz", {"constant": "drop", "target": "kind"})
    with pytest.raises(UsageError, match="constant must be one of error, keep, drop, not "):
        load(registry, "waves.npz", target="kind", constant="dorp")
    with pytest.raises(UnknownName, match=r"no parameter of a file named 'constnat'\. Did you mean constant"):
        load(registry, "waves.npz", target="kind", constnat="drop")
    with pytest.raises(UsageError, match=r"is for \.csv files"):
        load(registry, "waves.npz", target="kind", header=True)


def test_files_that_are_not_read_name_those_that_are(registry: Registry) -> None:
    Path("waves.arff").write_text("@relation waves\n")
    known = r"\.csv, \.tsv, \.parquet, \.parq, \.pq, \.npz, \.ts"
    for name in ("waves.arff", "./waves.arff"):
        with pytest.raises(DataError, match=rf"'\.arff' is not one of {known}"):
            load(registry, name)
    with pytest.raises(UnknownName, match=r"no dataset named 'absent\.arff'"):
        load(registry, "absent.arff")


def test_a_data_set_gets_what_its_spec_says_it_takes(own: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(own, "plain", rows=6, data_dir=Path("here"), scale=2)
    assert (loaded.name, loaded.params, len(loaded.series.labels)) == ("plain", {"scale": 2.0}, 60)
    assert (loaded.synthetic, loaded.sized) == (False, False)
    assert np.array_equal(loaded.series.values, noise(scale=2.0).values)
    made = [load(own, "sized", rows=rows, data_dir=Path("here")) for rows in (None, 30)]
    assert [len(each.series.labels) for each in made] == [60, 30]
    assert [(each.synthetic, each.sized) for each in made] == [(True, True)] * 2
    with pytest.raises(DataError, match=r"^read from here$"):
        load(own, "folder", data_dir=Path("here"), rows=6)
    monkeypatch.setenv("ZOO_DATA", "there")
    with pytest.raises(DataError, match=r"^read from there$"):
        load(own, "own:folder")


def test_a_data_set_that_gives_no_series_is_one_line(own: Registry) -> None:
    with pytest.raises(DataError, match=r"^data set nothing: its factory returned list, not LabelledSeries$"):
        load(own, "nothing")
    with pytest.raises(DataError, match=r"^data set broken cannot be loaded: ValueError: half a file$"):
        load(own, "broken")
    with pytest.raises(UnknownName, match=r"^no parameter of plain named 'scala'\. Did you mean scale\?"):
        load(own, "plain", scala=1)


@pytest.mark.parametrize("columns", [{"target": "kind"}, {"group": "patient"}])
def test_columns_are_named_for_files_alone(own: Registry, columns: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"^--target and --group are for files: --dataset beats\.csv, not plain$"):
        load(own, "plain", **columns)


def test_a_registered_name_is_no_path_whatever_lies_there(own: Registry) -> None:
    write_pair(Path("waves"))
    write_pair(Path("plain"))
    assert [is_file(own, name) for name in ("waves", "plain", "beats.csv", "heartbeats")] == [True, False, True, False]


@pytest.mark.parametrize(
    ("protocol", "group", "chosen"),
    [("", None, "holdout"), ("", "patient", "inter-patient"), ("holdout", "patient", "holdout")],
)
def test_a_data_set_is_separated_by_its_protocol_and_the_seeds_own_split(
    own: Registry, protocol: str, group: str | None, chosen: str
) -> None:
    loaded = replace(load(own, "plain"), grouped=group is not None)
    for seed in (0, 3):
        parts = parts_of(loaded, protocol, seed, rows=20)
        expected = separate(noise(), chosen, seed=axis_seeds(seed)["split"], rows=20)
        assert parts.summary == expected.summary
        assert np.array_equal(parts.validation.index, expected.validation.index)
        assert len(parts.train) == 20
    assert parts_of(loaded, protocol, 0, rows=20).summary != parts.summary


def test_groups_in_a_file_are_kept_apart_by_default(own: Registry) -> None:
    rows = noise()
    np.savez("grouped.npz", X=rows.values, y=rows.labels, groups=rows.groups)
    loaded = load(own, "grouped.npz")
    assert parts_of(loaded, "").summary["protocol"] == "inter-patient"
    assert parts_of(loaded, "holdout").summary["protocol"] == "holdout"
    assert f'groups "groups": {len(np.unique(rows.groups))} values' in loaded.series.read


def test_a_published_split_is_the_default_without_groups(own: Registry, series: LabelledSeries) -> None:
    arrays = {f"X_{half}": noise().values[rows] for half, rows in (("train", slice(40)), ("test", slice(40, None)))}
    np.savez("waves.npz", **arrays, y_train=noise().labels[:40], y_test=noise().labels[40:])  # type: ignore[arg-type]
    loaded = load(own, "waves.npz")
    assert parts_of(loaded, "").summary["protocol"] == "official"
    assert parts_of(loaded, "holdout").summary["protocol"] == "holdout"


@pytest.mark.parametrize("group", [None, "who"])
def test_groups_keep_a_published_split_and_validation_and_intervals_are_by_group(
    own: Registry, series: LabelledSeries, group: str | None
) -> None:
    assert series.groups is not None
    tested = series.groups >= 6
    arrays = {"X": series.values, "y": series.labels, group or "groups": series.groups}
    halves = {f"{name}_train": array[~tested] for name, array in arrays.items()}
    np.savez("waves.npz", **halves, **{f"{name}_test": array[tested] for name, array in arrays.items()})  # type: ignore[arg-type]
    (run,) = bench("layer", dataset="waves.npz", group=group, registry=own, epochs=1)
    assert (run.status, run.protocol, run.parts.by_group) == (RunStatus.DONE, "official", True)
    assert run.parts.rows["test"] == tested.sum()
    assert run.parts.shared_groups == {"train/validation": [], "train/test": [], "validation/test": []}
    assert run.scores["resampled"] == "2 groups"


def test_dropped_and_merged_classes_are_in_the_key_the_configuration_and_a_note(own: Registry) -> None:
    runs = [
        bench("layer", dataset="plain", registry=own, **asked)[0]
        for asked in ({}, {"drop_class": "b"}, {"merge_class": "b=a"}, {"merge_class": ["a and c=a,c"]})
    ]
    assert len({run.key for run in runs}) == len({run.configuration for run in runs}) == 4
    assert [run.parts.classes for run in runs] == [["a", "b", "c"], ["a", "c"], ["b", "c"], ["a and c", "b"]]
    assert [sum(run.parts.rows.values()) for run in runs] == [60, 40, 60, 60]
    named = [{}, {"drop_class": "b"}, {"merge_class": "b=a"}, {"merge_class": "a and c=a,c"}]
    assert [run.config["dataset_params"] for run in runs] == [{"scale": 1.0, **each} for each in named]
    assert [run.notes[0] for run in runs[1:]] == [
        "20 rows of class b left out",
        "20 rows of class a counted as class b",
        "40 rows of classes a, c counted as class a and c",
    ]
    assert bench("layer", dataset="plain", registry=own, drop_class=["b"])[0].served


def test_more_rows_than_there_are_is_a_note_but_for_a_set_that_was_made_for_them(own: Registry) -> None:
    plain = parts_of(load(own, "plain"), "", rows=60)
    note = f"--rows 60: the training set has only {len(plain.train)} rows, which are all used"
    assert (plain.notes[-1], plain.whole) == (note, True)
    made = parts_of(load(own, "sized", rows=60), "", rows=60)
    assert 30 < len(made.train) < 60
    assert (made.whole, [text for text in made.notes if "--rows" in text]) == (False, [])


def test_a_synthetic_set_is_benched_by_its_name_and_says_so(own: Registry) -> None:
    (run,) = bench("layer", dataset="own:sized", rows=40, registry=own, set={"training.batch_size": 8})
    assert (run.status, run.dataset, run.synthetic, run.rows) == (RunStatus.DONE, "sized", True, 40)
    (run,) = bench("layer", dataset="plain", registry=own, set={"dataset.scale": 2.0})
    assert (run.dataset, run.synthetic, run.rows) == ("plain", False, None)
    assert run.config["dataset_params"] == {"scale": 2.0}
    (unscaled,) = bench("layer", dataset="plain", registry=own)
    assert not unscaled.served


@pytest.mark.parametrize(("header", "rows"), [(None, 3), (True, 2), (False, 3)])
def test_the_header_of_a_file_is_looked_for_or_said(own: Registry, header: bool | None, rows: int) -> None:
    Path("waves.csv").write_text("1,2,3\n2,3,1\n4,3,3\n")
    params = {} if header is None else {"header": header}
    loaded = load(own, "waves.csv", target="-1", **params)
    assert loaded.series.values.shape == (rows, 1, 2)
    assert loaded.params == {"constant": "error", "target": "-1", **params}
    with pytest.raises(UsageError, match=r"^dataset\.header must be true or false, not 'no'$"):
        load(own, "waves.csv", target="-1", header="no")


def test_the_columns_of_a_file_are_kept_as_they_were_named(own: Registry, waves_csv: Path) -> None:
    loaded = load(own, str(waves_csv), target="kind", group="patient")
    assert loaded.params == {"constant": "error", "target": "kind", "group": "patient"}
    assert (loaded.series.values.shape[2], len(np.unique(loaded.series.groups))) == (48, 8)  # type: ignore[arg-type]
    assert (loaded.synthetic, loaded.sized) == (False, False)


def test_the_chosen_columns_of_a_table_reach_the_run(own: Registry, waves_csv: Path) -> None:
    loaded = load(own, str(waves_csv), target="kind", columns="t0:t20", drop="t3,patient")
    assert loaded.series.n_times == 20
    assert loaded.params["columns"] == "t0:t20"
    assert loaded.params["drop"] == "t3,patient"
    (run,) = bench("layer", dataset=str(waves_csv), target="kind", drop="patient,t0", registry=own)
    assert run.status == RunStatus.DONE
    assert run.config["dataset_params"]["drop"] == "patient,t0"
    assert run.parts["shape"]["n_times"] == 47
    for option in ("columns", "drop"):
        with pytest.raises(UsageError, match="--columns and --drop are for files"):
            load(own, "plain", **{option: "t0"})
