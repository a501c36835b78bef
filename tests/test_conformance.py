"""Every plugin and component that comes with the zoo keeps its promises; of timm's, one of each of twelve families."""

from zoo.registry import DISTRIBUTION, Registry
from zoo.testing import Check, parametrize_with_checks

REGISTRY = Registry.discover()
OWN = [plugin.name for plugin in REGISTRY.plugins if plugin.distribution == DISTRIBUTION]


def test_the_plugins_that_come_with_the_zoo_are_found() -> None:
    assert {"blocks", "cnngru", "heartbeats", "imbalance", "timm"} <= set(OWN), "of none there would be no check"


@parametrize_with_checks(*OWN, registry=REGISTRY)
def test_conformance(check: Check) -> None:
    check()
