"""A comparison of searchers is interrupted in its second study and resumed. Finished trials are not repeated."""

import pytest

from zoo.comparison.run import resume_comparison, run_comparison
from zoo.errors import UsageError
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.run_study import ResumeOptions


class Stopping(SilentTuneReporter):
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


def test_a_comparison_goes_on_to_a_study_for_each_searcher_and_seed(workspace, asked, tmp_path) -> None:
    request = asked(trials=2, epochs=1, name="both", seed=7)
    with Store(tmp_path / "results") as store:
        reporter, studies = Stopping(), StudyStore(store)
        with pytest.raises(KeyboardInterrupt):
            run_comparison(workspace, request, ("optuna", "random"), (7,), store, reporter)
        first, second = studies.studies()
        assert (first.status, second.status) == ("done", "interrupted")
        (dataset,) = request.cell.datasets
        assert reporter.phases.count(f"loading {dataset}") == 2, "the data of a seed once, and once for the winner"
        resume_comparison(workspace, "both", store, SilentTuneReporter(), ResumeOptions())
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
        assert defaults.config["training"]["learning_rate"] == workspace.settings.default("training", "learning_rate")
        runs = len(store.runs())
        resume_comparison(
            workspace, "both", store, SilentTuneReporter(), ResumeOptions()
        )  # there is nothing left to do
        assert (studies.studies(), len(store.runs())) == (whole, runs)
        with pytest.raises(UsageError, match="a study 'both' already exists"):
            run_comparison(workspace, request, ("random",), (0,), store, reporter)
