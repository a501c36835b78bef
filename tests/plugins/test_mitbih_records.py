"""Raw records of mitbih, made up in PhysioNet's form: what is cut from them, and how a damaged one is named."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from zoo import DataError
from zoo.data import TEST, TRAIN
from zoo_mitbih.beats import Beats, cut, read_record
from zoo_mitbih.dataset import mitbih
from zoo_mitbih.splits import RECORDS

BEATS = 109_446
CODES = {"N": 1, "V": 5, "F": 6, "A": 8, "f": 38, "+": 28}  # of PhysioNet's annotation files

Ints = npt.NDArray[np.int64]


def write(folder: Path, record: int, signal: Ints, samples: Sequence[int] | Ints, symbols: str) -> Path:
    """A record in PhysioNet's form: two channels in format 212 at 360 Hz, the second one something else."""
    folder.mkdir(parents=True, exist_ok=True)
    other = 2000 - signal[::-1]
    channels = "".join(
        f"{record}.dat 212 200 11 1024 {one[0]} {one.sum() % 2**16} 0 {name}\n"
        for one, name in ((signal, "MLII"), (other, "V5"))
    )
    (folder / f"{record}.hea").write_text(f"{record} 2 360 {len(signal)}\n{channels}")
    packed = np.stack([signal & 255, signal >> 8 | (other >> 8) << 4, other & 255], axis=1)
    (folder / f"{record}.dat").write_bytes(packed.astype(np.uint8).tobytes())
    codes = np.array([CODES[symbol] for symbol in symbols])
    words = np.append(codes << 10 | np.diff(samples, prepend=0), 0)
    (folder / f"{record}.atr").write_bytes(words.astype("<u2").tobytes())
    return folder


