"""The whole way, on a small file: trained, stored, served, forced, interrupted, resumed, loaded."""

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import DataError, StoreError, UnknownName, UsageError
from zoo.harness.reporter import SilentReporter
from zoo.metrics import score
from zoo.store.predictions import read_predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.training.loop import Epoch


class Notebook(SilentReporter):
    """Remembers notes and phases, and interrupts after an epoch if asked."""

    def __init__(self, stop_after: int = 0) -> None:
        self.notes: list[str] = []
        self.phases: list[str] = []
        self.epochs: list[int] = []
        self.stop_after = stop_after

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_phase(self, text: str) -> None:
        self.phases.append(text)

    def on_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch.number)
        if epoch.number == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def bench(waves_csv: Path):
    def run(*architectures: str, **more: Any) -> list[Run]:
        columns = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "protocol": "holdout"}
        fixed = {**columns, "epochs": 2, "threads": 1, "results": "results"}
        settings = {"training.batch_size": 16, **more.pop("set", {})}
        return zoo.bench(architectures or ["cnngru"], **{**fixed, "set": settings, **more})

    return run


def predictions_of(run: Run) -> bytes:
    return (Path("results") / "runs" / run.id / "predictions.parquet").read_bytes()


def test_a_run_is_scored_stored_and_complete(bench) -> None:
    (run,) = bench()
    assert run.status == RunStatus.DONE
    assert set(run.scores["recall"]) == {"a", "b", "c"}
    assert (
        run.scores["macro_recall"]["low"] <= run.scores["macro_recall"]["value"] <= run.scores["macro_recall"]["high"]
    )
    assert run.cost["parameters"] == 37_091
    assert all(run.cost[name] > 0 for name in ("macs", "train_seconds", "peak_memory_mib", "latency_ms"))
    folder = Path("results") / "runs" / run.id
    assert {path.name for path in folder.iterdir()} == {
        "config.toml",
        "history.csv",
        "predictions.parquet",
        "model.safetensors",
    }
    config = tomllib.loads((folder / "config.toml").read_text())
    assert config["training"]["batch_size"] == 16
    assert (config["dataset"], config["dataset_params"]["target"]) == ("waves.csv", "kind")
    assert len((folder / "history.csv").read_text().splitlines()) == 3


def test_scores_are_those_of_the_stored_probabilities(bench) -> None:
    (run,) = bench()
    with Store(Path("results")) as store:
        stored = read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"])
    assert score(stored.probabilities, stored.labels, stored.classes, stored.groups) == run.scores
    assert len(stored.labels) == run.parts["rows"]["test"] == 48
    np.testing.assert_allclose(stored.probabilities.sum(1), 1, rtol=1e-5)


def test_what_is_in_the_store_is_served_and_force_gives_the_same_bits(bench) -> None:
    (first,) = bench(data="smote")
    (served,) = bench(data="smote")
    assert (served.served, served.id, served.scores) == (True, first.id, first.scores)
    (forced,) = bench(data="smote", force=True)
    assert (forced.served, forced.id != first.id) == (False, True)
    assert predictions_of(forced) == predictions_of(first)
    assert forced.fingerprint == first.fingerprint


def test_another_environment_is_said_when_a_run_is_served(bench) -> None:
    bench(threads=1)
    (served,) = bench(threads=2)
    assert served.served
    assert served.differs == ("threads 1 then, 2 now",)


def test_a_change_of_anything_asked_is_another_run(bench) -> None:
    ids = {
        run.id
        for more in ({}, {"epochs": 3}, {"seeds": [1]}, {"block": "se"}, {"set": {"hidden": 8}}, {"rows": 100})
        for run in bench(**more)
    }
    assert len(ids) == 6


def test_an_interrupted_run_resumes_to_the_bits_of_an_unbroken_one(bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=4, reporter=Notebook(stop_after=2))
    with Store(Path("results")) as store:
        (left,) = store.runs()
        assert left.status == RunStatus.INTERRUPTED
        assert store.checkpoint(left).exists()
    notebook = Notebook()
    (resumed,) = bench(epochs=4, resume=True, reporter=notebook)
    assert notebook.epochs == [3, 4]
    assert (resumed.id, resumed.status) == (left.id, RunStatus.DONE)
    assert not (Path("results") / "runs" / left.id / "checkpoint").exists()
    (unbroken,) = bench(epochs=4, force=True)
    assert predictions_of(unbroken) == predictions_of(resumed)


