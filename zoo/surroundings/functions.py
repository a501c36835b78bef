"""The functions of torch, NumPy, Python and the zoo: code that replaces one of them changes every later run."""

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from zoo.surroundings.parts import Change

MODULES = (
    "builtins",
    "math",
    "random",
    "time",
    "numpy",
    "numpy.linalg",
    "numpy.random",
    "torch",
    "torch.autograd",
    "torch.fft",
    "torch.linalg",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.special",
)
CLASSES = ("torch._tensor", "torch.nn.", "torch.optim.", "zoo.")  # those in C cannot be changed
METHODS = (staticmethod, classmethod, property)
HOOKS = ("torch.nn.modules.module", "torch.optim.optimizer")

Place = ModuleType | type
Names = dict[str, Any]
_contents: dict[Place, Names] = {}


class Functions:
    """The functions of modules, and the methods of their classes, by identity. New functions of a module are no change.

    A state is a list of the modules and classes, each with its content.
    """

    def read(self) -> list[tuple[Place, Names]]:
        return [(place, _content(place)) for place in _places(len(sys.modules))]

    def changes(self, before: list[tuple[Place, Names]]) -> list[Change]:
        names = (f"{_name(place)}.{name}" for place, name, _ in _replaced(before))
        return [Change(name) for name in dict.fromkeys(names)]

    def restore(self, before: list[tuple[Place, Names]]) -> None:
        for place, name, value in list(_replaced(before)):
            if value is None:
                delattr(place, name)
            else:
                setattr(place, name, value)


class Hooks:
    """The hooks of torch that are called for every module and every optimiser."""

    def read(self) -> dict[tuple[str, str], dict[Any, Any]]:
        found = ((module, sys.modules[module]) for module in HOOKS if module in sys.modules)
        return {
            (name, each): dict(value)
            for name, module in found
            for each, value in vars(module).items()
            if each.startswith("_global_") and isinstance(value, dict)
        }

    def changes(self, before: dict[tuple[str, str], dict[Any, Any]]) -> list[Change]:
        return [] if before == self.read() else [Change("torch's hooks of all modules")]

    def restore(self, before: dict[tuple[str, str], dict[Any, Any]]) -> None:
        for (module, name), value in before.items():
            hooks = getattr(sys.modules[module], name)
            hooks.clear()
            hooks.update(value)


@lru_cache(maxsize=1)
def _places(modules: int) -> tuple[Place, ...]:
    """Return the modules and the classes of the libraries in them; `modules` is the number of imported modules."""
    names = [*MODULES, *(name for name in sys.modules if name == "zoo" or name.startswith("zoo."))]
    found: dict[Place, None] = {}
    for module in [sys.modules[name] for name in names if name in sys.modules]:
        found[module] = None
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__.startswith(CLASSES):
                found.update(dict.fromkeys(each for each in value.__mro__ if each.__module__.startswith("torch")))
                found[value] = None
    return tuple(found)


def _content(place: Place) -> Names:
    """Return a copy of the content; the last copy, if it still holds, since comparing is faster than copying."""
    known = _contents.get(place)
    if known is None or not _same(vars(place), known):
        known = _contents[place] = dict(vars(place))
    return known


def _replaced(before: list[tuple[Place, Names]]) -> Iterator[tuple[Place, str, Any]]:
    """Yield each function that is another one now, with its module or class, its name and the earlier function.

    The earlier function is None for a method that a class had inherited.
    """
    for place, names in before:
        now = vars(place)
        if _same(now, names):
            continue
        for name, value in names.items():
            if now.get(name) is not value and _is_function(value) and not _is_own(name, now.get(name), value):
                yield place, name, value
        if isinstance(place, type):
            for name in now.keys() - names.keys():
                if _is_function(now[name]) and any(name in vars(base) for base in place.__mro__[1:]):
                    yield place, name, None


def _same(now: Mapping[str, Any], before: Names) -> bool:
    """Whether all values are the same objects, or equal; faster than a loop."""
    try:
        return bool(now == before)
    except Exception:  # values that cannot be compared, such as arrays
        return False


def _is_function(value: Any) -> bool:
    return callable(value) or isinstance(value, METHODS)


def _is_own(name: str, now: Any, value: Any) -> bool:
    """Whether torch itself replaced a function: its compiler wraps some, and the default dtype sets `Storage`."""
    wrapped = (getattr(now, "__wrapped__", None), getattr(now, "_torchdynamo_orig_callable", None))
    home = getattr(now, "__globals__", {}).get("__name__", "")
    return name == "Storage" or (any(each is value for each in wrapped) and home.startswith("torch."))


def _name(place: Place) -> str:
    return place.__name__ if isinstance(place, ModuleType) else f"{place.__module__}.{place.__qualname__}"
