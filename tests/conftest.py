"""What the tests share: a registry of what is installed, a small data set, and the command as users run it."""

import compileall
import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from warm import Warm

from zoo.data.series import LabelledSeries
from zoo.registry import Registry, Source, source_of
from zoo.settings import Settings
from zoo.workspace import Workspace

if TYPE_CHECKING:
    from zoo.tuning.request import TuneRequest

torch.set_num_threads(1)  # small nets gain nothing from more, and lose much where another process is busy

WAVES = ("--dataset", "waves.csv", "--target", "kind", "--columns", "t*")  # the file of `waves_csv`, without its groups

Zoo = Callable[..., subprocess.CompletedProcess[str]]
# The files that take longest, the longest first.
LONGEST = (
    "test_conformance.py",
    "third_party/test_distributions.py",
    "tuning/test_studies.py",
    "test_plots.py",
    "plugins/test_timm.py",
    "harness/test_run_cell.py",
    "cli/test_commands.py",
    "cli/test_tune.py",
    "harness/test_code_in_keys.py",
    "harness/test_bench.py",
    "test_imports.py",
    "cli/test_data.py",
    "harness/test_scaling.py",
    "plugins/test_rocket.py",
)
# The backbones of timm that are checked each time; those of the other families are checked by the slow tests.
QUICK_BACKBONES = ("convnext_atto", "mobilenetv3_small_050", "resnet10t", "vit_tiny_patch16_224")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the zoo once: its tests start hundreds of processes, and where none may write bytecode, each would."""
    if not hasattr(config, "workerinput"):
        for folder in ("zoo", "plugins"):
            compileall.compile_dir(Path(__file__).parents[1] / folder, quiet=2)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with the longest files, so that none waits for another at the end; one ends with them."""
    for item in items:
        if "architecture timm/" in item.name and not any(f"timm/{name}:" in item.name for name in QUICK_BACKBONES):
            item.add_marker(pytest.mark.slow)
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    shared = hasattr(config, "workerinput")
    items.sort(key=lambda item: places.get(item.path, len(places)), reverse=not shared)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the faults that the tests in `tests/faults/` injected: one per test, or its property `faults`."""
    injected = survived = 0
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            if "tests/faults/" in report.nodeid and (report.when == "call" or outcome == "error"):
                faults = dict(getattr(report, "user_properties", ())).get("faults", 1)
                injected += faults
                survived += faults if outcome == "passed" else 0
    if injected:
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{injected} injected, {survived} survived")


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Everything that is installed."""
    return Registry.discover()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in a folder of its own, with no settings of the machine's, and draws what it would draw alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda file: None)  # no test loses power, and the disk would be waited for
    torch.default_generator.manual_seed(5318)  # torch.manual_seed takes a hundred times as long without a GPU
    for name in [name for name in os.environ if name.startswith("ZOO_") and name != "ZOO_TEST_DATA"]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """A process that has imported the libraries, from which those of the command line are forked."""
    with Warm() as waiting:
        yield waiting


@pytest.fixture
def zoo(tmp_path: Path, warm: Warm) -> Zoo:
    """Runs the command line in a process of its own: `zoo("list", "--json")`."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
        variables |= {"NO_COLOR": "1", "OMP_NUM_THREADS": "1", **environment}
        return warm.run(words, env=variables, cwd=tmp_path, timeout=280)

    return run


@pytest.fixture(scope="session")
def both() -> Registry:
    """The installed plugins and the test plugin `faulty`."""
    installed = [Source(point.name, point.value, point.load) for point in entry_points(group="zoo")]
    return Registry.load([*installed, source_of("faulty", import_module("faulty"))])


@pytest.fixture
def workspace(registry: Registry) -> Workspace:
    return Workspace(registry, Settings.load())


@pytest.fixture
def with_faulty(both: Registry) -> Workspace:
    return Workspace(both, Settings.load())


@pytest.fixture
def asked(waves_csv: Path) -> Callable[..., "TuneRequest"]:
    """A request of a tiny cnngru on 60 of the waves, with what is given over it."""
    from studies import tune_request

    def make(**given: Any) -> "TuneRequest":
        small = {"hidden": 4, "num_blocks": 1, "gru_hidden": 4, "num_layers": 1}
        usual = {
            "architecture": "cnngru",
            "dataset": str(waves_csv),
            "target": "kind",
            "columns": "t*",
            "rows": 60,
            "epochs": 2,
        }
        chosen = {"assignments": small, "overrides": ("training.learning_rate=1e-3..1e-2:log", "dropout=0.0..0.3")}
        return tune_request(**{**usual, **chosen, "trials": 3, **given})

    return make


def release_memory() -> None:
    """Return freed memory to the system, so that a test does not reuse what earlier tests freed: its peak must show."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(0)


def waves(rows: int = 240, times: int = 48, channels: int = 1, seed: int = 0) -> LabelledSeries:
    """Three classes of noisy sines that differ in frequency, imbalanced 6 : 3 : 1, from eight patients."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [rows * 6 // 10, rows * 3 // 10, rows - rows * 6 // 10 - rows * 3 // 10])
    grid = np.linspace(0, 2 * np.pi, times)
    phase = rng.uniform(0, 2 * np.pi, size=(rows, channels, 1))
    values = np.sin((labels[:, None, None] + 1) * grid + phase) + 0.3 * rng.normal(size=(rows, channels, times))
    order = rng.permutation(rows)
    groups = rng.integers(8, size=rows)
    return LabelledSeries(values.astype(np.float32)[order], labels[order].astype(np.int64), ("a", "b", "c"), groups)


@pytest.fixture
def series() -> LabelledSeries:
    return waves()


@pytest.fixture
def waves_csv(tmp_path: Path) -> Path:
    """The same as a file: samples, `kind` and `patient`."""
    found = waves()
    path = tmp_path / "waves.csv"
    names = [f"t{number}" for number in range(found.n_times)]
    lines = [",".join([*names, "kind", "patient"])]
    for row, label, patient in zip(found.values[:, 0], found.labels, found.groups, strict=True):  # type: ignore[arg-type]
        lines.append(",".join([*map(str, row.tolist()), found.classes[label], str(patient)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def seasoned(model: nn.Module) -> nn.Module:
    """The network in eval mode, its batch normalisation no longer the identity."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return model.eval()
