"""Families of names, such as `timm/…`. A large family is one line in lists."""

from collections import Counter
from collections.abc import Iterable

LARGE = 20  # a family with more members than this is one line in a plain list


def family_of(name: str) -> str:
    """Return the word before the slash, without a plugin prefix such as `plugin:`; "" for a name without a slash."""
    family, slash, _ = name.rpartition(":")[2].partition("/")
    return family if slash else ""


def large_families(names: Iterable[str]) -> dict[str, int]:
    """Return the number of members of each family that is too large for a list."""
    counts = Counter(family for family in map(family_of, names) if family)
    return {family: count for family, count in counts.items() if count > LARGE}


def folded(names: Iterable[str]) -> list[str]:
    """Return the names in order, with one entry for each large family: `timm/* (1,371)`."""
    names = list(names)
    large = large_families(names)
    return list(
        dict.fromkeys(
            f"{family}/* ({large[family]:,})" if (family := family_of(name)) in large else name for name in names
        )
    )
