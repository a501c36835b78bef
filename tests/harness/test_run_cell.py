"""What one run stores and says, on networks of one layer: its best weights, its costs, its environment, its news."""

import csv
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import release_memory, waves
from scipy.special import log_softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from torch import nn

import zoo
import zoo_imbalance
from zoo import Architecture, Preset, UsageError, hookimpl
from zoo.data.protocols import separate
from zoo.harness.planner import make_plan
from zoo.harness.reporter import SilentReporter
from zoo.harness.request import Request
from zoo.harness.run_cell import RunContext, conclude, trained_in
from zoo.harness.schedule import Schedule
from zoo.harness.seeds import axis_seeds
from zoo.records import Cost, Environment
from zoo.registry import Registry, Source, source_of
from zoo.settings import Settings
from zoo.store.leaderboard import boards
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.training.loop import Epoch
from zoo.workspace import Workspace

Runs = Callable[..., list[Run]]
TEST_ROWS = 48  # no other part, and no batch, has as many
PARAMETERS, MACS = 48 * 3 + 3, 48 * 3  # of a layer from 48 samples to three classes


class Linear(nn.Module):
    """Sleeps for the given seconds: before a training batch, an evaluation batch, a single row, or the test set."""

    def __init__(
        self,
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        training: float = 0.0,
        several: float = 0.0,
        single: float = 0.0,
        test: float = 0.0,
    ) -> None:
        super().__init__()
        self.training_pause, self.pauses = training, {1: single, TEST_ROWS: test}
        self.several = several
        self.linear = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type != "meta":
            time.sleep(self.training_pause if self.training else self.pauses.get(len(x), self.several))
        logits: torch.Tensor = self.linear(x.flatten(1))
        return logits


class Still(Linear):
    """Gives three equal logits, whatever it learns."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * 0.0


class Broken(Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            raise ValueError("it is broken")
        return super().forward(x)


class Leaving(Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            sys.exit(3)
        return super().forward(x)


class Fitted(Linear):
    def fit(self, batches: Any, *, generator: torch.Generator) -> None:
        """Learns the mean of all samples, and nothing of the classes."""
        values = torch.cat([batch.values for batch in batches])
        self.linear.bias.fill_(float(values.mean()))


class Image(nn.Module):
    """One convolution over the series as an image of one line."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_channels, n_classes, (1, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.convolution(x.unsqueeze(2)).mean((2, 3))
        return logits


class Wide(nn.Module):
    """A convolution of 64 channels, for which bf16 pays where the hardware has it."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(n_channels, 64, 1), nn.Conv1d(64, n_classes, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(x).mean(2)
        return logits


class BrokenOnTest(Linear):
    """Says nothing finite of the test set."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * (float("nan") if len(x) == TEST_ROWS else 1.0)


class Greedy(Linear):
    """Takes 32 MiB for a moment."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            torch.ones(2**23)
        return super().forward(x)


class Concrete(Linear):
    """Cannot be built without memory."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes)
        self.scale = float(torch.ones(1).item())


class Branching(Linear):
    """Looks at its rows, which have no values on the meta device."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x if bool((x.abs() >= 0).any()) else -x)


class Plugin:
    @hookimpl
    def zoo_components(self) -> list[Architecture]:
        kinds = (Linear, Still, Broken, Leaving, Fitted, Image, Wide, BrokenOnTest, Greedy, Concrete, Branching)
        made = {kind.__name__.lower(): f"{__name__}:{kind.__name__}" for kind in kinds}
        more: dict[str, dict[str, Any]] = {
            "long": {"min_times": 49},
            "counted": {"libraries": ("pluggy", "no-such-library")},
            "preset": {
                "presets": {
                    "ready": Preset(params={"training": 0.001}),
                    "one": Preset(data="smote", data_params={"k_neighbors": 1}),
                    "three": Preset(data="smote", data_params={"k_neighbors": 3}),
                }
            },
        }
        linear = made["linear"]
        return [
            *(Architecture(name=name, factory=factory, summary="One layer.") for name, factory in made.items()),
            *(Architecture(name=name, factory=linear, summary="One layer.", **own) for name, own in more.items()),
        ]


class Observer:
    """A plugin that observes, and at the end raises."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    @hookimpl
    def zoo_run_started(self, run: Run) -> None:
        self.told.append(("started", run.id, run.status))

    @hookimpl
    def zoo_epoch_finished(self, run: Run, epoch: int, scores: dict[str, float]) -> None:
        self.told.append(("epoch", run.id, epoch, scores))

    @hookimpl
    def zoo_run_finished(self, run: Run) -> None:
        self.told.append(("finished", run.id, run.status))
        raise ValueError("no tracker")


