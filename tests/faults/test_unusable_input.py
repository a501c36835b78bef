"""Names, numbers, settings and files of no use: each is one line with the way out, from a real process."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Zoo
from terminal import on_terminal
from warm import Warm

import zoo as library
from zoo import DataError, numerals
from zoo.assignments import parse_value
from zoo.data.files import from_file
from zoo.data.memory import free_memory
from zoo.errors import SettingsError, ZooError
from zoo.numerals import number, whole
from zoo.settings import Layer
from zoo.store.runs import Store
from zoo.visible import quoted

Record = Callable[[str, object], None]
TS = "@timeStamps false\n@classLabel true a b\n@data\n"


def one_line(zoo: Zoo, *words: str, code: int, **environment: str) -> str:
    """The error of a command: one line of limited length, without a traceback."""
    result = zoo(*words, **environment)
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("error: "), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr[:-1].isprintable()
    return result.stderr


LONG = "A" * 300


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("bench", LONG), 2),
        (("bench", f"{LONG}.py:Net"), 2),
        (("bench", "cnn1d", "--dataset", f"{LONG}.csv"), 1),
        (("bench", "cnn1d", "--dataset", "mitbih", "--data-dir", LONG), 1),
        (("bench", "cnn1d", "--results", LONG), 1),
        (("tune", "cnn1d", "--space", f"{LONG}.toml"), 1),
        (("new", "block", "my-gate", "--dir", LONG), 2),
        (("list", "--config", LONG), 1),
        (("data", f"{LONG}.npz"), 1),
    ],
)
def test_names_over_the_limit_of_the_system(zoo: Zoo, words: tuple[str, ...], code: int) -> None:
    assert LONG not in one_line(zoo, *words, code=code)


def test_messages_repeat_at_most_300_characters_of_the_input(zoo: Zoo, record_property: Record) -> None:
    for word in ("B" * 100_000, "a b " * 25_000, 'it\'s "so" ' * 10_000, "\\'" * 50_000):
        assert len(one_line(zoo, "show", word, code=2)) < 400
        assert len(one_line(zoo, "bench", "cnn1d", "--epochs", word, code=2)) < 400
        assert len(quoted([word[:1000]] * 1000)) <= 120
    assert quoted(16**6000) == "a value of the type int"
    record_property("faults", 4)


def test_settings_of_no_use(tmp_path: Path, record_property: Record) -> None:
    cases = {
        "x = " + "[" * 500 + "]" * 500: "values are nested too deeply",
        "x = " + "[" * 50_000: "values are nested too deeply",
        "[training]\nepochs = " + "9" * 5000: "a number does not fit into 64 bits",
        "[training]\nepochs = 0x" + "f" * 5000: "a number does not fit into 64 bits",
        "[training]\nlearning_rate = " + "9" * 400: "a number does not fit into 64 bits",
        "[training]\nlearning_rate = 1e400": "training.learning_rate must be a finite number, not inf",
        "[plugins]\ndisabled = [1, 2]": "plugins.disabled must be a list of texts, not [1, 2]",
        "[plugins]\ndisabled = [['a']]": "plugins.disabled must be a list of texts, not [['a']]",
        '[presets."cnn1d.x"]\nparams = { hidden = [1] }': "presets.cnn1d.x.params.hidden must be a number, text",
        '[presets."cnn1d.x"]\ndata_params = { k = 2020-01-01 }': "presets.cnn1d.x.data_params.k must be a number",
        "#" * 1_000_001: "has more than 1,000,000 bytes",
    }
    path = tmp_path / "mine.toml"
    for text, message in cases.items():
        path.write_text(text)
        with pytest.raises(SettingsError) as caught:
            Layer.read(path)
        assert message in str(caught.value)
        assert len(str(caught.value)) < 500
    record_property("faults", len(cases))


def test_folders_in_settings_that_cannot_be(tmp_path: Path, zoo: Zoo, record_property: Record) -> None:
    for place in ('[defaults]\nresults = "{}"', '[datasets.mitbih]\ndir = "{}"', '[defaults]\ndataset = "{}.csv"'):
        (tmp_path / "registry.toml").write_text(place.format("a\\u0000b"))
        words = () if "dataset =" in place else ("--dataset", "mitbih")
        assert "NUL character" in one_line(zoo, "bench", "cnn1d", *words, code=2 if words else 1)
    (tmp_path / "registry.toml").write_text('[defaults]\nresults = "~nobody-here/x"')
    assert "no home folder is known for ~nobody-here" in one_line(zoo, "results", code=2)
    (tmp_path / "registry.toml").unlink()
    assert "no home folder is known for ~nobody-here" in one_line(zoo, "results", code=2, ZOO_RESULTS="~nobody-here")
    record_property("faults", 5)


def test_pipes_devices_and_folders_are_not_waited_for(tmp_path: Path, zoo: Zoo, record_property: Record) -> None:
    for name in ("p.csv", "p.ts", "p.npz", "p.parquet", "p.toml", "p.py"):
        os.mkfifo(tmp_path / name)
    for name in ("p.csv", "p.ts", "p.npz", "p.parquet"):
        assert "not a regular file" in one_line(zoo, "data", name, code=1)
    for words in (
        ("--config", "p.toml", "list"),
        ("tune", "cnn1d", "--space", "p.toml"),
        ("--config", "/dev/zero", "list"),
    ):
        assert "not a regular file" in one_line(zoo, *words, code=1)
    assert "not a regular file" in one_line(zoo, "bench", "p.py:Net", code=2)
    assert "it is a folder" in one_line(zoo, "--config", str(tmp_path), "list", code=1)
    record_property("faults", 9)


def test_arguments_that_are_not_utf_8(tmp_path: Path, zoo: Zoo, record_property: Record) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\nclass Net(nn.Linear):\n"
        "    def __init__(self, *, n_channels, n_times, n_classes, text='a'):\n        super().__init__(2, 2)\n"
    )
    name = "caf\udce9.csv"
    Path(name).write_text("a,b,y\n1,2,u\n2,1,v\n")
    assert "the name is not UTF-8; rename the file" in one_line(zoo, "data", name, "--target", "y", code=1)
    words = ("bench", "net.py:Net", "--set", "text=\udcff")
    assert r"net.py:Net's text must be text in UTF-8, not '\udcff'" in one_line(zoo, *words, code=2)
    Store(tmp_path / "zoo-results").close()
    assert r"no run '\udcff'" in one_line(zoo, "results", "\udcff", code=2)
    assert r"no study named '\udcff'" in one_line(zoo, "tune", "--resume", "\udcff", code=2)
    record_property("faults", 4)


@pytest.mark.parametrize(
    "text", ["1_0", "٣", " 1", "1 ", "0x10", "0b1", "1e", "--1", "+-1", "", ".", "1,5", "²", "1\n"]
)
def test_numbers_are_written_in_plain_digits(tmp_path: Path, text: str) -> None:
    for read in (whole, number):
        with pytest.raises(ValueError, match="is not a"):
            read(text)
    assert parse_value(text) == text.strip() or parse_value(text) == text
    path = tmp_path / "n.ts"
    path.write_text(
        f"{TS}1,2{text}9:a\n2,1:b\n" if text.strip() != text or text == "1,5" else f"{TS}1,{text}:a\n2,1:b\n"
    )
    if not text:  # an empty sample at the end is padding
        assert from_file(path, constant="keep").lengths is not None
    elif text not in ("1,5", " 1", "1 ", "1\n"):
        with pytest.raises(DataError, match=r"line 4, channel 1, sample 2: .* is (not a number|a missing value)"):
            from_file(path)


def test_numbers_that_mean_what_they_say(tmp_path: Path) -> None:
    assert [whole("12"), whole("-3"), whole("+4"), whole("007")] == [12, -3, 4, 7]
    assert [number("1."), number(".5"), number("-1e-4"), number("1E3")] == [1.0, 0.5, -1e-4, 1000.0]
    values: dict[str, object] = {"8": 8, "1e-3": 1e-3, "true": True, "'8'": "8", "se": "se", "nan": "nan", "inf": "inf"}
    assert {text: parse_value(text) for text in values} == values
    assert [numerals.is_nan_or_infinity(text) for text in ("nan", "-inf", "Infinity", "info")] == [True] * 3 + [False]
    path = tmp_path / "n.ts"
    path.write_text(f"{TS}1, 2.5e0 ,\t-.5:a\n+2,1.,0:b\n")
    assert from_file(path).values.tolist() == [[[1.0, 2.5, -0.5]], [[2.0, 1.0, 0.0]]]


def test_labels_in_hexadecimal_are_text(tmp_path: Path) -> None:
    path = tmp_path / "hex.csv"
    path.write_text("a,b,y\n1,2,0x10\n2,1,0x11\n")
    assert from_file(path, target="y").classes == ("0x10", "0x11")


def test_options_and_variables_take_plain_digits(zoo: Zoo, record_property: Record) -> None:
    message = one_line(zoo, "bench", "cnn1d", "--epochs", "1_0", code=2)
    assert "--epochs must be a whole number of at least 1" in message
    assert "ZOO_EPOCHS must be a whole number" in one_line(zoo, "bench", "cnn1d", code=2, ZOO_EPOCHS="1_0")
    assert "must be a whole number" in one_line(zoo, "bench", "cnn1d", "--set", "training.epochs=1_0", code=2)
    assert "a range needs numbers" in one_line(zoo, "tune", "cnn1d", "--tune", "hidden=1_0..2_0", code=2)
    assert "--seeds must be at most 10,000" in one_line(zoo, "bench", "cnn1d", "--seeds", str(10**12), code=2)
    most = "hardware.threads must be at most"
    assert most in one_line(zoo, "bench", "cnn1d", "--threads", "100000", code=2)
    assert most in one_line(zoo, "bench", "cnn1d", code=2, ZOO_THREADS="100000")
    for words in (("bench", "cnn1d", "--run-timeout", "9" * 400), ("check", "smote", "--timeout", f"{'9' * 15}h")):
        assert "timeout must be at most 100,000 h" in one_line(zoo, *words, code=2)
    record_property("faults", 9)


@pytest.mark.parametrize(
    "given",
    [
        {"dataset": "a\0b.csv", "target": "y"},
        {"results": "a\0b"},
        {"dataset": "mitbih", "data_dir": "a\0b"},
        {"set": {"hidden": 10**400}},
        {"set": {"dropout": 10**400}},
        {"set": {"hidden": [1] * 10**5}},
        {"set": {"training.learning_rate": 10**400}},
        {"seeds": 10**12},
        {"threads": 10**6},
    ],
)
def test_arguments_from_python(given: dict[str, Any]) -> None:
    with pytest.raises(ZooError) as caught:
        library.bench("cnn1d", rows=100, **given)
    assert len(str(caught.value)) < 500


def padded_ts(path: Path) -> str:
    path.write_text(TS + "1,2:a\n2,1:b\n" * 20_000 + "1,2," * 999_999 + "3:a\n")
    return f"padding 40,001 series to the longest, 1,999,999 samples ({path.name}, line 40004), needs 596.1 GiB"


def long_text_parquet(path: Path) -> str:
    rows = np.arange(2**16)
    labels = pa.DictionaryArray.from_arrays(pa.array(rows % 2, pa.int32()), pa.array(["z" * 2**22, "b"]))
    pq.write_table(pa.table({"a": rows / 2, "b": rows / 3, "y": labels}), path)
    return "the text of 65,536 rows needs 128.0 GiB of memory"


def many_rows_parquet(path: Path) -> str:
    rows = 2**24
    columns = 2 + free_memory() // (12 * rows)
    pq.write_table(pa.table({f"t{place}": pa.nulls(rows) for place in range(columns)}), path)
    return f"reading 16,777,216 rows of {columns} columns needs"


def empty_npz(path: Path) -> str:
    header = io.BytesIO()
    layout = {"descr": "<f4", "fortran_order": False, "shape": (2**30, 2**10)}
    np.lib.format.write_array_header_1_0(header, layout)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", header.getvalue() + b"\0" * 2**20)
    return "array 'X' does not fit into memory"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("padded.ts", padded_ts),
        ("text.parquet", long_text_parquet),
        pytest.param("rows.parquet", many_rows_parquet, marks=pytest.mark.slow),
        ("empty.npz", empty_npz),
    ],
)
def test_small_files_that_unpack_beyond_memory(tmp_path: Path, name: str, write: Callable[[Path], str]) -> None:
    path = tmp_path / name
    message = write(path)
    assert path.stat().st_size < 2**23
    with pytest.raises(DataError) as caught:
        from_file(path, target="y" if path.suffix == ".parquet" else None)
    assert message in str(caught.value)
    assert "; " in str(caught.value)  # the way out


def test_the_memory_of_a_container_counts(tmp_path: Path) -> None:
    for name, content in (
        ("memory.max", "3000\n"),
        ("memory.current", "2500\n"),
        ("memory.stat", "anon 1\nfile 700\n"),
    ):
        (tmp_path / name).write_text(content)
    assert free_memory(tmp_path) == 1200
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(tmp_path) > 10**7


@pytest.mark.parametrize("suffix", ["csv", "ts"])
def test_line_ends_of_old_macs_and_long_names_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"old.{suffix}"
    text = "a,b,y\r1,2,u\r2,1,v\r" if suffix == "csv" else f"# c\n{TS}1,2:a\n2,1:b\n".replace("\n", "\r")
    path.write_bytes(text.encode())
    with pytest.raises(DataError, match="end with CR, as on old Macs"):
        from_file(path, target="y" if suffix == "csv" else None)
    if suffix == "csv":
        path.write_text("a" * 200_000 + ",b,y\n1,2,u\n2,1,v\n")
        with pytest.raises(DataError, match="a column name has more than 131,072 characters"):
            from_file(path, target="y")


def run_cold(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell's command line; `zoo` in it is the real one."""
    line = command.replace("zoo ", f"{sys.executable} -m zoo ")
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


