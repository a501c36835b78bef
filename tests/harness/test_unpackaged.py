"""Networks out of a file or a module, benched without a plugin."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
import zoo_fcn
from zoo.harness.bench import run_bench
from zoo.harness.reporter import SilentReporter
from zoo.harness.request import Request
from zoo.registry import Registry, source_of
from zoo.settings import Settings
from zoo.sources import beyond
from zoo.store.runs import Store
from zoo.unpackaged import is_unpackaged, with_unpackaged
from zoo.workspace import Workspace

NETWORK = '''
"""A net of its own."""
import torch
from torch import nn
from helper_of_mine import flat


class Net(nn.Module):
    """Linear, with a slot.

    And more.
    """

    block_dims = 1
    min_times = 3
    learning_rate = 0.5

    def __init__(self, *, n_channels, n_times, n_classes, block, width=4):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(n_channels, width, 3, padding=1), block(width), nn.Flatten())
        self.head = nn.Linear(width * n_times, n_classes)

    def forward(self, x, lengths=None):
        return self.head(self.layers(flat(x)))


class Bare(nn.Module):
    def __init__(self, channels):
        super().__init__()


class Slotless(Net):
    block_dims = None


def plain(*, n_channels, n_times, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))
'''


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a network, a module that it imports, and one whose name is taken."""
    place = tmp_path / "nets"
    place.mkdir()
    (place / "my_nets.py").write_text(NETWORK)
    (place / "helper_of_mine.py").write_text("def flat(x):\n    return x\n")
    (place / "json.py").write_text("Net = 3\n")
    (place / "2nd.py").write_text("")
    (place / "broken_net.py").write_text("import a_library_that_nobody_has\n")
    before = set(sys.modules), list(sys.path)
    yield place
    sys.path[:] = before[1]
    for name in set(sys.modules) - before[0]:
        if name in ("my_nets", "helper_of_mine", "broken_net"):
            del sys.modules[name]


def test_a_network_in_a_file_is_benched_like_any_other(registry, folder, waves_csv, tmp_path) -> None:
    typed = (f"{folder}/my_nets.py:Net", f"{folder}/my_nets.py:plain", "cnn1d")
    known, names = with_unpackaged(registry, typed)
    assert names == ("my_nets.py:Net", "my_nets.py:plain", "cnn1d")
    request: dict[str, Any] = {
        "datasets": (str(waves_csv),),
        "target": "kind",
        "columns": "t*",
        "rows": 60,
        "epochs": 1,
    }
    with Store(tmp_path / "results") as store:
        asked = Request(architectures=names[1:2], **request)
        (run,) = run_bench(Workspace(known, Settings.load()), asked, store, SilentReporter())
        assert (run.status, run.architecture, run.block) == ("done", "my_nets.py:plain", "")
        asked = Request(architectures=names[:1], blocks=("se",), assignments={"width": 8}, **request)
        (run,) = run_bench(Workspace(known, Settings.load()), asked, store, SilentReporter())
        assert (run.status, run.architecture, run.block) == ("done", "my_nets.py:Net", "se")
        assert run.config["params"] == {"width": 8}
        (again,) = run_bench(Workspace(known, Settings.load()), asked, store, SilentReporter())
        assert again.served
    entry = known.get("architecture", "my_nets.py:Net")
    assert (entry.spec.summary, entry.spec.min_times, entry.spec.takes_lengths) == ("Linear, with a slot.", 3, True)  # type: ignore[attr-defined]
    assert entry.spec.learning_rate == run.config["training"]["learning_rate"] == 0.5  # type: ignore[attr-defined]


