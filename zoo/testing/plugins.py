"""What every plugin promises, whatever it provides."""

from zoo.registry import Plugin, Registry
from zoo.testing.check import expect


def loads(registry: Registry, plugin: Plugin) -> None:
    """Its entry point can be imported, and its hooks give valid specs."""
    expect(not plugin.error, plugin.error)


CHECKS = (loads,)
