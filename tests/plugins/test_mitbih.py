"""The data set mitbih: the same rows from every form, the published splits, and one line for what is wrong.

The real data are looked for in ZOO_TEST_DATA, else in ../shared/data beside the checkout.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from zoo import DataError
from zoo.data import LEFT_OUT, TEST, TRAIN, LabelledSeries
from zoo_mitbih.beats import BEATS, cut, read_record
from zoo_mitbih.dataset import mitbih
from zoo_mitbih.splits import DS1, DS2, PACED, RECORDS

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("ZOO_TEST_DATA", ROOT.parent / "shared" / "data"))
TIMES = 187
PATIENT_SPLITS = ("inter-patient", "inter-patient-strict")
FORMS = ("ours", "plain", "kaggle", "course")

Columns = dict[str, npt.NDArray[np.generic]]


def real(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"the real data are not at {folder}; set ZOO_TEST_DATA to the folder above it")
    return folder


@pytest.fixture(scope="module")
def ours() -> LabelledSeries:
    return mitbih(data_dir=real("mitbih"))


@pytest.fixture(scope="module")
def raw() -> LabelledSeries:
    return mitbih(data_dir=real("mitdb"))


def rows(count: int, seed: int) -> Columns:
    """Rows that look like ours: samples in 0 to 1, all five labels, records on both sides of the split."""
    draw = np.random.default_rng(seed)
    samples = draw.integers(0, 500, (count, TIMES)).astype(np.float32) / np.float32(499)
    columns: Columns = {str(time): samples[:, time] for time in range(TIMES)}
    columns["target"] = (np.arange(count) % 5).astype(np.int8)
    columns["record"] = draw.choice(np.array(RECORDS, np.int16), count)
    return columns


def without(columns: Columns, *names: str) -> Columns:
    return {name: cells for name, cells in columns.items() if name not in names}


def write_csv(path: Path, columns: Columns) -> None:
    """As Kaggle has it: no names, the label last, 18 decimals."""
    np.savetxt(path, np.stack(list(columns.values()), axis=1).astype(np.float64), fmt="%.18e", delimiter=",")


def write(folder: Path, form: str, train: Columns, test: Columns) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, columns in (("train", train), ("test", test)):
        unnamed = without(columns, "record")
        if form == "ours":
            pq.write_table(pa.table(columns), folder / f"mitbih_{part}.parquet")
        elif form == "plain":
            pq.write_table(pa.table(unnamed), folder / f"mitbih_{part}.parquet")
        elif form == "kaggle":
            write_csv(folder / f"mitbih_{part}.csv", unnamed)
        else:
            doubles = {name: cells.astype(np.float64) for name, cells in unnamed.items()}
            pq.write_table(pa.table(doubles), folder / f"heart_big_{part}.parq")
    return folder


def refusal(folder: Path | None, **request: str) -> str:
    with pytest.raises(DataError) as caught:
        mitbih(data_dir=folder, **request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_same(found: LabelledSeries, expected: LabelledSeries) -> None:
    np.testing.assert_array_equal(found.values.view(np.int32), expected.values.view(np.int32))
    np.testing.assert_array_equal(found.labels, expected.labels)
    if found.groups is not None and expected.groups is not None:
        np.testing.assert_array_equal(found.groups, expected.groups)
    for name in found.splits.keys() & expected.splits.keys():
        for part in (TRAIN, TEST):
            mine, theirs = (one.splits[name].parts == part for one in (found, expected))
            np.testing.assert_array_equal(found.values[mine], expected.values[theirs])
            np.testing.assert_array_equal(found.labels[mine], expected.labels[theirs])


def counts(found: LabelledSeries, protocol: str, part: int) -> list[int]:
    chosen = found.splits[protocol].parts == part
    return [int(count) for count in np.bincount(found.labels[chosen], minlength=5)]


@pytest.mark.parametrize("form", FORMS)
def test_the_form_leaves_no_trace(tmp_path: Path, form: str) -> None:
    train, test = rows(300, seed=1), rows(100, seed=2)
    # Rows that are in both files, one of them with another label, must fall in their places too.
    for time in range(TIMES):
        test[str(time)][:2] = train[str(time)][0]
    expected = mitbih(data_dir=write(tmp_path / "expected", "ours", train, test))
    mixed = np.random.default_rng(3).permutation(300)
    shuffled = {name: cells[mixed] for name, cells in train.items()}
    found = mitbih(data_dir=write(tmp_path / form, form, shuffled, test))
    assert found.values.shape == (400, 1, TIMES)
    assert found.values.dtype == np.float32
    assert found.values.flags.c_contiguous
    assert found.classes == ("N", "S", "V", "F", "Q")
    assert found.lengths is None
    assert found.notes == ()
    assert_same(found, expected)
    assert found.splits["official"].parts.dtype == np.int8
    assert counts(found, "official", TRAIN) == [60] * 5
    assert counts(found, "official", TEST) == [20] * 5
    assert "intra-patient" in found.splits["official"].notes[0]


@pytest.mark.parametrize("form", FORMS[1:])
def test_forms_without_records_refuse_protocols_by_patient(tmp_path: Path, form: str) -> None:
    found = mitbih(data_dir=write(tmp_path, form, rows(20, seed=1), rows(20, seed=2)))
    assert found.groups is None
    assert set(found.splits) == {"official"}
    assert set(found.refusals) == set(PATIENT_SPLITS)
    assert all("do not identify patients; use the raw PhysioNet folder" in why for why in found.refusals.values())


def test_splits_by_patient(tmp_path: Path) -> None:
    train, test = rows(480, seed=1), rows(480, seed=2)
    test["record"] = np.repeat(np.array(RECORDS, np.int16), 10)
    found = mitbih(data_dir=write(tmp_path, "ours", train, test))
    assert found.refusals == {}
    assert found.groups is not None
    assert found.groups.dtype == np.int64
    assert set(found.groups) == set(RECORDS) - {202}
    for name in PATIENT_SPLITS:
        split = found.splits[name]
        assert split.classes == ("N", "S", "V", "F")
        assert split.by_group
        assert split.keep_in_train == ((208,) if name.endswith("strict") else (208, 201))
        sides = {part: set(found.groups[split.parts == part]) for part in (TRAIN, TEST, LEFT_OUT)}
        assert sides[TRAIN] == set(DS1)
        assert sides[TEST] == (set(DS2) - {202}) | ({201} if name == "inter-patient" else set())
        assert sides[LEFT_OUT] == set(PACED) | ({201} if name == "inter-patient-strict" else set())
    assert "record 201 in the training set, record 202 in the test set" in found.splits["inter-patient"].notes[0]
    assert "record 202 is left out" in found.splits["inter-patient-strict"].notes[0]


def test_the_folder_above_and_the_order_of_forms(tmp_path: Path) -> None:
    train, test = rows(20, seed=1), rows(20, seed=2)
    write(tmp_path / "mitbih", "kaggle", train, test)
    assert mitbih(data_dir=tmp_path).groups is None
    write(tmp_path / "mitbih", "ours", train, test)
    assert mitbih(data_dir=tmp_path).groups is not None


@pytest.mark.parametrize("folder", [".", "mitbih", "mitdb", "mit-bih-arrhythmia-database-1.0.0"])
def test_a_whole_form_in_any_folder_goes_before_half_a_form(tmp_path: Path, folder: str) -> None:
    write(tmp_path, "course", rows(20, seed=1), rows(20, seed=2))
    (tmp_path / "heart_big_test.parq").unlink()
    write(tmp_path / folder, "kaggle", rows(30, seed=1), rows(10, seed=2))
    assert len(mitbih(data_dir=tmp_path).labels) == 40


def test_of_two_whole_forms_in_a_folder_kaggles_goes_before_the_courses(tmp_path: Path) -> None:
    write(tmp_path, "course", rows(20, seed=1), rows(20, seed=2))
    write(tmp_path, "kaggle", rows(30, seed=1), rows(10, seed=2))
    write(tmp_path / "mitbih", "kaggle", rows(50, seed=1), rows(10, seed=2))
    assert counts(mitbih(data_dir=tmp_path), "official", TRAIN) == [6] * 5


def test_samples_are_found_by_their_columns_names_whatever_their_order(tmp_path: Path) -> None:
    train, test = rows(20, seed=1), rows(20, seed=2)
    expected = mitbih(data_dir=write(tmp_path / "expected", "plain", train, test))
    turned = {name: train[name] for name in reversed(train)}
    assert_same(mitbih(data_dir=write(tmp_path / "turned", "plain", turned, test)), expected)


def test_the_label_is_the_last_of_188_numbered_columns(tmp_path: Path) -> None:
    numbered = [{"187" if name == "target" else name: one[name] for name in one} for one in (rows(20, 1), rows(20, 2))]
    found = mitbih(data_dir=write(tmp_path / "numbered", "plain", *numbered))
    assert_same(found, mitbih(data_dir=write(tmp_path / "named", "plain", rows(20, 1), rows(20, 2))))


def test_a_zero_with_a_sign_leaves_no_trace(tmp_path: Path) -> None:
    plain, signed = rows(20, seed=1), rows(20, seed=1)
    for columns, zero in ((plain, 0.0), (signed, -0.0)):
        for time in range(0, TIMES, 3):
            columns[str(time)][::2] = zero
    expected = mitbih(data_dir=write(tmp_path / "plain", "kaggle", plain, rows(20, seed=2)))
    assert_same(mitbih(data_dir=write(tmp_path / "signed", "kaggle", signed, rows(20, seed=2))), expected)


def test_names_and_extra_columns_do_no_harm(tmp_path: Path) -> None:
    train, test = rows(20, seed=1), rows(20, seed=2)
    expected = mitbih(data_dir=write(tmp_path / "ours", "ours", train, test))
    for part, columns in (("train", train), ("test", test)):
        moved = {name: columns[name] for name in ("record", "target")} | columns | {"sample": np.arange(20)}
        (tmp_path / "named").mkdir(exist_ok=True)
        pyarrow.csv.write_csv(pa.table(moved), tmp_path / "named" / f"mitbih_{part}.csv")
    found = mitbih(data_dir=tmp_path / "named")
    assert found.groups is not None
    assert_same(found, expected)


def test_where_to_get_the_data_is_said(tmp_path: Path) -> None:
    for message in (refusal(None), refusal(tmp_path / "absent"), refusal(tmp_path)):
        assert "ECG Heartbeat Categorization Dataset" in message
        assert "MIT-BIH Arrhythmia Database 1.0.0" in message
        assert "--data-dir" in message
    assert "absent' does not exist" in refusal(tmp_path / "absent")
    assert f"{tmp_path} contains no files of mitbih" in refusal(tmp_path)
    (tmp_path / "mitbih_train.csv").write_text("1,2\n")
    assert "is a file; name the folder that contains it" in refusal(tmp_path / "mitbih_train.csv")
    assert "cannot be read: File name too long; check its permissions" in refusal(tmp_path / ("x" * 300))


@pytest.mark.parametrize("form", ["ours", "kaggle", "course"])
def test_half_a_form_is_named(tmp_path: Path, form: str) -> None:
    write(tmp_path, form, rows(10, seed=1), rows(10, seed=2))
    (test,) = tmp_path.glob("*_test.*")
    test.unlink()
    assert f"{test.name} is missing, only {test.name.replace('test', 'train')} was found" in refusal(tmp_path)


def test_missing_raw_files_are_named(tmp_path: Path) -> None:
    for record in RECORDS[1:]:
        for suffix in ("hea", "dat", "atr"):
            (tmp_path / f"{record}.{suffix}").write_bytes(b"x")
    message = refusal(tmp_path)
    assert "3 of the 144 files of the 48 raw records are missing: 100.hea, 100.dat, 100.atr; download" in message
    (tmp_path / "234.atr").unlink()
    assert "4 of the 144 files of the 48 raw records are missing: 100.hea, 100.dat, 100.atr, 234.atr; " in refusal(
        tmp_path
    )
    (tmp_path / "234.dat").unlink()
    assert "5 of the 144 files of the 48 raw records are missing: 100.hea, 100.dat, 100.atr, 234.dat, …" in refusal(
        tmp_path
    )


@pytest.mark.parametrize(("form", "place"), [("ours", "row 3"), ("kaggle", "line 3"), ("course", "row 3")])
def test_rows_that_cannot_be_used_are_named(tmp_path: Path, form: str, place: str) -> None:
    def refused(column: str, value: float) -> str:
        test = rows(10, seed=2)
        kind = np.int64 if column == "target" and value == int(value) else np.float64
        test[column] = test[column].astype(kind)
        test[column][2] = value
        return refusal(write(tmp_path, form, rows(10, seed=1), test))

    for value in (np.nan, np.inf):
        assert f"1 row with missing, NaN or infinite samples, the first at {place}, column '7'" in refused("7", value)
    for label in (5, -1):
        assert f"the label at {place} is '{label}'; expected 0 to 4 for N, S, V, F, Q" in refused("target", label)
    assert f"is 0.5 at {place}" in refused("target", 0.5)
    assert "_test." in refused("target", 9)


@pytest.mark.parametrize("form", FORMS)
def test_rows_of_another_width_are_refused(tmp_path: Path, form: str) -> None:
    narrow = write(tmp_path, form, without(rows(10, seed=1), "100"), rows(10, seed=2))
    assert "expected 187 samples, '0' to '186', and the label" in refusal(narrow)
    wide = rows(10, seed=1)
    wide = {**without(wide, "target", "record"), "187": wide["0"], "target": wide["target"]}
    assert "has 189 columns; expected 187 samples" in refusal(write(tmp_path, form, wide, rows(10, seed=2)))


@pytest.mark.parametrize(("column", "name"), [("0", "187"), ("0", "first"), ("target", "label")])
def test_columns_of_other_names_are_refused(tmp_path: Path, column: str, name: str) -> None:
    other = {name if old == column else old: cells for old, cells in rows(10, seed=1).items()}
    assert "expected 187 samples, '0' to '186', and the label, named 'target'" in refusal(
        write(tmp_path, "plain", other, rows(10, seed=2))
    )


def test_constant_rows(tmp_path: Path) -> None:
    train = rows(10, seed=1)
    for time in range(TIMES):
        train[str(time)][3] = 0
    folder = write(tmp_path, "kaggle", train, rows(10, seed=2))
    message = refusal(folder)
    assert "mitbih_train.csv: 1 row where all samples are equal, the first at line 4; " in message
    assert "--set dataset.constant=drop" in message
    assert len(mitbih(data_dir=folder, constant="keep").labels) == 20
    dropped = mitbih(data_dir=folder, constant="drop")
    assert counts(dropped, "official", TRAIN) == [2, 2, 2, 1, 2]
    assert dropped.notes == ("mitbih_train.csv: 1 of 10 rows left out: all their samples are equal",)


def test_constant_rows_of_both_files_are_dropped_with_their_labels_and_records(tmp_path: Path) -> None:
    train, test = rows(20, seed=1), rows(30, seed=2)
    kept = mitbih(data_dir=write(tmp_path / "kept", "ours", {k: c[5:] for k, c in train.items()}, test))
    for time in range(TIMES):
        train[str(time)][:5] = 0.5
    dropped = mitbih(data_dir=write(tmp_path / "dropped", "ours", train, test), constant="drop")
    assert_same(dropped, kept)
    assert dropped.notes == ("mitbih_train.parquet: 5 of 20 rows left out: all their samples are equal",)
    for time in range(TIMES):
        test[str(time)][7] = 0.5
    both = mitbih(data_dir=write(tmp_path / "both", "ours", train, test), constant="drop")
    assert both.notes == (*dropped.notes, "mitbih_test.parquet: 1 of 30 rows left out: all their samples are equal")
    assert len(both.labels) == 44


def test_files_cut_short(tmp_path: Path) -> None:
    for form, name in (("ours", "mitbih_train.parquet"), ("kaggle", "mitbih_train.csv")):
        path = write(tmp_path / form, form, rows(10, seed=1), rows(10, seed=2)) / name
        path.write_bytes(path.read_bytes()[:-100])
        assert str(path) in refusal(path.parent)
    assert "line 10 has 185 columns, the first line 188" in refusal(tmp_path / "kaggle")


def test_records_are_known_and_in_both_files(tmp_path: Path) -> None:
    train, test = rows(10, seed=1), rows(10, seed=2)
    folder = write(tmp_path, "ours", without(train, "record"), test)
    assert "only one of them has a column 'record'" in refusal(folder)
    train["record"][4] = 110
    message = refusal(write(tmp_path, "ours", train, test))
    assert "the record at row 5 is '110', which is not one of the 48 records of the database" in message


def beat(signal: Sequence[int]) -> npt.NDArray[np.float32]:
    """A beat by the rule, written out: every third sample, scaled in float64, padded to 187."""
    chosen = np.array(signal[::3], np.float64)
    scaled = ((chosen - chosen.min()) / (chosen.max() - chosen.min())).astype(np.float32)[:TIMES]
    return np.pad(scaled, (0, TIMES - len(scaled)))


def test_beats_are_cut_by_the_rule() -> None:
    signal = np.random.default_rng(1).integers(900, 1200, 3000)
    samples = np.array([10, 100, 309, 1400, 2000, 2500])
    found = cut(signal, samples, ["+", "N", "V", "~", "/", "N"])
    assert found.samples.tolist() == [100, 309, 2000]
    assert found.labels.tolist() == [0, 2, 4]
    # Ends: a fifth of the next interval further; 218.2 and 120 samples are cut down to whole ones.
    assert found.values[0].tolist() == beat(signal.tolist()[100 : 309 + 218]).tolist()
    assert found.values[1].tolist() == beat(signal.tolist()[309 : 1400 + 120]).tolist()
    # The last beat but one takes the record's length for the annotation that is missing.
    assert found.values[2].tolist() == beat(signal.tolist()[2000 : 2500 + 100]).tolist()
    assert np.count_nonzero(found.values[1]) > 180


@pytest.mark.parametrize("symbols", [[], ["N"], ["+", "~"]])
def test_annotations_without_a_whole_beat_give_none(symbols: list[str]) -> None:
    found = cut(np.arange(100), np.arange(len(symbols)) * 10, symbols)
    assert found.values.shape == (0, TIMES)


def test_wfdb_is_asked_for_only_where_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wfdb", None)
    (tmp_path / "100.atr").write_bytes(b"\0\0")
    with pytest.raises(DataError, match="pip install wfdb"):
        read_record(tmp_path, 100)


def test_the_plugin_is_light() -> None:
    code = "import sys, zoo_mitbih; assert not {'numpy', 'pyarrow', 'wfdb', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_raw_records_give_our_rows_bit_for_bit() -> None:
    folder = real("mitbih")
    table = pa.concat_tables([pq.read_table(folder / f"mitbih_{part}.parquet") for part in ("train", "test")])
    table = table.sort_by([("record", "ascending"), ("sample", "ascending")])
    rebuilt = [read_record(real("mitdb"), record) for record in RECORDS]
    records = np.repeat(RECORDS, [len(beats.labels) for beats in rebuilt])
    np.testing.assert_array_equal(table["record"].to_numpy(), records)
    np.testing.assert_array_equal(table["sample"].to_numpy(), np.concatenate([beats.samples for beats in rebuilt]))
    np.testing.assert_array_equal(table["target"].to_numpy(), np.concatenate([beats.labels for beats in rebuilt]))
    values = np.concatenate([beats.values for beats in rebuilt]).view(np.int32)
    for time in range(TIMES):
        np.testing.assert_array_equal(table[str(time)].to_numpy().view(np.int32), values[:, time])


def test_the_raw_folder_is_the_same_data_set(ours: LabelledSeries, raw: LabelledSeries) -> None:
    assert_same(raw, ours)
    assert set(raw.splits) == set(PATIENT_SPLITS)
    assert "no official split" in raw.refusals["official"]
    assert set(raw.refusals) == {"official"}


def test_real_counts(ours: LabelledSeries) -> None:
    assert len(ours.labels) == BEATS == 109_446
    assert counts(ours, "official", TRAIN) == [72471, 2223, 5788, 641, 6431]
    assert counts(ours, "official", TEST) == [18118, 556, 1448, 162, 1608]
    for name in PATIENT_SPLITS:
        assert counts(ours, name, TRAIN) == [45845, 943, 3788, 415, 8]
        assert "15 rows of class Q are left out, 8 of DS1 and 7 of DS2" in ours.splits[name].notes
        assert any(
            note.startswith("373 of the 415 F rows of DS1 are from record 208") for note in ours.splits[name].notes
        )
    assert counts(ours, "inter-patient", TEST) == [44238, 1836, 3221, 388, 7]
    assert counts(ours, "inter-patient-strict", TEST) == [42178, 1781, 3202, 387, 7]


def test_real_patients(ours: LabelledSeries) -> None:
    assert ours.groups is not None
    assert len(set(ours.groups)) == 47
    shared = [
        set(ours.groups[split.parts == TRAIN]) & set(ours.groups[split.parts == TEST])
        for split in (ours.splits[name] for name in PATIENT_SPLITS)
    ]
    assert shared == [{201}, set()]


def test_real_rows_from_the_other_forms(tmp_path: Path, ours: LabelledSeries) -> None:
    folder = real("mitbih")
    for part in ("train", "test"):
        table = pq.read_table(folder / f"mitbih_{part}.parquet").drop_columns(["record", "sample"])
        doubles = pa.table({name: table[name].cast("float64") for name in table.column_names})
        pq.write_table(doubles, tmp_path / f"heart_big_{part}.parq", compression="none")
        options = pyarrow.csv.WriteOptions(include_header=False)
        pyarrow.csv.write_csv(doubles, tmp_path / f"mitbih_{part}.csv", options)
    assert_same(mitbih(data_dir=tmp_path), ours)
    (tmp_path / "mitbih_train.csv").unlink()
    assert_same(mitbih(data_dir=tmp_path), ours)


def test_original_kaggle_rows_are_our_test_rows(tmp_path: Path, ours: LabelledSeries) -> None:
    sample = (real("mitbih") / "kaggle_form_sample.csv").read_bytes()
    for part in ("train", "test"):
        (tmp_path / f"mitbih_{part}.csv").write_bytes(sample)
    found = mitbih(data_dir=tmp_path)
    test = ours.splits["official"].parts == TEST
    known = {row.tobytes(): int(label) for row, label in zip(ours.values[test], ours.labels[test], strict=True)}
    assert len(found.labels) == 2 * 438
    assert [known[row.tobytes()] for row in found.values] == found.labels.tolist()


@pytest.mark.parametrize(
    ("name", "size", "more"),
    [
        ("100.dat", 1000, b""),
        ("100.dat", -3, b"???"),
        ("100.hea", 60, b""),
        ("100.atr", 2000, b""),
        ("100.atr", 0, b""),
    ],
)
def test_damaged_raw_files_are_named(tmp_path: Path, name: str, size: int, more: bytes) -> None:
    for path in real("mitdb").iterdir():
        (tmp_path / path.name).symlink_to(path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(whole[:size] + more)
    message = refusal(tmp_path)
    assert str(tmp_path / "100") in message
    assert "download" in message
    assert "again" in message
