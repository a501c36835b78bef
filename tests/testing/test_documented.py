"""docs/checks.md has a row for each check, under the heading of what it is of, and no others."""

import re
from pathlib import Path

import pytest

from zoo.testing import common, plugins
from zoo.testing.kinds import KITS

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
HEADINGS = {"architecture": "an architecture", "dataset": "a data set", "objective": "an objective"}
OF = {HEADINGS.get(kind, f"a {kind}"): {check.__name__ for check in kit.CHECKS} for kind, kit in KITS.items()}
MORE = (plugins.representatives, plugins.parity, plugins.references)  # of the plugins that have what they check
OF["every plugin"] = {check.__name__ for check in (*plugins.CHECKS, *MORE)}
OF["every component"] = {check.__name__ for check in (*common.FIRST, *common.LAST)} | {"expectations"}


@pytest.mark.parametrize("heading", OF)
def test_every_check_is_documented(heading: str) -> None:
    if not PAGE.is_file():
        pytest.skip("no docs beside the tests: not run from a checkout")
    text = PAGE.read_text()
    sections = dict(re.findall(r"^## Checks of ([a-z ]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(re.findall(r"^\| `(\w+)` \|", sections[heading], re.MULTILINE)) == OF[heading]
    assert set(sections) == set(OF)
