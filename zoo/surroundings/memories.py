"""What a network keeps in its module or its class while it is trained: it is not stored with the weights."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

Place = ModuleType | type
Values = dict[str, tuple[Any, Any]]  # each value by its name, with its content
LIBRARIES = frozenset({"numpy", "torch", "zoo"})


@contextlib.contextmanager
def without_memories(packages: Iterable[str]) -> Iterator[None]:
    """At the end, restore the tensors, arrays and networks that modules of these packages, and their classes, hold.

    They may be in lists, dicts and sets. What a run keeps there is not found by the next run, nor by the network that
    is rebuilt from the stored weights of this one.
    """
    before = [(place, _values(place)) for place in _places(packages)]
    try:
        yield
    finally:
        for place, values in before:
            with contextlib.suppress(Exception):  # a place that refuses, such as a class with a strict metaclass
                _restore(place, values)


def _places(packages: Iterable[str]) -> list[Place]:
    """Return the imported modules of the packages, and the classes that are defined in them."""
    roots = set(packages) - LIBRARIES
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in roots]
    inside = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [*modules, *(each for each in inside if each.__module__.partition(".")[0] in roots)]


def _values(place: Place) -> Values:
    return {name: (value, _content(value)) for name, value in vars(place).items()}


def _restore(place: Place, before: Values) -> None:
    for name, value in list(vars(place).items()):
        if name not in before:
            if _holds_numbers(value):
                delattr(place, name)
        elif value is not before[name][0] and _holds_numbers(value):
            setattr(place, name, before[name][0])
    for value, content in before.values():
        if content is not None:
            _refill(value, content)


def _content(value: Any) -> Any:
    """Return a copy of the content of a container, a tensor or an array; None for any other value."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    return value.copy() if type(value) in (dict, list, set) or isinstance(value, np.ndarray) else None


def _refill(value: Any, content: Any) -> None:
    """Return a value to its earlier content, if it holds numbers now."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        with torch.no_grad():
            value.copy_(content)
    elif isinstance(value, np.ndarray):
        if value.flags.writeable:
            value[...] = content
    elif _holds_numbers(value):
        value.clear()
        value.extend(content) if isinstance(value, list) else value.update(content)


def _holds_numbers(value: Any, depth: int = 3) -> bool:
    """Whether a value is a tensor, an array or a network, or a container with one."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor | np.ndarray | torch.nn.Module):
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
    return depth > 0 and any(_holds_numbers(part, depth - 1) for part in parts)
