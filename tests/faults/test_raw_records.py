"""One flipped bit in a raw record of mitbih: the file is named before anything is read from it."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zoo import DataError
from zoo_mitbih.beats import FILES
from zoo_mitbih.dataset import mitbih
from zoo_mitbih.sums import KNOWN, check_sums

Record = Callable[[str, object], None]
REAL = Path(os.environ.get("ZOO_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "mitdb"

RECORDS = ("100", "208", "234")


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files with the names of the records, and their sums beside them."""
    draw = np.random.default_rng(0)
    for name in FILES:
        (tmp_path / name).write_bytes(draw.bytes(200))
    sums = [f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()} {name}\n" for name in FILES]
    (tmp_path / "SHA256SUMS.txt").write_text("".join(sums))
    return tmp_path


def test_a_flipped_bit_is_found_by_the_sums_beside_the_records(folder: Path, record_property: Record) -> None:
    check_sums(folder, FILES)
    draw = np.random.default_rng(1)
    for _ in range(20):
        name, bit = str(draw.choice(FILES)), int(draw.integers(1600))
        flip(folder / name, bit)
        with pytest.raises(DataError) as caught:
            mitbih(data_dir=folder)
        assert str(caught.value).startswith(
            f"{folder / name} is damaged: its sha256 differs from the one in SHA256SUMS"
        )
        flip(folder / name, bit)
    record_property("faults", 20)


def test_without_sums_beside_them_records_are_compared_with_those_of_the_release(folder: Path) -> None:
    (folder / "SHA256SUMS.txt").unlink()
    with pytest.raises(DataError, match=r"100\.hea is damaged: its sha256 differs from the one of release 1\.0\.0"):
        mitbih(data_dir=folder)


def test_sums_that_name_only_some_files_leave_the_others_to_the_release(folder: Path) -> None:
    sums = folder / "SHA256SUMS.txt"
    sums.write_bytes(b"\xff no sum\n" + sums.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(DataError, match=r"100\.dat is damaged: its sha256 differs from the one of release 1\.0\.0"):
        mitbih(data_dir=folder)


def test_the_sums_of_the_release_are_those_of_its_files() -> None:
    names = [line.split()[1] for line in KNOWN.read_text().splitlines()]
    assert sorted(names) == sorted(FILES)


@pytest.mark.skipif(not REAL.is_dir(), reason="the raw records are absent; set ZOO_TEST_DATA to the folder above mitdb")
def test_a_flipped_bit_in_the_real_records(tmp_path: Path, record_property: Record) -> None:
    """The file of sums is absent, so the plugin's own table finds it."""
    for name in FILES:
        place = shutil.copyfile if name.startswith(RECORDS) else os.symlink
        place(REAL / name, tmp_path / name)
    check_sums(tmp_path, FILES)
    draw = np.random.default_rng(2)
    for record in RECORDS:
        for suffix in ("hea", "dat", "atr"):
            path = tmp_path / f"{record}.{suffix}"
            bit = int(draw.integers(8 * path.stat().st_size))
            flip(path, bit)
            with pytest.raises(DataError, match=f"{record}.{suffix} is damaged"):
                mitbih(data_dir=tmp_path)
            flip(path, bit)
    record_property("faults", 9)


def test_a_pipe_in_place_of_a_record_is_not_waited_for(folder: Path, record_property: Record) -> None:
    for name in ("100.hea", "124.dat", "234.atr", "SHA256SUMS.txt"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(DataError, match=f"{name} is not a regular file"):
            mitbih(data_dir=folder)
        (folder / name).unlink()
        (folder / name).write_bytes(content)
    record_property("faults", 4)
