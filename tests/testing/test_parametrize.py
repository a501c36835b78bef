"""The decorator by which a third party's tests run the kit, in a run of pytest's own."""

import pytest

from zoo.errors import UnknownName, UsageError
from zoo.registry import Registry
from zoo.testing import parametrize_with_checks

pytest_plugins = ["pytester"]
NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels, n_classes)
        self.spare = nn.Linear(1, 1)

    def forward(self, x):
        return self.head(x.mean(-1))
"""
PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    known = {"learns": "a mean knows no waves"}
    yield zoo.Architecture(name="mean", factory="their_net:Net", summary="A mean.", expected_failures=known)
"""
TESTS = """
import their_plugin
from zoo.registry import Registry, source_of
from zoo.testing import parametrize_with_checks

REGISTRY = Registry.load([source_of("theirs", their_plugin)])
KNOWN = {"architecture mean: gradients": "it has a spare layer", "writes": "who knows"}

@parametrize_with_checks("mean", expected_failures=KNOWN, registry=REGISTRY)
def test_conformance(check):
    check()
"""


def test_a_third_partys_tests_have_one_test_for_each_check(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(their_plugin=PLUGIN, their_net=NET, test_theirs=TESTS)
    pytester.syspathinsert()
    done = pytester.runpytest_inprocess("-v", "-rxf", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=20, xfailed=2, failed=1)
    done.stdout.fnmatch_lines(["*test_conformance[[]architecture mean: shapes[]] PASSED*"])
    done.stdout.fnmatch_lines(["E * it passes: remove the expected failure (who knows)"])
    done.stdout.fnmatch_lines(["XFAIL *[[]architecture mean: gradients[]] - it has a spare layer"])
    done.stdout.fnmatch_lines(["XFAIL *[[]architecture mean: learns[]] - a mean knows no waves"])
    assert "testing/check.py" not in done.stdout.str(), "the kit's own frames are hidden"


def test_a_plugins_name_stands_for_all_that_it_provides(registry: Registry) -> None:
    found = parametrize_with_checks("fcn", registry=registry).mark.args[1]
    ids = [each.id for each in found]
    assert {"plugin fcn: loads", "architecture fcn: shapes", "architecture resnet1d: shapes"} <= set(ids)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("failures", "error", "words"),
    [
        ({"paddings": "why"}, UnknownName, r"^no check named 'paddings'\. Did you mean .*padding"),
        ({"padding": " "}, UsageError, r"^the expected failure of check 'padding' needs a reason$"),
        ({"block cbam: padding": "why"}, UnknownName, r"^no check named 'block cbam: padding'"),
    ],
)
def test_an_expectation_of_nothing_or_without_a_reason_is_an_error(
    registry: Registry, failures: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        parametrize_with_checks("blocks:se", expected_failures=failures, registry=registry)


def test_a_name_of_nothing_is_an_error(registry: Registry) -> None:
    with pytest.raises(UnknownName, match=r"^no component or plugin named 'cnngur'\. Did you mean cnngru\?$"):
        parametrize_with_checks("cnngur", registry=registry)
