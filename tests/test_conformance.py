"""Every component that is installed keeps the promises of its kind."""

from collections.abc import Iterator

import pytest

from zoo.registry import DISTRIBUTION, Entry, Registry
from zoo.testing import Check, checks_for

REGISTRY = Registry.discover()


def _entries() -> Iterator[Entry]:
    """All first-party components; of timm's backbones one small model of each of twelve families."""
    from zoo_timm.conformance import CONFORMANCE

    for entry in REGISTRY.entries:
        family, slash, _ = entry.name.partition("/")
        if entry.plugin.distribution == DISTRIBUTION and (not slash or entry.name in CONFORMANCE):
            assert not slash or family == "timm"
            yield entry


@pytest.mark.parametrize("check", [each for entry in _entries() for each in checks_for(REGISTRY, entry)], ids=str)
def test_conformance(check: Check) -> None:
    check()
