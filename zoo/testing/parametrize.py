"""The conformance kit in pytest."""

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
    """Parametrize a test with all checks of the named components: the test calls its argument `check`.

    A name is a component, `plugin:name`, or a plugin, which means all its components. `expected_failures` maps a check
    to the reason of its failure: `{"padding": "the mean includes the padding"}`. If only one of several components
    fails the check, use the full name: `{"architecture pulse: padding": "…"}`. If an expected failure passes, the test
    fails. The default registry holds all installed plugins. Raises UnknownName for an unknown name.
    """
    import pytest

    checks = collect(registry or Registry.discover(), names, expected_failures)
    return pytest.mark.parametrize("check", [_parameter(check, pytest.param, pytest.mark.xfail) for check in checks])


def _parameter(check: Any, param: Callable[..., Any], xfail: Callable[..., Any]) -> Any:
    marks = [xfail(reason=check.expected, raises=NotConforming, strict=True)] if check.expected else []
    return param(check, id=str(check), marks=marks)
