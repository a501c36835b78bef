"""The winner's run: what a study says when it looks at the test set again."""

from dataclasses import replace

from studies import study_of

from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, Trial, TrialStatus
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.run_study import resume_study


def add_trial(store: Store, value: float, dropout: float) -> None:
    """One more trial, which ended so; the winner is yet to be chosen."""
    studies = StudyStore(store)
    study, config = studies.get("mine"), {"dropout": dropout}
    number = len(study.trials) + 1
    studies.propose("mine", number, config)
    studies.end("mine", Trial(number=number, config=config, status="done", value=value), value)
    studies.update(replace(study, request={**study.request, "trials": number}, status=TrialStatus.INTERRUPTED))


def test_another_winner_is_said_to_be_another_look_at_the_test_part(workspace, asked, tmp_path) -> None:
    with Store(tmp_path / "results") as store:

        def scored_with(value: float, dropout: float) -> Study:
            add_trial(store, value, dropout)
            return resume_study(workspace, "mine", store, SilentTuneReporter())

        StudyStore(store).create(replace(study_of(()), name="mine", request=asked(name="mine").to_json()))
        first = scored_with(0.5, dropout=0.0)
        assert (first.winner, first.scored, first.notes) == (1, (first.run,), ())
        same = scored_with(0.4, dropout=0.1)
        assert (same.winner, same.run, same.scored, same.notes) == (1, first.run, first.scored, ())
        second = scored_with(0.6, dropout=0.2)
        said = "winner of this study that was scored on the test set, after run"
        assert second.notes == (f"run {second.run} is the second {said} {first.run}",)
        third = scored_with(0.7, dropout=0.3)
        assert third.notes[1:] == (f"run {third.run} is the third {said} {first.run} and run {second.run}",)
        assert third.scored == (first.run, second.run, third.run)
        assert StudyStore(store).get("mine") == third
