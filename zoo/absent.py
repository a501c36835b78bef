"""Libraries that a plugin needs and that are not installed, with the command that installs them."""

import re
from collections import Counter
from importlib.metadata import entry_points

from zoo.errors import MissingLibrary
from zoo.specs import GROUP

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def absent_library(error: BaseException | None, module: str) -> str:
    """Return the library whose absence an import of `module` failed for; "" if it failed for another reason."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    library, own = error.name.partition(".")[0], module.partition(".")[0]
    return "" if library == own else library


def missing(library: str, factory: str) -> MissingLibrary:
    """Return the error for a library that a plugin's factory needs; it has the command that installs it."""
    requirement = _requirement(library, factory.partition(":")[0].partition(".")[0])
    hint = f": pip install {requirement}" if requirement else ""
    return MissingLibrary(f"factory {factory!r} needs the library {library!r}, which is not installed{hint}")


def _requirement(library: str, package: str) -> str:
    """Return what to install: the plugin's distribution with the smallest extra that brings the library, or that."""
    for point in entry_points(group=GROUP):
        if point.module.partition(".")[0] != package or point.dist is None:
            continue
        lines = [(name[0], _EXTRA.search(line)) for line in point.dist.requires or () if (name := _NAME.match(line))]
        wanted = [(name, extra[1] if extra else "") for name, extra in lines if _plain(name) == _plain(library)]
        if wanted:
            sizes = Counter(extra[1] if extra else "" for _, extra in lines)
            requirement, brought_by = min(wanted, key=lambda each: (each[1] != "", sizes[each[1]]))
            return f"'{point.dist.name}[{brought_by}]'" if brought_by else requirement
    return ""


def _plain(name: str) -> str:
    """Return the name of a distribution in its normalised form."""
    return re.sub(r"[-_.]+", "-", name).lower()
