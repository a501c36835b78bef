"""`.tsv` files in the form of the UCR archive: label first, no names, NaN as padding, alone or as a published split."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zoo import DataError, UsageError
from zoo.data.files import data_set_name, from_file, is_path
from zoo.data.series import TEST, TRAIN, LabelledSeries

ROOT = Path(__file__).parents[2]
UCR = Path(os.environ.get("ZOO_TEST_DATA", ROOT.parent / "shared" / "data")) / "ucr"
ROWS = np.random.default_rng(0).normal(size=(20, 6)).round(5)
LABELS = np.array([-1, 1] * 10)


def write_half(path: Path, rows: np.ndarray, labels: np.ndarray) -> Path:
    frame = pd.DataFrame(rows)
    frame.insert(0, "label", labels)
    frame.to_csv(path, sep="\t", header=False, index=False, na_rep="NaN")
    return path


def write_pair(folder: Path, name: str = "Waves") -> Path:
    folder.mkdir(exist_ok=True)
    write_half(folder / f"{name}_TRAIN.tsv", ROWS[:12], LABELS[:12])
    write_half(folder / f"{name}_TEST.tsv", ROWS[12:], LABELS[12:])
    return folder


def assert_is_pair(found: LabelledSeries) -> None:
    np.testing.assert_array_equal(found.values[:, 0], ROWS.astype(np.float32))
    assert (found.classes, found.labels.tolist(), found.lengths) == (("-1", "1"), [0, 1] * 10, None)
    assert found.splits["official"].parts.tolist() == [TRAIN] * 12 + [TEST] * 8


def test_a_pair_is_read_by_its_files_its_folder_and_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_pair(tmp_path / "Waves")
    for path in (folder, folder / "Waves_TRAIN.tsv", folder / "Waves_TEST.tsv", folder / "Waves"):
        assert_is_pair(from_file(path))
        assert is_path(str(path))
        assert data_set_name(path) == "Waves.tsv"
    monkeypatch.chdir(folder)
    assert is_path("Waves")
    assert_is_pair(from_file(Path("Waves")))
    assert from_file(Path("Waves")).read == (
        "read Waves_TRAIN.tsv and Waves_TEST.tsv: 20 rows x 6 samples, 2 classes 10/10, label first, no header"
    )
    assert not is_path("Wave")
    (folder / "Waves_TRAIN.ts").write_text("")
    (folder / "Waves_TEST.ts").write_text("")
    with pytest.raises(
        DataError, match=r"Waves is the name of several pairs; name a file of one of them: Waves_TRAIN.ts"
    ):
        is_path("Waves")


def test_nan_at_the_end_of_a_line_is_padding(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[0, 4:] = rows[13, 2:] = np.nan
    write_half(tmp_path / "Waves_TRAIN.tsv", rows[:12], LABELS[:12])
    write_half(tmp_path / "Waves_TEST.tsv", rows[12:, :5], LABELS[12:])
    found = from_file(tmp_path)
    assert found.lengths is not None
    assert found.lengths.tolist() == [4, *[6] * 11, 5, 2, *[5] * 6]
    assert found.values[0, 0, 4:].tolist() == [0, 0]
    assert found.notes == (
        "Waves_TRAIN.tsv: NaN at the end of rows is read as padding",
        "Waves_TEST.tsv: NaN at the end of rows is read as padding",
    )
    rows[3, 2] = np.nan
    write_half(tmp_path / "Waves_TRAIN.tsv", rows[:12], LABELS[:12])
    with pytest.raises(DataError, match="1 row with missing, NaN or infinite samples, the first at line 4, column '3'"):
        from_file(tmp_path)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_nan_at_the_end_is_padding_in_tables_too(tmp_path: Path, form: str) -> None:
    rows = ROWS.copy()
    rows[0, 4:] = np.nan
    frame = pd.DataFrame(rows, columns=[f"t{place}" for place in range(6)]).assign(kind=LABELS)
    path = tmp_path / f"beats.{form}"
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    found = from_file(path, target="kind")
    assert found.lengths is not None
    assert found.lengths.tolist() == [4, *[6] * 19]
    assert found.notes == (f"beats.{form}: NaN at the end of rows is read as padding",)
    assert "20 rows x 4 to 6 samples" in found.read
    frame.iloc[3, :6] = np.nan
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    with pytest.raises(DataError, match="has only missing samples; remove such rows"):
        from_file(path, target="kind")


def test_one_file_alone(tmp_path: Path) -> None:
    path = write_half(tmp_path / "Waves_TRAIN.tsv", ROWS, LABELS)
    found = from_file(path)
    assert found.splits == {}
    assert found.notes == ("Waves_TRAIN.tsv is used as a complete data set: Waves_TEST.tsv is not in the folder",)
    path = path.rename(tmp_path / "Waves_TEST.tsv")
    with pytest.raises(DataError, match=r"is a test set, but its training set Waves_TRAIN.tsv is not in the folder"):
        from_file(path)


def test_a_tab_separated_table_has_a_target(tmp_path: Path) -> None:
    path = tmp_path / "beats.tsv"
    frame = pd.DataFrame(ROWS, columns=[f"t{place}" for place in range(6)]).assign(kind=LABELS)
    frame.to_csv(path, sep="\t", index=False)
    np.testing.assert_array_equal(from_file(path, target="kind").values[:, 0], ROWS.astype(np.float32))
    with pytest.raises(
        DataError, match=r"the first line seems to hold column names; .* without --target, a .tsv file has"
    ):
        from_file(path)
    write_pair(tmp_path)
    with pytest.raises(UsageError, match=r"a .tsv file names its labels and has no groups; leave out --target"):
        from_file(tmp_path / "Waves_TRAIN.tsv", target="0")


@pytest.mark.skipif(
    not UCR.is_dir(), reason=f"the real data are not at {UCR}; set ZOO_TEST_DATA to the folder above it"
)
@pytest.mark.parametrize(
    ("name", "train", "test", "times", "classes"),
    [("ECG200", 100, 100, 96, 2), ("MedicalImages", 381, 760, 99, 10), ("Earthquakes", 322, 139, 512, 2)],
)
def test_sets_of_the_archive(name: str, train: int, test: int, times: int, classes: int) -> None:
    found = from_file(UCR / name)
    parts = found.splits["official"].parts
    assert (np.count_nonzero(parts == TRAIN), np.count_nonzero(parts == TEST)) == (train, test)
    assert (found.n_channels, found.n_times, len(found.classes), found.lengths) == (1, times, classes, None)
