"""The key of a content: equal for the same data, whatever their file; different for any other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.data.fingerprints import content_key
from zoo.data.series import DeclaredSplit, LabelledSeries
from zoo.store.run import Run

ROWS = 6
SERIES = LabelledSeries(
    np.arange(ROWS * 4, dtype=np.float32).reshape(ROWS, 1, 4), np.array([0, 1] * 3), ("x", "y"), np.array([0, 0, 1] * 2)
)
SPLIT = DeclaredSplit(np.array([0, 0, 0, 0, 2, 2], np.int8))


@pytest.mark.parametrize(
    "change",
    [
        {"values": SERIES.values + 1},
        {"values": SERIES.values.reshape(ROWS, 2, 2)},
        {"labels": np.array([1, 0] * 3)},
        {"classes": ("x", "z")},
        {"groups": None},
        {"groups": np.array([0, 1, 1] * 2)},
        {"lengths": np.full(ROWS, 4)},
        {"splits": {"official": SPLIT}},
        {"splits": {"official": replace(SPLIT, parts=SPLIT.parts[::-1].copy())}},
        {"splits": {"official": replace(SPLIT, by_group=True)}},
    ],
)
def test_what_the_data_are_is_in_their_key(change: Mapping[str, Any]) -> None:
    keys = {content_key(SERIES), content_key(replace(SERIES, **change)), content_key(replace(SERIES, notes=("a",)))}
    assert len(keys) == 2


def test_the_same_rows_in_another_file_reuse_the_run(waves_csv, tmp_path) -> None:
    table = pd.read_csv(waves_csv)
    samples = [name for name in table if name.startswith("t")]
    forms = {name: tmp_path / name for name in ("copy.csv", "waves.parquet", "waves.npz")}
    forms["copy.csv"].write_bytes(waves_csv.read_bytes())
    table.astype(dict.fromkeys(samples, "float32")).to_parquet(forms["waves.parquet"])
    np.savez(forms["waves.npz"], X=table[samples].to_numpy("float32"), y=table["kind"].to_numpy(str))

    net = "from torch import nn\ndef net(*, n_channels, n_times, n_classes):\n"
    net += "    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))\n"
    (tmp_path / "linear.py").write_text(net)

    def bench(path: Any) -> Run:
        named: dict[str, Any] = {} if path.suffix == ".npz" else {"target": "kind", "columns": "t*"}
        named |= {"dataset": str(path), "results": str(tmp_path / "results")}
        (run,) = zoo.bench(f"{tmp_path}/linear.py:net", epochs=1, **named)
        return run

    first = bench(waves_csv)
    for name, path in forms.items():
        run = bench(path)
        assert (run.served, run.id, run.dataset) == (True, first.id, name)
        assert run.notes[-1] == f"the run was stored for waves.csv, which has the same content as {name}"
    table.loc[0, "t0"] += 1
    table.to_csv(forms["copy.csv"], index=False)
    assert not bench(forms["copy.csv"]).served
