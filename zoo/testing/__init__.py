"""The conformance kit: what every plugin and every component promises, as checks that anyone can run over their own.

In a test file of one's own:

    from zoo.testing import parametrize_with_checks

    @parametrize_with_checks("pulse")
    def test_conformance(check):
        check()

`checks_for(registry, entry)` gives the checks of one component. A check is called without arguments and raises
NotConforming, one line that says what was expected, where the promise is not kept.
"""

from zoo.testing.check import Check, NotConforming, Unexpected
from zoo.testing.collection import checks_for
from zoo.testing.parametrize import parametrize_with_checks

__all__ = ["Check", "NotConforming", "Unexpected", "checks_for", "parametrize_with_checks"]
