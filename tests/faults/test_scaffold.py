"""What `zoo new` writes, as its author meets it: installed with pip into an environment that has the zoo's wheel.

It takes too long for a plain `pytest`, in which `tests/cli/test_new.py` checks what is written; it injects no fault.
The environment borrows libraries from the running one, so that it costs seconds; a slow test makes one from nothing.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zoo.specs import KINDS

ROOT = Path(__file__).resolve().parents[2]
NAMES = {kind: f"my-{kind}" for kind in KINDS}
OPTIONS = {"block": "block", "dataset": "dataset", "resampler": "data", "objective": "loss"}
OFFLINE = ("--no-index", "--no-deps", "--no-build-isolation")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a folder to work in."""

    python: Path
    work: Path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command, by the name of its module or of a script of the environment's."""
        program = [str(self.python.with_name("zoo"))] if words[0] == "zoo" else [str(self.python), "-m", str(words[0])]
        command = [*program, *map(str, words[1:])]
        return subprocess.run(command, capture_output=True, text=True, env=variables(), cwd=self.work, timeout=280)

    def pip(self, *words: str | Path) -> None:
        """Run the running environment's pip on this one."""
        quiet = ("--quiet", "--disable-pip-version-check", "--python", self.python)
        ran(sys.executable, "-m", "pip", *quiet, *words, cwd=self.work)

    def zoo(self, *words: str) -> Any:
        """What a command says as JSON."""
        done = self.run("zoo", *words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def listed(self) -> dict[str, dict[str, Any]]:
        """The components that `zoo list` names, by kind and name."""
        return {f"{row['kind']} {row['name']}": row for row in self.zoo("list")}


def variables() -> dict[str, str]:
    """The environment variables of a user who has set nothing."""
    hidden = ("ZOO_", "PYTHON", "PYTEST_", "FORCE_COLOR", "VIRTUAL_ENV")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return mine | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1"}


def ran(*command: str | Path, cwd: Path) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env=variables(), cwd=cwd, timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def _no_fault(record_property: Callable[[str, object], None]) -> None:
    record_property("faults", 0)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from the checkout as it is."""
    pytest.importorskip("pip")
    pytest.importorskip("hatchling", reason="what the zoo is built with; install zoo-registry[test]")
    folder = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One that holds the wheel, and finds its dependencies, but not the checkout, among the running one's."""
    made = new_environment(tmp_path_factory.mktemp("environment"), "--without-pip")
    site = Path(ran(made.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=made.work).strip())
    made.pip("install", *OFFLINE, "--no-compile", wheel)  # first: pip would take a borrowed zoo for this one
    # A folder named in a .pth file is searched after the environment's own; .pth files in it are not read.
    (site / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return made


@pytest.fixture(scope="module")
def installed(environment: Environment) -> Environment:
    """The same, with a scaffold of each kind, all installed at once."""
    for kind, name in NAMES.items():
        done = environment.run("zoo", "new", kind, name, "--author", "Ada Lovelace")
        assert done.returncode == 0, done.stderr
    environment.pip("install", *OFFLINE, "--no-compile", *[f"./{name}" for name in NAMES.values()])
    return environment


def new_environment(folder: Path, *options: str) -> Environment:
    ran(sys.executable, "-m", "venv", *options, folder / "venv", cwd=folder)
    (folder / "work").mkdir()
    return Environment(folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python"), folder / "work")


def test_each_is_listed_under_its_distribution(installed: Environment) -> None:
    place = ran(installed.python, "-c", "import zoo; print(zoo.__file__)", cwd=installed.work)
    assert place.startswith(str(installed.python.parents[1]))
    found = installed.listed()
    for kind, name in NAMES.items():
        row = found[f"{kind} {name}"]
        assert (row["plugin"], row["distribution"], row["version"]) == (name, f"zoo-{name}", "0.1.0")


def test_each_passes_zoo_check(installed: Environment) -> None:
    """Of two kinds; the checks of all kinds are those of the next test."""
    names = [NAMES["block"], NAMES["objective"]]
    done = installed.run("zoo", "check", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(name in done.stdout for name in names)


def test_each_passes_its_own_tests(installed: Environment) -> None:
    folders = [f"{name}/tests" for name in NAMES.values()]
    # All six in one process, to save five; a warning would be a nuisance to every author.
    done = installed.run("pytest", "-v", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "error", *folders)
    assert done.returncode == 0, done.stdout
    assert not re.search(r"skipped|xfail", done.stdout)
    for kind, name in NAMES.items():
        assert re.search(rf"\[{kind} {name}: \w+\] PASSED", done.stdout), name


def test_all_of_them_work_together_in_a_run(installed: Environment) -> None:
    options = [f"--{option}={NAMES[kind]}" for kind, option in OPTIONS.items()]
    (run,) = installed.zoo("bench", NAMES["architecture"], *options, "--rows", "100", "--epochs", "1")
    assert (run["status"], run["error"]) == ("done", "")
    assert {kind: run[option] for kind, option in OPTIONS.items()} == {kind: NAMES[kind] for kind in OPTIONS}


def test_uninstalled_they_are_gone(installed: Environment) -> None:
    installed.pip("uninstall", "--yes", *[f"zoo-{name}" for name in NAMES.values()])
    found = installed.listed()
    assert "architecture cnngru" in found
    assert not [name for name in found if name.partition(" ")[2] in NAMES.values()]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_from_nothing_the_steps_that_it_prints_are_all_it_takes(wheel: Path, tmp_path: Path) -> None:
    made = new_environment(tmp_path)
    ran(made.python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, cwd=made.work)
    steps = made.zoo("new", "architecture", "my-net", "--author", "Ada Lovelace")["next"]
    assert len(steps) == 4
    done = in_shell(made, *steps, "pytest", "ruff check .", "ruff format --check .")
    assert "architecture\tmy-net" in made.run("zoo", "list", "my-net").stdout
    assert re.search(r"^\w{8}\tdone\t(.*\t)?my-net\t", done, re.MULTILINE), done
    in_shell(made, "pip uninstall --yes --quiet zoo-my-net")
    assert made.run("zoo", "list", "my-net").returncode == 2


def in_shell(made: Environment, *steps: str) -> str:
    """What the steps print, one after the other in one shell in which the environment is active."""
    script = "\n".join(["set -euo pipefail", f"export PATH={made.python.parent}:$PATH", *steps])
    return ran("bash", "-c", script, cwd=made.work)
