"""Headings of columns that have the names of classes: no two columns of a table have the same one."""

from collections.abc import Collection


def class_heading(name: str, *, endings: tuple[str, ...] = (), reserved: Collection[str] = ()) -> str:
    """Return the name of a class as a heading, in brackets if it could be mistaken for another column.

    `endings` are those of the further columns of each class, such as `_low`; `reserved` are the names of other columns.
    The heading does not depend on the other classes.
    """
    if not name.isprintable():
        return f"({name!r})"
    mistakable = name in reserved or name.endswith(endings) or name.startswith("(")
    return f"({name})" if mistakable else name
