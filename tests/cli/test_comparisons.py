"""A comparison as `zoo studies` shows it: table, TSV, JSON, plain lines and pictures."""

import csv
import io
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from comparing import compared, guesses, member, scored
from studies import stored, study_of
from typer.testing import CliRunner, Result

from zoo.cli.app import app
from zoo.cli.session import Session
from zoo.cli.views.comparison import show_comparison
from zoo.comparison.comparison import comparison_of
from zoo.comparison.result import StudyResult
from zoo.store.runs import Store
from zoo.store.studies import StudyStore

SKILLS = {"random": 0.62, "optuna": 0.85}


def zoo(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def keep(seeds: int = 3, skills: Mapping[str, float] = SKILLS, **more: Any) -> None:
    with Store(Path("zoo-results")) as store:
        compared(store, skills, range(seeds), **more)


def test_a_pipe_gets_a_row_for_each_searcher_and_seed() -> None:
    keep()
    shown = zoo("studies", "show", "race")
    rows = list(csv.DictReader(io.StringIO(shown.stdout), delimiter="\t"))
    assert list(rows[0]) == [item.name for item in fields(StudyResult)]
    assert [(row["searcher"], row["seed"]) for row in rows] == [(s, str(n)) for s in SKILLS for n in range(3)]
    for row in rows:
        assert float(row["difference"]) == pytest.approx(float(row["test"]) - float(row["defaults"]))
        assert float(row["validation_25"]) <= float(row["validation_50"]) <= float(row["validation_100"])
        assert (row["trials"], row["wanted"], row["dataset"], row["score"]) == ("8", "8", "waves", "macro_recall")
    assert rows[0]["defaults_run"] == rows[3]["defaults_run"] != rows[1]["defaults_run"]
    lines = shown.stderr.splitlines()
    assert lines[0].startswith("random: 0.")
    for line in lines[:2]:
        assert ", too few seeds (3): 24 trials, 162 s of training in all" in line
    assert re.fullmatch(
        r"test macro recall on waves, mean of 3 seeds; 95 % intervals over test rows only; standard deviation of the "
        r"difference over seeds: random ±0\.\d{3}, optuna ±0\.\d{3}; a verdict needs 5 seeds",
        lines[2],
    )
    assert lines[3].startswith("between searchers, validation macro recall after 8 trials: ")
    assert lines[3].endswith(": too few seeds to rank searchers, which needs 5")


def test_json_has_curves_and_verdicts() -> None:
    keep()
    found = json.loads(zoo("studies", "show", "race", "--json").stdout)
    assert found["searchers"] == list(SKILLS)
    assert [study["study"] for study in found["studies"]][:2] == ["race.random.0", "race.random.1"]
    curve = found["curves"]["optuna"]["trials"]
    best = [study["validation_100"] for study in found["studies"] if study["searcher"] == "optuna"]
    assert (curve["seeds"], curve["points"][-1]["at"]) == (3, 8)
    assert curve["points"][-1]["mean"] == pytest.approx(np.mean(best))
    assert (curve["points"][-1]["low"], curve["points"][-1]["high"]) == (min(best), max(best))
    assert found["curves"]["optuna"]["seconds"]["points"][-1]["at"] == pytest.approx(54)
    verdict = found["verdicts"][1]
    assert verdict["difference"]["low"] < verdict["tuned"] - verdict["defaults"] < verdict["difference"]["high"]
    assert (verdict["verdict"], found["lead"]["verdict"]) == ("too few seeds", "too few seeds")
    assert verdict["deviation"] > 0


def test_one_seed_and_patients_are_said() -> None:
    keep(1, groups=np.arange(300) % 29)
    lines = zoo("studies", "show", "race").stderr.splitlines()
    assert lines[2] == (
        "test macro recall on waves, one seed; 95 % intervals over the test set's 29 groups only; "
        "a verdict needs 5 seeds"
    )
    assert "too few seeds" in lines[3]


def test_too_few_patients_are_the_reason_for_no_interval() -> None:
    keep(5, groups=np.arange(300) // 75)
    first, _, trust, _ = zoo("studies", "show", "race").stderr.splitlines()
    assert re.search(r" defaults: [+-]0\.\d{3}, no interval: 40 trials, 270 s of training in all$", first)
    reasons = "; ".join(f"class {name} has 4 groups, 4.0 effective: fewer than 5" for name in "abc")
    assert trust == f"test macro recall on waves, mean of 5 seeds; no interval: {reasons}"


def test_five_seeds_may_be_ranked() -> None:
    keep(5)
    none, gain, trust, between = zoo("studies", "show", "race").stderr.splitlines()
    assert ", not shown, could be chance: 40 trials, 270 s of training in all" in none
    assert ", worth it: 40 trials, 270 s of training in all" in gain
    assert trust == "test macro recall on waves, mean of 5 seeds; 95 % intervals over seeds and test rows"
    assert between.endswith("; random better in 3 of 5 seeds, optuna in 2: no difference shown, could be chance")


def test_what_there_is_so_far_is_shown() -> None:
    keep(1)
    with Store(Path("zoo-results")) as store:
        stored(store, replace(member("random", 1, ("done", "interrupted")), status="interrupted"))
        StudyStore(store).create(member("optuna", 1, ()), status="waiting")
    shown = zoo("studies", "show", "race")
    assert shown.stderr.startswith("2 of 4 studies done\nrandom (1 of 2 seeds): 0.")
    rows = list(csv.DictReader(io.StringIO(shown.stdout), delimiter="\t"))
    assert [(row["status"], row["trials"], row["test"] != "") for row in rows] == [
        ("done", "8", True), ("interrupted", "1", False), ("done", "8", True), ("waiting", "0", False)
    ]  # fmt: skip
    assert json.loads(zoo("studies", "show", "race", "--json").stdout)["status"] == "interrupted"


def test_nothing_scored_yet_and_no_winner() -> None:
    with Store(Path("zoo-results")) as store:
        stored(store, member("random", 0, ("failed",) * 8))
    shown = zoo("studies", "show", "race")
    assert shown.stderr.splitlines() == [
        "random: no verdict: no seed has test scores of both its winner and the defaults "
        "(8 trials, 0 s of training in all)",
        "random: study race.random.0 has no winner",
    ]
    assert json.loads(zoo("studies", "show", "race", "--json").stdout)["lead"] is None


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_gets_a_table_that_fits(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(5, skills={"random": 0.62, "hyperopt": 0.7, "optuna": 0.85})
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with Store(Path("zoo-results"), create=False) as store:
        show_comparison(Session(), store, comparison_of(StudyStore(store), "race"), as_json=False)
    lines = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("race: cnngru on waves, holdout")
    (head,) = [line for line in lines if line.startswith("searcher ")]
    shown = ["searcher", "after 2", "after 4", "after 8 trials", "test", "difference", "train s"]
    if width < 200:
        shown = [name for name in shown if not name.startswith("after") or (width == 80 and "8" in name)]
    assert [name for name in shown if name in head] == shown
    rows = lines[lines.index(head) + 1 :][:4]
    assert [row.split("  ")[0] for row in rows] == ["random", "hyperopt", "optuna", "defaults"]
    assert "+0." in rows[2]
    assert "worth it" in " ".join(lines)


def test_pictures_are_written() -> None:
    keep(1)
    shown = zoo("studies", "show", "race", "--pictures", "pictures")
    assert shown.stderr.endswith("wrote pictures/trials.svg\nwrote pictures/time.svg\n")
    for name in ("trials", "time"):
        assert ElementTree.parse(f"pictures/{name}.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("name", ["race", "race.optuna.0", "absent"])
def test_pictures_without_matplotlib_are_refused_before_any_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(1)
    for module in {"matplotlib", *(each for each in sys.modules if each.startswith("matplotlib."))}:
        monkeypatch.setitem(sys.modules, module, None)
    refused = zoo("studies", "show", name, "--pictures", "pictures")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == "error: figures need matplotlib: pip install 'zoo-registry[plots]'\n"
    assert not Path("pictures").exists()
    if name != "absent":
        assert zoo("studies", "show", name).exit_code == 0


def test_a_comparison_has_no_winner_of_its_own_to_save() -> None:
    keep(1)
    saved = zoo("studies", "show", "race", "--save", "cnngru.mine")
    assert (saved.exit_code, saved.stdout) == (2, "")
    assert saved.stderr == (
        "error: 'race' is a comparison, and each of its studies has its own winner: name one study to save, such as "
        "race.random.0\n"
    )


def test_the_list_names_the_comparison_where_a_study_is_of_one() -> None:
    keep(1)
    with Store(Path("zoo-results")) as store:
        stored(store, study_of(name="alone"))
    rows = list(csv.DictReader(io.StringIO(zoo("studies").stdout), delimiter="\t"))
    assert [(row["name"], row["comparison"]) for row in rows] == [
        ("race.random.0", "race"), ("race.optuna.0", "race"), ("alone", "")
    ]  # fmt: skip


@pytest.mark.parametrize(("typed", "nearest"), [("rcae", "race"), ("aloen", "alone")])
def test_the_nearest_study_or_comparison_is_said(typed: str, nearest: str) -> None:
    with Store(Path("zoo-results")) as store:
        stored(store, study_of(name="alone"))
        stored(store, member("random", 0))
    missing = zoo("studies", "show", typed)
    assert (missing.exit_code, missing.stderr) == (2, f"error: no study named {typed!r}. Did you mean {nearest}?\n")


def test_the_word_synthetic_and_notes_of_runs_are_said() -> None:
    with Store(Path("zoo-results")) as store:
        plain, tuned = (scored(store, guesses(share, 1), synthetic=True, notes=("few",)) for share in (0.5, 0.9))
        study = stored(store, member("random", 0))
        StudyStore(store).update(replace(study, run=tuned.id, defaults=plain.id, notes=("mind",)))
    shown = zoo("studies", "show", "race")
    assert shown.stderr.startswith("note: mind\nnote: few\nrandom: 0.")
    assert "test macro recall on waves (synthetic), one seed" in shown.stderr
