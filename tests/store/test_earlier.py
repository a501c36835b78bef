"""A store made before the rooms of the zoo were moved, at commit a47029d: all of it still works."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import waves

import zoo
from zoo.metrics import score
from zoo.scores import CLASS_SCORES, MACRO_SCORES
from zoo.store.predictions import read_predictions, rescored
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore

EARLIER = Path(__file__).parent / "earlier"
LISTED = {
    "f7e6ab63": ("cnngru", "original", 0, "done"),
    "0351203a": ("cnngru", "smote", 0, "done"),
    "3fa6f476": ("cnngru", "original", 1, "done"),
    "93ec98c9": ("cnngru", "smote", 1, "done"),
    "b280d74f": ("cnn2d", "original", 0, "done"),
    "024e9c03": ("cnngru", "oversampled", 0, "done"),
    "f5a4f48b": ("minirocket", "original", 0, "done"),
    "bc28830b": ("cnn1d", "original", 0, "diverged"),
    "3cd3a46a": ("cnn1d", "original", 0, "done"),
}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A copy of the store, since one that is opened is brought forward."""
    return Path(shutil.copytree(EARLIER, tmp_path / "earlier"))


def test_its_runs_are_listed(earlier: Path) -> None:
    with Store(earlier, create=False) as store:
        found = {run.id: (run.reference, run.data, run.seed, run.status) for run in store.runs()}
    assert found == LISTED


def test_its_runs_are_scored_again_to_the_last_digit(earlier: Path) -> None:
    with Store(earlier, create=False) as store:
        for run in finished(store):
            stored = read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"])
            again = score(stored.probabilities, stored.labels, stored.classes, stored.groups)
            for name in MACRO_SCORES:
                known = run.scores.of_all(name).value
                summed = name in ("log_loss", "ece")  # whose rows are added in another order
                assert again.of_all(name).value == (pytest.approx(known, rel=1e-14) if summed else known)
            for name in CLASS_SCORES:
                values = [
                    {label: each.value for label, each in one.by_class(name).items()} for one in (again, run.scores)
                ]
                assert values[0] == values[1]
            assert (again.confusion, again.support, again.absent) == (
                run.scores.confusion, run.scores.support, run.scores.absent
            )  # fmt: skip
            assert again.macro_recall.low != run.scores.macro_recall.low  # the intervals were a bootstrap's
            assert rescored(store, run).notes[-1].startswith("an earlier release stored no logits: AUROC ranks")


def test_its_networks_answer_as_they_did(earlier: Path) -> None:
    values = waves().values
    with Store(earlier, create=False) as store:
        for run in finished(store):
            stored = read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"])
            model = zoo.load(run.id, results=earlier)
            with torch.inference_mode():
                probabilities = torch.softmax(model(torch.from_numpy(values[stored.index])), dim=1)
            np.testing.assert_allclose(probabilities.numpy(), stored.probabilities, atol=1e-5)


def test_its_study_is_whole(earlier: Path) -> None:
    with Store(earlier, create=False) as store:
        study = StudyStore(store).get("earlier")
        assert store.get(study.run).status == RunStatus.DONE
    assert (study.status, study.searcher, [trial.status for trial in study.trials]) == ("done", "random", ["done"] * 2)
    assert study.winner == 1


def test_the_same_commands_write_the_same_predictions(earlier: Path, waves_csv: Path) -> None:
    small = {"training.batch_size": 16, "training.precision": "fp32", "hidden": 4, "num_blocks": 1}
    small |= {"training.epoch": "resampled", "training.scheduler": "plateau", "training.keep": "best"}  # as it was then
    gru = {**small, "gru_hidden": 4}
    common = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "threads": 1, "results": "again"}
    asked = [
        *zoo.bench("cnngru", data=["original", "smote"], protocol="holdout", seeds=2, epochs=2, set=gru, **common),
        *zoo.bench("cnn2d", block="se", loss="weighted", epochs=2, set={**small, "num_layers": 1}, **common),
        *zoo.bench(
            "cnngru", data="oversampled", protocol="holdout", epochs=2, set={**gru, "training.members": 2}, **common
        ),
        *zoo.bench("minirocket", protocol="holdout", set={"training.batch_size": 16}, **common),
    ]
    compared = []
    with Store(earlier, create=False) as before, Store(Path("again"), create=False) as after:
        for run, known in zip(asked, finished(before), strict=False):
            assert (run.reference, run.data, run.seed) == (known.reference, known.data, known.seed)
            ours, theirs = (at.read(each, "predictions.parquet") for at, each in ((after, run), (before, known)))
            mine, other = (read_predictions(path, run.parts["classes"]) for path in (ours, theirs))
            assert mine.labels.tolist() == other.labels.tolist()
            assert mine.index.tolist() == other.index.tolist()
            assert (mine.groups is None) == (other.groups is None)
            # of epochs with equal recall, the first was kept then; now that with the lower balanced loss is
            if not run.best_epoch or run.best_epoch != known.best_epoch:
                continue
            compared.append(run.reference)
            if run.environment == known.environment:
                assert mine.probabilities.tobytes() == other.probabilities.tobytes()
            np.testing.assert_allclose(mine.probabilities, other.probabilities, atol=1e-2)
    assert compared == ["cnngru", "cnngru", "cnn2d", "minirocket"]


def finished(store: Store) -> list[Run]:
    return [run for run in store.runs() if run.status == RunStatus.DONE]
