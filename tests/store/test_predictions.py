"""A test set's probabilities as a file, and back."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoo.errors import StoreError
from zoo.store.predictions import Predictions, read_predictions

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32)
GROUPS = {"none": None, "numbers": np.array([208, 100]), "names": np.array(["zoe", "ann"])}


def written(path: Path, groups: np.ndarray | None = None) -> Path:
    labels, index = np.array([0, 2]), np.array([17, 4])
    path.write_bytes(Predictions(PROBABILITIES, labels, index, ("normal", "ectopic", "fusion"), groups).to_parquet())
    return path


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_predictions_come_back_as_they_went_in(tmp_path: Path, groups: np.ndarray | None) -> None:
    found = read_predictions(written(tmp_path / "a.parquet", groups), ["normal", "ectopic", "fusion"])
    assert found.probabilities.dtype == np.float32
    np.testing.assert_array_equal(found.probabilities, PROBABILITIES)
    np.testing.assert_array_equal(found.labels, [0, 2])
    np.testing.assert_array_equal(found.index, [17, 4])
    assert found.classes == ("normal", "ectopic", "fusion")
    assert (found.groups is None) == (groups is None)
    if groups is not None:
        assert found.groups.tolist() == groups.tolist()


def test_the_file_has_a_named_column_for_each_class(tmp_path: Path) -> None:
    file = pq.ParquetFile(written(tmp_path / "a.parquet", GROUPS["names"]))
    assert file.schema_arrow.names == ["row", "label", "group", "p_normal", "p_ectopic", "p_fusion"]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.read(["p_fusion"])["p_fusion"].to_pylist() == PROBABILITIES[:, 2].tolist()
    assert pq.read_schema(written(tmp_path / "a.parquet")).names[:3] == ["row", "label", "p_normal"]


def test_logits_are_stored_beside_the_probabilities_and_rank_the_rows(tmp_path: Path) -> None:
    labels, logits = np.array([0, 1, 1]), np.array([[-90, 0], [-80, 0], [-70, -1]], dtype=np.float32)
    probabilities = np.array([[0, 1], [0, 1], [0, 1]], dtype=np.float32)  # softmax, rounded to float32
    names, path = ("a", "b"), tmp_path / "a.parquet"
    path.write_bytes(Predictions(probabilities, labels, np.arange(3), names, None, logits).to_parquet())
    assert pq.read_schema(path).names == ["row", "label", "p_a", "p_b", "logit_a", "logit_b"]
    found = read_predictions(path, ["b", "a"])
    assert found.logits is not None
    np.testing.assert_array_equal(found.logits, logits[:, ::-1])
    assert found.scores().auroc.value == 0  # row 0 has the least of a and the most of b
    path.write_bytes(Predictions(probabilities, labels, np.arange(3), names).to_parquet())
    earlier = read_predictions(path, names)
    assert earlier.logits is None
    assert earlier.scores().auroc.value == 0.5  # all are equal


def test_labels_are_names_of_classes_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet")
    assert pq.read_table(path)["label"].to_pylist() == ["normal", "fusion"]
    column = pytest.importorskip("pandas").read_parquet(path)["label"]
    assert column.tolist() == ["normal", "fusion"]
    assert column.cat.categories.tolist() == ["normal", "ectopic", "fusion"]
    assert read_predictions(path, ["fusion", "normal"]).labels.tolist() == [1, 0]
    with pytest.raises(StoreError, match="is not a predictions file: 'fusion'"):
        read_predictions(path, ["normal", "ectopic"])


def test_files_of_earlier_releases_have_numbers_for_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"row": [17, 4], "label": [1, 0], "p_0": [0.5, 0.5], "p_1": [0.5, 0.5]}), path)
    found = read_predictions(path, ["0", "1"])
    assert (found.labels.tolist(), found.labels.dtype) == ([1, 0], np.int64)


def test_probabilities_are_read_in_the_order_of_the_classes_asked_for(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path / "a.parquet"), ["fusion", "normal"])
    np.testing.assert_array_equal(found.probabilities, PROBABILITIES[:, [2, 0]])


def test_a_file_of_something_else_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"a\.parquet is not a predictions file: .*p_unknown"):
        read_predictions(written(tmp_path / "a.parquet"), ["normal", "unknown"])
    (tmp_path / "b.parquet").write_bytes(b"something else")
    for name in ("b.parquet", "c.parquet"):
        with pytest.raises(StoreError, match=f"{name} is not a predictions file"):
            read_predictions(tmp_path / name, ["normal"])
