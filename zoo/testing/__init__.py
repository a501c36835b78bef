"""The conformance kit: the promises of every plugin and every component, as checks for your own plugins.

In your test file:

    from zoo.testing import parametrize_with_checks

    @parametrize_with_checks("pulse")
    def test_conformance(check):
        check()

`checks_for(registry, entry)` yields the checks of one component. A check takes no arguments. If the component does not
keep the promise, the check raises NotConforming with a message of one line. Importing this module is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.testing.check import Check, NotConforming, Unexpected
    from zoo.testing.collection import checks_for
    from zoo.testing.parametrize import parametrize_with_checks
    from zoo.testing.parity import Case, read_parity

__all__ = ["Case", "Check", "NotConforming", "Unexpected", "checks_for", "parametrize_with_checks", "read_parity"]

_HOMES = {
    "Case": "parity",
    "checks_for": "collection",
    "parametrize_with_checks": "parametrize",
    "read_parity": "parity",
}


def __getattr__(name: str) -> Any:
    """Import public names at their first use, because the kit itself checks that imports are cheap."""
    if name in __all__:
        return getattr(import_module(f"zoo.testing.{_HOMES.get(name, 'check')}"), name)
    raise AttributeError(f"module 'zoo.testing' has no attribute {name!r}")
