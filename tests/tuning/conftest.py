"""What tests of studies share: a registry with the faulty plugin, and small requests."""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import pytest
from studies import tune_request

from zoo.registry import Registry, Source, source_of
from zoo.settings import Settings
from zoo.tuning.request import TuneRequest
from zoo.workspace import Workspace


@pytest.fixture(scope="session")
def both() -> Registry:
    """What is installed, and the plugin `faulty` of these tests."""
    installed = [Source(point.name, point.value, point.load) for point in entry_points(group="zoo")]
    return Registry.load([*installed, source_of("faulty", import_module("faulty"))])


@pytest.fixture
def settings() -> Settings:
    return Settings.load()


@pytest.fixture
def workspace(registry: Registry, settings: Settings) -> Workspace:
    return Workspace(registry, settings)


@pytest.fixture
def with_faulty(both: Registry, settings: Settings) -> Workspace:
    return Workspace(both, settings)


@pytest.fixture
def asked(waves_csv: Any) -> Any:
    """A request of a tiny cnngru on 60 of the waves, with what is given over it."""

    def make(**given: Any) -> TuneRequest:
        small = {"hidden": 4, "num_blocks": 1, "gru_hidden": 4, "num_layers": 1}
        usual = {
            "architecture": "cnngru",
            "dataset": str(waves_csv),
            "target": "kind",
            "columns": "t*",
            "rows": 60,
            "epochs": 2,
        }
        chosen = {"assignments": small, "overrides": ("training.learning_rate=1e-3..1e-2:log", "dropout=0.0..0.3")}
        return tune_request(**{**usual, **chosen, "trials": 3, **given})

    return make
