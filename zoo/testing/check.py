"""A check, and the errors for a broken promise."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from zoo.errors import describe

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


class NotConforming(AssertionError):
    """A plugin or a component breaks a promise of its kind; the message is one line."""


class Unexpected(AssertionError):
    """An expected failure did not occur; the message is one line."""


@dataclass(frozen=True)
class Check:
    """One promise of a plugin or of a component; call it to check the promise.

    kind      `plugin`, or the kind of the component
    subject   the name of the plugin or of the component
    expected  the reason for an expected failure; "" if the check should pass
    """

    name: str
    kind: str
    subject: str
    function: Callable[[], None] = field(repr=False)
    expected: str = ""

    def __call__(self) -> None:
        """Raise NotConforming if the promise is broken; errors in the plugin's code are converted to it.

        Also raises it if the check found nothing to check. Raises Unexpected if an expected failure does not occur.
        """
        __tracebackhide__ = True  # pytest then shows the plugin's own code, not the kit's
        from zoo.harness.containment import contained  # imports torch: the kit itself checks that imports are cheap

        before = _tried.count
        try:
            with contained():
                self.function()
        except NotConforming:
            raise
        except (Exception, SystemExit) as error:
            raise NotConforming(describe(error)) from error
        if _tried.count == before:
            raise NotConforming(f"{self.name} found nothing to check in this {self.kind}")
        if self.expected:
            raise Unexpected(f"it passes: remove the expected failure ({self.expected})")

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.name}"


def pickled_copy(value: T) -> T:
    """Return a copy made by pickle. Raises NotConforming if that fails; Python's own message names no pickle."""
    try:
        copied: T = pickle.loads(pickle.dumps(value))
    except Exception as error:
        raise NotConforming(f"it cannot be pickled: {describe(error)}") from error
    return copied


@dataclass
class _Tried:
    count: int = 0


_tried = _Tried()  # the number of expectations checked in this process


def tried() -> None:
    """Count an expectation that raises by itself if it is not met; `expect` counts its own."""
    _tried.count += 1


def expect(condition: bool, message: str) -> None:
    """Raise NotConforming with the message unless the condition holds."""
    __tracebackhide__ = True
    tried()
    if not condition:
        raise NotConforming(message)


def required(value: "T | None", message: str) -> "T":
    """Return the value. Raises NotConforming with the message if it is None."""
    __tracebackhide__ = True
    expect(value is not None, message)
    assert value is not None
    return value


def mode_text(training: bool) -> str:
    """`in training mode`, or `in eval mode`."""
    return f"in {'training' if training else 'eval'} mode"


def close(one: "Tensor", other: "Tensor") -> bool:
    """Whether two results are equal within the rounding of float32."""
    import torch

    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)