READ = 'read waves.csv: 240 rows x 48 samples (t0 … t47), label "kind": 3 classes 144/72/24, group "patient": 8 values'


class Notebook(SilentReporter):
    """Records every call, and interrupts after an epoch if asked."""

    def __init__(self, stop_after: int = 0) -> None:
        self.stop_after = stop_after
        self.notes: list[str] = []
        self.told: list[Any] = []
        self.batches: list[tuple[float, int, int, int, float | None]] = []

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_phase(self, text: str) -> None:
        self.told.append(text)

    def on_run_started(self, run: Run, number: int, total: int, epochs: int) -> None:
        self.told.append(("started", run.reference, number, total, epochs))

    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float | None) -> None:
        self.batches.append((time.perf_counter(), epoch, rows_done, rows, loss))

    def on_epoch(self, epoch: Epoch) -> None:
        self.told.append(("epoch", epoch.number))
        if epoch.number == self.stop_after:
            raise KeyboardInterrupt

    def on_run_finished(self, run: Run) -> None:
        self.told.append(("finished", run.reference, run.status, run.served))


def registry_of(*more: Source) -> Registry:
    return Registry.load([source_of("imbalance", zoo_imbalance), Source("own", __name__, Plugin), *more])


@pytest.fixture
def bench(waves_csv: Path) -> Runs:
    known = registry_of()

    def run(*architectures: str, **more: Any) -> list[Run]:
        data = {"dataset": str(waves_csv), "target": "kind", "group": "patient", "protocol": "holdout"}
        settings = {"training.batch_size": 16, **more.pop("set", {})}
        fixed = {**data, "epochs": 1, "threads": 1, "results": "results", "registry": known, "set": settings}
        return zoo.bench(architectures or ["linear"], **{**fixed, **more})

    return run


def history(run: Run) -> list[dict[str, str]]:
    path = Path("results") / "runs" / run.id / "history.csv"
    return list(csv.DictReader(path.read_text().splitlines()))


def files_of(run: Run) -> set[str]:
    return {path.name for path in (Path("results") / "runs" / run.id).glob("*")}


def predictions_of(run: Run) -> bytes:
    return (Path("results") / "runs" / run.id / "predictions.parquet").read_bytes()


# A learning rate of 1 makes epochs better and worse: in this setting the best is never the last.
RESTLESS = {
    "training.learning_rate": 1.0,
    "training.scheduler": "plateau",
    "training.keep": "best",
    "training.patience": 0,
}


@pytest.mark.parametrize(("monitor", "better"), [("macro_recall", max), ("validation_loss", min)])
@pytest.mark.parametrize("members", [1, 2])
def test_the_stored_weights_are_those_of_the_best_epoch(bench: Runs, monitor: str, better: Any, members: int) -> None:
    settings = {**RESTLESS, "training.monitor": monitor, "training.members": members}
    (run,) = bench(epochs=6, set=settings)
    model = zoo.load(run.id, results="results", registry=registry_of())
    validation = separate(waves(), "holdout", seed=axis_seeds(0)["split"]).validation
    for member, network in enumerate(model.members if members > 1 else [model], start=1):
        epochs = [row for row in history(run) if row["member"] == str(member)]
        values = [float(row[monitor]) for row in epochs]
        best = values.index(better(values))
        assert (len(epochs), values[best] != values[-1]) == (6, True), "the setting has its best epoch before the last"
        if members == 1:
            assert run.best_epoch == best + 1
        with torch.inference_mode():
            logits = network(torch.from_numpy(validation.values)).double().numpy()
        found = {
            "macro_recall": balanced_accuracy_score(validation.labels, logits.argmax(1)),
            "accuracy": accuracy_score(validation.labels, logits.argmax(1)),
            "validation_loss": log_loss(validation.labels, np.exp(log_softmax(logits, axis=1))),
        }
        for name, value in found.items():
            assert value == pytest.approx(float(epochs[best][name]), rel=1e-5), f"{name} of member {member}"


