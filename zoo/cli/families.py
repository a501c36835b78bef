"""Names with a family before a slash, of which one can have more members than anyone wants to read."""

from collections import Counter
from collections.abc import Iterable

LARGE = 20  # members from which on a family is one line of a plain list


def family_of(name: str) -> str:
    """The word before the slash, without the plugin that stands before it where names clash; "" where there is none."""
    family, slash, _ = name.rpartition(":")[2].partition("/")
    return family if slash else ""


def large_families(names: Iterable[str]) -> dict[str, int]:
    """How many members each family has that is too large for a list."""
    counts = Counter(family for family in map(family_of, names) if family)
    return {family: count for family, count in counts.items() if count > LARGE}


def folded(names: Iterable[str]) -> list[str]:
    """The names in their order, those of a large family as one: `timm/* (1,371)`."""
    names = list(names)
    large = large_families(names)
    return list(
        dict.fromkeys(
            f"{family}/* ({large[family]:,})" if (family := family_of(name)) in large else name for name in names
        )
    )
