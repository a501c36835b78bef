"""A comparison on Ray: its studies share workers and data, and go on where they were broken off."""

from typing import Any

import pytest

from zoo.errors import UsageError
from zoo.results.store import Store
from zoo.tune.compare import resume_comparison, run_comparison
from zoo.tune.records import Study
from zoo.tune.store import StudyStore
from zoo.tune.study import Anew
from zoo.tune.watch import SilentTune


class Stopping(SilentTune):
    """Interrupts at the second study's first trial; keeps the names of the studies that began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.phases: list[str] = []

    def on_phase(self, text: str) -> None:
        self.phases.append(text)

    def on_study(self, study: Study) -> None:
        self.begun.append(study.name)

    def on_trials(self, study: Study, seconds_left: float | None) -> None:
        if len(self.begun) == 2 and study.trials:
            raise KeyboardInterrupt


def test_a_comparison_goes_on_to_a_study_for_each_searcher_and_seed(registry, settings, asked, tmp_path) -> None:
    request = asked(trials=2, epochs=1, name="both", seed=7)
    with Store(tmp_path / "results") as store:
        watch, studies = Stopping(), StudyStore(store)
        with pytest.raises(KeyboardInterrupt):
            run_comparison(registry, settings, request, ("optuna", "random"), (7,), store, watch)
        first, second = studies.studies()
        assert (first.status, second.status) == ("done", "interrupted")
        assert watch.phases.count(f"loading {request.dataset}") == 2, "the data of a seed once, and once for the winner"
        resume_comparison(registry, settings, "both", store, SilentTune(), Anew())
        whole = studies.studies()
        assert [(study.name, study.searcher, study.status) for study in whole] == [
            ("both.optuna.7", "optuna", "done"),
            ("both.random.7", "random", "done"),
        ]
        assert whole[0].trials == first.trials
        assert {study.comparison for study in whole} == {"both"}
        assert len({study.run for study in whole} | {study.defaults for study in whole}) == 3
        defaults = store.get(whole[0].defaults)
        assert (defaults.status, defaults.seed, whole[1].defaults) == ("done", 7, defaults.id)
        assert defaults.config["training"]["learning_rate"] == settings.default("training", "learning_rate")
        runs = len(store.runs())
        resume_comparison(registry, settings, "both", store, SilentTune(), Anew())  # there is nothing left to do
        assert (studies.studies(), len(store.runs())) == (whole, runs)
        with pytest.raises(UsageError, match="there is a study 'both'"):
            run_comparison(registry, settings, request, ("random",), (0,), store, watch)


@pytest.mark.parametrize("searchers", [(), ("random", "random")])
def test_what_cannot_be_compared_is_said_at_once(registry, settings, asked, tmp_path, searchers: Any) -> None:
    with Store(tmp_path / "results") as store, pytest.raises(UsageError, match="each once"):
        run_comparison(registry, settings, asked(), searchers, (0,), store, SilentTune())
