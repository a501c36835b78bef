"""What must start fast imports nothing heavy: each command and plugin in a process of its own, by its modules."""

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

HEAVY = {
    "hyperopt",
    "imblearn",
    "matplotlib",
    "numpy",
    "optuna",
    "pandas",
    "plotly",
    "pyarrow",
    "ray",
    "scipy",
    "sklearn",
    "timm",
    "torch",
    "torchvision",
    "wfdb",
}
COMMAND = """
import json, sys
names, place, sys.argv = *sys.argv[1:3], ["zoo", *sys.argv[3:]]
from zoo.__main__ import main
try:
    main()
finally:
    with open(place, "w") as file:
        json.dump([name for name in json.loads(names) if name in sys.modules], file)
"""
MODULE = """
import importlib, json, sys
importlib.import_module(sys.argv[2])
print(json.dumps([name for name in json.loads(sys.argv[1]) if name in sys.modules]))
"""


def first_party() -> list[EntryPoint]:
    points = entry_points(group="zoo")
    return sorted(point for point in points if point.dist is not None and point.dist.name == "zoo-registry")


def python(program: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, json.dumps(sorted(HEAVY)), *words]
    variables = os.environ | {"NO_COLOR": "1"} | environment
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=120)


def imported_by(tmp_path: Path, *words: str, **environment: str) -> tuple[list[str], str]:
    """The heavy modules a command imported, and what it printed."""
    place = tmp_path / "imported.json"
    done = python(COMMAND, str(place), *words, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(place.read_text()), done.stdout


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("--help", "Usage: zoo"),
        ("--version", "zoo "),
        ("list", "architecture\tcnngru"),
        ("list --json", '"name": "cnngru"'),
        ("plugins", "cnngru\tok\tzoo-registry"),
        ("bench --help", "Usage: zoo bench"),
        ("show --help", "Usage: zoo show"),
        ("results --help", "Usage: zoo results"),
        ("results --results absent", "id\tstatus"),
        ("leaderboard --results absent", "dataset\tprotocol"),
        ("tune --help", "Usage: zoo tune"),
        ("studies show --help", "Usage: zoo studies show"),
        ("studies --results absent", "name\tstatus"),
        ("new architecture my-net", "src/zoo_my_net/network.py\t"),
    ],
)
def test_a_light_command_imports_nothing_heavy(tmp_path: Path, command: str, printed: str) -> None:
    imported, output = imported_by(tmp_path, *command.split())
    assert printed in output
    assert imported == []


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("zoo pl", "plugins"),
        ("zoo bench --bl", "--block"),
        ("zoo results --re", "--results"),
        ("zoo bench cnng", "cnngru"),
        ("zoo bench cnngru.st", "cnngru.study"),
        ("zoo tune cnngru --block se+di", "se+dilated"),
        ("zoo bench cnngru --dataset heart", "heartbeats"),
        ("zoo show ti", "timm/"),
        ("zoo bench fcn --treatment smote/w", "smote/weighted"),
    ],
)
def test_completion_imports_nothing_heavy(tmp_path: Path, line: str, completed: str) -> None:
    place = str(len(line.split()) - 1)
    imported, output = imported_by(tmp_path, _ZOO_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=place)
    assert output.split() == [completed]
    assert imported == []


def test_the_probe_sees_what_a_heavy_command_imports(tmp_path: Path) -> None:
    imported, _ = imported_by(tmp_path, "show", "se")
    assert "torch" in imported


def test_the_module_of_plots_imports_nothing_heavy_until_a_figure_is_drawn() -> None:
    done = python(MODULE, "zoo.plots")
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_first_party_plugins_are_found() -> None:
    assert {"blocks", "cnn2d", "cnngru", "heartbeats", "imbalance"} <= {point.name for point in first_party()}


@pytest.mark.parametrize("module", sorted({point.module for point in first_party()}))
def test_a_first_party_plugin_imports_nothing_heavy(module: str) -> None:
    done = python(MODULE, module)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
