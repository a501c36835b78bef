"""How much room a table needs."""

from zoo.cli.views.table import Column, fits

COLUMNS = (Column("class", "name"), Column("test rows", "rows", numeric=True))


def test_signs_that_are_two_cells_wide_count_for_two() -> None:
    room = len("abcdef") + len("test rows") + 2
    assert fits(COLUMNS, [{"name": "abcdef", "rows": 3}], room)
    assert not fits(COLUMNS, [{"name": "心室期外収縮", "rows": 3}], room)
    assert fits(COLUMNS, [{"name": "心室期", "rows": 3}], room)
