"""The separator and the decimal sign of CSV files, as Excel and pandas write them in several countries."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from zoo import DataError, UsageError
from zoo.data.files import from_file

ROWS = np.random.default_rng(0).normal(size=(30, 6)).round(4)
FRAME = pd.DataFrame(ROWS, columns=[f"t{place}" for place in range(6)]).assign(label=["calm", "busy"] * 15)


def refusal(path: Path, kind: type[Exception] = DataError, **request: Any) -> str:
    with pytest.raises(kind) as caught:
        from_file(path, **{"target": "label"} | request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    ("sep", "decimal", "reported"),
    [
        (",", ".", ""),
        (";", ".", ', separated by ";"'),
        (";", ",", ', separated by ";", decimal comma'),
        ("\t", ".", ", separated by tabs"),
        ("\t", ",", ", separated by tabs, decimal comma"),
        ("|", ".", ', separated by "|"'),
        (",", ",", ", decimal comma"),
    ],
)
def test_separator_and_decimal_sign_are_detected_and_reported(
    tmp_path: Path, sep: str, decimal: str, reported: str, header: bool
) -> None:
    path = tmp_path / "beats.csv"
    FRAME.to_csv(path, sep=sep, decimal=decimal, index=False, header=header)
    found = from_file(path, target="-1")
    np.testing.assert_array_equal(found.values[:, 0], ROWS.astype(np.float32))
    assert found.classes == ("busy", "calm")
    assert found.read.endswith(f"2 classes 15/15{reported}{'' if header else ', no header'}")
    stated = from_file(path, target="-1", separator=sep, decimal=decimal)
    assert stated.read == found.read


def test_a_file_of_excel_with_its_hint_and_numbers_as_labels(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    FRAME.assign(label=[0, 1] * 15).to_csv(path, sep=";", decimal=",", index=False)
    path.write_bytes(b"\xef\xbb\xbfsep=;\r\n" + path.read_bytes().replace(b"\n", b"\r\n"))
    found = from_file(path, target="label")
    np.testing.assert_array_equal(found.values[:, 0], ROWS.astype(np.float32))
    assert found.classes == ("0", "1")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.write_text("\n".join([*lines[:4], lines[4].replace("-", "x", 1), *lines[5:]]))
    assert ": line 5, column " in refusal(path)
    path.write_text("\n".join([*lines[:4], ";".join(["1"] * 6 + ["0"]), *lines[5:]]))
    assert "the first at line 5; " in refusal(path)


def test_whole_numbers_between_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_text("a;b;c;kind\n1;2;7;N\n2;1;5;V\n3;1;4;N\n")
    assert from_file(path, target="kind").values[:, 0].tolist() == [[1, 2, 7], [2, 1, 5], [3, 1, 4]]


def test_the_wrong_separator_is_answered_with_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_text("0,7;0,0816;0\n0,6;0,2816;1\n0,5;0,1816;0\n")
    message = refusal(path, target="-1", separator=",")
    assert "'6;0' is not a number; if \";\" separates the columns, use --set 'dataset.separator=\";\"' (and" in message
    np.testing.assert_array_equal(
        from_file(path, target="-1").values[:, 0], np.float32([[0.7, 0.0816], [0.6, 0.2816], [0.5, 0.1816]])
    )
    assert "the first line has one column; columns are separated by '|'" in refusal(path, separator="|")


def test_commas_that_can_separate_thousands_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_text("a;b;kind\n1,234;2,345;N\n3,456;1,111;V\n")
    assert "can separate decimals or thousands; use --set 'dataset.decimal=\",\"'" in refusal(path, target="kind")
    assert from_file(path, target="kind", decimal=",").values[0, 0, 0] == np.float32(1.234)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"separator": ";;"}, 'dataset.separator must be one sign, such as ";" or "tab", not \';;\''),
        ({"separator": "5"}, "dataset.separator must be one sign"),
        ({"decimal": ";"}, 'dataset.decimal must be "." or ",", not \';\''),
    ],
)
def test_signs_that_separate_nothing_are_refused(tmp_path: Path, option: dict[str, str], message: str) -> None:
    path = tmp_path / "beats.csv"
    FRAME.to_csv(path, index=False)
    assert refusal(path, UsageError, **option).startswith(message)
    FRAME.to_parquet(tmp_path / "beats.parquet")
    name = next(iter(option))
    assert f"dataset.{name} is for .csv files" in refusal(tmp_path / "beats.parquet", UsageError, **option)


def test_a_tab_can_be_written_as_a_word(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    FRAME.to_csv(path, sep="\t", index=False)
    for word in ("tab", "\\t", "\t"):
        assert from_file(path, target="label", separator=word).n_times == 6


def test_a_byte_order_mark_alone_is_no_column(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_bytes(b"\xef\xbb\xbf\n0.5,0.1,0\n")
    assert refusal(path) == f"{path}: the first line has no column; columns are separated by commas"
