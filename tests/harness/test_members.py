"""Ensembles: members from seeds of their own, whose probabilities are averaged; and networks that are fitted."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import zoo
import zoo_imbalance
from zoo import Architecture, Objective, Resampler, StoreError, hookimpl
from zoo.harness.reporter import SilentReporter
from zoo.networks import Ensemble
from zoo.registry import Registry, Source, source_of
from zoo.store.predictions import read_predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.training.loop import Epoch


class StopAfter(SilentReporter):
    """Interrupts after an epoch, and remembers those it saw."""

    def __init__(self, epoch: int = 0) -> None:
        self.epoch, self.seen, self.notes = epoch, [], []

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_epoch(self, epoch: Epoch) -> None:
        self.seen.append((epoch.member, epoch.number))
        if epoch.number == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture
def bench(waves_csv: Path):
    def run(architecture: str, members: int = 1, **more: Any) -> list[Run]:
        fixed = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "protocol": "holdout", "threads": 1}
        settings = {"training.batch_size": 16, "training.members": members, **more.pop("set", {})}
        return zoo.bench(architecture, **{**fixed, "results": "results", "epochs": 2, "set": settings, **more})

    return run


def probabilities(run: Run) -> np.ndarray:
    with Store(Path("results")) as store:
        return read_predictions(store.read(run, "predictions.parquet"), run.parts["classes"]).probabilities


def history(run: Run) -> list[dict[str, str]]:
    path = Path("results") / "runs" / run.id / "history.csv"
    return list(csv.DictReader(path.read_text().splitlines()))


def test_an_ensemble_averages_the_probabilities_of_its_members(bench) -> None:
    (alone,), (three,) = bench("cnngru"), bench("cnngru", 3)
    assert three.cost["parameters"] == 3 * alone.cost["parameters"]
    assert three.cost["macs"] == 3 * alone.cost["macs"]
    model, single = zoo.load(three.id, results="results"), zoo.load(alone.id, results="results")
    assert isinstance(model, Ensemble)
    for name, value in single.state_dict().items():  # the first member is the net that would have been alone
        assert torch.equal(model.members[0].state_dict()[name], value)
    rows = torch.randn(5, 1, 48)
    each = [torch.softmax(member(rows), 1) for member in model.members]
    assert not torch.allclose(each[0], each[1], atol=1e-4)
    torch.testing.assert_close(torch.softmax(model(rows), 1), torch.stack(each).mean(0))
    np.testing.assert_allclose(probabilities(three).sum(1), 1, rtol=1e-5)
    assert (alone.best_epoch > 0, three.best_epoch, three.epochs) == (True, 0, 6)
    assert [(row["member"], row["number"]) for row in history(three)] == [
        ("1", "1"), ("1", "2"), ("2", "1"), ("2", "2"), ("3", "1"), ("3", "2"),
    ]  # fmt: skip


def test_an_ensemble_interrupted_in_a_later_member_resumes_to_the_same_bits(bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench("cnngru", 3, reporter=StopAfter(3))
    reporter = StopAfter()
    (resumed,) = bench("cnngru", 3, resume=True, reporter=reporter)
    assert reporter.seen == [(2, 4), (3, 5), (3, 6)]
    (unbroken,) = bench("cnngru", 3, force=True)
    assert np.array_equal(probabilities(resumed), probabilities(unbroken))


def test_a_fitted_network_has_no_loss_one_epoch_and_the_same_bits_again(bench) -> None:
    (run,) = bench("minirocket")
    assert (run.status, run.loss, run.epochs, run.best_epoch) == (RunStatus.DONE, "", 1, 1)
    assert run.environment["bf16"] is False
    assert run.scores["macro_recall"]["value"] > 0.9
    (again,) = bench("minirocket", force=True)
    assert np.array_equal(probabilities(run), probabilities(again))
    model = zoo.load(run.id, results="results")
    assert model(torch.randn(2, 1, 48)).shape == (2, 3)
    assert [(row["train_loss"], row["learning_rate"]) for row in history(run)] == [("", "")]


def test_a_fitted_network_is_left_out_where_a_loss_is_asked_for(bench) -> None:
    reporter = StopAfter()
    (run,) = bench(["minirocket", "cnngru"], loss="weighted", reporter=reporter)
    assert run.architecture == "cnngru"
    left_out, read = reporter.notes
    assert left_out == "left out: minirocket with loss weighted: its fit() takes no loss"
    assert read.startswith("read waves.csv: 240 rows x 48 samples (t0 … t47), ")


def test_a_fitted_network_can_choose_without_validation_rows(bench) -> None:
    reporter = StopAfter()
    without = {"training.validation": 0}
    (run,) = bench(["minirocket", "cnngru"], data=["original", "smote"], set=without, reporter=reporter)
    assert (run.status, run.error, run.data) == (RunStatus.DONE, "", "original")
    assert (run.parts["rows"]["validation"], run.config["training"]["validation"]) == (0, 0)
    (epoch,) = history(run)
    assert float(epoch["macro_recall"]) > 0.8
    assert "nan" not in ",".join(epoch.values())
    left_out = [note for note in reporter.notes if note.startswith("left out: ")]
    assert left_out[0] == "left out: cnngru with training.validation=0: it needs validation rows"
    assert "which must not contain copies of it: use --data original, not smote" in left_out[1]
    (usual,) = bench("minirocket")
    assert usual.parts["rows"]["train"] < run.parts["rows"]["train"]
    for name in ("test", "pool"):
        assert usual.parts["fingerprints"][name] == run.parts["fingerprints"][name]
    assert (usual.key != run.key, usual.configuration != run.configuration) == (True, True)


def test_balanced_batches_leave_the_rows_and_losses_see_classes_alike(bench) -> None:
    (plain,) = bench("cnngru")
    (balanced,) = bench("cnngru", data="balanced-batches")
    (weighted,) = bench("cnngru", data="balanced-batches", loss="weighted")
    assert balanced.parts["rows"] == plain.parts["rows"]
    assert not np.allclose(probabilities(balanced), probabilities(plain), atol=1e-2)
    np.testing.assert_allclose(probabilities(balanced), probabilities(weighted), atol=1e-2)


class Linear(nn.Module):
    spare = 0

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_channels * n_times, n_classes + self.spare)
        self.n_classes = n_classes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.flatten(1))[:, : self.n_classes]


class Wide(Linear):
    spare = 2


class Hardly:
    """Draws the last class once in a million rows."""

    def row_weights(self, labels: np.ndarray) -> np.ndarray:
        return np.where(labels == labels.max(), 1e-6, 1.0)


def hardly(*, random_state: int) -> Hardly:
    return Hardly()


def counting(*, class_counts: torch.Tensor) -> nn.Module:
    raise ValueError(f"counts {class_counts.tolist()}")


def registry_with(network: type[nn.Module]) -> Registry:
    class Plugin:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            return [
                Architecture(name="linear", factory=f"{__name__}:{network.__name__}", summary="One layer."),
                Resampler(name="hardly", factory=f"{__name__}:hardly", summary="Hardly draws a class."),
                Objective(name="counting", factory=f"{__name__}:counting", summary="Says what it is told."),
            ]

    return Registry.load([source_of("imbalance", zoo_imbalance), Source("own", __name__, Plugin)])


def test_a_class_that_is_hardly_ever_drawn_is_counted_for_the_loss(bench) -> None:
    (run,) = bench("linear", data="hardly", loss="counting", registry=registry_with(Linear))
    assert run.parts["class_counts"]["train"] == [104, 52, 17]
    assert run.error == "ValueError: counts [115, 58, 1]"


def test_weights_that_no_longer_fit_their_network_are_one_line(bench) -> None:
    (run,) = bench("linear", 2, data="hardly", loss="cross-entropy", registry=registry_with(Linear))
    with pytest.raises(StoreError, match="its weights do not fit the current linear: RuntimeError: ") as caught:
        zoo.load(run.id, results="results", registry=registry_with(Wide))
    assert "\n" not in str(caught.value)
