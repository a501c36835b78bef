"""`zoo check` as it is used: over what is installed, and over a plugin of a third party that breaks promises."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from zoo.cli.app import app

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes, spare=False):
        super().__init__()
        print("building")
        self.head = nn.Linear(n_channels, n_classes)
        if spare:
            self.spare = nn.Linear(1, 1)

    def forward(self, x):
        return self.head(x.mean(-1))

class Spare(Net):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__(n_channels=n_channels, n_times=n_times, n_classes=n_classes, spare=True)
"""
PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    known = {"learns": "a mean knows no waves"}
    yield zoo.Architecture(name="mean", factory="check_net:Net", summary="A mean.", expected_failures=known)
    yield zoo.Architecture(name="spare", factory="check_net:Spare", summary="Another.", expected_failures=known)
    yield zoo.Architecture(name="typo", factory="check_net:Spar", summary="Is not there.")
"""
POINTS = "[zoo]\ntheirs = check_plugin\nnot-there = check_missing\n"


@pytest.fixture
def _theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two plugins of a distribution of theirs, of which one does not load; being on the path is being installed."""
    information = tmp_path / "theirs-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(POINTS)
    (tmp_path / "check_plugin.py").write_text(PLUGIN)
    (tmp_path / "check_net.py").write_text(NET)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "check_plugin", raising=False)  # that of another test is in another folder
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def zoo(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout), delimiter="\t"))


@pytest.mark.usefixtures("_theirs")
def test_a_pipe_gets_a_row_for_each_check_and_ends_with_how_many_ran() -> None:
    result = zoo("check", "mean")
    found = {f"{row['kind']} {row['name']}: {row['check']}": row for row in rows(result)}
    assert result.exit_code == 0
    assert found["architecture mean: shapes"]["status"] == "passed"
    assert {key: found["architecture mean: learns"][key] for key in ("status", "message")} == {
        "status": "expected",
        "message": "a mean knows no waves",
    }
    assert all(float(row["seconds"]) >= 0 for row in found.values())
    assert float(found["architecture mean: learns"]["seconds"]) > 0
    assert next(iter(found)) == "plugin theirs: loads"
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"{len(found)} checks ran: {len(found) - 1} passed, 1 failed as expected; ")
    assert "up to 10 parameters" in last
    assert last.endswith("MiB at most")


@pytest.mark.usefixtures("_theirs")
def test_a_failure_is_one_line_and_exit_code_1_and_debug_shows_where_it_came_from() -> None:
    result = zoo("check", "theirs:spare", "--debug")
    failed = [row for row in rows(result) if row["status"] == "failed"]
    assert result.exit_code == 1
    assert [(row["check"], row["message"]) for row in failed] == [
        ("gradients", "parameter spare.weight gets no gradient")
    ]
    assert "Traceback" in result.stderr
    assert "1 failed" in result.stderr.splitlines()[-1]
    assert "Traceback" not in zoo("check", "theirs:spare").stderr


@pytest.mark.usefixtures("_theirs")
def test_a_factory_that_is_not_there_is_said_once_and_not_by_every_check() -> None:
    result = zoo("check", "typo")
    failed = [(row["check"], row["message"]) for row in rows(result) if row["status"] == "failed"]
    said = "factory 'check_net:Spar': the module has no callable 'Spar'. Did you mean Spare?"
    assert (result.exit_code, failed) == (1, [("factory", f"PluginError: {said}")])


@pytest.mark.usefixtures("_theirs")
def test_a_plugin_that_does_not_load_is_checked_all_the_same() -> None:
    result = zoo("check", "not-there")
    assert result.exit_code == 1
    assert next((row["kind"], row["check"], row["status"]) for row in rows(result)) == ("plugin", "loads", "failed")
    assert "ModuleNotFoundError: No module named 'check_missing'" in result.stdout


@pytest.mark.usefixtures("_theirs")
def test_json_has_what_is_documented() -> None:
    result = zoo("check", "mean", "--json")
    plugin, mean = json.loads(result.stdout)
    assert (plugin["kind"], plugin["name"], plugin["parameters"]) == ("plugin", "theirs", None)
    assert (mean["kind"], mean["name"], mean["plugin"], mean["parameters"]) == ("architecture", "mean", "theirs", 10)
    assert mean["seconds"] > 0
    assert mean["peak_memory_mib"] > 0
    checks: dict[str, Any] = {check["name"]: check for check in mean["checks"]}
    assert (checks["learns"]["status"], checks["learns"]["message"]) == ("expected", "a mean knows no waves")
    assert {check["status"] for name, check in checks.items() if name != "learns"} == {"passed"}
    documented = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
    assert all(f"`{key}`" in documented for key in {*mean, *checks["learns"]})


PARITY = """
[[mean]]
source = "github.com/author/mean@1234567"
computed = "by hand"
rows = 1
n_channels = 1
n_times = 2
n_classes = 2
tolerance = 1e-6
expected = [[0.5, 1.0]]
weights = [
  { theirs = "w", shape = [2], range = [0, 0], ours = "head.weight" },
  { theirs = "b1", shape = [1], range = [0.5, 0.5], ours = "head.bias" },
  { theirs = "b2", shape = [1], range = [1, 1], ours = "head.bias" },
]

[spare]
not_compared = "no public code"
"""


@pytest.mark.usefixtures("_theirs")
def test_parity_is_a_row_for_each_architecture_and_a_difference_is_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "parity.toml").write_text(PARITY)
    result = zoo("check", "--parity", "mean", "spare")
    assert result.exit_code == 0
    assert [(row["name"], row["status"], row["message"]) for row in rows(result)] == [
        ("mean", "passed", ""),
        ("spare", "not compared", "no public code"),
    ]
    assert result.stderr.splitlines()[-1] == "1 architecture compared: 1 passed; 1 not compared"
    (tmp_path / "parity.toml").write_text(PARITY.replace("[[0.5, 1.0]]", "[[0.5, 1.25]]"))
    failed = zoo("check", "--parity", "mean", "--json")
    (found,) = json.loads(failed.stdout)
    assert (failed.exit_code, found["status"], found["difference"]) == (1, "failed", 0.25)
    documented = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
    assert all(f"`{key}`" in documented for key in found)
    (tmp_path / "parity.toml").write_text(PARITY.replace("tolerance", "tolerances"))
    broken = zoo("check", "--parity", "theirs")
    assert broken.exit_code == 1
    message = f"{tmp_path / 'parity.toml'}: mean[0]: object contains unknown field `tolerances`"
    assert [row["message"] for row in rows(broken)] == [message] * 3


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--parity", "se"), "error: se is no architecture: --parity compares architectures"),
        (("--parity", "--all", "tcn"), "error: name a component or a plugin to check: "),
        (
            ("--parity", "tcn", "--timeout", "9s"),
            "error: --timeout is for checks; `zoo check --parity` has no time lim",
        ),
        ((), "error: name a component or a plugin to check: `zoo check NAME`, or use `zoo check --all`"),
        (("se", "--all"), "error: name a component or a plugin to check: "),
        (("cnngur",), "error: no component or plugin named 'cnngur'. Did you mean cnngru?"),
        (("nothing*",), "error: no component matches 'nothing*'. `zoo list` shows them all."),
    ],
)
def test_what_cannot_be_checked_is_one_line_and_exit_code_2(words: tuple[str, ...], line: str) -> None:
    result = zoo("check", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(line)
    assert len(result.stderr.splitlines()) == 1
