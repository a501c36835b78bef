"""Studies as the engine leaves them in the store, made without it, and the folder of a process that runs one."""

import math
import random
import socket
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from zoo.harness.request import Request
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, StudyStatus, Trial, TrialStatus
from zoo.tuning.request import TuneRequest

SPACE: dict[str, Any] = {
    "hidden": {"kind": "choice", "values": [8, 16]},
    "num_blocks": {"kind": "int", "low": 1, "high": 3, "log": False},
    "training.learning_rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "block": {"kind": "choice", "values": ["none", "se", "resnet"]},
}


def trials_of(statuses: Sequence[str], seed: int = 0) -> tuple[Trial, ...]:
    """Trials that ended so; the learning rate decides nearly all of their value, the best being 1e-3."""
    rng = random.Random(seed)
    trials = []
    for number, status in enumerate(statuses, start=1):
        rate = 10 ** rng.uniform(-4, -2)
        config = {
            "hidden": rng.choice([8, 16]),
            "num_blocks": rng.randint(1, 3),
            "training.learning_rate": rate,
            "block": rng.choice(["none", "se", "resnet"]),
        }
        value = 0.9 - 0.3 * abs(math.log10(rate) + 3) + rng.gauss(0, 0.01)
        scored = status in ("done", "pruned", "running", "timeout")
        reason = "RuntimeError: <no> such thing" if status == "failed" else ""
        trials.append(
            Trial(
                number=number,
                config=config,
                status=status,
                value=value if scored else None,
                epochs=2 if scored else 0,
                seconds=1.5 * number,
                reason=reason,
                history=((1, value - 0.1), (2, value)) if scored else (),
            )
        )
    return tuple(trials)


def tune_request(architecture: str = "cnngru", *, seed: int = 0, **given: Any) -> TuneRequest:
    """A request in which what is of its cell is named as on the command line: `block="se"`, `rows=60`."""
    own = {item.name for item in fields(TuneRequest)}
    cell = {name: value for name, value in given.items() if name not in own}
    search = {name: value for name, value in given.items() if name in own}
    return TuneRequest(cell=Request.of(architecture, seeds=(seed,), **cell), **search)


def study_of(statuses: Sequence[str] = ("done",) * 4, seed: int = 0, **request: Any) -> Study:
    """A study of `cnngru` that has ended, its winner not yet scored."""
    asked = tune_request(**{"search": "optuna", "trials": len(statuses) or 1, **request})
    return Study(
        name=asked.name or "cnngru-optuna-0",
        request=asked.to_json(),
        space=SPACE,
        trials=trials_of(statuses, seed),
        status=StudyStatus.DONE,
    )


def stored(store: Store, study: Study) -> Study:
    """The same study as the store has it."""
    studies = StudyStore(store)
    studies.create(study)
    for trial in study.trials:
        studies.propose(study.name, trial.number, dict(trial.config))
        studies.start(study.name, trial.number)
        if trial.history:
            seconds = trial.seconds / len(trial.history)
            studies.add_epochs(
                study.name, trial.number, trial.value, [(epoch, value, seconds) for epoch, value in trial.history]
            )
        if trial.status not in (TrialStatus.RUNNING, TrialStatus.INTERRUPTED):
            studies.end(study.name, trial, trial.value or 0.0)
    if study.status == StudyStatus.INTERRUPTED:
        studies.interrupt(study.name)
    studies.update(replace(study, created=studies.get(study.name).created))
    return studies.get(study.name)


def session_of(process: int) -> Path | None:
    """The folder of the session that a process has, or that it left behind."""
    owned = f"{socket.gethostname()} {process}"
    return next((path.parent for path in Path("/tmp").glob("zoo-*/owner") if path.read_text() == owned), None)