def test_a_run_that_is_interrupted_after_its_best_epoch_keeps_its_weights(bench: Runs) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=6, set=RESTLESS, reporter=Notebook(stop_after=5))
    (resumed,) = bench(epochs=6, set=RESTLESS, resume=True)
    assert resumed.best_epoch < 5, "the best epoch was before the interruption"
    (unbroken,) = bench(epochs=6, set=RESTLESS, force=True)
    assert (unbroken.best_epoch, unbroken.scores) == (resumed.best_epoch, resumed.scores)
    assert predictions_of(resumed) == predictions_of(unbroken)


def test_the_costs_of_a_run_are_its_size_and_its_times(bench: Runs) -> None:
    (run,) = bench(epochs=2, set={"several": 0.1, "single": 0.004, "test": 1.1})
    assert (run.cost["parameters"], run.cost["macs"], run.epochs) == (PARAMETERS, MACS, 2)
    seconds = [float(row["seconds"]) for row in history(run)]
    assert run.cost["train_seconds"] == pytest.approx(sum(seconds))
    assert all(0.1 <= each < 30 for each in seconds), "each epoch validates once"
    assert TEST_ROWS / 30 < run.cost["rows_per_second"] <= TEST_ROWS / 1.1, "the test rows are one batch"
    assert 4 <= run.cost["latency_ms"] < 1000


def test_an_ensemble_costs_what_its_members_cost(bench: Runs) -> None:
    (run,) = bench(epochs=2, set={"training.members": 3, "training.patience": 0})
    assert (run.cost["parameters"], run.cost["macs"]) == (3 * PARAMETERS, 3 * MACS)
    assert (run.epochs, run.best_epoch) == (6, 0)
    assert run.cost["train_seconds"] == pytest.approx(sum(float(row["seconds"]) for row in history(run)))


def test_a_failed_run_keeps_its_size_and_its_traceback(bench: Runs) -> None:
    alone, three = (bench("broken", set={"training.members": members})[0] for members in (1, 3))
    for run, members in ((alone, 1), (three, 3)):
        assert (run.status, run.error) == (RunStatus.FAILED, "ValueError: it is broken")
        assert run.cost == Cost(parameters=members * PARAMETERS, macs=members * MACS)
        assert (run.epochs, run.best_epoch, run.scores) == (0, 0, {})
        assert run.finished >= run.created > ""
        assert files_of(run) == {"traceback.txt"}
    with Store(Path("results")) as store:
        assert store.runs() == [alone, three]
        assert 'raise ValueError("it is broken")' in store.read(alone, "traceback.txt").read_text()


def test_a_network_that_leaves_is_a_failed_run(bench: Runs) -> None:
    left, right = bench("leaving", "still")
    assert (left.status, left.error, right.status) == (RunStatus.FAILED, "sys.exit(3)", RunStatus.DONE)


@pytest.mark.parametrize("members", [1, 2])
def test_the_cosine_spans_the_epochs_that_min_steps_plans(bench: Runs, members: int) -> None:
    steps = {"training.min_steps": 100, "training.batch_size": 16, "training.patience": 0}
    settings = {**steps, "training.scheduler": "cosine", "training.learning_rate": 0.5, "training.members": members}
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=None, set=settings, reporter=Notebook(stop_after=3))
    (run,) = bench(epochs=None, set=settings, resume=True)
    planned = run.config["training"]["epochs"]
    assert (planned > 6, run.epochs) == (True, members * planned), "more than the default"
    for member in range(1, members + 1):
        rates = [float(row["learning_rate"]) for row in history(run) if row["member"] == str(member)]
        expected = [0.25 * (1 + np.cos(np.pi * epoch / planned)) for epoch in range(planned)]
        assert rates == pytest.approx(expected), "from the whole rate to nearly none in the last epoch"


