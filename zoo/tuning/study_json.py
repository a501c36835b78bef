"""The documented JSON of a study: its request, its trials, the scores of its winner, and the importances."""

from typing import TYPE_CHECKING

from zoo.records import JsonObject, plain
from zoo.store.run import Run
from zoo.store.study import Study

if TYPE_CHECKING:
    from zoo.tuning.importance import Importance


def study_to_json(study: Study, run: Run | None, mattered: "Importance | None" = None) -> JsonObject:
    """Return a study with the scores of its winner's `run` and, if given, the importance of its hyperparameters."""
    derived = {"metric": study.metric, "mode": study.mode, "best": study.best.number if study.best else None}
    test = plain(run.scores) if run is not None and run.scores else None
    found = {**study.to_json(), **derived, "test": test}
    if mattered is not None:
        found |= {"importance": dict(mattered.shares), "importance_note": mattered.note}
    return found