def test_the_operations_of_an_edited_network_are_counted_again(folder: Path, waves_csv: Path) -> None:
    wide = "import torch\n\n\ndef flat(x):\n    return torch.cat([x, x], 1)\n"
    asked: dict[str, Any] = {"dataset": str(waves_csv), "target": "kind", "columns": "t*", "rows": 20, "epochs": 1}
    network = NETWORK.replace("n_channels, width, 3", "flat(torch.empty(1, n_channels, 1)).shape[1], width, 3")
    (folder / "my_nets.py").write_text(network)

    def macs(width: int, seeds: int = 1) -> list[int | None]:
        return [
            run.cost.macs for run in zoo.bench(f"{folder}/my_nets.py:Net", set={"width": width}, seeds=seeds, **asked)
        ]

    head = 4 * 48 * 3
    assert macs(4, seeds=2) == [3 * 4 * 48 + head] * 2
    assert macs(8) == [2 * (3 * 4 * 48 + head)], "another parameter"
    (folder / "helper_of_mine.py").write_text(wide)
    assert macs(4) == [2 * 3 * 4 * 48 + head], "the network itself is as it was"


def test_the_public_functions_know_them(folder, waves_csv, tmp_path) -> None:
    data: dict[str, Any] = {
        "dataset": str(waves_csv),
        "target": "kind",
        "columns": "t*",
        "results": tmp_path / "results",
    }
    (run,) = zoo.bench(f"{folder}/my_nets.py:plain", rows=60, epochs=1, **data)
    assert (run.status, run.architecture) == ("done", "my_nets.py:plain")
    with pytest.raises(zoo.UsageError, match=r"has the unregistered network my_nets.py:plain: build it, and load"):
        zoo.load(run.id, results=tmp_path / "results")


def test_changed_code_beside_a_network_is_another_configuration(registry, folder) -> None:
    def hashes() -> dict[str, str]:
        known, (name,) = with_unpackaged(registry, [f"{folder}/my_nets.py:Net"])
        return beyond([known.get("architecture", name).spec.factory])

    before = hashes()
    (folder / "unrelated.py").write_text("x = 1\n")
    assert hashes() == before
    (folder / "helper_of_mine.py").write_text("def flat(x):\n    return 2 * x\n")
    assert hashes() != before


def test_a_dotted_module_serves_too(registry) -> None:
    known, names = with_unpackaged(registry, ["zoo_recurrent.gru:GRU"])
    assert names == ("zoo_recurrent.gru:GRU",)
    assert known.get("architecture", names[0]).spec.factory == "zoo_recurrent.gru:GRU"


@pytest.mark.parametrize(
    ("reference", "unpackaged"),
    [
        ("net.py:Net", True),
        ("../nets/net.py:Net", True),
        ("package.module:Net", True),
        ("cnngru", False),
        ("cnngru.study", False),
        ("pulse:cnngru", False),
        ("dotted.name:cnngru", False),
        ("pulse:cnngru.study", False),
        ("timm/resnet18.x", False),
    ],
)
def test_what_stands_before_the_colon_tells_a_file_or_module_from_a_plugin(reference: str, unpackaged: bool) -> None:
    dotted = source_of("dotted.name", zoo_fcn)
    assert is_unpackaged(Registry.load([dotted]), reference) == unpackaged


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("none.py:Net", "there is no file '.*none.py'"),
        ("my_nets.py:Nett", "factory 'my_nets:Nett': the module has no callable 'Nett'"),
        (
            "my_nets.py:Bare",
            "my_nets.py:Bare lacks the arguments n_channels, n_times, n_classes: the zoo builds a network with",
        ),
        ("my_nets.py:Slotless", "needs the argument block and the class attribute block_dims = 1 or 2"),
        ("json.py:Net", "another module has the name 'json': rename '.*json.py'"),
        ("2nd.py:Net", "'2nd.py' cannot be imported: the name of a module contains only letters, digits and '_'"),
        (
            "broken_net.py:Net",
            "broken_net.py' cannot be imported: ModuleNotFoundError: No module",
        ),
    ],
)
def test_what_is_no_network_is_one_line(registry, folder, reference: str, message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        with_unpackaged(registry, [f"{folder}/{reference}"])
    assert "\n" not in str(caught.value)
