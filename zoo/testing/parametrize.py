"""The conformance kit in a test suite of pytest's."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zoo.registry import Registry
from zoo.testing.check import NotConforming
from zoo.testing.collection import collect

if TYPE_CHECKING:
    import pytest


def parametrize_with_checks(
    *names: str, expected_failures: Mapping[str, str] | None = None, registry: Registry | None = None
) -> "pytest.MarkDecorator":
    """A decorator that runs a test once for each check of what is named: its argument `check` is to be called.

    A name is a component's, `plugin:name`, or a plugin's, which means all that it provides. `expected_failures` says
    why a check is known to fail: `{"padding": "the mean goes over all samples"}`, or by its full name where only one of
    several components fails it, `{"architecture pulse: padding": "…"}`. One that passes all the same fails the test.
    The registry is that of what is installed unless another is given. Raises UnknownName for a name of nothing.
    """
    import pytest

    checks = collect(registry or Registry.discover(), names, expected_failures)
    return pytest.mark.parametrize("check", [_parameter(check, pytest.param, pytest.mark.xfail) for check in checks])


def _parameter(check: Any, param: Callable[..., Any], xfail: Callable[..., Any]) -> Any:
    marks = [xfail(reason=check.expected, raises=NotConforming, strict=True)] if check.expected else []
    return param(check, id=str(check), marks=marks)
