"""A network that changes global state of its process: the next one sees none of it, and the run notes it."""

import json
import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import WAVES, Zoo

import zoo as library
from zoo.store.run import Run, RunStatus

NETWORKS = """
import builtins
import os
import random
import signal
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import zoo.metrics


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(n_channels, 4, 3, padding=1), nn.Flatten())
        self.head = nn.Linear(4 * n_times, n_classes)

    def forward(self, x):
        return self.head(F.relu(self.layers(x)))
"""
LEAKY = """

class {name}(Net):
    def forward(self, x):
        logits = super().forward(x)
        if self.training:
            {change}
        return logits
"""
# Each with what its run notes.
CHANGES = {
    "torch.set_default_dtype(torch.float64)": "torch's default dtype to torch.float64",
    'torch.set_default_device("meta")': "torch's default device",
    'torch.device("meta").__enter__()': "torch's default device",
    "torch._C._set_grad_enabled(False)": "torch's gradient mode to False",
    "torch.set_num_threads(2)": "torch's number of threads to 2",
    "torch.use_deterministic_algorithms(True)": "torch's deterministic algorithms",
    "torch.utils.deterministic.fill_uninitialized_memory = False": "torch's filling of empty memory to False",
    "torch.backends.cudnn.benchmark = True": "cuDNN's benchmark mode to True",
    "torch.backends.cudnn.deterministic = True": "cuDNN's deterministic mode to True",
    'torch.set_float32_matmul_precision("medium")': "torch's precision of matrix products",
    "torch.backends.mkldnn.enabled = torch._C._set_mkldnn_enabled(False)": "torch's use of oneDNN to False",
    "torch.set_flush_denormal(True)": "torch's flushing of denormal numbers to True",
    'torch.set_autocast_enabled("cpu", True)': "torch's autocast of cpu",
    "np.seterr(all='raise')": "NumPy's error handling",
    "os.environ['OMP_NUM_THREADS'] = '7'": "the environment variable OMP_NUM_THREADS",
    "os.environ.pop('HOME', None)": "the environment variable HOME",
    "os.chdir('/')": "the working folder to '/'",
    "warnings.simplefilter('ignore')": "the warning filters",
    "warnings.resetwarnings()": "the warning filters",
    "signal.signal(signal.SIGUSR1, signal.SIG_IGN)": "the handler of SIGUSR1",
    "signal.signal(signal.SIGTERM, lambda *_: None)": "the handler of SIGTERM",
    "F.relu = F.gelu": "torch.nn.functional.relu",
    "torch.relu = torch.sigmoid": "torch.relu",
    "torch.softmax = lambda x, dim: x * 0": "torch.softmax",
    "np.bincount = lambda *_, **__: np.zeros(3)": "numpy.bincount",
    "zoo.metrics.score = lambda *_: {}": "zoo.metrics.score",
    "nn.Linear.forward = lambda self, x: x[:, :3]": "torch.nn.modules.linear.Linear.forward",
    "nn.Conv1d.train = lambda self, mode=True: self": "torch.nn.modules.conv.Conv1d.train",
    "torch.Tensor.relu = torch.Tensor.exp": "torch.Tensor.relu",
    "builtins.sum = max": "builtins.sum",
    "nn.modules.module.register_module_forward_hook(lambda *_: None)": "torch's hooks of all modules",
}
SILENT = ("random.seed(1)", "np.random.seed(1)", "torch.manual_seed(1)")  # a network may draw random numbers


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    """A file with the plain network `Net` and one network for each change, numbered."""
    path = tmp_path / f"{tmp_path.name}.py"
    leaky = [LEAKY.format(name=f"Leaky{number}", change=change) for number, change in enumerate((*CHANGES, *SILENT))]
    path.write_text(NETWORKS + "".join(leaky))
    return path


def bench(networks: Path, *names: str, results: str, **more: Any) -> list[Run]:
    data: dict[str, Any] = {
        "dataset": "waves.csv",
        "target": "kind",
        "drop": "patient",
        "rows": 60,
        "epochs": 2,
        "threads": 1,
    }
    return library.bench([f"{networks}:{name}" for name in names], **{**data, "results": results, **more})


def surroundings() -> dict[str, object]:
    """All that the networks change, as a program sees it that does not use the zoo for it."""
    return {
        "torch": (torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()),
        "threads": torch.get_num_threads(),
        "modes": (torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()),
        "cudnn": (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32),
        "functions": (torch.nn.functional.relu, torch.relu, torch.softmax, np.bincount, torch.nn.Linear.forward, sum),
        "python": (dict(os.environ), os.getcwd(), list(warnings.filters), np.geterr()),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "random": (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()),  # type: ignore[union-attr]
    }


def test_the_next_network_sees_no_change_and_the_run_of_the_culprit_notes_it(
    networks: Path, waves_csv: Path, record_property: Callable[[str, object], None]
) -> None:
    (alone,) = bench(networks, "Net", results="alone")
    names = [f"Leaky{number}" for number in range(len(CHANGES) + len(SILENT))]
    order = [name for leaky in names for name in (leaky, "Net")]
    record_property("faults", len(names))
    before = surroundings()
    for number, (leaky, _) in enumerate(zip(order[::2], order[1::2], strict=True)):
        first, second = bench(networks, leaky, "Net", results=f"beside{number}")
        change = (*CHANGES, *SILENT)[number]
        assert second.scores == alone.scores, change
        assert (second.status, second.notes, second.fingerprint) == ("done", alone.notes, alone.fingerprint), change
        assert surroundings() == before, change
        expected = [f"{networks.name}:{leaky} changed {name} (restored after it)" for name in CHANGES.values()]
        wanted = [*alone.notes, expected[number]] if number < len(CHANGES) else [*alone.notes]
        assert list(first.notes) == wanted, change


