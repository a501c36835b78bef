"""`--scale` through the whole bench: units do not decide, and a stored network scales new rows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import Zoo, waves

import zoo
from zoo.data.protocols import separate
from zoo.data.rows import Rows
from zoo.data.series import Floats, LabelledSeries
from zoo.errors import UnknownName, UsageError
from zoo.harness.data_summary import summarise
from zoo.harness.datasets import load_dataset, separated
from zoo.harness.reporter import SilentReporter
from zoo.harness.request import DataRequest, Request
from zoo.harness.seeds import axis_seeds
from zoo.registry import Registry, Source
from zoo.settings import Settings
from zoo.store.predictions import read_predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.tuning.request import TuneRequest
from zoo.tuning.spaces import resolve_space
from zoo.tuning.trial_data import prepare
from zoo.workspace import Workspace

SERIES = waves(180, 24, channels=2)
UNITS: dict[str, tuple[float, float]] = {
    "plain": (1, 0),
    "counts": (200, 1024),
    "volts": (2e-5, 0),
    "binary": (2**12, 0),
}
SMALL = {"training.batch_size": 16, "training.learning_rate": 0.01, "training.precision": "fp32"}
RESULTS = Path("results")


@pytest.fixture(autouse=True)
def files() -> None:
    """The same rows in several units, in the working folder."""
    for name, (size, offset) in UNITS.items():
        write(name, SERIES.values * size + offset)


def write(name: str, values: Any, **more: Any) -> None:
    labels = np.array(SERIES.classes)[SERIES.labels]
    np.savez(f"{name}.npz", X=np.asarray(values, np.float32), y=labels, **more)


def bench(architecture: str, units: str, **more: Any) -> list[Run]:
    fixed = {"dataset": f"{units}.npz", "epochs": 3, "threads": 1, "results": RESULTS}
    runs = zoo.bench(architecture, **{"set": SMALL, **fixed, **more})
    assert [(run.status, run.error) for run in runs] == [(RunStatus.DONE, "")] * len(runs)
    return runs


def probabilities(run: Run) -> tuple[Floats, Any]:
    with Store(RESULTS, create=False) as store:
        stored = read_predictions(store.read(run, "predictions.parquet"), run.parts.classes)
    return stored.probabilities, stored.index


def by_loaded(run: Run, values: Floats, *lengths: Any) -> Floats:
    """Return the probabilities of the loaded network for the test rows."""
    model = zoo.load(run.id, results=RESULTS)
    index = probabilities(run)[1]
    given = [torch.from_numpy(np.asarray(each)[index]) for each in (values, *lengths)]
    with torch.inference_mode():
        return torch.softmax(model(*given).float(), dim=1).numpy()


def values_of(units: str) -> Floats:
    with np.load(f"{units}.npz") as file:
        found: Floats = file["X"]
    return found


@pytest.mark.parametrize("architecture", ["fcn", "transformer1d", "minirocket"])
def test_units_do_not_decide(architecture: str) -> None:
    more: dict[str, Any] = {"set": {}} if architecture == "minirocket" else {}
    (reference,) = bench(architecture, "plain", scale="standard", **more)
    expected, _ = probabilities(reference)
    for units in ("binary", "counts", "volts"):
        (run,) = bench(architecture, units, **more)
        assert (run.scale, run.config["scale"]) == ("standard", "standard")
        assert run.score("macro_recall") == pytest.approx(reference.score("macro_recall"), abs=0.15)
        if units == "binary":  # float32 holds these rows without rounding them
            assert (probabilities(run)[0] == expected).all()


@pytest.mark.parametrize("scale", ["standard", "standard-per-series", "minmax-per-series"])
def test_a_loaded_network_scales_new_rows(scale: str) -> None:
    (run,) = bench("fcn", "counts", scale=scale, epochs=1)
    np.testing.assert_allclose(by_loaded(run, values_of("counts")), probabilities(run)[0], atol=1e-6)
    weights = safetensors.torch.load_file(RESULTS / "runs" / run.id / "model.safetensors")
    assert ("mean" in weights, "std" in weights) == (scale == "standard",) * 2


def test_the_statistics_are_those_of_the_training_rows_before_resampling() -> None:
    (run,) = bench("minirocket", "counts", data="smote", set={}, rows=60, seeds=[3])
    weights = safetensors.torch.load_file(RESULTS / "runs" / run.id / "model.safetensors")
    series = LabelledSeries(values_of("counts"), SERIES.labels, SERIES.classes)
    train = separate(series, "holdout", seed=axis_seeds(3)["split"], rows=60).train.values.astype(np.float64)
    np.testing.assert_allclose(weights["mean"].numpy(), train.mean(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(weights["std"].numpy(), train.std(axis=(0, 2)), rtol=1e-6)
    np.testing.assert_allclose(by_loaded(run, values_of("counts")), probabilities(run)[0], atol=1e-6)


def test_an_ensemble_and_unequal_lengths() -> None:
    lengths = np.random.default_rng(0).integers(12, 25, size=len(SERIES.labels))
    values = np.where(np.arange(24) < lengths[:, None, None], values_of("counts"), 0)
    write("short", values, lengths=lengths)
    (run,) = bench("fcn", "short", epochs=1, set={**SMALL, "training.members": 2})
    assert run.scale == "standard"
    loaded = by_loaded(run, values.astype(np.float32), lengths)
    np.testing.assert_allclose(loaded, probabilities(run)[0], atol=1e-6)


def test_the_default_is_the_same_for_every_seed_and_number_of_rows_and_is_said_in_one_line() -> None:
    runs = [*bench("fcn", "counts", epochs=1, seeds=2), *bench("fcn", "counts", epochs=1, rows=40)]
    notes = [[note for note in run.notes if "scaled" in note] for run in runs]
    assert notes == [notes[0]] * 3
    (note,) = notes[0]
    assert note.startswith("the samples are scaled to mean 0 and standard deviation 1, because their mean is 102")
    assert note.endswith(": --scale none keeps them")
    (run,) = bench("fcn", "plain", epochs=1)
    assert (run.scale, run.notes, "scale" in run.config) == ("none", (), False)
    (same,) = bench("fcn", "plain", epochs=1, scale="none")
    assert (same.served, same.key) == (True, run.key)
    (stated,) = bench("fcn", "counts", epochs=1, scale="standard")
    assert (stated.served, stated.key) == (True, runs[0].key)


def test_the_axis_makes_a_grid_on_one_board() -> None:
    scales = ("none", "standard", "minmax-per-series")
    runs = bench("fcn", "plain", epochs=1, scale=scales, data=["original", "oversampled"])
    assert [run.scale for run in runs] == [scale for scale in scales for _ in range(2)]
    assert len({run.key for run in runs}) == len({run.configuration for run in runs}) == 6
    assert len({run.parts.fingerprints["test"] for run in runs}) == 1
    fitted = bench("minirocket", "plain", scale=scales, set={})
    assert len({run.key for run in fitted}) == 3


def test_settings_give_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("registry.toml").write_text("[defaults]\nscale = 'minmax-per-series'\n")
    assert [run.scale for run in bench("fcn", "counts", epochs=1)] == ["minmax-per-series"]
    monkeypatch.setenv("ZOO_SCALE", "none")
    assert [run.scale for run in bench("minirocket", "counts", set={})] == ["none"]
    with pytest.raises(UnknownName, match="no scale named 'zscore'"):
        bench("fcn", "counts", scale="zscore")


def data_set() -> LabelledSeries:
    return LabelledSeries((SERIES.values * 200 + 1024).astype(np.float32), SERIES.labels, SERIES.classes)


def test_a_data_set_of_a_plugin_declares_its_scale() -> None:
    class Plugin:
        @zoo.hookimpl
        def zoo_components(self) -> list[zoo.Dataset]:
            factory = f"{__name__}:data_set"
            return [
                zoo.Dataset(name="counts", factory=factory, summary="Counts."),
                zoo.Dataset(name="declared", factory=factory, summary="Counts.", scale="standard"),
            ]

    workspace = Workspace(Registry.load([Source("counts", __name__, Plugin)]), Settings.load())
    assert [summarise(workspace, name, DataRequest()).scale for name in ("counts", "declared")] == ["none", "standard"]
    assert summarise(workspace, "declared", DataRequest(), scale="none").scale == "none"
    with pytest.raises(ValueError, match="data set 'x': scale must be one of none, standard"):
        zoo.Dataset(name="x", factory="a:b", summary="", scale="zscore")


def test_a_network_in_a_file_can_be_loaded_behind_its_scaling() -> None:
    Path("mine.py").write_text(
        "from torch import nn\n\n\n"
        "def net(*, n_channels, n_times, n_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))\n"
    )
    (run,) = bench("mine.py:net", "counts", epochs=1)
    with pytest.raises(UsageError, match=r"put it into zoo\.scaled\.Scaled\(network, 'standard', 2\), and load"):
        zoo.load(run.id, results=RESULTS)


@pytest.mark.parametrize("scale", ["", "minmax-per-series"])
def test_the_trials_of_a_study_get_the_scaled_rows(registry: Registry, scale: str) -> None:
    cell = Request.of("fcn", dataset="counts.npz", scale=scale or None, seeds=[3], rows=60)
    request = TuneRequest(cell=cell, overrides=("data=smote",))
    workspace = Workspace(registry, Settings.load())
    data = prepare(workspace, request, resolve_space(workspace, request)[0], SilentReporter())
    expected = separated(load_dataset(workspace, "counts.npz", cell), "", 3, cell).scaled(scale or "standard")
    assert (data.parts.train.values == expected.train.values).all()
    assert (data.parts.validation.values == expected.validation.values).all()
    (resampled,) = data.variants.values()
    assert isinstance(resampled, Rows)
    assert abs(resampled.values).max() < 10, "rows are made between scaled rows"


def test_data_shows_the_scale(zoo: Zoo) -> None:
    done = zoo("data", "counts.npz")
    assert "scale: standard" in done.stdout.splitlines()
    assert "note: the samples are scaled to mean 0" in done.stdout
    found = json.loads(zoo("data", "counts.npz", "--json").stdout)
    assert (found["scale"], found["channels"][0]["mean"] > 900) == ("standard", True)
    assert "scale: none" in zoo("data", "plain.npz").stdout.splitlines()
    assert "no scale named 'stand'" in zoo("data", "plain.npz", "--scale", "stand").stderr
