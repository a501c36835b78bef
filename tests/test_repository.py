"""The files around the code: they parse, and they agree with pyproject.toml, with `.ci/run` and with each other."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "benchmarks/README.md")

if not (ROOT / ".github").is_dir():
    pytest.skip("not run from a checkout", allow_module_level=True)


def parsed(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def project() -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return tables


def test_the_citation_is_complete_and_agrees_with_the_package() -> None:
    citation = parsed("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)  # what the schema requires beside the version
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project()["authors"]]
    for field in ("version", "license", "keywords"):
        assert citation[field] == project()[field]
    assert citation["abstract"] == project()["description"]


def test_the_workflow_runs_the_whole_check_from_the_oldest_python_on() -> None:
    job = parsed(".github/workflows/ci.yml")["jobs"]["ci"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    versions = job["strategy"]["matrix"]["python"]
    assert f">={versions[0]}" == project()["requires-python"]
    assert versions == ["3.11", "3.12", "3.13"]


def test_the_hooks_of_pre_commit_are_commands_of_the_whole_check() -> None:
    checks = (ROOT / ".ci" / "run").read_text().splitlines()
    hooks = [hook for repo in parsed(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format", "mypy"]
    for hook in hooks:
        assert hook["entry"].removeprefix("env ").replace(".venv-dev", ".venv-test") in checks


@pytest.mark.parametrize("name", ["bug", "component", "question"])
def test_an_issue_form_has_what_github_requires(name: str) -> None:
    form = parsed(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert {"name", "description", "body"} <= set(form)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert fields
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    """The site's own pages are checked by `mkdocs build --strict`."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", (ROOT / page).read_text()):
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in headings(path), f"{target}#{anchor}"


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}