def state_sums(folder: Path) -> None:
    """The sums of all files of a folder, beside them in PhysioNet's form."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.name}\n" for path in folder.iterdir()]
    (folder / "SHA256SUMS.txt").write_text("".join(lines))


def by_rule(signal: Sequence[int]) -> list[float]:
    """A segment's row by the rule, in Python's own arithmetic."""
    low, high = min(signal[::3]), max(signal[::3])
    scaled = [float(np.float32((sample - low) / ((high - low) or 1))) for sample in signal[::3]]
    return [*scaled, *[0.0] * 187][:187]


def test_a_beat_goes_a_fifth_of_the_next_interval_past_the_next_annotation() -> None:
    signal = np.array([5, 0, 0, 1, 0, 0, 3, 0, 0, 9, 0, 0, 2, 0, 0, 4, 9, 9, 9, 9, 9], np.int64)
    # 3 to 10 + int(0.2 * (19 - 10)) = 11: the samples 3, 6 and 9. Then 10 to 19 + int(0.2 * (21 - 19)) = 19.
    found = cut(signal, np.array([3, 10, 19]), ["V", "A", "N"])
    assert found.labels.tolist() == [2, 1]
    assert found.samples.tolist() == [3, 10]
    assert found.values[0, :4].tolist() == [0.0, 0.25, 1.0, 0.0]
    assert found.values[1, :4].tolist() == [0.0, 0.0, 1.0, 0.0]  # the samples 10, 13 and 16
    assert not found.values[:, 3:].any()
    assert found.values.dtype == np.float32
    assert (found.labels.dtype, found.samples.dtype) == (np.int64, np.int64)


@pytest.mark.parametrize("last", ["N", "+"])
def test_the_last_annotation_gives_no_beat_and_the_one_before_takes_the_records_end(last: str) -> None:
    signal = np.random.default_rng(2).integers(900, 1200, 400)
    found = cut(signal, np.array([7, 100, 250]), ["~", "F", last])
    assert found.samples.tolist() == [100]
    assert found.values.tolist() == [by_rule(signal.tolist()[100 : 250 + 30])]  # 30 is a fifth of 400 - 250


def test_a_beat_is_scaled_over_its_whole_segment_before_it_is_cut_to_187_samples() -> None:
    signal = np.full(900, 10)
    signal[0], signal[3 * 186], signal[3 * 187] = 0, 30, 40  # the last sample that is kept, the first that is not
    found = cut(signal, np.array([0, 700, 800]), ["e", "N", "+"])
    assert found.values[0].tolist() == [0.0, *[0.25] * 185, 0.75]
    assert found.values[0].tolist() == by_rule(signal.tolist()[:720])


def test_a_beat_of_one_level_is_a_row_of_zeros() -> None:
    found = cut(np.full(100, 1024), np.array([10, 40, 70]), ["Q", "N", "N"])
    assert found.labels.tolist() == [4, 0]
    assert not found.values.any()


@pytest.fixture
def signal() -> Ints:
    """Samples whose sum is some odd times 2 to the 16th, and a rest."""
    drawn: Ints = np.random.default_rng(1).integers(900, 1100, 500)
    assert drawn.sum() // 2**16 % 2
    return drawn


@pytest.fixture
def record(tmp_path: Path, signal: Ints) -> Path:
    return write(tmp_path / "raw", 100, signal, [5, 90, 180, 300, 420], "+NVfN")


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_record(folder, 100)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(found: Beats, signal: Ints) -> bool:
    expected = [by_rule(signal.tolist()[slice(*ends)]) for ends in ((90, 204), (180, 324), (300, 436))]
    return found.values.tolist() == expected and found.labels.tolist() == [0, 2, 4]


def test_a_record_is_read_from_its_first_channel_in_adc_units(record: Path, signal: Ints) -> None:
    found = read_record(record, 100)
    assert same(found, signal)
    assert found.samples.tolist() == [90, 180, 300]


def test_a_headers_sum_may_be_below_zero_as_physionet_writes_it(record: Path, signal: Ints) -> None:
    header = record / "100.hea"
    total = int(signal.sum()) % 2**16
    assert f" {total} 0 MLII" in header.read_text()
    header.write_text(header.read_text().replace(f" {total} 0 MLII", f" {total - 2**16} 0 MLII"))
    assert same(read_record(record, 100), signal)


@pytest.mark.parametrize("change", [1, 64, 2**11, -64])
def test_samples_that_do_not_add_up_to_the_headers_sum_are_damaged(
    tmp_path: Path, record: Path, signal: Ints, change: int
) -> None:
    signal[250:258] += np.array([change // 8] * 8 if change % 8 == 0 else [change, *[0] * 7])
    other = write(tmp_path / "other", 100, signal, [5], "+")
    shutil.copy(other / "100.dat", record / "100.dat")
    message = refused(record)
    assert f"record {record / '100'} cannot be read; download its .hea, .dat and .atr again" in message
    assert "the sum of the samples differs from the header's checksum" in message


@pytest.mark.parametrize(("name", "size"), [("100.dat", 300), ("100.hea", 20), ("100.hea", 0), ("100.dat", 0)])
def test_a_record_that_is_cut_short_is_named(record: Path, name: str, size: int) -> None:
    (record / name).write_bytes((record / name).read_bytes()[:size])
    assert f"record {record / '100'} cannot be read; download its .hea, .dat and .atr again (" in refused(record)


def test_annotations_that_are_cut_short_absent_or_empty_are_named(record: Path) -> None:
    path = record / "100.atr"
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) - 2, 4):
        path.write_bytes(whole[:size])
        assert refused(record) == f"{path} is cut short: its end mark is missing; download it again"
    path.write_bytes(b"")
    assert f"{path} is empty" in refused(record)
    path.unlink()
    assert f"there is no file '{path}'" in refused(record)


def test_records_that_give_another_number_of_beats_are_refused(tmp_path: Path, signal: Ints) -> None:
    for number in RECORDS:
        write(tmp_path, number, signal[:60], [5, 20, 30, 40], "NNVN")
    state_sums(tmp_path)
    with pytest.raises(DataError) as caught:
        mitbih(data_dir=tmp_path)
    assert f"{tmp_path}: the raw records contain {48 * 3} beats; expected {BEATS}: a file is damaged or not" in str(
        caught.value
    )


def test_the_raw_folder_is_a_data_set_by_patient(tmp_path: Path) -> None:
    folder, draw = tmp_path / "mitdb", np.random.default_rng(3)
    for record in RECORDS:
        count = BEATS // 48 + (BEATS % 48 if record == 100 else 0)
        signal = draw.integers(900, 1200, 6 * count + 12)
        if record == 234:
            signal[600:612] = 1000  # a beat of V
        write(folder, record, signal, np.arange(count + 1) * 6, ("NVA" * count)[: count + 1])
    state_sums(folder)
    found = mitbih(data_dir=tmp_path, constant="drop")
    assert found.values.shape == (BEATS - 1, 1, 187)
    assert found.notes == (f"1 of {BEATS} rows left out: all their samples are equal",)
    assert np.bincount(found.labels).tolist() == [36_482, 36_482, 36_481]
    assert found.groups is not None
    each = dict(zip(*np.unique(found.groups, return_counts=True), strict=True))
    assert each == {record: 2280 for record in RECORDS if record != 202} | {100: 2286, 201: 4560, 234: 2279}
    assert found.refusals == {
        "official": "the raw records have no official split; use inter-patient, or the Kaggle CSV files"
    }
    assert set(found.splits) == {"inter-patient", "inter-patient-strict"}
    parts = found.splits["inter-patient"].parts
    assert set(found.groups[parts == TRAIN]) & set(found.groups[parts == TEST]) == {201}
    assert [int((parts == part).sum()) for part in (TRAIN, TEST)] == [22 * 2280, 22 * 2280 + 5]
