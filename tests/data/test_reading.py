"""The line that reports how a file was read."""

from pathlib import Path

import numpy as np
import pandas as pd

from zoo.data.files import from_file
from zoo.data.reading import read_line

ROWS = np.random.default_rng(0).normal(size=(30, 5)).round(3)
LABELS = np.repeat(["V", "N"], [10, 20])


def test_a_table_with_and_without_names(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=[f"t{place}" for place in range(5)]).assign(kind=LABELS)
    frame.to_csv(tmp_path / "named.csv", index=False)
    frame.to_csv(tmp_path / "plain.csv", index=False, header=False)
    named = from_file(tmp_path / "named.csv", target="-1").read
    assert named == 'read named.csv: 30 rows x 5 samples (t0 … t4), label "kind": 2 classes 20/10'
    plain = from_file(tmp_path / "plain.csv", target="-1").read
    assert plain == 'read plain.csv: 30 rows x 5 samples (0 … 4), label "5": 2 classes 20/10, no header'
    frame.assign(who=[1, 2] * 15).to_parquet(tmp_path / "x.parquet")
    grouped = from_file(tmp_path / "x.parquet", target="kind", group="who").read
    assert (
        grouped == 'read x.parquet: 30 rows x 5 samples (t0 … t4), label "kind": 2 classes 20/10, group "who": 2 values'
    )


def test_arrays_with_a_split(tmp_path: Path) -> None:
    cube = np.stack([ROWS, ROWS], axis=1)
    cube[3, :, 4:] = np.nan
    np.savez(tmp_path / "x.npz", X_train=cube[::2], y_train=LABELS[::2], X_test=cube[1::2], y_test=LABELS[1::2])
    assert from_file(tmp_path / "x.npz").read == (
        'read x.npz: 30 rows x 2 channels x 4 to 5 samples (X_train and X_test), label "y_train": 2 classes 20/10'
    )


def test_a_pair_of_ts_files(tmp_path: Path) -> None:
    for half in ("TRAIN", "TEST"):
        (tmp_path / f"Waves_{half}.ts").write_text("@classLabel true a b\n@data\n1,2,3:a\n3,2,1:b\n")
    read = from_file(tmp_path).read
    assert read == "read Waves_TRAIN.ts and Waves_TEST.ts: 4 rows x 3 samples, 2 classes 2/2"


def test_many_classes_are_cut() -> None:
    labels = np.arange(12)
    line = read_line("x.npz", np.zeros((12, 1, 3), np.float32), None, labels, [*map(str, labels)])
    assert line == "read x.npz: 12 rows x 3 samples, 12 classes 1/1/1/1/1/1/1/1/…"
