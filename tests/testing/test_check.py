"""What the conformance kit says of components that break their promises."""

import sys
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from zoo import Architecture, Objective, Preset, Resampler, hookimpl
from zoo.registry import Plugin, Registry, source_of
from zoo.testing import Check, NotConforming, Unexpected, checks_for
from zoo.testing.check import close, expect
from zoo.testing.collection import Subject
from zoo.testing.running import CheckStatus, Outcome, Report


class Offset(nn.Module):
    """What it learns by `fit` is where no state dict finds it."""

    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_channels * n_times, n_classes)
        self.offset = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.flatten(1)) + self.offset

    def fit(self, batches, *, generator: torch.Generator) -> None:
        self.offset = float(torch.stack([batch.values.std() for batch in batches]).mean())


def no_loss(*, class_counts: torch.Tensor) -> None:
    raise ValueError("two\nlines")


def keep(*, random_state: int) -> None:
    """Leaves the rows as they are."""


PRESETS = {"mine": Preset(data="keep", data_params={"neighbours": 3})}


@hookimpl
def zoo_components() -> Iterator[Architecture | Objective | Resampler]:
    yield Architecture(name="offset", factory=f"{__name__}:Offset", summary="Forgets.", presets=PRESETS)
    yield Resampler(name="keep", factory=f"{__name__}:keep", summary="Has no parameters.")
    yield Objective(name="no-loss", factory=f"{__name__}:no_loss", summary="Raises.")


@pytest.fixture
def said() -> dict[str, str]:
    """What each broken promise is told by."""
    registry = Registry.load([source_of("broken", sys.modules[__name__])])
    messages = {}
    for entry in registry.entries:
        for check in checks_for(registry, entry):
            try:
                check()
            except NotConforming as broken:
                messages[str(check)] = str(broken)
    return messages


def test_what_a_fit_learns_has_to_be_in_the_state_dict(said: dict[str, str]) -> None:
    assert said["architecture offset: weights"] == "the state dict is incomplete: the logits depend on other state"


def test_a_presets_parameters_are_those_of_its_resampler(said: dict[str, str]) -> None:
    assert said["architecture offset: keys"].startswith("preset mine: no parameter of keep named 'neighbours'.")


def test_whatever_a_component_raises_is_one_line(said: dict[str, str]) -> None:
    assert said["objective no-loss: scalar"] == "ValueError: two lines"


def checked_by(*expected: bool, known: str = "") -> Check:
    def function() -> None:
        for each in expected:
            expect(each, "it is not so")

    return Check("shapes", "block", "gain", function, known)


def test_a_check_that_tried_nothing_has_not_been_passed() -> None:
    checked_by(True)()
    with pytest.raises(NotConforming, match=r"^shapes found nothing to check in this block$"):
        checked_by()()


def test_what_one_check_tried_does_not_count_for_the_next() -> None:
    checked_by(True, True)()
    with pytest.raises(NotConforming, match="found nothing to check"):
        checked_by()()


def test_a_check_that_tried_nothing_does_not_pass_against_its_expectation() -> None:
    with pytest.raises(NotConforming, match="found nothing to check"):
        checked_by(known="who knows")()
    with pytest.raises(Unexpected, match=r"^it passes: remove the expected failure \(who knows\)$"):
        checked_by(True, known="who knows")()


def test_a_promise_that_is_not_kept_is_said_though_others_are() -> None:
    with pytest.raises(NotConforming, match=r"^it is not so$"):
        checked_by(True, False)()


def test_results_are_close_where_they_differ_by_the_rounding_of_float32() -> None:
    one = torch.tensor([1000.0, 0.0])
    assert close(one, torch.tensor([1000.09, 9e-6]))
    assert not close(one, torch.tensor([1000.2, 0.0]))
    assert not close(one, torch.tensor([1000.0, 2e-5]))


def test_a_report_knows_of_failures_and_of_those_that_were_expected() -> None:
    def knows(*statuses: CheckStatus) -> tuple[bool, bool]:
        outcomes = tuple(Outcome(checked_by(True), status, "", 0.0, "") for status in statuses)
        report = Report(Subject("block", "gain", Plugin("waves", "waves"), None, ()), outcomes, None, 0.0, 0.0)
        return report.failed, report.expected

    passed, failed, expected = CheckStatus
    assert knows() == knows(passed, passed) == (False, False)
    assert knows(passed, failed) == (True, False)
    assert knows(expected, passed) == (False, True)
    assert knows(expected, failed) == (True, True)
