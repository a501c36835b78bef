"""The claims of the study are answered from the committed results, without training."""

from pathlib import Path

import pytest

import zoo
from zoo.claims.file import read_hypotheses
from zoo.claims.hypothesis import Kind
from zoo.store.runs import Store

STUDY = Path(__file__).parents[2] / "benchmarks" / "hypotheses" / "study.toml"
MOST_BYTES = 6_000_000  # of all committed results

if not STUDY.is_file():
    pytest.skip("not run from a checkout", allow_module_level=True)


def test_the_study_has_fifteen_claims_at_equal_steps() -> None:
    found = read_hypotheses(STUDY)
    assert [each.id for each in found.hypotheses] == [str(number) for number in range(1, 16)]
    assert all(each.text.endswith(".") for each in found.hypotheses)
    parts = [part for each in found.hypotheses for part in each.parts]
    assert {part.steps for part in parts if part.kind != Kind.TUNED} == {180}
    assert {part.kind for part in parts} == set(Kind)


def test_committed_results_answer_without_training() -> None:
    (folder,) = read_hypotheses(STUDY).results
    found = zoo.hypotheses(STUDY, only=("5", "13"), results="none")
    assert not Path("none").exists()
    assert [each.answer for each in found.answers] == ["confirmed", "confirmed"]
    as_own = zoo.hypotheses(STUDY, only=("5", "13"), results=folder)
    assert [each.difference for each in as_own.findings] == [each.difference for each in found.findings]
    assert any("published results" in note for note in found.notes)
    with Store(folder, create=False) as store:
        runs = {run.id for run in store.runs()}
    used = {run for finding in found.findings for run in finding.runs}
    assert used <= runs
    assert len(used) >= 16


def test_committed_results_are_small_and_hold_no_weights() -> None:
    (folder,) = read_hypotheses(STUDY).results
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert {path.name for path in files} <= {"zoo.db", "history.csv", "predictions.parquet"}
