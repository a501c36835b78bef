"""Libraries that are not installed: what needs them is left out, with the command that installs them."""

from pathlib import Path
from types import ModuleType

import pytest

import zoo
import zoo_blocks
import zoo_cnn1d
import zoo_heartbeats
import zoo_imbalance
from zoo import Architecture, Resampler, hookimpl
from zoo.absent import absent_library, missing
from zoo.errors import MissingLibrary, PluginError, UsageError
from zoo.factories import load_factory
from zoo.harness.planner import make_plan
from zoo.harness.request import Request
from zoo.registry import Registry, source_of
from zoo.settings import Settings
from zoo.workspace import Workspace

NEEDED = "needs the library 'nowhere_to_be_found', which is not installed"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The network `needy` and the resampler `needy` import a library that does not exist."""
    (tmp_path / "needy_parts.py").write_text("import nowhere_to_be_found.deep\n")
    (tmp_path / "broken_parts.py").write_text("import needy_gone\n1 / 0\n")
    (tmp_path / "needy_gone.py").write_text("import broken_parts.gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    needy = ModuleType("needy")

    @hookimpl
    def zoo_components() -> list[Architecture | Resampler]:
        return [
            Architecture(name="needy", factory="needy_parts:Net", summary="A net."),
            Resampler(name="needy", factory="needy_parts:Resampler", summary="A resampler."),
        ]

    needy.zoo_components = zoo_components  # type: ignore[attr-defined]
    modules = {"blocks": zoo_blocks, "cnn1d": zoo_cnn1d, "heartbeats": zoo_heartbeats, "imbalance": zoo_imbalance}
    return Registry.load([source_of(name, module) for name, module in {**modules, "needy": needy}.items()])


def test_a_missing_library_leaves_out_what_needs_it_and_the_rest_is_planned(registry: Registry) -> None:
    request = Request(architectures=("cnn1d", "needy"), data=("original", "needy"), datasets=("heartbeats",))
    plan = make_plan(Workspace(registry, Settings.load()), request)
    assert [(cell.network.reference, cell.resampler.entry.name) for cell in plan.cells] == [("cnn1d", "original")]
    net, resampler = (f"factory 'needy_parts:{name}' {NEEDED}" for name in ("Net", "Resampler"))
    assert plan.left_out == (f"needy: {net}", f"cnn1d needy: {resampler}")


def test_python_is_told_why_nothing_can_run(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(MissingLibrary, match=f"^factory 'needy_parts:Net' {NEEDED}$"):
        zoo.bench("needy", results=tmp_path / "results", registry=registry)
    with pytest.raises(UsageError, match=r"^nothing to run: .* is possible: needy: .*; cnn1d with .*"):
        zoo.bench(["cnn1d", "needy"], set={"training.validation": 0}, results=tmp_path / "results", registry=registry)


def test_another_error_of_an_import_is_no_missing_library(registry: Registry) -> None:
    with pytest.raises(MissingLibrary):
        load_factory("needy_parts:Net")
    with pytest.raises(PluginError, match="cannot be imported") as found:
        load_factory("broken_parts:Net")
    assert not isinstance(found.value, MissingLibrary), "its own module is missing, not a library"
    assert absent_library(ZeroDivisionError(), "needy_parts") == ""


def test_the_command_that_installs_a_library_names_the_extra_that_brings_it() -> None:
    assert str(missing("wfdb", "zoo_mitbih.records:Records")).endswith(": pip install 'zoo-registry[wfdb]'")
    assert str(missing("timm", "zoo_timm.network:resnet18")).endswith(": pip install timm")
    assert str(missing("imbalanced.learn", "zoo_imbalance")).endswith(": pip install imbalanced-learn")
    assert str(missing("nowhere", "zoo_timm")).endswith("which is not installed")