def test_without_resume_an_interrupted_run_starts_again(bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=3, reporter=Notebook(stop_after=2))
    notebook = Notebook()
    bench(epochs=3, reporter=notebook)
    assert notebook.epochs == [1, 2, 3]


def test_the_grid_resamples_once_for_all_that_share_it(bench) -> None:
    notebook = Notebook()
    runs = bench("cnngru", "cnn2d", data=["original", "smote"], epochs=1, reporter=notebook)
    assert len(runs) == 4
    assert notebook.phases.count("resampling: smote") == 1


def test_incompatible_cells_are_named_with_their_reason_and_the_rest_runs(bench, waves_csv: Path) -> None:
    short = waves_csv.with_name("short.csv")
    lines = waves_csv.read_text().splitlines()
    short.write_text("\n".join(",".join([*line.split(",")[:10], line.split(",")[48]]) for line in lines) + "\n")
    notebook = Notebook()
    resamplers = ["original", "oversampled"]
    runs = bench("cnngru", "cnn2d", dataset=str(short), group=None, epochs=1, data=resamplers, reporter=notebook)
    assert [run.architecture for run in runs] == ["cnngru", "cnngru"]
    reason = "cnn2d takes series of at least 13 samples, not 10"
    read = 'read short.csv: 240 rows x 10 samples (t0 … t9), label "kind": 3 classes 144/72/24'
    assert notebook.notes == [read, f"left out: cnn2d with block resnet on short.csv: {reason}"]
    with pytest.raises(UsageError, match=f"^nothing to run: .* is possible: cnn2d with block resnet on .*: {reason}$"):
        bench("cnn2d", dataset=str(short), group=None)


def test_a_resampler_that_cannot_is_a_failed_run_and_the_rest_runs(bench) -> None:
    runs = bench(data=["smote", "oversampled"], rows=20, epochs=1)
    assert [(run.data, run.status) for run in runs] == [("smote", RunStatus.FAILED), ("oversampled", RunStatus.DONE)]
    assert "class 'c' has 2" in runs[0].error
    assert [run.status for run in bench(data="smote", rows=20, epochs=1, set={"data.k_neighbors": 1})] == [
        RunStatus.DONE
    ]


def test_a_file_whose_groups_are_named_is_separated_by_them(bench) -> None:
    (run,) = bench(protocol=(), epochs=1)
    assert run.protocol == "inter-patient"
    assert run.parts["shared_groups"]["train/test"] == []
    assert run.scores["resampled"] == "2 groups"
    assert "the test set has 2 patients: too few for reliable intervals" in run.notes


def test_patients_on_both_sides_are_said(bench) -> None:
    (run,) = bench(protocol="holdout", epochs=1)
    assert any(note.startswith("8 of the 8 patients in the test set are also in the training") for note in run.notes)
    assert run.scores["resampled"] == "rows"


def test_other_class_names_or_other_patients_are_another_run(bench, waves_csv: Path) -> None:
    bench(epochs=1, protocol="inter-patient")
    renamed = waves_csv.with_name("renamed") / "waves.csv"
    renamed.parent.mkdir()
    renamed.write_text(re.sub(r",([abc]),", r",class-\1,", waves_csv.read_text()))
    (run,) = bench(epochs=1, protocol="inter-patient", dataset=str(renamed))
    assert not run.served
    assert set(run.scores["recall"]) == {"class-a", "class-b", "class-c"}
    regrouped = waves_csv.with_name("regrouped") / "waves.csv"
    regrouped.parent.mkdir()
    lines = waves_csv.read_text().splitlines()
    moved = [lines[0], *(re.sub(r",[67]$", ",60", line) for line in lines[1:])]
    regrouped.write_text("\n".join(moved) + "\n")
    assert not bench(epochs=1, protocol="inter-patient", dataset=str(regrouped))[0].served


