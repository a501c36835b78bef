"""Files by their paths, through the whole bench: unequal lengths, published splits, what fits and what does not."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.data.series import LabelledSeries
from zoo.errors import DataError, UnknownName, UsageError
from zoo.harness.datasets import FileColumns, Loaded, load_dataset
from zoo.harness.watch import Silent
from zoo.registry import Registry
from zoo.results.run import DONE, Run
from zoo.settings import Settings

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ZOO_TEST_DATA", ROOT.parent / "shared" / "data"))


class Notebook(Silent):
    """Remembers notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_note(self, text: str) -> None:
        self.notes.append(text)


def bench(*architectures: str, **more: Any) -> list[Run]:
    fixed = {"epochs": 1, "threads": 1, "results": "results", "set": {"training.batch_size": 16}}
    return zoo.bench(architectures, **{**fixed, **more})


def load(registry: Registry, name: str, columns: FileColumns | None = None, **params: Any) -> Loaded:
    return load_dataset(
        registry,
        Settings.load(),
        name,
        params=params,
        rows=None,
        data_dir=None,
        columns=columns or FileColumns(),
    )


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
    runs = bench("cnngru", "cnn2d", dataset=str(folder), data=["original", "smote", "oversampled"], watch=notebook)
    mine = [run for run in runs if run.architecture == "cnngru"]
    assert [(run.data, run.status) for run in mine] == [("original", DONE), ("oversampled", DONE)]
    smote = "smote makes rows between rows, which unequal lengths do not allow: use oversampled or undersampled"
    assert f"left out: cnngru with block resnet on Waves.ts: {smote}" in notebook.notes
    assert mine[0].protocol == "official"
    assert mine[0].parts["rows"]["test"] == 12
    assert "official: Waves_TRAIN.ts is for training, Waves_TEST.ts for the test" in mine[0].notes
    reason = "cnn2d takes no lengths, and the data set declares unequal ones"
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
    assert (run.status, run.protocol, run.dataset) == (DONE, "official", "JapaneseVowels.ts")
    assert run.parts["rows"] == {"train": 243, "validation": 27, "test": 370}
    assert run.parts["shape"] == {"n_channels": 12, "n_times": 29, "n_classes": 9}


def test_arrays_with_groups_are_separated_by_them(series: LabelledSeries) -> None:
    arrays = {"X": series.values, "kind": series.labels, "patient": series.groups}
    np.savez("waves.npz", **arrays)  # type: ignore[arg-type]
    (run,) = bench("cnngru", dataset="waves.npz", target="kind", group="patient")
    assert (run.status, run.protocol) == (DONE, "inter-patient")
    assert run.parts["groups_by"] == "patient"
    assert run.parts["shared_groups"]["train/test"] == []


def test_published_arrays_are_separated_as_they_were(series: LabelledSeries) -> None:
    halves = {"train": slice(0, 200), "test": slice(200, 240)}
    arrays = {f"X_{half}": series.values[rows, 0] for half, rows in halves.items()}
    np.savez("waves.npz", **arrays, **{f"y_{half}": series.labels[rows] for half, rows in halves.items()})  # type: ignore[arg-type]
    (run,) = bench("cnngru", dataset="waves.npz")
    assert (run.status, run.protocol, run.parts["rows"]["test"]) == (DONE, "official", 40)


def test_a_files_parameters_are_kept_and_others_refused(registry: Registry, series: LabelledSeries) -> None:
    np.savez("waves.npz", X=series.values, kind=series.labels)
    loaded = load(registry, "waves.npz", FileColumns("kind"), constant="drop")
    assert (loaded.name, loaded.params) == ("waves.npz", {"constant": "drop", "target": "kind"})
    with pytest.raises(UsageError, match="it is one of error, keep, drop"):
        load(registry, "waves.npz", FileColumns("kind"), constant="dorp")
    with pytest.raises(UnknownName, match=r"no parameter of a file named 'constnat'\. Did you mean constant"):
        load(registry, "waves.npz", FileColumns("kind"), constnat="drop")
    with pytest.raises(UsageError, match=r"is for \.csv files"):
        load(registry, "waves.npz", FileColumns("kind"), header=True)


def test_files_that_are_not_read_name_those_that_are(registry: Registry) -> None:
    Path("waves.arff").write_text("@relation waves\n")
    for name in ("waves.arff", "./waves.arff"):
        with pytest.raises(DataError, match=r"'\.arff' is not one of \.csv, \.parquet, \.parq, \.pq, \.npz, \.ts"):
            load(registry, name)
    with pytest.raises(UnknownName, match=r"no dataset named 'absent\.arff'"):
        load(registry, "absent.arff")
