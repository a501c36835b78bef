"""The sizes that `zoo list` shows are those of freshly built networks."""

import json
from pathlib import Path

import pytest

from zoo.registry import Registry

generator = pytest.importorskip("generator", reason="not run from a checkout")

from generator.sizes import sizes  # noqa: E402 - after the skip

FILE = Path(__file__).parents[1] / "zoo" / "sizes.json"


def test_the_sizes_are_those_of_freshly_built_networks(registry: Registry) -> None:
    assert sizes(registry) == FILE.read_text(), "run python docs/generate.py"


def test_every_listed_architecture_has_a_size_and_no_other_component(registry: Registry) -> None:
    names = {entry.name for entry in registry.of_kind("architecture") if entry.plugin.distribution == "zoo-registry"}
    listed = {name for name in names if not name.startswith("timm/")}
    assert set(json.loads(FILE.read_bytes())) == listed