def test_a_fitted_network_is_one_epoch_without_loss_or_rounding(bench: Runs) -> None:
    notebook = Notebook()
    (run,) = bench("fitted", epochs=5, set={"training.precision": "bf16", "training.members": 2}, reporter=notebook)
    assert (run.status, run.loss, run.epochs, run.environment["bf16"]) == (RunStatus.DONE, "", 2, False)
    assert ("started", "fitted", 1, 1, 2) in notebook.told, "one epoch of each member"
    assert [each for each in notebook.told if each[0] == "epoch"] == [("epoch", 1), ("epoch", 2)]
    assert run.config["loss_params"] == {}
    assert (run.precision, run.steps, run.besides_loss, run.loss_gradients) == ("", 0, "", ())
    others = {"training.learning_rate": 0.5, "training.label_smoothing": 0.1, "training.min_steps": 9}
    (again,) = bench("fitted", epochs=1, set={**others, "training.members": 2})
    (board,) = boards([run, *bench("fitted", epochs=2, seeds=[1], set={"training.members": 2})], "macro_recall")
    assert (again.id, again.served) == (run.id, True)
    assert [(len(standing.runs), standing.settings) for standing in board.standings] == [(2, "")]


def test_logits_of_test_rows_that_are_not_finite_are_a_diverged_run(bench: Runs) -> None:
    (run,) = bench("brokenontest")
    assert run.parts["rows"]["test"] == TEST_ROWS
    assert (run.status, run.error) == (RunStatus.DIVERGED, "the logits of the test rows are NaN or infinite")
    assert (run.scores, run.epochs, files_of(run) - {"checkpoint"}) == ({}, 0, set())


@pytest.mark.parametrize(("name", "known"), [("concrete", {}), ("branching", {"parameters": PARAMETERS})])
def test_what_cannot_be_counted_before_training_is_trained_all_the_same(
    bench: Runs, name: str, known: dict[str, Any]
) -> None:
    (run,) = bench(name)
    assert (run.status, run.cost["parameters"]) == (RunStatus.DONE, PARAMETERS)
    times = {"train_seconds", "peak_memory_mib", "rows_per_second", "latency_ms"}
    assert {key: value for key, value in run.cost.items() if key not in times} == {
        **known,
        "parameters": PARAMETERS,
        "macs": None,
    }


def memory_mib(name: str) -> float:
    return int(Path("/proc/self/status").read_text().split(f"{name}:")[1].split()[0]) / 2**10


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the mark is that of the whole process")
def test_peak_memory_is_that_of_the_training_alone(bench: Runs) -> None:
    bench("greedy")  # imports what a first run imports
    release_memory()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pytest.skip("the high-water mark cannot be reset here")
    np.ones(2**25)  # 256 MiB, gone before the run
    release_memory()
    before, ever = memory_mib("VmRSS"), memory_mib("VmHWM")
    (run,) = bench("greedy", force=True)
    assert before + 28 < run.cost["peak_memory_mib"] < ever - 60


def test_the_fingerprint_is_of_what_was_asked_and_where_it_ran(bench: Runs) -> None:
    one, same, two = (bench(threads=threads, force=True)[0] for threads in (1, 1, 2))
    assert one.key == same.key == two.key
    assert one.fingerprint == same.fingerprint != two.fingerprint
    assert (one.environment["threads"], two.environment["threads"]) == (1, 2)
    assert one.environment == {**two.environment, "threads": 1}
    for changed in ({"device": "cuda"}, {"threads": 3}, {"bf16": True}, {"torch": "1.0"}):
        elsewhere = trained_in(one, Environment.of({**one.environment, **changed}))
        assert elsewhere == replace(one, environment=elsewhere.environment, fingerprint=elsewhere.fingerprint)
        assert elsewhere.environment == {**one.environment, **changed}
        assert elsewhere.fingerprint != one.fingerprint
    turned = trained_in(two, Environment.of(dict(reversed(list(one.environment.items())))))
    assert turned.fingerprint == one.fingerprint, "the order of what is known does not count"
    assert trained_in(one, Environment.of(dict(one.environment))) is one
    (other,) = bench(seeds=[1])
    assert (other.environment, other.fingerprint != one.fingerprint) == (one.environment, True)