def test_a_network_that_fails_leaves_nothing_behind_either(networks: Path, waves_csv: Path) -> None:
    change = "torch.set_default_dtype(torch.float64); raise ValueError('it is broken')"
    networks.write_text(NETWORKS + LEAKY.format(name="Leaky", change=change))
    before = surroundings()
    broken, net = bench(networks, "Leaky", "Net", results="failing")
    assert [(run.status, run.error) for run in (broken, net)] == [
        (RunStatus.FAILED, "ValueError: it is broken"),
        (RunStatus.DONE, ""),
    ]
    note = f"{networks.name}:Leaky changed torch's default dtype to torch.float64 (restored after it)"
    assert broken.notes[-1] == note
    assert surroundings() == before


def test_a_change_that_cannot_be_restored_is_noted_as_one(zoo: Zoo, networks: Path, waves_csv: Path) -> None:
    """In a process of its own: torch allows only one change of these threads."""
    change = "torch.get_num_interop_threads() == 3 or torch.set_num_interop_threads(3)"
    networks.write_text(NETWORKS + LEAKY.format(name="Leaky", change=change))
    words = (
        *WAVES,
        "--rows",
        "60",
        "--epochs",
        "1",
        "--threads",
        "1",
        "--json",
    )
    done = zoo("bench", f"{networks}:Leaky", f"{networks}:Net", *words)
    leaky, net = json.loads(done.stdout)
    assert (leaky["status"], net["status"]) == ("done", "done")
    assert leaky["notes"][-1] == (
        f"{networks.name}:Leaky changed torch's number of interop threads to 3 (could not be restored)"
    )
    assert not any("changed" in note for note in net["notes"])


def test_what_an_import_changes_is_restored_before_any_network_is_trained(networks: Path, waves_csv: Path) -> None:
    (alone,) = bench(networks, "Net", results="alone")
    importing = networks.with_name(f"importing_{networks.name}")
    changes = ("torch.set_default_dtype(torch.float64)", "F.relu = F.gelu", "warnings.simplefilter('ignore')")
    importing.write_text(NETWORKS + "\n".join(changes))
    before = surroundings()
    runs = library.bench(
        [f"{networks}:Net", f"{importing}:Net"],
        dataset="waves.csv", target="kind", drop="patient", rows=60, epochs=2, threads=1, results="beside",
    )  # fmt: skip
    assert surroundings() == before
    assert [run.scores for run in runs] == [alone.scores] * 2
    assert runs[0].notes == alone.notes
    changed = "torch.nn.functional.relu, the warning filters and torch's default dtype to torch.float64"
    assert runs[1].notes[-1] == f"the import of {importing.stem} changed {changed} (restored after it)"


def test_settings_of_the_calling_program_change_no_result(networks: Path, waves_csv: Path) -> None:
    (alone,) = bench(networks, "Net", results="alone")
    with torch.autocast("cpu"), torch.inference_mode():
        torch.set_default_dtype(torch.float64)
        torch.set_float32_matmul_precision("medium")
        torch.use_deterministic_algorithms(True)
        torch.set_flush_denormal(True)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            (beside,) = bench(networks, "Net", results="beside")
            assert (torch.get_default_dtype(), torch.is_inference_mode_enabled()) == (torch.float64, True)
            assert (torch.get_float32_matmul_precision(), torch.is_autocast_enabled("cpu")) == ("medium", True)
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_float32_matmul_precision("highest")
            torch.use_deterministic_algorithms(False)
            torch.set_flush_denormal(False)
            torch.backends.mha.set_fastpath_enabled(True)
    assert torch.is_grad_enabled()
    assert (beside.scores, beside.fingerprint, beside.notes) == (alone.scores, alone.fingerprint, alone.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "end"),
    [
        ("torch.set_default_dtype(torch.float64)", "(restored after it)"),
        ("hasattr(np, 'done') or torch.set_num_interop_threads(3); np.done = True", "(could not be restored)"),
    ],
)
def test_later_networks_of_a_worker_see_no_change(networks: Path, waves_csv: Path, change: str, end: str) -> None:
    """A process changes the second setting only once: that both runs of `Leaky` note it shows that each had its own."""
    networks.write_text(NETWORKS + LEAKY.format(name="Leaky", change=change))
    (alone,) = bench(networks, "Net", results="alone")
    runs = bench(networks, "Leaky", "Net", results="beside", seeds=2, jobs=2)
    assert [run.status for run in runs] == [RunStatus.DONE] * 4
    (found,) = (run for run in runs if run.architecture.endswith(":Net") and run.seed == 0)
    assert found.scores == alone.scores
    for run in runs:
        leaks = [note for note in run.notes if "Leaky changed" in note]
        assert len(leaks) == run.architecture.endswith(":Leaky"), run.notes
        assert all(note.endswith(end) for note in leaks)
