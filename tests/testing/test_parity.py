"""`parity.toml`: the formula, the mapping of weights, and every error; and which architectures are compared."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomlkit

from zoo.errors import PluginError, SettingsError
from zoo.registry import DISTRIBUTION, Registry, source_of
from zoo.specs import Architecture
from zoo.testing import NotConforming
from zoo.testing.architectures import parity
from zoo.testing.comparisons import Compared, comparisons
from zoo.testing.outputs import case_difference, entry_of
from zoo.testing.parity import Weight, numbers, read_parity

PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    yield zoo.Architecture(name="net", factory="parity_plugin.net:Net", summary="A net.")
"""
NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels, n_classes)
        self.register_buffer("drawn", torch.randn(2))
        self.register_buffer("fixed", torch.ones(2))

    def forward(self, x):
        return self.head(x.mean(-1))

    def infinite(self, x):
        return self.forward(x) / 0
"""
WEIGHTS = [
    {"theirs": "W", "shape": [3, 2], "range": [-1, 1], "ours": "head.weight", "axes": [1, 0]},
    {"theirs": "b", "shape": [2], "range": [-1, 1], "ours": "head.bias"},
    {"theirs": "d", "shape": [2], "range": [-1, 1], "ours": "drawn"},
]
CASE: dict[str, Any] = {
    "source": "github.com/author/net@1234567, net.py",
    "computed": "2026-11-28, NumPy 2.4, float64",
    "rows": 2,
    "n_channels": 3,
    "n_times": 5,
    "n_classes": 2,
    "tolerance": 1e-6,
    "weights": WEIGHTS,
}


def expected() -> Any:
    """What a linear layer of the means over time returns, computed with NumPy in the order of the public code."""
    means = numbers("input", (2, 3, 5), -1, 1).astype(float).mean(2)
    return means @ numbers("W", (3, 2), -1, 1).astype(float) + numbers("b", (2,), -1, 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a plugin of one network."""
    package = tmp_path / "parity_plugin"
    package.mkdir()
    (package / "__init__.py").write_text(PLUGIN)
    (package / "net.py").write_text(NET)
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.startswith("parity_plugin")]:
        del sys.modules[name]


def write(folder: Path, **changed: Any) -> Registry:
    """Write the case with these changes, None removes a key, and return the registry of the plugin."""
    case = {**CASE, "expected": expected().tolist(), **changed}
    tables = {"net": [{key: value for key, value in case.items() if value is not None}]}
    (folder / "parity.toml").write_text(tomlkit.dumps(tables))
    return Registry.load([source_of("parity_plugin", import_module("parity_plugin"))])


def compared(registry: Registry) -> Compared:
    (found,) = comparisons(registry, registry.plugins, registry.of_kind(Architecture))
    return found


def test_values_follow_the_documented_formula() -> None:
    """Written out for one value; the others were computed once by a program in plain Python integers."""
    x = (0xD82832D7 + 1) & 0xFFFFFFFF  # the CRC-32 of "input", and value 1
    x ^= x >> 16
    x = x * 0x7FEB352D & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x846CA68B & 0xFFFFFFFF
    x ^= x >> 16
    found = numbers("input", (2, 3), -1, 1)
    assert found[0, 1] == np.float32(2 * x / 2**32 - 1)
    wanted = [[0.35960925, 0.34208924, -0.11266979], [-0.67839676, 0.4964516, -0.46044487]]
    np.testing.assert_array_equal(found, np.array(wanted, np.float32))
    many = numbers("weight", (100_000,), 0, 1)
    assert abs(many.mean() - 0.5) < 0.005
    assert abs(np.corrcoef(many[1:], many[:-1])[0, 1]) < 0.02


def test_weights_are_turned_split_joined_and_shifted() -> None:
    weight = Weight("W", [2, 3], (-1, 1), "ours", [1, 0], 0.5)
    np.testing.assert_array_equal(weight.our_values(), weight.values().T + np.float32(0.5))


def test_tensors_are_split_and_joined_along_the_first_axis(folder: Path) -> None:
    one, two = numbers("one", (2, 3), 0, 1), numbers("two", (1, 3), 0, 1)
    weights = [
        {"theirs": "one", "shape": [2, 3], "range": [0, 1], "ours": ["a", "b"]},
        {"theirs": "two", "shape": [1, 3], "range": [0, 1], "ours": "b"},
        {"theirs": "three", "shape": [4], "range": [0, 1]},
    ]
    write(folder, weights=weights)
    (case,) = read_parity(folder / "parity.toml")["net"]  # type: ignore[misc]
    ours = case.our_weights()
    assert set(ours) == {"a", "b"}
    np.testing.assert_array_equal(ours["a"], one[0])
    np.testing.assert_array_equal(ours["b"], np.concatenate([one[1], two[0]]))
    assert set(case.their_weights()) == {"one", "two", "three"}


def test_a_network_that_agrees_passes_and_one_that_does_not_fails(folder: Path) -> None:
    found = compared(write(folder, note="all of it"))
    assert (found.status, found.cases, found.note, found.source) == ("passed", 1, "all of it", CASE["source"])
    assert found.difference is not None
    assert found.difference < 1e-6
    wrong = expected()
    wrong[1, 0] += 0.5
    failed = compared(write(folder, expected=wrong.tolist()))
    assert failed.status == "failed"
    assert failed.difference == pytest.approx(0.5)


