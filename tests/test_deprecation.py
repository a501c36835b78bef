"""A public name that was renamed works for one minor release, and says what to use instead."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import zoo
import zoo.store.run
from zoo.deprecation import DEPRECATED, MOVED, Deprecated, deprecated
from zoo.harness.reporter import SilentReporter

RENAMED = {"fetch": Deprecated("zoo.api:load", instead="zoo.load", since="0.2.0")}


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with an old name, as `zoo` is one."""
    made = ModuleType("old_zoo")
    made.__getattr__ = lambda name: deprecated("old_zoo", name, RENAMED)
    monkeypatch.setitem(sys.modules, "old_zoo", made)
    return made


def test_an_old_name_still_works_and_warns_where_it_was_used(module: ModuleType) -> None:
    with pytest.warns(DeprecationWarning, match=r"^old_zoo\.fetch is deprecated since 0\.2\.0: use zoo\.load$") as said:
        assert module.fetch is zoo.load
    assert [warning.filename for warning in said] == [__file__]


def test_an_old_name_can_be_imported_from_its_module(module: ModuleType) -> None:
    with pytest.warns(DeprecationWarning, match="use zoo.load") as said:
        from old_zoo import fetch
    assert fetch is zoo.load
    assert {warning.filename for warning in said} == {__file__}


def test_a_name_that_never_was_is_an_ordinary_error(module: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'old_zoo' has no attribute 'ftech'"):
        module.ftech  # noqa: B018 - the asking is what is tested
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'ftech'"):
        zoo.ftech  # noqa: B018


def test_an_old_name_of_the_zoo_itself_still_works_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEPRECATED, "fetch", RENAMED["fetch"])  # the table may be empty
    with pytest.warns(DeprecationWarning, match=r"^zoo\.fetch is deprecated since 0\.2\.0: use zoo\.load$") as said:
        assert zoo.fetch is zoo.load
    assert [warning.filename for warning in said] == [__file__]


def test_a_deprecated_name_is_public_no_more_and_leads_somewhere() -> None:
    assert not set(DEPRECATED) & set(zoo.__all__)
    for name, entry in DEPRECATED.items():
        with pytest.warns(DeprecationWarning, match=entry.since):
            assert getattr(zoo, name) is not None


def test_run_can_still_be_imported_from_its_former_place() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"^zoo\.results\.run\.Run is deprecated since 0\.1\.0: use zoo\.store\.run\.Run$"
    ):
        from zoo.results.run import Run
    assert Run is zoo.store.run.Run
    with pytest.raises(ImportError, match="cannot import name 'Rum'"):
        from zoo.results.run import Rum  # noqa: F401


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in MOVED.items() for name in names])
def test_every_name_that_moved_leads_somewhere(module: str, name: str) -> None:
    with pytest.warns(DeprecationWarning, match=MOVED[module][name].instead):
        assert getattr(import_module(module), name) is not None


def test_a_bench_takes_its_reporter_by_the_former_name_too(waves_csv: Path) -> None:
    class Phases(SilentReporter):
        def on_phase(self, phase: str) -> None:
            seen.append(phase)

    seen: list[str] = []
    small = {"hidden": 4, "num_blocks": 1, "gru_hidden": 4}
    data = {"dataset": str(waves_csv), "target": "kind", "group": "patient"}
    with pytest.warns(DeprecationWarning, match=r"^zoo\.bench\(watch=…\) is deprecated since 0\.1\.0: use reporter=…$"):
        zoo.bench("cnngru", epochs=1, threads=1, set=small, watch=Phases(), **data)
    assert "planning" in seen
