"""Filters of stored runs."""

from typing import Any

import pytest

from zoo.errors import UnknownName, UsageError
from zoo.store.run import Run, RunStatus
from zoo.store.selection import Selection


def run_of(**more: Any) -> Run:
    names = {"architecture": "cnngru", "preset": "study", "block": "se", "dataset": "waves.csv", "data": "smote"}
    times = {"created": "2026-03-01T23:30:00+00:00", "status": RunStatus.DONE}
    return Run(**{"id": "1a2b3c4d", "key": "k", "protocol": "holdout", "loss": "", "seed": 0, **names, **times, **more})


@pytest.mark.parametrize(
    ("filters", "picked"),
    [
        ({}, True),
        ({"status": "done"}, True),
        ({"status": "failed,done"}, True),
        ({"status": "failed"}, False),
        ({"architecture": "cnn*"}, True),
        ({"architecture": "cnngru.study"}, True),
        ({"architecture": "fcn"}, False),
        ({"dataset": "*.csv", "block": "se", "data": "smote"}, True),
        ({"dataset": "*.csv", "block": "none"}, False),
        ({"data": "smot"}, False),
        ({"since": "2026-03-01"}, True),
        ({"since": "2026-03-02"}, False),
        ({"until": "2026-03-01"}, True),
        ({"until": "2026-02-28"}, False),
        ({"since": "2026-03-01T23:30", "until": "2026-03-01T23:30"}, True),
        ({"since": "2026-03-01T23:31"}, False),
        ({"until": "2026-03-02T00:30+02:00"}, False),
        ({"since": "2026-03-02T00:30+02:00", "status": "done"}, True),
        ({"until": "9999-01-01"}, True),
    ],
)
def test_a_run_passes_all_filters_or_is_left_out(filters: dict[str, str], picked: bool) -> None:
    selection = Selection.of(**filters)
    assert selection.picks(run_of()) == picked
    assert bool(selection) == bool(filters)


def test_simulated_rows_are_picked_by_both_names() -> None:
    run = run_of(synthetic=True)
    picked = [Selection.of(dataset=name).picks(run) for name in ("waves.csv", "waves.csv (synthetic)", "waves")]
    assert picked == [True, True, False]


@pytest.mark.parametrize("created", ["", "yesterday"])
def test_a_run_of_an_unknown_date_passes_no_date(created: str) -> None:
    run = run_of(created=created)
    assert Selection.of(status="done").picks(run)
    assert not Selection.of(since="2000-01-01").picks(run)
    assert not Selection.of(until="3000-01-01").picks(run)


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        ({"status": "faild"}, UnknownName, "no status named 'faild'. Did you mean failed?"),
        ({"status": ""}, UnknownName, "no status named ''"),
        ({"since": "yesterday"}, UsageError, "--since must be a date such as 2026-01-31 or 2026-01-31T14:00, not"),
        ({"until": "2026-13-01"}, UsageError, "--until must be a date"),
        ({"until": "9999-12-31"}, UsageError, "--until must be a date"),
    ],
)  # fmt: skip
def test_a_filter_that_is_none_is_one_line(filters: dict[str, str], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        Selection.of(**filters)
    assert str(raised.value).startswith(message)


def test_a_name_with_the_signs_of_a_pattern_picks_itself() -> None:
    run = run_of(dataset="waves[1].csv")
    names = ("waves[1].csv", "waves[[]1].csv", "waves*", "waves1.csv")
    assert [Selection.of(dataset=name).picks(run) for name in names] == [True, True, True, False]
