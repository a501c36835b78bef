"""What the documents list is what there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from zoo.results.run import CLASS_SCORES, MACRO_SCORES, Run

ROOT = Path(__file__).parent.parent


def text_of(name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        pytest.skip(f"no {name} beside the tests: not run from a checkout")
    return path.read_text()


def test_every_field_of_a_run_is_documented() -> None:
    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for item in fields(Run)} <= documented
    assert {*MACRO_SCORES, *CLASS_SCORES} <= documented


def test_the_settings_example_is_valid(tmp_path: Path) -> None:
    from zoo.settings import Settings

    example = re.search(r"```toml\n(.*?)```", text_of("docs/settings.md"), re.DOTALL)
    assert example
    (tmp_path / "registry.toml").write_text(example[1])
    settings = Settings.load()
    assert settings.presets["cnngru.mine"].block == "se"
    assert settings.training({}, {}).epochs == 30


def test_the_readmes_commands_exist(registry) -> None:
    from zoo.cli.app import app

    readme = text_of("README.md")
    commands = {command.name for command in app.registered_commands}
    assert set(re.findall(r"^zoo ([a-z]+)", readme, re.MULTILINE)) <= commands
    assert commands <= set(re.findall(r"zoo ([a-z]+)", readme))
