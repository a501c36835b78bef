"""The key holds the code that runs, wherever it lies; and every network in a file runs with its own modules."""

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
import zoo_heartbeats
import zoo_imbalance
from zoo import Architecture, hookimpl
from zoo.factories import load_factory
from zoo.harness.cells import Cell
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.imported import imported_files
from zoo.networks import Network
from zoo.registry import Registry, Source, source_of
from zoo.settings import Settings
from zoo.sources import source_hash
from zoo.standalone import PREFIX
from zoo.store.run import Run
from zoo.unpackaged import with_unpackaged
from zoo.workspace import Workspace

SHAPE = {"n_channels": 1, "n_times": 8, "n_classes": 2}
NETWORK = """
import json
from importlib import import_module
from pathlib import Path
from torch import nn
from plug_second import SCALE
import helper_on_path
import editable_dependency.deep as deep
from versioned_dependency import SAME
import from_folder

HERE = Path(__file__).parent
CONFIG = json.loads((HERE / "config.json").read_text())


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes, size="small"):
        super().__init__()
        (HERE / "sizes" / f"{size}.toml").read_text()
        (HERE / f"sizes-{size}.dat").read_bytes()
        for text in ("joined.json", "{}_filled.json".format(size), "%s_inserted.json" % size, size + "_end.json"):
            (HERE / text).read_text()
        (HERE / "debug.log").read_text()
        Path(f"{HERE}" + "/added.json").read_text()
        list(Path(HERE, "deep", "deeper").glob("*.yaml"))
        import_module("found_by_text")
        self.head = nn.Linear(n_times, n_classes)

    def forward(self, x):
        from .later import twice
        return twice(self.head(x[:, 0]))
"""
FILES = {
    "src/plug_package/__init__.py": "",
    "src/plug_package/net.py": NETWORK,
    "src/plug_package/later.py": "import found_later\ntwice = lambda x: 2 * x\n",
    "src/plug_package/config.json": "{}",
    "src/plug_package/sizes/small.toml": "a = 1\n",
    "src/plug_package/joined.json": "0",
    "src/plug_package/small_filled.json": "0",
    "src/plug_package/small_inserted.json": "0",
    "src/plug_package/small_end.json": "0",
    "src/plug_package/added.json": "0",
    "src/plug_package/sizes-small.dat": "0",
    "src/plug_package/deep/deeper/any.yaml": "0",
    "src/plug_package/debug.log": "Written by the code.\n",
    "src/plug_package/other.dat": "Not named by the code.\n",
    "src/plug_package/notes.md": "Not named by the code.\n",
    "src/plug_second.py": "from plug_third import SCALE\n",
    "src/plug_third.py": "SCALE = 1\n",
    "src/not_imported.py": "x = 1\n",
    "path/helper_on_path.py": "",
    "path/found_by_text.py": "",
    "path/found_later.py": "",
    "dependency/editable_dependency/__init__.py": "",
    "dependency/editable_dependency/deep.py": "",
    "lib/site-packages/versioned_dependency.py": "SAME = 1\n",
    "lib/site-packages/versioned_dependency-1.0.dist-info/METADATA": "Name: versioned-dependency\nVersion: 1.0\n",
    "lib/site-packages/versioned_dependency-1.0.dist-info/RECORD": "versioned_dependency.py,sha256=0,9\n",
    "lib/site-packages/from_folder.py": "",
    "lib/site-packages/from_folder-1.0.dist-info/METADATA": "Name: from-folder\nVersion: 1.0\n",
    "lib/site-packages/from_folder-1.0.dist-info/RECORD": "from_folder.py,sha256=0,9\n",
    "lib/site-packages/from_folder-1.0.dist-info/direct_url.json": '{"url": "file:///src", "dir_info": {}}',
}
IN_THE_KEY = (
    "src/plug_package/net.py",
    "src/plug_package/later.py",
    "src/plug_package/config.json",
    "src/plug_package/sizes/small.toml",
    "src/plug_package/joined.json",
    "src/plug_package/small_filled.json",
    "src/plug_package/small_inserted.json",
    "src/plug_package/small_end.json",
    "src/plug_package/added.json",
    "src/plug_package/sizes-small.dat",
    "src/plug_package/deep/deeper/any.yaml",
    "src/plug_second.py",
    "src/plug_third.py",
    "path/helper_on_path.py",
    "path/found_by_text.py",
    "path/found_later.py",
    "dependency/editable_dependency/__init__.py",
    "dependency/editable_dependency/deep.py",
    "lib/site-packages/from_folder.py",
)
NOT_IN_THE_KEY = (
    "src/plug_package/notes.md",
    "src/plug_package/debug.log",
    "src/plug_package/other.dat",
    "src/not_imported.py",
    "lib/site-packages/versioned_dependency.py",
)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def forget_hashes() -> None:
    """As a new process."""
    source_hash.cache_clear()
    imported_files.cache_clear()


