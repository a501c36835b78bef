"""A check that hangs or crashes is a failed check, and the others run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import Zoo

PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    for name in NAMES:
        yield zoo.Architecture(name=name.lower(), factory=f"breaking:{name}", summary="Breaks.")

NAMES = ("Good", "Always", "AlwaysHang", "Segfault", "AlwaysLeave", "Interrupt", "Own", "Fork")
"""


@pytest.fixture(autouse=True)
def _breaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "breaking-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: breaking\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[zoo]\nbreaking = breaking_plugin\n")
    (tmp_path / "breaking_plugin.py").write_text(PLUGIN)
    shutil.copy(Path(__file__).parent / "breaking.py", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")


def checks(text: str) -> dict[str, dict[str, Any]]:
    """The checks of each component, by their names."""
    return {each["name"]: {check["name"]: check for check in each["checks"]} for each in json.loads(text)}


def failures(found: dict[str, Any]) -> set[str]:
    return {check["message"] for check in found.values() if check["status"] == "failed"}


def test_a_check_that_crashes_fails_and_the_others_run(zoo: Zoo, record_property) -> None:
    record_property("faults", 2)
    ended = zoo("check", "breaking:segfault", "breaking:fork", "--timeout", "60s", "--json")
    assert ended.returncode == 1, ended.stderr
    found = checks(ended.stdout)
    assert "its process died: signal SIGSEGV" in failures(found["segfault"])
    assert any("the network forked its process" in message for message in failures(found["fork"]))
    assert [*found["fork"]] == [*found["segfault"]], "every check has run"
    assert any(check["status"] == "passed" for check in found["segfault"].values())


def test_whatever_a_network_raises_is_a_failed_check(zoo: Zoo, record_property) -> None:
    record_property("faults", 2)
    ended = zoo("check", "breaking:interrupt", "breaking:own", "--json")
    assert ended.returncode == 1, ended.stderr
    found = checks(ended.stdout)
    assert any("KeyboardInterrupt" in message for message in failures(found["interrupt"]))
    assert any("OfItsOwn: mine" in message for message in failures(found["own"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("always", "exceeded its limit of 3 s"),
        ("alwayshang", "exceeded its limit of 3 s"),
        ("alwaysleave", "its process died: exit code 4"),
    ],
)
def test_a_check_that_hangs_or_leaves_fails_and_the_others_run(zoo: Zoo, name: str, message: str) -> None:
    ended = zoo("check", f"breaking:{name}", "breaking:good", "--timeout", "3", "--json")
    found = checks(ended.stdout)
    assert message in failures(found[name])
    assert [*found["good"]] == [*found[name]], "every check has run"
