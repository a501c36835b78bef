"""The conformance kit: what every plugin and every component promises, as checks that anyone can run over their own.

In a test file of one's own:

    from zoo.testing import parametrize_with_checks

    @parametrize_with_checks("pulse")
    def test_conformance(check):
        check()

`checks_for(registry, entry)` gives the checks of one component. A check is called without arguments and raises
NotConforming, one line that says what was expected, where the promise is not kept. Importing this is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.testing.check import Check, NotConforming, Unexpected
    from zoo.testing.collection import checks_for
    from zoo.testing.parametrize import parametrize_with_checks

__all__ = ["Check", "NotConforming", "Unexpected", "checks_for", "parametrize_with_checks"]

_HOMES = {"checks_for": "collection", "parametrize_with_checks": "parametrize"}


def __getattr__(name: str) -> Any:
    """The public names, imported when one is first used: a part of the kit watches imports that are to be light."""
    if name in __all__:
        return getattr(import_module(f"zoo.testing.{_HOMES.get(name, 'check')}"), name)
    raise AttributeError(f"module 'zoo.testing' has no attribute {name!r}")
