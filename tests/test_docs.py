"""Fields, settings and words are documented as they are; tests/test_site.py has the pages themselves."""

import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.factories import parameters
from zoo.registry import DISTRIBUTION, Registry
from zoo.scores import CLASS_SCORES, MACRO_SCORES
from zoo.shipped import shipped_references
from zoo.space import Float
from zoo.specs import Architecture
from zoo.store.run import Run
from zoo.store.study import Study, StudyStatus, Trial, TrialStatus
from zoo.tuning.spaces import parse_override, read_space

ROOT = Path(__file__).parent.parent
REQUEST = {"architecture": "cnngru", "search": "random", "metric": "accuracy", "seed": 0, "trials": 1}
LONGEST_SUMMARY = 60  # a row of `zoo list` then fits on one line of a terminal
PUBLISHED_SIZES = ("paper", "study")  # presets with the size of the paper, or of the study that the zoo grew from


def text_of(name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        pytest.skip(f"no {name} beside the tests: not run from a checkout")
    return path.read_text()


def test_every_field_of_a_run_is_documented() -> None:
    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for item in fields(Run)} <= documented
    assert {*MACRO_SCORES, *CLASS_SCORES} <= documented


@pytest.mark.parametrize(
    "words", [("list",), ("plugins",), ("show", "cnngru"), ("new", "block", "pulse-gate")], ids=lambda words: words[0]
)
def test_what_a_command_prints_as_json_is_documented(words: tuple[str, ...]) -> None:
    printed = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    section = re.search(rf"^## `zoo {words[0]}.*?(?=^## |\Z)", text_of("docs/json.md"), re.DOTALL | re.MULTILINE)
    assert section
    shown = printed[0] if isinstance(printed, list) else printed
    assert set(shown) <= set(re.findall(r"`([a-z0-9_]+)`", section[0]))


def test_summaries_of_first_party_components_are_short(registry: Registry) -> None:
    own = [entry for entry in registry.entries if entry.plugin.distribution == DISTRIBUTION]
    assert len(own) > 1_000, "the backbones of timm are included"
    lengths = {entry.name: len(entry.spec.summary) for entry in own}
    assert {name: length for name, length in lengths.items() if not 0 < length <= LONGEST_SUMMARY} == {}


def test_a_summary_says_small_if_the_default_size_is_not_the_published_one(registry: Registry) -> None:
    differs, small = {}, {}
    for entry in registry.of_kind(Architecture):
        published = [entry.spec.presets[name] for name in PUBLISHED_SIZES if name in entry.spec.presets]
        if published and entry.plugin.distribution == DISTRIBUTION:
            defaults = {name: parameter.default for name, parameter in parameters(entry.spec).items()}
            sizes = [(name, size) for name, size in published[0].params.items() if type(size) is int]
            differs[entry.name] = any(size != defaults[name] for name, size in sizes)
            small[entry.name] = "Small" in entry.spec.summary
    assert len(differs) >= 14
    assert small == differs


def test_every_field_of_a_study_is_documented() -> None:
    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for spec in (Study, Trial) for item in fields(spec)} <= documented


def test_every_field_of_a_comparison_is_documented() -> None:
    from zoo.comparison.comparison import Comparison
    from zoo.comparison.result import StudyResult
    from zoo.comparison.verdict import Lead, Verdict

    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for spec in (Verdict, Lead) for item in fields(spec)} <= documented
    assert set(Comparison("race", (Study(name="a", request=REQUEST, space={}),)).to_json()) <= documented
    row = {item.name for item in fields(StudyResult)}
    assert row <= documented | set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/tuning.md")))


def test_the_tuning_page_is_valid(tmp_path: Path) -> None:
    text = text_of("docs/tuning.md")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "space.toml").write_text(example[1])
    space = read_space(tmp_path / "space.toml")
    assert space["training.learning_rate"] == Float(1e-4, 1e-2, log=True)
    typed = [each for each in re.findall(r"`([a-z._]+=[^`]+)`", text) if not each.startswith("search.")]
    assert len(typed) >= 8
    assert all(parse_override(each) for each in typed)
    statuses = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert set(statuses) == {
        StudyStatus.DONE,
        TrialStatus.PRUNED,
        TrialStatus.FAILED,
        TrialStatus.DIVERGED,
        TrialStatus.TIMEOUT,
        TrialStatus.MEMORY,
        TrialStatus.DIED,
        StudyStatus.INTERRUPTED,
    }


def test_every_table_of_the_settings_is_documented() -> None:
    text = text_of("docs/settings.md")
    assert set(tomllib.loads(text_of("registry.toml"))) - {"reference"} <= set(re.findall(r"\[([a-z]+)[\].]", text))
    assert '--8<-- "registry.toml"' in text


def test_the_settings_example_is_valid(tmp_path: Path) -> None:
    from zoo.settings import Settings

    example = re.search(r"```toml\n(.*?)```", text_of("docs/settings.md"), re.DOTALL)
    assert example
    (tmp_path / "registry.toml").write_text(example[1])
    settings = Settings.load()
    assert settings.presets["cnngru.mine"].block == "se"
    assert settings.training({}, {}).epochs == 30


def test_the_scores_on_the_page_of_protocols_are_the_measured_references(registry: Registry) -> None:
    measured = {
        (each.architecture, each.protocol): f"{each.scores['macro_recall']:.3f}"
        for each in shipped_references(registry).references
        if each.status == "measured"
    }
    rows = re.findall(r"^\| `(cnn\w+)` \| (0\.\d+) \| (0\.\d+) \|$", text_of("docs/data-protocols.md"), re.MULTILINE)
    shown = {(name, "official"): official for name, official, _ in rows}
    shown |= {(name, "inter-patient"): by_patient for name, _, by_patient in rows}
    assert shown == measured
