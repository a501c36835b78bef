"""What a check is, and how it says that a promise is not kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from zoo.errors import describe

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


class NotConforming(AssertionError):
    """A component does not do what its kind promises; the message is one line."""


class Unexpected(AssertionError):
    """A check that was expected to fail passes; the message is one line."""


@dataclass(frozen=True)
class Check:
    """One promise of a plugin or of one component; call it to have it checked.

    kind      `plugin`, or the kind of the component
    subject   the name of the plugin or of the component
    expected  why it is known to fail; "" where it is to pass
    """

    name: str
    kind: str
    subject: str
    function: Callable[[], None] = field(repr=False)
    expected: str = ""

    def __call__(self) -> None:
        """Raises NotConforming where the promise is not kept, whatever the plugin's own code raises for that.

        A check that tried nothing has not been passed, so that raises it too. Raises Unexpected where it was expected
        not to be kept, and is.
        """
        __tracebackhide__ = True  # pytest then shows the plugin's own code, not the kit's
        before = _tried.count
        try:
            self.function()
        except NotConforming:
            raise
        except (Exception, SystemExit) as error:
            raise NotConforming(describe(error)) from error
        if _tried.count == before:
            raise NotConforming(f"{self.name} tried nothing: this {self.kind} has nothing of that to check")
        if self.expected:
            raise Unexpected(f"it passes: take the expectation away ({self.expected})")

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.name}"


@dataclass
class _Tried:
    count: int = 0


_tried = _Tried()  # what was expected in this process so far


def tried() -> None:
    """Count something as checked that would have raised where the promise is not kept; `expect` does so itself."""
    _tried.count += 1


def expect(condition: bool, message: str) -> None:
    """Raise NotConforming with the message unless the condition holds."""
    __tracebackhide__ = True
    tried()
    if not condition:
        raise NotConforming(message)


def required(value: "T | None", message: str) -> "T":
    """The value. Raises NotConforming with the message where there is none."""
    __tracebackhide__ = True
    expect(value is not None, message)
    assert value is not None
    return value


def close(one: "Tensor", other: "Tensor") -> bool:
    """Whether two results are equal but for the rounding of float32."""
    import torch

    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)