def test_streams_that_are_closed(tmp_path: Path, record_property: Record) -> None:
    for command in ("zoo list >&-", "zoo list --json >&- 2>&-", "zoo list <&- >&- 2>&-", "zoo list | head -1"):
        done = run_cold(f"set -o pipefail; {command}; exit $?", tmp_path)
        assert "Traceback" not in done.stderr
        assert done.stderr == ""
        assert done.returncode in (0, 1), done
    full = run_cold("zoo --help >/dev/full", tmp_path)
    assert full.stderr == "error: the output cannot be written: No space left on device\n"
    record_property("faults", 5)


@pytest.mark.parametrize("columns", ["0", "1", "abc", "-3", "³", "9" * 30])
def test_terminals_of_no_size_still_show_something(tmp_path: Path, warm: Warm, columns: str) -> None:
    env = {**os.environ, "COLUMNS": columns, "LINES": columns, "TERM": "xterm", "OMP_NUM_THREADS": "1"}
    code, shown = on_terminal(warm, ["list", "block"], env=env, cwd=tmp_path, width=100)
    assert code == 0
    assert "bottleneck" in shown


def test_an_error_may_have_any_message() -> None:
    for message in ("'" * 10**6, "\\" * 10**6, "'" + "\\" * (10**6 + 1), " '\"" * 10**5, "x" * 3_000_000):
        assert len(str(ZooError(message))) <= 1000
