"""The diagram of several data sets: what it draws is what the tests found."""

import re

import pytest

from zoo.plots import file_bytes
from zoo.versus.diagram import diagram
from zoo.versus.several import over_datasets

NAMES = {"fcn original": 0.9, "tcn": 0.8, "gru $x$": 0.6}


def table(size: int) -> dict[str, dict[str, float]]:
    """Scores of which the first two are alike and the third is lowest on every data set."""
    return {
        f"set{number}": {
            name: share + (0.11 if name == "tcn" and number % 2 else 0) - number / 100 * share
            for name, share in NAMES.items()
        }
        for number in range(size)
    }


def texts(size: int, metric: str = "macro_recall", baseline: str = "") -> str:
    found = over_datasets(table(size), metric, baseline)
    assert found is not None
    svg = file_bytes(diagram(found), ".svg").decode()
    return "\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))


def test_every_pair_is_in_the_matrix_and_ties_have_a_bar() -> None:
    shown = texts(10)
    assert "10 data sets: macro recall" in shown
    assert "bars join those that are tied" in shown
    assert all(name in shown for name in NAMES)
    assert shown.count("10 / 0 / 0") == shown.count("0 / 0 / 10") == 2
    assert shown.count("5 / 0 / 5") == 2
    assert shown == texts(10, baseline="tcn")


def test_too_few_data_sets_are_stated() -> None:
    shown = texts(4)
    assert "not enough data sets for any significant difference" in shown
    assert shown.count("not enough\n") == 6


@pytest.mark.parametrize(("metric", "best"), [("macro_recall", "(3.00) gru $x$"), ("log_loss", "gru $x$ (1.00)")])
def test_the_lowest_rank_is_the_best(metric: str, best: str) -> None:
    assert best in texts(8, metric)
