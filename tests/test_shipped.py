"""Plugins ship references: packages, single modules, and networks in files."""

import sys
from pathlib import Path

import pytest

from zoo.registry import Registry, Source
from zoo.shipped import reference_file, shipped_references
from zoo.unpackaged import with_unpackaged

PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    yield zoo.Architecture(name="{name}", factory="{name}.network:Net", summary="A net.")
"""
REFERENCE = '[[reference]]\narchitecture = "{name}"\ndataset = "y"\nsource = "z"\nscores = {{ accuracy = 0.5 }}\n'
NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels, n_classes)

    def forward(self, x):
        return self.head(x.mean(-1))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def load(*names: str) -> Registry:
    from importlib import import_module

    return Registry.load([Source(name, name, lambda name=name: import_module(name)) for name in names])


def test_a_package_and_a_single_module_ship_references_and_a_bad_file_spoils_no_other(folder: Path) -> None:
    (folder / "refs_package").mkdir()
    (folder / "refs_package" / "__init__.py").write_text(PLUGIN.replace("{name}", "refs_package"))
    (folder / "refs_package" / "references.toml").write_text(REFERENCE.format(name="refs_package"))
    (folder / "refs_module.py").write_text(PLUGIN.replace("{name}", "refs_module"))
    (folder / "refs_module.references.toml").write_text(REFERENCE.format(name="refs_module"))
    (folder / "refs_bad.py").write_text(PLUGIN.replace("{name}", "refs_bad"))
    (folder / "refs_bad.references.toml").write_text(REFERENCE.format(name="fcn"))
    (folder / "refs_none.py").write_text(PLUGIN.replace("{name}", "refs_none"))
    registry = load("refs_package", "refs_module", "refs_bad", "refs_none")
    found = shipped_references(registry)
    assert [each.architecture for each in found.references] == ["refs_module", "refs_package"]
    (problem,) = found.problems
    assert "refs_bad.references.toml: entry 1: no architecture of this plugin named 'fcn'" in problem
    assert [reference_file(plugin) is None for plugin in registry.plugins] == [False, False, True, False]


def test_references_are_not_read_until_they_are_needed(folder: Path) -> None:
    (folder / "refs_late.py").write_text(PLUGIN.replace("{name}", "refs_late"))
    (folder / "refs_late.references.toml").write_text("[[")
    registry = load("refs_late")
    assert [plugin.error for plugin in registry.plugins] == [""]
    assert len(shipped_references(registry).problems) == 1


def test_a_network_in_a_file_has_references_beside_it(folder: Path) -> None:
    (folder / "refs_net.py").write_text(NET)
    (folder / "refs_net.references.toml").write_text(REFERENCE.format(name="Net"))
    registry, names = with_unpackaged(Registry.load([]), [str(folder / "refs_net.py:Net")])
    (found,) = shipped_references(registry).references
    assert found.architecture == names[0] == "refs_net.py:Net"


def test_first_party_references_are_valid_and_name_their_sources(registry: Registry) -> None:
    found = shipped_references(registry)
    assert found.problems == ()
    published = [each for each in found.references if each.test_rows]
    assert {each.architecture for each in published} == {
        *("minirocket", "multirocket", "hydra", "inceptiontime", "fcn", "resnet1d", "lite")
    }
    assert all("@" in each.source and each.preset == "paper" for each in published)
    assert all(low <= each.scores["accuracy"] <= high for each in published for low, high in each.ranges.values())
    assert "zoo_rocket" in sys.modules
    study = [each for each in found.references if each.preset == "study"]
    assert [each.status for each in study] == ["reported", "reported"]
    assert all(each.stays_reported for each in study)
