"""What a searcher proposes and is told is written down, and led along again it goes on as if nothing had happened."""

import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune import Trainable
from ray.tune.experiment import Experiment
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search import SearchAlgorithm, Searcher, SearchGenerator

from zoo.space import Choice, Float, Int, Space
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, space_to_json
from zoo.tuning.ray_schedulers import make_scheduler
from zoo.tuning.ray_search import make_searcher, to_tune
from zoo.tuning.replay import Replay, death_of
from zoo.tuning.worker import NUMBER, SCORE

SPACE: Space = {
    "width": Choice(8, 16, 32),
    "layers": Int(1, 3),
    "same": Int(4, 4),
    "training.learning_rate": Float(1e-4, 1e-2, log=True),
}
SEARCHERS = ("random", "hyperopt", "optuna")


class Driver:
    """Ray Tune's part, by hand: asks for trials and tells results."""

    def __init__(
        self, registry: Any, store: Store, request: Any, folder: Path, *, inner: Any = None, judge: Any = None
    ) -> None:
        from zoo.records import SplitSummary
        from zoo.settings import Settings
        from zoo.tuning.worker import Task

        studies = StudyStore(store)
        if request.name not in studies.names():
            studies.create(Study(name=request.name, request=request.to_json(), space=space_to_json(SPACE)))
        self.study = studies.get(request.name)
        self.studies = studies
        mode = self.study.mode
        self.scheduler = judge or make_scheduler(request.scheduler, request.cell.epochs)
        self.scheduler.set_search_properties(SCORE, mode)
        inner = inner or make_searcher(registry.get("searcher", request.search), {}, seed=request.seed, startup=3)
        task = Task(request, Settings.load(), (), (), SplitSummary(), {}, folder, "cpu", 0)
        self.recorded = Replay(inner, self.scheduler, studies, self.study, task)
        self.recorded.set_search_properties(SCORE, mode, to_tune(SPACE))
        asked = Experiment(
            "tune", Trainable, config=to_tune(SPACE), num_samples=request.trials, storage_path=str(folder)
        )
        self.recorded.add_configurations([asked])

    def begin(self) -> Any:
        trial = self.recorded.next_trial()
        assert trial is not None
        self.studies.start(self.study.name, trial.config[NUMBER])
        return trial

    def epoch(self, trial: Any, epoch: int, score: float) -> str:
        result = {SCORE: score, "epoch": epoch, "training_iteration": epoch, "value": score}
        if epoch == 1:
            self.scheduler.on_trial_add(None, trial)
        decision = self.scheduler.on_trial_result(None, trial, result)
        if decision != TrialScheduler.STOP:
            self.recorded.on_trial_result(trial.trial_id, result)
        self.studies.add_epochs(self.study.name, trial.config[NUMBER], score, [(epoch, score, 0.1)])
        return str(decision)

    def end(self, trial: Any, score: float, **more: Any) -> None:
        result = {SCORE: score, "epoch": 2, "training_iteration": 2, "value": score, "status": "done", **more}
        self.recorded.on_trial_complete(trial.trial_id, result=result)

    def run(self, trials: int) -> None:
        for _ in range(trials):
            trial = self.begin()
            score = round(trial.config["training.learning_rate"] * 100, 6)
            self.epoch(trial, 1, score / 2)
            self.end(trial, score)


@pytest.fixture
def driver(registry, asked, tmp_path):
    def make(store: Store, name: str = "", inner: Any = None, judge: Any = None, **given: Any) -> Driver:
        request = asked(**{"name": name or given.get("search", "random"), "trials": 10, "epochs": 2, **given})
        return Driver(registry, store, request, tmp_path, inner=inner, judge=judge)

    return make


def configs(study: Study) -> list[Any]:
    return [dict(trial.config) for trial in study.trials]


@pytest.mark.parametrize("search", SEARCHERS)
def test_a_study_that_was_broken_off_goes_on_with_the_proposals_of_an_unbroken_one(driver, tmp_path, search) -> None:
    with Store(tmp_path / "results") as store:
        whole = driver(store, "whole", search=search, seed=5)
        whole.run(10)
        assert whole.recorded.is_finished()
        assert whole.recorded.next_trial() is None
        first = driver(store, "broken", search=search, seed=5)
        first.run(4)
        fifth = first.begin()  # and then the process is killed
        second = driver(store, "broken", search=search, seed=5)
        assert second.recorded.otherwise == 0
        again = second.begin()
        assert again.config == fifth.config
        second.end(again, round(again.config["training.learning_rate"] * 100, 6))
        second.run(5)
        studies = StudyStore(store)
        assert configs(studies.get("broken")) == configs(studies.get("whole"))
        assert studies.events("broken") == studies.events("whole")
        assert len({str(config) for config in configs(studies.get("whole"))}) == 10