def test_a_damaged_checkpoint_is_one_line_and_the_run_starts_again(bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=3, reporter=Notebook(stop_after=1))
    with Store(Path("results")) as store:
        checkpoint = store.checkpoint(store.runs()[0])
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    notebook = Notebook()
    (run,) = bench(epochs=3, resume=True, reporter=notebook)
    assert (run.status, run.error, notebook.epochs) == (RunStatus.DONE, "", [1, 2, 3])
    damaged = f"checkpoint {checkpoint} is damaged, or from an earlier version: its sha256 differs"
    assert run.notes[-1] == f"{damaged}; the network was trained again from its first epoch"
    (unbroken,) = bench(epochs=3, force=True)
    assert predictions_of(unbroken) == predictions_of(run)


def test_an_interrupted_force_is_resumed_not_the_older_run_served(bench) -> None:
    (first,) = bench(epochs=3)
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=3, force=True, reporter=Notebook(stop_after=1))
    (resumed,) = bench(epochs=3, resume=True)
    assert (resumed.served, resumed.id != first.id) == (False, True)
    assert predictions_of(resumed) == predictions_of(first)


def test_an_interruption_after_the_end_loses_nothing(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.harness.run_cell.shutil.rmtree", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=1)
    with Store(Path("results")) as store:
        assert [run.status for run in store.runs()] == [RunStatus.DONE]


def test_one_data_set_that_cannot_be_read_does_not_stop_the_others(bench, waves_csv: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        bench(dataset=["absent.csv", str(waves_csv)], epochs=1)
    with Store(Path("results")) as store:
        assert [run.status for run in store.runs()] == [RunStatus.DONE]


def test_the_same_twice_is_asked_once(bench) -> None:
    assert len(bench("cnngru", "cnngru", data=["original", "original"], epochs=1)) == 1


def test_more_rows_than_there_are_is_the_run_of_all_rows_with_a_note(bench) -> None:
    (whole,), (asked,) = bench(epochs=1), bench(epochs=1, rows=5000)
    assert (asked.served, asked.id) == (True, whole.id)
    assert (
        asked.notes[-1]
        == f"--rows 5000: the training set has only {whole.parts.rows['train']} rows, which are all used"
    )
    (other,) = bench(epochs=1, rows=5000, seeds=[1])
    assert (other.served, other.configuration, other.rows) == (False, whole.configuration, None)


def test_batches_of_one_row_train(bench) -> None:
    assert bench(rows=12, epochs=1, set={"training.batch_size": 1})[0].status == RunStatus.DONE


def test_a_diverged_run_says_so_and_has_no_scores(bench) -> None:
    (run,) = bench(set={"training.learning_rate": 1e30, "training.clip": 0.0})
    assert (run.status, run.scores) == ("diverged", {})
    assert "NaN or infinite" in run.error or "became" in run.error


def test_a_loaded_network_gives_the_stored_probabilities(bench) -> None:
    (run,) = bench("cnn2d.study", set={"hidden": 8}, block="resnet+se")
    model = zoo.load(run.id[:6], results="results")
    assert not model.training
    from conftest import waves

    found = waves()
    with Store(Path("results")) as store:
        stored = read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"])
    with torch.inference_mode():
        probabilities = torch.softmax(model(torch.from_numpy(found.values[stored.index])), dim=1)
    np.testing.assert_allclose(probabilities.numpy(), stored.probabilities, atol=1e-5)


def test_loading_what_is_not_there_is_one_line(bench) -> None:
    with pytest.raises(StoreError, match="no results in 'results'"):
        zoo.load("nope", results="results")
    bench(epochs=1)
    with pytest.raises(UnknownName, match="no run 'nope'"):
        zoo.load("nope", results="results")


def test_options_that_do_not_go_together(bench) -> None:
    with pytest.raises(UsageError, match="name the column of the labels with --target"):
        bench(target=None)
    with pytest.raises(UsageError, match="--target and --group are for files"):
        bench(dataset="heartbeats")