def test_the_environment_says_where_and_with_what_a_run_was_made(bench: Runs) -> None:
    run, rounded = (bench("counted", device="cpu", set={"training.precision": each})[0] for each in ("fp32", "bf16"))
    names = ("device", "threads", "bf16", "channels_last")
    assert [run.environment[name] for name in names] == ["cpu", 1, False, False]
    for library in ("numpy", "scipy", "scikit-learn", "imbalanced-learn", "pluggy"):
        assert run.environment[library] == version(library)
    assert run.environment["torch"] == torch.__version__
    assert "no-such-library" not in run.environment
    assert (rounded.environment["bf16"], rounded.status) == (True, RunStatus.DONE)
    assert bench("image")[0].environment["channels_last"] is True


def test_bf16_and_fp32_are_two_configurations_whatever_chose_them(bench: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_on(native: bool, *, precision: str = "auto", **more: Any) -> Run:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
        (run,) = bench("wide", device="cpu", set={"training.precision": precision}, **more)
        return run

    runs = [run_on(native, seeds=[seed]) for native in (True, False) for seed in (0, 1)]
    assert [run.config["training"]["precision"] for run in runs] == ["bf16", "bf16", "fp32", "fp32"]
    assert [run.precision for run in runs] == ["bf16", "bf16", "fp32", "fp32"]
    assert (len({run.key for run in runs}), len({run.configuration for run in runs})) == (4, 2)
    for native, precision, known in ((False, "bf16", runs[0]), (True, "fp32", runs[2]), (True, "auto", runs[0])):
        again = run_on(native, precision=precision)
        assert (again.id, again.served) == (known.id, True)
    (board,) = boards(runs, "macro_recall")
    assert {standing.settings: len(standing.runs) for standing in board.standings} == {
        "precision=bf16": 2,
        "precision=fp32": 2,
    }


def test_losses_that_train_alike_on_balanced_rows_are_noted_and_ranked_once(bench: Runs) -> None:
    asked = ["cross-entropy", "weighted", "logit-adjusted", "focal"]
    runs = bench(data=["original", "oversampled", "balanced-batches"], loss=asked)
    noted = {(run.data, run.loss) for run in runs if any("is plain cross-entropy" in note for note in run.notes)}
    assert noted == {(data, loss) for data in ("oversampled", "balanced-batches") for loss in asked[1:3]}
    (board,) = boards(runs, "macro_recall")
    found = {(each.runs[0].data, each.runs[0].loss, each.same_losses) for each in board.standings}
    assert found == {
        *(("original", loss, ()) for loss in asked),
        *(("oversampled", loss, tuple(same)) for loss, *same in (asked[:3], asked[3:])),
        *(("balanced-batches", loss, tuple(same)) for loss, *same in (asked[:3], asked[3:])),
    }


def test_where_a_run_is_made_is_said_by_flag_variable_or_file(bench: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("registry.toml").write_text("[hardware]\nthreads = 2\ndevice = 'nowhere'\n")
    for device in (None, "gpu"):
        with pytest.raises(UsageError, match=rf"^hardware.device must be auto, .*, not '{device or 'nowhere'}'$"):
            bench(device=device)
    monkeypatch.setenv("ZOO_DEVICE", "cpu")
    ours, many = (bench(threads=threads, force=True)[0].environment["threads"] for threads in (None, 0))
    assert (ours, many) == (2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    monkeypatch.setenv("ZOO_THREADS", "-1")
    with pytest.raises(UsageError, match=r"^hardware.threads must be at least 0 \(automatic\), not -1$"):
        bench(threads=None)


def steps(waves_csv: Path, store: Store, *architectures: str, beside: bool = False, **more: Any) -> tuple[Any, ...]:
    """A bench, and its steps with the keys that were settled before each."""
    workspace = Workspace(registry_of(), Settings.load())
    request = Request(architectures=architectures, target="kind", columns="t*", **more)
    request = replace(request, datasets=(str(waves_csv),), protocols=("holdout",))
    planned = (workspace, request, store, SilentReporter(), make_plan(workspace, request))
    made, keys = Schedule(*planned, beside=beside), []
    return made, [(step, [*keys]) for step in made.steps(keys.append)]


def test_cells_beside_others_have_one_thread_unless_told_otherwise(waves_csv: Path) -> None:
    with Store(Path("results")) as store:
        for beside, asked, threads in ((True, None, 1), (True, 3, 3), (False, None, 0), (False, 3, 3)):
            found, _ = steps(waves_csv, store, "linear", beside=beside, threads=asked)
            assert found.threads == threads


def test_a_key_is_settled_before_the_store_is_asked(waves_csv: Path) -> None:
    with Store(Path("results")) as store:
        _, found = steps(waves_csv, store, "linear", "still", threads=1, seeds=(0, 1))
        keys = [step.prepared.run.key for step, _ in found]
        assert [settled for _, settled in found] == [keys[:number] for number in (1, 2, 3, 4)]
        assert [step.number for step, _ in found] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("error", "stopped", "status"),
    [
        (ValueError("killed"), True, RunStatus.INTERRUPTED),
        (SystemExit(143), True, RunStatus.INTERRUPTED),
        (KeyboardInterrupt(), False, RunStatus.INTERRUPTED),
        (GeneratorExit(), False, "running"),
    ],
)
def test_the_end_of_the_whole_bench_is_no_failure_of_the_network(
    waves_csv: Path, error: BaseException, stopped: bool, status: str
) -> None:
    def end() -> Any:
        raise error

    with Store(Path("results")) as store:
        found, [(step, _)] = steps(waves_csv, store, "linear", threads=1)
        context = RunContext(found.workspace.registry, store, SilentReporter(), stopped=lambda: stopped)
        with pytest.raises(type(error)):
            conclude(step.prepared, step.prepared.run, context, end)
        assert [each.status for each in store.runs()] == [status]


def test_batches_are_reported_as_they_go_and_seldom(bench: Runs) -> None:
    notebook = Notebook()
    settings = {"training": 0.05, "training.members": 2}
    (run,) = bench("still", set=settings, reporter=notebook)
    rows = run.parts["rows"]["train"]
    assert {epoch for _, epoch, *_ in notebook.batches} == {1, 2}, "epochs are counted through all members"
    for number in (1, 2):
        told = [report for report in notebook.batches if report[1] == number]
        done = [report[2] for report in told]
        assert done == sorted(set(done))
        assert 2 <= len(done) <= 1 + float(history(run)[number - 1]["seconds"]) / 0.2
        assert {report[3] for report in told} == {rows}
        assert all(0 < each <= rows and each % 16 in (0, rows % 16) for each in done)
        assert [report[4] for report in told] == [pytest.approx(np.log(3), rel=1e-6)] * len(told)
        assert (np.diff([report[0] for report in told]) > 0.15).all()


def test_news_come_in_the_order_of_what_happens(bench: Runs, waves_csv: Path) -> None:
    notebook, observer = Notebook(), Observer()
    known = registry_of(Source("observer", __name__, lambda: observer))
    bench("linear", registry=known, epochs=2, reporter=notebook)
    runs = bench("linear", "broken", registry=known, epochs=2, set={"training.members": 2}, reporter=notebook)
    served = bench("linear", registry=known, epochs=2, reporter=notebook)
    first, (second, third) = served[0], runs
    loading = ["planning", f"loading {waves_csv}"]
    assert notebook.told == [
        *loading,
        ("started", "linear", 1, 1, 2),
        "resampling: original",
        ("epoch", 1),
        ("epoch", 2),
        "scoring",
        ("finished", "linear", RunStatus.DONE, False),
        *loading,
        ("started", "linear", 1, 2, 4),
        "resampling: original",
        *(("epoch", number) for number in (1, 2, 3, 4)),
        "scoring",
        ("finished", "linear", RunStatus.DONE, False),
        ("started", "broken", 2, 2, 4),
        ("finished", "broken", RunStatus.FAILED, False),
        *loading,
        ("finished", "linear", RunStatus.DONE, True),
    ]
    unscored = ("number", "seconds", "member", "steps", "standard_error")
    scores = [
        {name: float(row[name]) for name in row if name not in unscored}
        for run in (first, second)
        for row in history(run)
    ]
    assert observer.told == [
        ("started", first.id, "running"),
        *(("epoch", first.id, number, scores[number - 1]) for number in (1, 2)),
        ("finished", first.id, RunStatus.DONE),
        ("started", second.id, "running"),
        *(("epoch", second.id, number, scores[number + 1]) for number in (1, 2, 3, 4)),
        ("finished", second.id, RunStatus.DONE),
        ("started", third.id, "running"),
        ("finished", third.id, RunStatus.FAILED),
    ]
    problem = "plugin 'observer': zoo_run_finished raised ValueError: no tracker"
    assert notebook.notes == [READ, problem, READ, problem, problem, READ]


def test_a_run_under_way_elsewhere_is_refused_in_one_line_and_the_others_run(bench: Runs) -> None:
    (run,) = bench()
    with Store(Path("results")) as store:
        busy = store.begin(replace(run, id="", created=""))
        message = rf"^run {busy.id} of linear is in progress in another process: wait for it$"
        with pytest.raises(UsageError, match=message):
            bench("linear", "still", force=True)
        assert [(each.architecture, each.status) for each in store.runs()] == [
            ("linear", RunStatus.DONE),
            ("linear", "running"),
            ("still", RunStatus.DONE),
        ]
        assert bench()[0].id == run.id, "what is done is served, whatever is under way"
        store.finish(replace(busy, status=RunStatus.FAILED))
    assert bench(force=True)[0].status == RunStatus.DONE


def test_an_unfinished_run_that_is_older_than_a_finished_one_is_not_gone_on_with(bench: Runs) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=2, reporter=Notebook(stop_after=1))
    with Store(Path("results")) as store:
        (left,) = store.runs()
        store.finish(
            replace(store.begin(replace(left, created="2000-01-01T00:00:00+00:00")), status=RunStatus.INTERRUPTED)
        )
    (done,) = bench(epochs=2, force=True)
    (served,) = bench(epochs=2, resume=True)
    assert (served.served, served.id) == (True, done.id)
    with Store(Path("results")) as store:  # times are told to the second: of two in one, the unfinished one goes on
        store.finish(replace(store.begin(replace(left, created=done.created)), status=RunStatus.INTERRUPTED))
    assert bench(epochs=2, resume=True)[0].id == left.id


def test_of_several_unfinished_runs_the_newest_is_resumed_as_it_was_begun(bench: Runs) -> None:
    for stop_after in (2, 1):
        with pytest.raises(KeyboardInterrupt):
            bench(epochs=3, reporter=Notebook(stop_after=stop_after))
    with Store(Path("results")) as store:
        older, newer = store.runs()
        assert older.status == newer.status == RunStatus.INTERRUPTED
        assert (newer.error, newer.scores, newer.epochs) == ("interrupted", {}, 0)
        created = "2000-01-02T00:00:00+00:00"
        for run, when in ((older, "2000-01-01T00:00:00+00:00"), (newer, created)):
            store.finish(replace(store.begin(replace(run, created=when)), status=RunStatus.INTERRUPTED))
    notebook = Notebook()
    (resumed,) = bench(epochs=3, resume=True, reporter=notebook)
    assert (resumed.id, resumed.created, resumed.status, resumed.error) == (newer.id, created, RunStatus.DONE, "")
    assert [each for each in notebook.told if each[0] == "epoch"] == [("epoch", 2), ("epoch", 3)]
    with Store(Path("results")) as store:
        assert [run.id for run in store.runs()] == [older.id, newer.id]


def test_resuming_elsewhere_is_refused_and_the_rest_runs(bench: Runs) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(epochs=2, reporter=Notebook(stop_after=1))
    with pytest.raises(
        UsageError, match=r"^run \w+ of linear started with threads 1 then, 2 now: resume it in the ear"
    ):
        bench("linear", "still", epochs=2, threads=2, resume=True)
    with Store(Path("results")) as store:
        assert {run.architecture: run.status for run in store.runs()} == {
            "linear": RunStatus.INTERRUPTED,
            "still": RunStatus.DONE,
        }
    assert bench(epochs=2, resume=True)[0].status == RunStatus.DONE


def test_the_global_state_is_left_as_it_was(bench: Runs) -> None:
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    for architecture in ("linear", "broken", "fitted"):
        bench(architecture, threads=threads + 1)
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.get_num_threads() == threads


def test_what_does_not_fit_its_data_is_said_once_for_all_seeds_resamplers_and_losses(bench: Runs) -> None:
    notebook = Notebook()
    axes = {"seeds": 2, "data": ["original", "oversampled"], "loss": ["cross-entropy", "focal"]}
    reason = "long on waves.csv: long takes series of at least 49 samples, not 48"
    with pytest.raises(UsageError, match=f"^nothing to run: no requested combination is possible: {reason}$"):
        bench("long", reporter=notebook, **axes)
    assert notebook.notes == [READ, f"left out: {reason}"]


def test_what_cannot_be_read_is_raised_at_the_end_and_noted_once_each(bench: Runs, waves_csv: Path) -> None:
    notebook = Notebook()
    axes = {"dataset": ["absent.csv", str(waves_csv), "gone.csv"], "protocol": ["official", "holdout"], "seeds": 2}
    with pytest.raises(zoo.DataError, match=r"^there is no file 'absent.csv'"):
        bench(reporter=notebook, **axes)
    assert notebook.notes == [
        READ,
        "error: this data set has no published split: use --protocol inter-patient",
        "error: there is no file 'gone.csv'; check its name and the folder you are in",
    ]
    with Store(Path("results")) as store:
        assert [(run.seed, run.protocol, run.status) for run in store.runs()] == [
            (0, "holdout", RunStatus.DONE),
            (1, "holdout", RunStatus.DONE),
        ]


def test_rows_are_resampled_again_for_other_parameters_alone(bench: Runs) -> None:
    notebook = Notebook()
    asked = ("preset.one", "preset.three", "preset.three")
    runs = bench(*asked, "linear", set={"data.k_neighbors": 3}, data="smote", reporter=notebook)
    assert notebook.told.count("resampling: smote") == 1
    runs = bench("preset.one", "preset.three", reporter=notebook, results="other")
    assert notebook.told.count("resampling: smote") == 3
    (alone,) = bench("preset.three", results="alone")
    with Store(Path("other")) as other, Store(Path("alone")) as own:
        ours, theirs = (store.read(run, "predictions.parquet") for store, run in ((other, runs[1]), (own, alone)))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_served_run_is_named_as_it_was_asked_for(bench: Runs) -> None:
    (run,) = bench("preset", set={"training": 0.001})
    (served,) = bench("preset.ready")
    assert (run.reference, served.id, served.served, served.reference) == ("preset", run.id, True, "preset.ready")
    assert served.differs == ()


def test_rows_that_are_all_the_training_rows_ask_for_nothing_else(bench: Runs) -> None:
    (run,) = bench()
    (served,) = bench(rows=run.parts["rows"]["train"])
    assert (served.id, served.served) == (run.id, True)
    (fewer,) = bench(rows=run.parts["rows"]["train"] - 1)
    assert (fewer.served, fewer.key != run.key) == (False, True)


def test_the_folder_of_results_and_the_order_of_settings_change_no_key(bench: Runs) -> None:
    settings = {"several": 0.001, "single": 0.0001, "training.clip": 2.0}
    one, *others = (
        bench(set=settings)[0],
        bench(set=dict(reversed(settings.items())), results="elsewhere")[0],
        bench(set=settings, threads=2, device="cpu", results="third")[0],
    )
    assert [(each.key, each.configuration, each.served) for each in others] == [(one.key, one.configuration, False)] * 2


def test_seeds_share_a_configuration_and_what_else_is_asked_does_not(bench: Runs) -> None:
    first, second = bench(seeds=2)
    others = [bench(rows=100)[0], bench(epochs=2)[0], bench(loss="focal")[0], bench("still")[0]]
    assert (first.seed, second.seed, first.key != second.key) == (0, 1, True)
    assert first.configuration == second.configuration
    assert len({first.configuration, *(run.configuration for run in others)}) == 5
    assert first.code == second.code == others[0].code == others[1].code, "seeds and sizes are no code"
    assert len({first.code, others[2].code, others[3].code}) == 3
    assert (first.loss, others[2].loss, others[2].config["loss_params"]["gamma"]) == ("cross-entropy", "focal", 2.0)
