"""Random damage to every kind of file that the zoo reads, and random text in its place: 20,000 inputs.

Reading may succeed or raise a ZooError of one line; any other exception is a fault. Where a file has a checksum, what
is read from a damaged one is the same as before, or nothing.
"""

import hashlib
import io
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from damage import CHANGES, TEXTS, changed
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from studies import stored, study_of

import zoo as library
from zoo.assignments import parse_assignments, split_assignments
from zoo.data.files import from_file
from zoo.data.series import LabelledSeries
from zoo.errors import StoreError, ZooError
from zoo.registry import Registry
from zoo.settings import Layer
from zoo.store.predictions import predictions_of, read_predictions
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.training.checkpoints import read_checkpoint, write_checkpoint
from zoo.tuning.spaces import parse_override, read_space
from zoo_mitbih.beats import read_record
from zoo_mitbih.sums import check_sums

pytestmark = pytest.mark.slow

Record = Callable[[str, object], None]
Read = Callable[[bytes], Any]


@dataclass(frozen=True)
class Case:
    """A reader and its valid files. With `same`, a damaged file is the same as before, or is refused."""

    number: int
    files: tuple[bytes, ...]
    read: Read
    texts: bool = True
    same: Callable[[Any, Any], bool] | None = None


def tables() -> pa.Table:
    draw = np.random.default_rng(0)
    rows = 60
    columns: dict[str, Any] = {f"t{place}": draw.normal(size=rows).astype(np.float32) for place in range(6)}
    return pa.table(columns | {"y": ["one", "two", "three"] * (rows // 3), "who": np.arange(rows) % 7})


def csv_file() -> bytes:
    table = tables()
    lines = [",".join(table.column_names), *(",".join(map(str, row.values())) for row in table.to_pylist())]
    return ("\n".join(lines) + "\n").encode()


def parquet_file(**options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(tables(), buffer, row_group_size=25, **options)
    return buffer.getvalue()


def ts_file() -> bytes:
    rows = (f"{place},2.5,-1e-3:4,{place}.5,6:{'ab'[place % 2]}\n" for place in range(20))
    return (
        "# a comment\n@problemName Waves\n@timeStamps false\n@dimensions 2\n@classLabel true a b\n@data\n"
        + "".join(rows)
    ).encode()


def npz_file(*, packed: bool) -> bytes:
    draw, buffer = np.random.default_rng(1), io.BytesIO()
    arrays = {
        "X": draw.normal(size=(30, 8)).astype(np.float32),
        "y": np.array(["u", "v", "w"] * 10),
        "groups": np.arange(30) % 5,
    }
    (np.savez_compressed if packed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def settings_file() -> bytes:
    return (Path(__file__).parents[2] / "registry.toml").read_bytes()[:6000].rpartition(b"\n[")[0]


SPACE = b"""hidden = [8, 16]
num_blocks = { low = 1, high = 3 }
"training.clip" = { low = 1e-4, high = 1, log = true }
"""


def equal_series(one: LabelledSeries, other: LabelledSeries) -> bool:
    return (
        np.array_equal(one.values, other.values)
        and np.array_equal(one.labels, other.labels)
        and one.classes == other.classes
    )


def in_file(path: Path, read: Callable[[Path], Any]) -> Read:
    def write_and_read(content: bytes) -> Any:
        path.write_bytes(content)
        return read(path)

    return write_and_read


def as_text(read: Callable[[str], Any]) -> Read:
    return lambda content: read(content.decode("utf-8", "surrogateescape"))


def check(case: Case, record_property: Record) -> None:
    """Read the damaged files. Any exception but a ZooError of one line fails, and Hypothesis shows its input."""
    whole = [case.read(content) for content in case.files]
    tried = 0

    def attempt(content: bytes, original: Any) -> None:
        nonlocal tried
        tried += 1
        try:
            found = case.read(content)
        except ZooError as error:
            refused = str(error)
        else:
            refused = ""
            assert case.same is None or original is None or case.same(found, original)
        assert refused.isprintable()
        assert len(refused) <= 1000

    damaged = st.tuples(st.integers(0, len(case.files) - 1), CHANGES)

    @settings(
        max_examples=case.number,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(damaged, damaged, damaged, TEXTS) if case.texts else damaged)
    def try_all(drawn: Any) -> None:
        if isinstance(drawn, str):
            attempt(drawn.encode("utf-8", "surrogateescape"), None)
        else:
            place, changes = drawn
            attempt(changed(case.files[place], changes), whole[place])

    try_all()
    assert tried >= case.number
    record_property("faults", tried)


def test_csv(tmp_path: Path, record_property: Record) -> None:
    read = in_file(tmp_path / "x.csv", lambda path: from_file(path, target="y", group="who"))
    check(Case(2600, (csv_file(),), read), record_property)


def test_ts(tmp_path: Path, record_property: Record) -> None:
    check(Case(2600, (ts_file(),), in_file(tmp_path / "x.ts", from_file)), record_property)


def test_npz_whose_arrays_have_checksums(tmp_path: Path, record_property: Record) -> None:
    files = (npz_file(packed=False), npz_file(packed=True))
    check(Case(2600, files, in_file(tmp_path / "x.npz", from_file), same=equal_series), record_property)


def test_parquet(tmp_path: Path, record_property: Record) -> None:
    files = (parquet_file(), parquet_file(compression="zstd"), parquet_file(use_dictionary=False, compression="none"))
    read = in_file(tmp_path / "x.parquet", lambda path: from_file(path, target="y", group="who"))
    check(Case(2600, files, read), record_property)


def test_pages_of_parquet_with_checksums(tmp_path: Path, record_property: Record) -> None:
    """Only the pages have checksums: the damage is to them, not to the names and places at the end of the file."""
    content = parquet_file(write_page_checksum=True, compression="none", use_dictionary=False)
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    read = in_file(tmp_path / "x.parquet", lambda path: from_file(path, target="y", group="who"))
    before = content[:end]
    case = Case(500, (before,), lambda damaged: read(damaged + content[end:]), texts=False, same=equal_series)
    check(case, record_property)


def test_settings(tmp_path: Path, record_property: Record) -> None:
    check(Case(2000, (settings_file(),), in_file(tmp_path / "x.toml", Layer.read)), record_property)


def test_search_spaces(tmp_path: Path, record_property: Record) -> None:
    check(Case(1000, (SPACE,), in_file(tmp_path / "x.toml", read_space)), record_property)


def test_assignments_and_overrides(record_property: Record) -> None:
    def read(text: str) -> None:
        split_assignments(parse_assignments([text]))
        parse_override(text)

    check(
        Case(1500, (b"training.learning_rate=1e-4..1e-2:log", b"block.reduction=8,16"), as_text(read)), record_property
    )


def raw_record(folder: Path) -> dict[str, bytes]:
    """A record in PhysioNet's form: one channel in format 212, and five annotations."""
    signal = np.random.default_rng(1).integers(900, 1100, 400)
    other = 2000 - signal[::-1]
    header = "100 2 360 400\n" + "".join(
        f"100.dat 212 200 11 1024 {one[0]} {one.sum() % 2**16} 0 {name}\n"
        for one, name in ((signal, "MLII"), (other, "V5"))
    )
    packed = np.stack([signal & 255, signal >> 8 | (other >> 8) << 4, other & 255], axis=1).astype(np.uint8)
    marks = np.append(np.array([28, 1, 5, 38, 1]) << 10 | np.array([5, 85, 90, 120, 60]), 0).astype("<u2")
    files = {"100.hea": header.encode(), "100.dat": packed.tobytes(), "100.atr": marks.tobytes()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return files


@pytest.mark.parametrize("name", ["100.hea", "100.dat", "100.atr"])
def test_raw_records(tmp_path: Path, name: str, record_property: Record) -> None:
    files = raw_record(tmp_path)
    read = in_file(tmp_path / name, lambda path: read_record(tmp_path, 100))
    check(Case(400, (files[name],), read), record_property)


def test_raw_records_with_sums(tmp_path: Path, record_property: Record) -> None:
    files = raw_record(tmp_path)
    sums = (f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in files.items())
    (tmp_path / "SHA256SUMS.txt").write_text("".join(sums))

    def read(content: bytes) -> bytes:
        (tmp_path / "100.atr").write_bytes(content)
        check_sums(tmp_path, files)
        return content

    check(Case(800, (files["100.atr"],), read, same=lambda one, other: one == other), record_property)


@dataclass
class Filled:
    """A store with a finished run and a study."""

    folder: Path
    run: Any = field(init=False)

    def __post_init__(self) -> None:
        table = self.folder / "waves.csv"
        table.write_bytes(csv_file())
        small = {"hidden": 4, "num_blocks": 1, "num_layers": 1}
        data = {"dataset": str(table), "target": "y", "drop": "who"}
        options: dict[str, Any] = {**data, "epochs": 1, "threads": 1, "set": small}
        (self.run,) = library.bench("cnn1d", results=self.results, **options)
        with Store(self.results) as store:
            stored(store, study_of(name="study"))

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def path(self, name: str) -> Path:
        return self.results / "runs" / self.run.id / name


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return Filled(tmp_path_factory.mktemp("filled"))


def test_stored_files_whose_sha256_is_stored(filled: Filled, registry: Registry, record_property: Record) -> None:
    def predictions(content: bytes) -> bytes:
        filled.path("predictions.parquet").write_bytes(content)
        with Store(filled.results, create=False) as store:
            predictions_of(store, store.get(filled.run.id))
        return content

    def weights(content: bytes) -> bytes:
        filled.path("model.safetensors").write_bytes(content)
        library.load(filled.run.id, results=filled.results, registry=registry)
        return content

    def same(one: bytes, other: bytes) -> bool:
        return one == other

    count: list[Any] = []
    for name, read in (("predictions.parquet", predictions), ("model.safetensors", weights)):
        whole = filled.path(name).read_bytes()
        check(Case(400, (whole,), read, same=same), lambda _, number: count.append(number))
        filled.path(name).write_bytes(whole)
    record_property("faults", sum(count))


def test_predictions_of_others(tmp_path: Path, filled: Filled, record_property: Record) -> None:
    whole = filled.path("predictions.parquet").read_bytes()
    classes = filled.run.parts.classes
    read = in_file(tmp_path / "p.parquet", lambda path: read_predictions(path, classes))
    check(Case(700, (whole,), read), record_property)


def test_checkpoints(tmp_path: Path, record_property: Record) -> None:
    path = tmp_path / "state.pt"
    write_checkpoint(path, {"epoch": 3, "model": {"weight": torch.arange(6.0)}, "history": [{"loss": 0.5}]})

    def read(content: bytes) -> bytes:
        path.write_bytes(content)
        read_checkpoint(path, torch.device("cpu"))
        return content

    check(Case(500, (path.read_bytes(),), read, same=lambda one, other: one == other), record_property)


def test_checkpoints_of_others(tmp_path: Path, record_property: Record) -> None:
    """The sum is right, and the content is not."""
    buffer = io.BytesIO()
    torch.save({"epoch": 3, "model": {"weight": torch.arange(6.0)}}, buffer)

    def read(content: bytes) -> Any:
        (tmp_path / "state.pt").write_bytes(content + hashlib.sha256(content).digest())
        return read_checkpoint(tmp_path / "state.pt", torch.device("cpu"))

    check(Case(500, (buffer.getvalue(),), read), record_property)


@pytest.mark.parametrize("table", ["runs", "studies"])
def test_records_of_runs_and_studies(filled: Filled, tmp_path: Path, table: str, record_property: Record) -> None:
    results = tmp_path / "results"
    shutil.copytree(filled.results, results)
    database = sqlite3.connect(results / "zoo.db", isolation_level=None)
    (whole,) = database.execute(f"SELECT record FROM {table}").fetchone()

    def read(text: str) -> Any:
        database.execute(f"UPDATE {table} SET record = ?", (text.encode("utf-8", "replace").decode(),))
        with Store(results, create=False) as store:
            return store.runs() if table == "runs" else StudyStore(store).studies()

    check(Case(600, (whole.encode(),), as_text(read)), record_property)
    database.close()


def test_databases(filled: Filled, tmp_path: Path, record_property: Record) -> None:
    results = tmp_path / "results"
    shutil.copytree(filled.results, results)
    with sqlite3.connect(results / "zoo.db") as database:
        database.execute("PRAGMA journal_mode = DELETE")
    database.close()

    def read(content: bytes) -> Mapping[str, Any]:
        (results / "zoo.db").write_bytes(content)
        with Store(results, create=False) as store:
            return {"runs": store.runs(), "studies": StudyStore(store).studies()}

    check(Case(400, ((results / "zoo.db").read_bytes(),), read), record_property)
    with pytest.raises(StoreError):
        read(b"no database at all, but long enough to have a header" * 20)