def test_an_output_that_is_nan_in_the_file_is_not_compared(folder: Path) -> None:
    partly = expected()
    partly[0, 1] = np.nan
    assert compared(write(folder, expected=partly.tolist())).status == "passed"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weights": WEIGHTS[:1] + WEIGHTS[2:]}, "weights: no tensor has ours = 'head.bias'"),
        ({"weights": WEIGHTS[:2]}, "weights: no tensor has ours = 'drawn', which depends on the seed"),
        ({"weights": [*WEIGHTS, {**WEIGHTS[1], "theirs": "x", "ours": "heads"}]}, "no tensor of the network named 'he"),
        ({"weights": [{**WEIGHTS[0], "shape": [3, 3]}, *WEIGHTS[1:]]}, "'head.weight' has 6 values, and the file mak"),
        ({"expected": [[1.0], [2.0]]}, "expected: the outputs are (2, 2), and those of the public code (2, 1)"),
        ({"output": "infinite"}, "an output is NaN or infinite"),
        ({"output": "embed"}, "AttributeError: 'Net' object has no attribute 'embed'"),
        ({"params": {"width": 3}}, "no parameter of net named 'width'"),
        ({"block": "se"}, "no block named 'se'"),
    ],
)
def test_a_file_that_does_not_fit_the_network_is_one_line(folder: Path, changed: dict[str, Any], message: str) -> None:
    found = compared(write(folder, **changed))
    assert found.status == "failed"
    assert message in found.message
    assert "\n" not in found.message


@pytest.mark.parametrize(
    ("changed", "place", "message"),
    [
        ({"sourc": "x"}, "net[0]", "object contains unknown field `sourc`"),
        ({"source": None}, "net[0]", "object missing required field `source`"),
        ({"source": ""}, "net[0].source", "expected `str` of length >= 1"),
        ({"rows": "two"}, "net[0].rows", "expected `int`, got `str`"),
        ({"rows": 0}, "net[0].rows", "expected `int` >= 1"),
        ({"rows": 3}, "net[0].expected", "needs 3 lists of equal length, one for each row"),
        ({"expected": [[1.0], [1.0, 2.0]]}, "net[0].expected", "needs 2 lists of equal length"),
        ({"expected": [[], []]}, "net[0].expected", "needs 2 lists of equal length"),
        ({"expected": [[np.inf], [1.0]]}, "net[0].expected", "has an infinite value"),
        ({"expected": [[np.nan], [np.nan]]}, "net[0].expected", "has an infinite value, or no value at all"),
        ({"tolerance": 0}, "net[0].tolerance", "expected `float` > 0.0"),
        ({"tolerance": np.nan}, "net[0].tolerance", "expected `float`"),
        ({"n_channels": 9999, "n_times": 9999}, "net[0].rows", "with n_channels and n_times these are more than ten"),
        ({"fit": {"rows": 99_999}, "n_times": 999}, "net[0].fit.rows", "with n_channels and n_times these are more th"),
        ({"input": [1, -1]}, "net[0].input", "needs two numbers, the lower one first"),
        ({"weights": [{**WEIGHTS[0], "axes": [0, 2]}]}, "net[0].weights[0].axes", "needs each of the 2 axes of the sh"),
        ({"weights": [{**WEIGHTS[0], "range": [1, 0]}]}, "net[0].weights[0].range", "needs two numbers, the lower one"),
        ({"weights": [{**WEIGHTS[0], "shape": [0]}]}, "net[0].weights[0].shape[0]", "expected `int` >= 1"),
        (
            {"weights": [{**WEIGHTS[0], "shape": [99_999, 99_999]}]},
            "net[0].weights[0].shape",
            "these are more than ten million",
        ),
        ({"weights": [{**WEIGHTS[1], "ours": ["a", "b", "c"]}]}, "net[0].weights[0].ours", "2 along the first axis c"),
        ({"weights": [WEIGHTS[0], WEIGHTS[0]]}, "net[0].weights[0].theirs", "'W' is there twice"),
    ],
)
def test_a_value_that_is_not_valid_is_one_line_with_file_and_key(
    folder: Path, changed: dict[str, Any], place: str, message: str
) -> None:
    registry = write(folder, **changed)
    with pytest.raises(PluginError) as error:
        read_parity(folder / "parity.toml")
    assert str(error.value).startswith(f"{folder / 'parity.toml'}: {place}: {message}")
    found = compared(registry)
    assert (found.status, found.message) == ("failed", str(error.value))


def test_a_file_that_cannot_be_read_fails_and_does_not_end_the_comparison(folder: Path) -> None:
    registry = write(folder)
    (folder / "parity.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        read_parity(folder / "parity.toml")
    assert "it is not UTF-8 text" in compared(registry).message
    (folder / "parity.toml").unlink()
    assert compared(registry).status is None


def test_a_changed_network_is_noticed(folder: Path) -> None:
    """The same file and a network with another formula: the check of conformance fails too."""
    (folder / "__init__.py").write_text(PLUGIN.replace("net:Net", "largest:Net"))
    (folder / "largest.py").write_text(NET.replace("x.mean(-1))", "x.amax(-1))"))
    registry = write(folder)
    entry = registry.get(Architecture, "net")
    (case,) = entry_of(entry)  # type: ignore[misc]
    assert case_difference(registry, entry, case) > 0.1
    with pytest.raises(NotConforming, match=r"^its outputs differ by .* from those of github.com/author/net@1234567"):
        parity(registry, entry)


COMPARED = {
    *("convtran", "ecgtransform", "fcn", "hydra", "inceptiontime", "lite"),
    *("minirocket", "multirocket", "patchtst", "resnet1d", "s4d", "tcn"),
}


def test_every_architecture_of_the_zoo_is_compared_or_says_why_not() -> None:
    registry = Registry.discover()
    own = [entry for entry in registry.of_kind(Architecture) if entry.plugin.distribution == DISTRIBUTION]
    found = {entry.spec.name: entry_of(entry) for entry in own if not entry.spec.name.startswith("timm/")}
    assert {name for name, value in found.items() if isinstance(value, tuple)} == COMPARED
    assert None not in found.values()
