"""What the documents list is what there is.

`python tests/test_docs.py` writes docs/collection.md anew from what is installed.
"""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from zoo.registry import DISTRIBUTION, Entry, Registry
from zoo.results.run import CLASS_SCORES, MACRO_SCORES, Run
from zoo.space import Float
from zoo.specs import Architecture, Block
from zoo.tune.records import DIED, DIVERGED, DONE, FAILED, INTERRUPTED, MEMORY, PRUNED, TIMEOUT, Study, Trial
from zoo.tune.spaces import parse_override, read_space

ROOT = Path(__file__).parent.parent
REQUEST = {"architecture": "cnngru", "search": "random", "metric": "accuracy", "seed": 0, "trials": 1}


def text_of(name: str) -> str:
    path = ROOT / name
    if not path.is_file():
        pytest.skip(f"no {name} beside the tests: not run from a checkout")
    return path.read_text()


def test_every_field_of_a_run_is_documented() -> None:
    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for item in fields(Run)} <= documented
    assert {*MACRO_SCORES, *CLASS_SCORES} <= documented


def test_every_field_of_a_study_is_documented() -> None:
    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for spec in (Study, Trial) for item in fields(spec)} <= documented


def test_every_field_of_a_comparison_is_documented() -> None:
    from zoo.cli.comparisons import FLAT
    from zoo.tune.comparison import Comparison
    from zoo.tune.verdict import Lead, Verdict

    documented = set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/json.md")))
    assert {item.name for spec in (Verdict, Lead) for item in fields(spec)} <= documented
    assert set(Comparison("race", (Study(name="a", request=REQUEST, space={}),)).to_json()) <= documented
    assert set(FLAT) <= documented | set(re.findall(r"`([a-z0-9_]+)`", text_of("docs/tuning.md")))


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
    assert set(statuses) == {DONE, PRUNED, FAILED, DIVERGED, TIMEOUT, MEMORY, DIED, INTERRUPTED}


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
    commands = {each.name for each in (*app.registered_commands, *app.registered_groups)}
    assert set(re.findall(r"^zoo ([a-z]+)", readme, re.MULTILINE)) <= commands
    assert commands <= set(re.findall(r"zoo ([a-z]+)", readme))


def collection(registry: Registry) -> str:
    """The page of all first-party components, a table for each kind; timm's backbones are one row."""
    parts = ["# The collection", "", INTRODUCTION]
    for kind, noun in NOUNS.items():
        entries = [entry for entry in registry.of_kind(kind) if entry.plugin.distribution == DISTRIBUTION]
        rows = [row_of(entry) for entry in entries if not entry.name.startswith("timm/")]
        if kind == "architecture":
            backbones = f"{len(entries) - len(rows):,} image backbones on the signal as a picture; `zoo list timm`"
            rows.append(("timm/…", backbones, "front ends: fold, spectrogram, gasf", "`zoo show` cites each"))
        parts += ["", f"## {noun}", "", "| name | what it is | | source |", "|---|---|---|---|"]
        parts += ["| " + " | ".join((f"`{name}`", *rest)) + " |" for name, *rest in sorted(rows)]
    return "\n".join(parts) + "\n"


INTRODUCTION = """What comes with the zoo. `zoo show NAME` gives parameters, presets, layers, multiply-accumulates and
stored results of each. Any architecture with a block slot takes any block; `a+b` puts one after the other. *lengths*
marks what honours declared unequal lengths: padding never reaches a valid sample."""

NOUNS = {
    "architecture": "Architectures",
    "block": "Blocks",
    "resampler": "Resamplers (`--data`)",
    "objective": "Losses (`--loss`)",
    "dataset": "Data sets",
    "searcher": "Searchers",
}


def row_of(entry: Entry) -> tuple[str, str, str, str]:
    spec = entry.spec
    facts = []
    if isinstance(spec, Architecture):
        facts += [f"{spec.block_dims}-D slot"] if spec.block_dims else []
        facts += ["lengths"] if spec.takes_lengths else []
    if isinstance(spec, Block):
        facts += [" and ".join(f"{dims}-D" for dims in spec.dims)] + (["lengths"] if spec.masked else [])
    return entry.name, spec.summary, ", ".join(facts), spec.paper


def test_the_collection_is_what_is_installed(registry: Registry) -> None:
    assert text_of("docs/collection.md") == collection(registry), "run python tests/test_docs.py"


if __name__ == "__main__":
    (ROOT / "docs/collection.md").write_text(collection(Registry.discover()))