def cell_of(registry: Registry, name: str) -> Cell:
    (cell,) = make_plan(Workspace(registry, Settings.load()), Request(architectures=(name,))).cells
    return cell


@pytest.fixture
def clean(tmp_path: Path) -> Iterator[None]:
    """Remove the modules of a test from the process."""
    paths = list(sys.path)
    forget_hashes()
    yield
    sys.path[:] = paths
    for name, module in list(sys.modules.items()):
        if name.startswith(PREFIX) or str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    load_factory.cache_clear()
    forget_hashes()


@pytest.mark.usefixtures("clean")
def test_all_code_that_no_version_names_is_in_the_key(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    sys.path[:0] = [str(tmp_path / name) for name in ("src", "path", "dependency", "lib/site-packages")]

    class Plugin:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            return [Architecture(name="plug", factory="plug_package.net:Net", summary="Mine.")]

    others = [source_of("heartbeats", zoo_heartbeats), source_of("imbalance", zoo_imbalance)]
    cell = cell_of(Registry.load([*others, Source("plug", __name__, Plugin)]), "plug")
    before = cell.code()
    cell.network.build(**SHAPE)
    for name in (*IN_THE_KEY, *NOT_IN_THE_KEY):
        path = tmp_path / name
        text = path.read_text()
        path.write_text(f"{text} \n")
        forget_hashes()
        assert (cell.code() != before) == (name in IN_THE_KEY), name
        path.write_text(text)
    forget_hashes()
    assert cell.code() == before


@pytest.mark.usefixtures("clean")
def test_the_code_of_the_own_architectures_is_hashed_as_before(registry: Registry) -> None:
    cell = cell_of(registry, "cnngru")
    modules = {entry.spec.factory.partition(":")[0] for entry in cell.entries()}
    tops = {module.partition(".")[0] for module in modules}
    assert all(name.partition(".")[0] in tops for module in modules for name in imported_files(module))


LINEAR = """
from torch import nn


def linear(*, n_channels, n_times, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, n_classes))
"""


@pytest.mark.usefixtures("clean")
def test_the_version_of_the_distribution_of_a_plugin_is_recorded(waves_csv: Path, tmp_path: Path) -> None:
    write(tmp_path, {"src/linear_of_mine.py": LINEAR})
    sys.path.insert(0, str(tmp_path / "src"))

    class Plugin:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            return [Architecture(name="linear", factory="linear_of_mine:linear", summary="Mine.")]

    def bench(version: str, **more: Any) -> Run:
        mine = Source("mine", __name__, Plugin, "zoo-mine", version)
        registry = Registry.load([source_of("imbalance", zoo_imbalance), mine])
        asked = {"target": "kind", "columns": "t*", "results": tmp_path / "results", "registry": registry, **more}
        (run,) = zoo.bench("linear", dataset=str(waves_csv), epochs=1, **asked)
        return run

    first = bench("1.0")
    assert (first.plugins, first.differs) == ({"zoo-mine": "1.0"}, ())
    later = bench("1.1")
    assert (later.served, later.differs) == (True, ("zoo-mine 1.0 then, 1.1 now",))


@pytest.mark.usefixtures("clean")
def test_the_versions_that_a_network_in_a_file_imports_are_recorded(waves_csv: Path, tmp_path: Path) -> None:
    def bench(version: str) -> Run:
        info = f"site-packages/scales-{version}.dist-info"
        write(tmp_path, {f"{info}/METADATA": f"Name: scales\nVersion: {version}\n", f"{info}/RECORD": "scales.py,,\n"})
        options: dict[str, Any] = {"target": "kind", "columns": "t*", "results": tmp_path / "results"}
        (run,) = zoo.bench(f"{tmp_path}/net.py:linear", dataset=str(waves_csv), epochs=1, **options)
        return run

    write(tmp_path, {"net.py": f"import scales\n{LINEAR}", "site-packages/scales.py": "SCALE = 1\n"})
    sys.path.insert(0, str(tmp_path / "site-packages"))
    assert bench("1.0").environment["scales"] == "1.0"
    (tmp_path / "site-packages" / "scales-1.0.dist-info").rename(tmp_path / "gone")
    later = bench("1.1")
    assert (later.served, later.differs) == (True, ("scales 1.0 then, 1.1 now",))


OWN = """
import torch
from torch import nn
from importlib import import_module
from layers import VALUE
import parts.deep
import parts.inner as inner
from common import COMMON


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        from built import BUILT
        self.values = [VALUE, parts.deep.VALUE, inner.VALUE, COMMON, BUILT, import_module("by_text").VALUE]
        self.head = nn.Linear(n_times, n_classes)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):
        import lazy
        sys.path.insert(0, str(Path(__file__).parent / "late"))
        from latest import LATEST
        assert LATEST == lazy.VALUE
        return self.head(x[:, 0]) + torch.arange(self.head.out_features) * lazy.VALUE
"""


def own_files(value: int) -> dict[str, str]:
    """Return a network in a file, with modules of its own and one in the folder above, all of which hold a value."""
    line = f"VALUE = {value}\n"
    return {
        "net.py": f"import sys\nfrom pathlib import Path\nsys.path.append(str(Path(__file__).parent / 'above'))\n{OWN}",
        "layers.py": line,
        "parts/__init__.py": "",
        "parts/deep.py": "from .inner import VALUE\n",
        "parts/inner.py": line,
        "above/common.py": f"COMMON = {value}\n",
        "built.py": f"BUILT = {value}\n",
        "by_text.py": line,
        "late/latest.py": f"LATEST = {value}\n",
        "lazy.py": f"from layers import VALUE as ONE\nVALUE = {value} + 0 * ONE\n",
    }


@pytest.fixture
def twins(tmp_path: Path, clean: None) -> tuple[Path, Path]:
    """Two folders with a network of the same name and modules of the same names, whose values are 1 and 2."""
    for name, value in (("a", 1), ("b", 2)):
        write(tmp_path / name, own_files(value))
    return tmp_path / "a", tmp_path / "b"


def test_each_file_has_its_own_modules(registry: Registry, twins: tuple[Path, Path]) -> None:
    paths = list(sys.path)
    known, names = with_unpackaged(registry, [f"{folder}/net.py:Net" for folder in twins])
    assert names == ("a/net.py:Net", "b/net.py:Net")
    assert sys.path == paths
    first, second = (Network.resolve(known, name).build(**SHAPE) for name in names)
    assert (first.values, second.values) == ([1] * 6, [2] * 6)
    for _ in range(2):
        outputs = [model(torch.zeros(1, 1, 8))[0, 1].item() for model in (first, second)]
        assert outputs == [1.0, 2.0]
    for model in (copy.deepcopy(second), pickle.loads(pickle.dumps(second))):
        assert model(torch.zeros(1, 1, 8))[0, 1].item() == 2.0
    assert not {"layers", "parts", "common", "built", "lazy", "by_text", "net"} & set(sys.modules)


def test_their_keys_hold_their_own_code_wherever_the_folder_lies(registry: Registry, twins: tuple[Path, Path]) -> None:
    def code(*folders: Path) -> list[str]:
        forget_hashes()
        known, names = with_unpackaged(registry, [f"{folder}/net.py:Net" for folder in folders])
        return [cell_of(known, name).code() for name in names]

    first, second = code(*twins)
    assert first != second
    assert code(twins[0]) == [first]
    moved = twins[0].rename(twins[0].with_name("c"))
    assert code(moved) == [first]
    for name in own_files(1):
        path = moved / name
        text = path.read_text()
        path.write_text(f"{text}\n")
        assert code(moved) != [first], name
        path.write_text(text)
    assert code(moved) == [first]


def test_a_file_that_was_edited_runs_its_new_code_in_the_same_process(registry, twins: tuple[Path, Path]) -> None:
    def output() -> tuple[float, str]:
        known, (name,) = with_unpackaged(registry, [f"{twins[0]}/net.py:Net"])
        cell = cell_of(known, name)
        return cell.network.build(**SHAPE)(torch.zeros(1, 1, 8))[0, 1].item(), cell.code()

    one = output()
    assert output() == one
    (twins[0] / "lazy.py").write_text("VALUE = 9\n")
    (twins[0] / "late/latest.py").write_text("LATEST = 9\n")
    assert output()[0] == 9.0
    assert output()[1] != one[1]


def test_another_process_builds_each_with_its_own_modules(registry: Registry, twins: tuple[Path, Path]) -> None:
    known, names = with_unpackaged(registry, [f"{folder}/net.py:Net" for folder in twins])
    networks = [cell_of(known, name).network for name in names]
    code = f"""
import pickle, sys, torch
networks = pickle.load(sys.stdin.buffer)
models = [network.build(**{SHAPE}) for network in networks]
print([model.values[0] for model in models], [model(torch.zeros(1, 1, 8))[0, 1].item() for model in models])
"""
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(networks), capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[1, 2] [1.0, 2.0]"


@pytest.mark.slow
def test_two_files_run_with_their_own_modules_in_workers(twins, waves_csv, tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "dataset": str(waves_csv),
        "target": "kind",
        "columns": "t*",
        "results": tmp_path / "results",
    }
    files = [f"{folder}/net.py:Net" for folder in twins]
    runs = zoo.bench(files, epochs=1, jobs=2, **asked)
    assert [(run.architecture, run.error) for run in runs] == [("a/net.py:Net", ""), ("b/net.py:Net", "")]
    assert runs[0].key != runs[1].key
    (alone,) = zoo.bench(files[1], epochs=1, **asked)
    assert (alone.served, alone.id, alone.architecture) == (True, runs[1].id, "net.py:Net")
    (again,) = zoo.bench(files[1], epochs=1, force=True, **asked)
    assert json.dumps(again.scores.macro_recall.value) == json.dumps(runs[1].scores.macro_recall.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"net.py": OWN}, r"net.py' cannot be imported: ModuleNotFoundError: No module named 'layers'"),
        (
            {"net.py": "from layers import nothing\n", "layers.py": ""},
            r"ImportError: cannot import name 'nothing' from 'layers' \(",
        ),
        ({"net.py": "import layers.deeper\n", "layers.py": ""}, r"No module named 'layers.deeper'; 'layers' is not a"),
        ({"net.py": "import queue\n", "queue.py": ""}, r"'queue' is a module of Python, and .*queue.py has the same"),
    ],
)
@pytest.mark.usefixtures("clean")
def test_what_cannot_be_imported_is_named_as_the_code_names_it(registry, tmp_path: Path, files, message: str) -> None:
    write(tmp_path, files)
    with pytest.raises(zoo.UsageError, match=message) as caught:
        with_unpackaged(registry, [f"{tmp_path}/net.py:Net"])
    assert PREFIX not in str(caught.value)
