"""The decorator by which a third party's tests run the kit, in a pytest of its own."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
TESTS = """
from zoo.registry import Registry, Source
from zoo.testing import parametrize_with_checks
import theirs

REGISTRY = Registry.load([Source("theirs", "theirs", lambda: theirs)])

@parametrize_with_checks({arguments}, registry=REGISTRY)
def test_conformance(check):
    check()
"""
