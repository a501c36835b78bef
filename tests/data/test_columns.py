"""Which column of a table a user means."""

from pathlib import Path

import pytest

from zoo.data.columns import checked_names, column_name
from zoo.errors import DataError

TABLE = Path("beats.csv")
NAMES = ("a", "b", "-1", "d")


@pytest.mark.parametrize(("asked", "found"), [("b", "b"), ("-1", "-1"), ("-2", "-1"), ("-4", "a")])
def test_a_column_is_asked_for_by_its_name_or_else_its_place_from_the_end(asked: str, found: str) -> None:
    assert column_name(TABLE, NAMES, asked) == found


@pytest.mark.parametrize("asked", ["-0", "-5", "-", "-x", "12", "x2", "", "1", "-1.0"])
def test_other_words_name_no_column(asked: str) -> None:
    with pytest.raises(DataError, match=r"^beats\.csv: no column named ") as caught:
        column_name(TABLE, NAMES, asked)
    assert repr(asked) in str(caught.value)


def test_each_column_has_a_name_of_its_own() -> None:
    assert checked_names(TABLE, ["a", "b", "c"]) == ("a", "b", "c")
    with pytest.raises(DataError, match=r"beats\.csv: column 2 of 3 has no name; name it, or remove it"):
        checked_names(TABLE, ["a", "", ""])
    with pytest.raises(DataError, match=r"beats\.csv: 2 column names are repeated, 'c' first; rename them"):
        checked_names(TABLE, ["c", "a", "b", "a", "c", "c"])
