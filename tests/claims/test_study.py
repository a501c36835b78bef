"""The claims of the study are answered from the committed results, without training."""

import re
from pathlib import Path

import pytest

import zoo
from zoo.claims.answers import Answer
from zoo.claims.file import read_hypotheses
from zoo.claims.hypothesis import Kind
from zoo.cli.views.hypotheses import markdown_lines
from zoo.store.runs import Store

STUDY = Path(__file__).parents[2] / "benchmarks" / "hypotheses" / "study.toml"
PAGE = Path(__file__).parents[2] / "docs" / "study.md"
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


def test_committed_results_answer_without_training_and_the_page_has_the_answers() -> None:
    found = zoo.hypotheses(STUDY, results="none")
    assert not Path("none").exists()
    assert found.missing == 0
    assert sum(each.answer != Answer.UNDECIDED for each in found.answers) >= 10
    assert any("published results" in note for note in found.notes)
    page = PAGE.read_text()
    assert page.partition("<!-- answers -->\n")[2].partition("<!-- end -->")[0].splitlines() == [*markdown_lines(found)]
    words = re.findall(r"^\| (\d+) \| .* \| \*\*(\w+)\*\*", page.partition("## All numbers")[0], re.MULTILINE)
    assert dict(words) == {each.id: str(each.answer) for each in found.answers}


def test_published_results_answer_as_own_ones_do() -> None:
    (folder,) = read_hypotheses(STUDY).results
    found, as_own = (zoo.hypotheses(STUDY, only=("5", "13"), results=name) for name in ("none", folder))
    assert [each.difference for each in as_own.findings] == [each.difference for each in found.findings]
    with Store(folder, create=False) as store:
        runs = {run.id for run in store.runs()}
    assert {run for finding in found.findings for run in finding.runs} <= runs


def test_committed_results_are_small_and_hold_no_weights() -> None:
    (folder,) = read_hypotheses(STUDY).results
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert {path.name for path in files} <= {"zoo.db", "history.csv", "predictions.parquet"}
