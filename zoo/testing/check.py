"""What a check is, and how it says that a promise is not kept."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.errors import describe
from zoo.registry import Entry, Registry


class NotConforming(AssertionError):
    """A component does not do what its kind promises; the message is one line."""


@dataclass(frozen=True)
class Check:
    """One promise of one component; call it to have it checked."""

    name: str
    function: Callable[[Registry, Entry], None]
    registry: Registry
    entry: Entry

    def __call__(self) -> None:
        """Raises NotConforming where the promise is not kept, whatever the component's own code raises for that."""
        try:
            self.function(self.registry, self.entry)
        except NotConforming:
            raise
        except (Exception, SystemExit) as error:
            raise NotConforming(describe(error)) from error

    def __str__(self) -> str:
        return f"{self.entry.kind} {self.entry.name}: {self.name}"


def expect(condition: bool, message: str) -> None:
    """Raise NotConforming with the message unless the condition holds."""
    if not condition:
        raise NotConforming(message)


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two results are equal but for the rounding of float32."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)