def test_trials_that_did_not_end_well_are_told_as_the_worst_finite_value(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        made = driver(store, jobs=3)
        died, diverged, pruned = made.begin(), made.begin(), made.begin()
        assert made.recorded.next_trial() is None, "as many as there are jobs"
        made.epoch(diverged, 1, 0.4)
        made.epoch(pruned, 1, 0.5)
        made.recorded.on_trial_complete(died.trial_id, error=True)
        made.end(diverged, 0.0, status="diverged", reason="the loss became nan", value=0.4)
        made.recorded.on_trial_complete(pruned.trial_id, result={SCORE: 0.5, "epoch": 1, "value": 0.5})
        study = made.studies.get("random")
        told = [event.value for event in made.studies.events("random") if event.kind == "told"]
        assert told == [0.0, 0.0, 0.5]
        assert [trial.status for trial in study.trials] == ["died", "diverged", "pruned"]
        assert [trial.value for trial in study.trials] == [None, 0.4, 0.5]
        assert [trial.reason for trial in study.trials] == ["its process died", "the loss became nan", ""]
        assert study.best is not None
        assert study.best.number == 3


@pytest.mark.parametrize("scheduler", ["asha", "median"])
def test_a_scheduler_that_is_led_along_again_stops_what_it_would_have_stopped(driver, tmp_path, scheduler) -> None:
    def stopped(made: Driver) -> str:
        trial = made.begin()
        made.epoch(trial, 1, 0.1)
        return made.epoch(trial, 2, 0.1)

    given = {"scheduler": scheduler, "epochs": 8, "jobs": 4}
    with Store(tmp_path / "results") as store:
        first = driver(store, **given)
        for score in (0.7, 0.8, 0.9):
            trial = first.begin()
            for epoch in range(1, 9):
                first.epoch(trial, epoch, score)
            first.end(trial, score)
        assert stopped(driver(store, **given)) == TrialScheduler.STOP
        assert stopped(driver(store, "fresh", **given)) == TrialScheduler.CONTINUE


def test_a_trial_that_had_been_pruned_when_the_process_died_is_pruned(driver, tmp_path) -> None:
    given = {"scheduler": "asha", "epochs": 8, "jobs": 4}
    with Store(tmp_path / "results") as store:
        first = driver(store, **given)
        for score in (0.7, 0.8, 0.9):
            trial = first.begin()
            for epoch in range(1, 9):
                first.epoch(trial, epoch, score)
            first.end(trial, score)
        poor = first.begin()
        assert [first.epoch(poor, epoch, 0.1) for epoch in (1, 2)] == [TrialScheduler.CONTINUE, TrialScheduler.STOP]
        second = driver(store, **given)
        assert not second.recorded.waiting
        study = second.studies.get("random")
        assert (study.trials[-1].status, study.trials[-1].value) == ("pruned", 0.1)


def to_the_last_epoch(made: Driver, *scores: float) -> None:
    """Trials of eight epochs, at each epoch with the same score."""
    for score in scores:
        trial = made.begin()
        for epoch in range(1, 9):
            made.epoch(trial, epoch, score)
        made.end(trial, score)


@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
def test_a_study_with_a_trial_that_was_pruned_and_said_to_be_goes_on_with_the_next(driver, tmp_path, metric) -> None:
    given = {"scheduler": "asha", "epochs": 8, "jobs": 4, "metric": metric}
    with Store(tmp_path / "results") as store:
        first = driver(store, **given)
        to_the_last_epoch(first, *((0.7, 0.8, 0.9) if metric == "macro_recall" else (0.3, 0.2, 0.1)))
        poor, score = first.begin(), 0.1 if metric == "macro_recall" else 0.9
        assert [first.epoch(poor, epoch, score) for epoch in (1, 2)] == [TrialScheduler.CONTINUE, TrialScheduler.STOP]
        first.recorded.on_trial_complete(poor.trial_id, result={SCORE: score, "epoch": 2, "value": score})
        before, events = first.studies.get("random"), first.studies.events("random")
        assert [trial.status for trial in before.trials] == ["done", "done", "done", "pruned"]
        second = driver(store, **given)
        assert second.studies.get("random") == before
        assert second.studies.events("random") == events, "nothing is told a second time"
        assert second.begin().config[NUMBER] == 5


def test_a_trial_whose_last_epoch_was_trained_when_the_process_died_is_not_called_pruned(driver, tmp_path) -> None:
    given = {"scheduler": "asha", "epochs": 8, "jobs": 4}
    with Store(tmp_path / "results") as store:
        first = driver(store, **given)
        whole = first.begin()
        for epoch in range(1, 9):
            first.epoch(whole, epoch, 0.5)
        second = driver(store, **given)
        assert [trial.config[NUMBER] for trial in second.recorded.waiting] == [1]
        assert [trial.status for trial in second.studies.get("random").trials] == ["running"]


class Listener(Searcher):
    """Proposes numbers in order, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[Any, ...]] = []
        self.numbers: dict[str, int] = {}

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        self.heard.append((metric, mode))
        return True

    def suggest(self, trial_id: str) -> dict[str, Any]:
        self.numbers[trial_id] = len(self.numbers) + 1
        return dict.fromkeys(SPACE, self.numbers[trial_id])

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        self.heard.append(("epoch", self.numbers[trial_id], result["epoch"], result[SCORE], "new" in result))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        assert result is not None
        self.heard.append(("end", self.numbers[trial_id], result[SCORE], "new" in result))


def test_a_searcher_hears_each_epoch_once_and_each_end(driver, tmp_path) -> None:
    searcher = Listener()
    with Store(tmp_path / "results") as store:
        made = driver(store, inner=SearchGenerator(searcher), jobs=2)
        first, second = made.begin(), made.begin()
        for epoch, score in ((1, 0.3), (1, 0.3), (2, 0.4)):  # the first is told again after a restart
            result = {SCORE: score, "epoch": epoch, "training_iteration": epoch, "new": [(epoch, score, 0.1)]}
            made.recorded.on_trial_result(first.trial_id, result)
        made.recorded.on_trial_complete(first.trial_id, result={"new": []})  # without a score: its last holds
        made.end(second, 0.6, new=[(1, 0.6, 0.1)])
        assert made.studies.get("random").trials[0].status == "pruned"
    assert searcher.heard == [
        (SCORE, "max"),
        ("epoch", 1, 1, 0.3, False),
        ("epoch", 1, 2, 0.4, False),
        ("end", 1, 0.4, False),
        ("end", 2, 0.6, False),
    ]


class Overheard(ASHAScheduler):
    """Keeps what it is asked and how it answered, by the numbers of the trials."""

    def __init__(self) -> None:
        super().__init__(time_attr="epoch", max_t=8, grace_period=2, reduction_factor=3)
        self.heard: list[tuple[Any, ...]] = []

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        self.heard.append(("added", trial.config[NUMBER]))
        super().on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        said = super().on_trial_result(tune_controller, trial, result)
        self.heard.append((trial.config[NUMBER], result["epoch"], result[SCORE], result["training_iteration"], said))
        return str(said)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        self.heard.append(("ended", trial.config[NUMBER], result["epoch"], result[SCORE]))
        super().on_trial_complete(tune_controller, trial, result)


@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
def test_searcher_and_scheduler_are_led_along_all_that_was_recorded(driver, tmp_path, metric) -> None:
    best, middle, poor = (0.9, 0.5, 0.1) if metric == "macro_recall" else (0.1, 0.5, 0.9)
    with Store(tmp_path / "results") as store:
        first = driver(store, inner=SearchGenerator(Listener()), judge=Overheard(), jobs=4, metric=metric)
        one, two, three, four = (first.begin() for _ in range(4))
        first.epoch(one, 1, best)
        first.epoch(one, 2, middle)  # the best so far is what counts
        first.end(one, best)
        first.epoch(two, 1, best)
        first.epoch(three, 1, poor)
        first.epoch(three, 2, poor)  # stopped by the scheduler, and the process died before that was written
        first.epoch(four, 1, middle)
        searcher, scheduler = Listener(), Overheard()
        second = driver(store, inner=SearchGenerator(searcher), judge=scheduler, jobs=4, metric=metric)
        statuses = [(trial.status, trial.value) for trial in second.studies.get("random").trials]
        events = [(event.kind, event.number, event.value) for event in second.studies.events("random")]
        waiting = [trial.config[NUMBER] for trial in second.recorded.waiting]
    assert scheduler.heard == [
        ("added", 1),
        (1, 1, best, 1, "CONTINUE"),
        (1, 2, best, 2, "CONTINUE"),
        ("added", 2),
        (2, 1, best, 1, "CONTINUE"),
        ("added", 3),
        (3, 1, poor, 1, "CONTINUE"),
        (3, 2, poor, 2, "STOP"),
        ("added", 4),
        (4, 1, middle, 1, "CONTINUE"),
        ("ended", 1, 2, best),
        ("ended", 3, 2, poor),
    ]
    mode = "max" if metric == "macro_recall" else "min"
    assert searcher.heard == [(SCORE, mode), ("end", 1, best, False), ("end", 3, poor, False)]
    assert statuses == [("done", best), ("running", best), ("pruned", poor), ("running", middle)]
    assert events == [*(("proposed", number, None) for number in (1, 2, 3, 4)), ("told", 1, best), ("told", 3, poor)]
    assert waiting == [2, 4]


def test_proposals_of_another_version_of_a_library_give_way_to_those_on_record(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        first = driver(store, jobs=3)
        for _ in range(3):
            first.begin()
        with store.database.transaction() as connection:
            connection.execute(
                "UPDATE trials SET config = replace(config, '\"same\": 4', '\"same\": 5') WHERE number < 3"
            )
        kept = configs(first.studies.get("random"))
        second = driver(store, jobs=3)
        assert second.recorded.otherwise == 2
        assert [second.begin().config for _ in range(3)] == [
            {**config, NUMBER: number} for number, config in enumerate(kept, start=1)
        ]
        assert [config["same"] for config in kept] == [5, 5, 4]


def test_hyperband_has_all_its_trials_proposed_at_once(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        made = driver(store, scheduler="hyperband", jobs=1)
        assert [made.begin().config[NUMBER] for _ in range(10)] == list(range(1, 11))
        assert made.recorded.next_trial() is None


def test_a_search_that_was_finished_proposes_nothing_more(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        made = driver(store)
        made.run(1)
        assert (made.recorded.metric, made.recorded.total_samples, made.recorded.is_finished()) == (SCORE, 10, False)
        made.recorded.set_finished()
        assert made.recorded.is_finished()
        assert made.recorded.inner.is_finished()
        assert made.recorded.next_trial() is None
        assert type(pickle.loads(pickle.dumps(made.recorded))) is SearchAlgorithm  # Tune's own state holds no study


def test_a_searcher_that_has_no_proposal_yet_is_asked_again(driver, tmp_path) -> None:
    class Hesitant(Listener):
        def suggest(self, trial_id: str) -> Any:
            return super().suggest(trial_id) if len(self.heard) > 1 else self.heard.append(("asked",))

    with Store(tmp_path / "results") as store:
        made = driver(store, inner=SearchGenerator(Hesitant()))
        assert made.recorded.next_trial() is None
        assert made.studies.get("random").trials == ()
        assert made.begin().config == {**made.studies.trial("random", 1).config, NUMBER: 1}


def test_the_files_of_a_trial_go_when_it_ends(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        made = driver(store, jobs=2)
        ended, other = made.begin(), made.begin()
        files = [tmp_path / name for name in ("1.pt", "1.hung", "2.pt")]
        for file in files:
            file.touch()
        made.end(ended, 0.5)
        assert [file.exists() for file in files] == [False, False, True]
        made.end(other, 0.5)


def test_a_process_that_had_to_be_ended_for_its_time_is_a_timeout(driver, tmp_path) -> None:
    with Store(tmp_path / "results") as store:
        made = driver(store, trial_timeout=90.0)
        trial = made.begin()
        made.epoch(trial, 1, 0.7)
        (tmp_path / "1.hung").write_text("Timeout (0:01:35)!")
        made.recorded.on_trial_complete(trial.trial_id, error=True)
        (ended,) = made.studies.get("random").trials
        assert (ended.status, ended.value) == ("timeout", 0.7)
        assert ended.reason == "exceeded its limit of 90 s in code that could not be interrupted"
        assert made.studies.events("random")[-1].value == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Failure # 1\nold exit detail: a\nFailure # 2\nexit detail: SIGKILL.  Some common causes: memory", "SIGKILL."),
        ("Failure # 1\nTraceback\n\nOSError:   no\tspace \n\n", "OSError: no space"),
        ("Failure # 1\nexit detail: a b\nthe end", "a b"),
        ("", ""),
        ("x" * 400, "x" * 282),
        (None, None),
    ],
)
def test_why_a_process_died_is_one_line(tmp_path, text, said) -> None:
    file = tmp_path / "error.txt"
    if text is not None:
        file.write_text(text)
    expected = "its process died" if said is None else f"its process died: {said}".rstrip()
    assert death_of(SimpleNamespace(error_file=str(file))) == expected
    assert len(expected) <= 300
    assert death_of(SimpleNamespace(error_file=None)) == "its process died"
