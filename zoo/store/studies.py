"""Studies in the results store: their trials, each epoch, and the events of the searcher, in order."""

import json
import os
import socket
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from zoo.errors import StoreError, UsageError, unknown_name
from zoo.space import Value
from zoo.store.heartbeat import Heartbeat, alive, clock, now
from zoo.store.runs import Store
from zoo.store.study import Study, StudyStatus, Trial, TrialStatus

SCHEMA = 2  # the version of the store that introduced studies
RECORDED = ("request", "space", "finished", "winner", "run", "scored", "defaults", "notes")
PROPOSED, TOLD = "proposed", "told"
EpochResult = tuple[int, float, float]  # number of the epoch, metric, seconds


@dataclass(frozen=True)
class Event:
    """An event of the searcher: it proposed a trial, or received the value of a trial."""

    kind: str
    number: int
    value: float | None


class StudyStore:
    """The studies of one results store; only the main process of a study writes it."""

    def __init__(self, store: Store) -> None:
        self.database = store.database

    # reading

    def studies(self) -> list[Study]:
        """Return all studies with their trials, oldest first."""
        return self._studies("")

    def get(self, name: str) -> Study:
        """Return the study with this name. Raises UnknownName, with the closest names, if there is none."""
        found = self._studies("WHERE name = ?", name)
        if not found:
            hint = "`zoo studies` shows them all."
            raise unknown_name("study", name, (study.name for study in self.studies()), hint)
        return found[0]

    def names(self) -> set[str]:
        return {str(name) for (name,) in self._query("SELECT name FROM studies")}

    def events(self, name: str) -> list[Event]:
        """Return the events of the searcher, in order."""
        rows = self._query("SELECT kind, number, value FROM events WHERE study = ? ORDER BY place", name)
        return [Event(*row) for row in rows]

    def epochs(self, name: str) -> list[tuple[int, int, float]]:
        """Return trial, epoch and metric of every epoch, in the order in which they were reported."""
        rows = self._query("SELECT number, epoch, value FROM epochs WHERE study = ? ORDER BY place", name)
        return [(int(number), int(epoch), float(value)) for number, epoch, value in rows]

    def spent(self, name: str) -> list[tuple[int, int, float, float]]:
        """Return trial, epoch, metric and seconds of every epoch, in the order in which they were reported."""
        rows = self._query("SELECT number, epoch, value, seconds FROM epochs WHERE study = ? ORDER BY place", name)
        return [(int(number), int(epoch), float(value), float(seconds)) for number, epoch, value, seconds in rows]

    def trial(self, name: str, number: int) -> Trial:
        return self._trials(name, number)[0]

    def starts(self, name: str, number: int) -> int:
        """Return how often a worker has started or resumed a trial."""
        rows = self._query("SELECT starts FROM trials WHERE study = ? AND number = ?", name, number)
        return int(rows[0][0])

    def heartbeat(self, name: str) -> Heartbeat:
        """Return a heartbeat for a study, sent by a separate thread while the context lasts."""
        return Heartbeat(self.database.path, name, study=True)

    # writing

    def create(self, study: Study, *, status: StudyStatus = StudyStatus.RUNNING) -> Study:
        """Record a new study, run by this process. Raises UsageError if its name is taken."""
        started = replace(study, status=status, created=now())
        with self.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM studies WHERE name = ?", (study.name,)).fetchone():
                raise UsageError(
                    f"study {study.name!r} already exists: resume it with --resume {study.name}, "
                    "or choose a different name"
                )
            values = (study.name, status, started.created, clock(), socket.gethostname(), os.getpid())
            connection.execute("INSERT INTO studies VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, _encode(started)))
        return started

    def take(self, study: Study) -> None:
        """Record that this process runs a study. Raises UsageError if another process is running it."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT status, heartbeat, host, process FROM studies WHERE name = ?", (study.name,)
            ).fetchone()
            if row[0] == StudyStatus.RUNNING and alive(*row[1:]) and row[3] != os.getpid():
                raise UsageError(f"study {study.name!r} is running in process {row[3]} on {row[2]}: wait until it ends")
            connection.execute(
                "UPDATE studies SET status = ?, heartbeat = ?, host = ?, process = ?, record = ? WHERE name = ?",
                (StudyStatus.RUNNING, clock(), socket.gethostname(), os.getpid(), _encode(study), study.name),
            )

    def update(self, study: Study) -> None:
        """Store the study's status, notes, winner and run; its trials are stored separately."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE studies SET status = ?, record = ? WHERE name = ?", (study.status, _encode(study), study.name)
            )

    def propose(self, name: str, number: int, config: dict[str, Value]) -> None:
        """Record a new trial and its proposal by the searcher, in one transaction."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO trials (study, number, config, status) VALUES (?, ?, ?, ?)",
                (name, number, json.dumps(config), TrialStatus.RUNNING),
            )
            _record(connection, name, PROPOSED, number, None)

    def start(self, name: str, number: int) -> None:
        """Record that a worker starts or resumes a trial."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE trials SET status = ?, starts = starts + 1, started = CASE started WHEN '' THEN ? "
                "ELSE started END WHERE study = ? AND number = ?",
                (TrialStatus.RUNNING, now(), name, number),
            )

    def add_epochs(self, name: str, number: int, value: float | None, epochs: Iterable[EpochResult]) -> None:
        """Record a trial's new epochs, each once, and its best value so far."""
        with self.database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO epochs (study, number, epoch, value, seconds) VALUES (?, ?, ?, ?, ?)",
                [(name, number, *epoch) for epoch in epochs],
            )
            connection.execute(
                "UPDATE trials SET value = ?3, "
                "epochs = (SELECT count(*) FROM epochs WHERE study = ?1 AND number = ?2), "
                "seconds = (SELECT coalesce(sum(seconds), 0) FROM epochs WHERE study = ?1 AND number = ?2) "
                "WHERE study = ?1 AND number = ?2",
                (name, number, value),
            )

    def end(self, name: str, trial: Trial, told: float) -> None:
        """Record the end of a trial and the value reported to the searcher, in one transaction."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE trials SET status = ?, reason = ?, value = ?, finished = ? WHERE study = ? AND number = ?",
                (trial.status, trial.reason, trial.value, now(), name, trial.number),
            )
            _record(connection, name, TOLD, trial.number, told)

    def interrupt(self, name: str) -> None:
        """Mark running trials as interrupted, so that they can be resumed."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE trials SET status = ? WHERE study = ? AND status = ?",
                (TrialStatus.INTERRUPTED, name, TrialStatus.RUNNING),
            )

    # rows to records

    def _query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.database.query(sql, parameters) if self.database.version >= SCHEMA else []

    def _studies(self, condition: str, *parameters: object) -> list[Study]:
        columns = "name, status, created, heartbeat, host, process, record"
        rows = self._query(f"SELECT {columns} FROM studies {condition} ORDER BY created, rowid", *parameters)
        return [self._decode(*row) for row in rows]

    def _decode(
        self, name: str, status: str, created: str, heartbeat: float, host: str, process: int, text: str
    ) -> Study:
        gone = status == StudyStatus.RUNNING and not alive(heartbeat, host, process)
        try:
            record = {key: value for key, value in json.loads(text).items() if key in RECORDED}
            record |= {key: tuple(record.get(key, ())) for key in ("scored", "notes")}
            trials = self._trials(name)
            if gone:
                trials = [
                    replace(trial, status=TrialStatus.INTERRUPTED) if trial.status == TrialStatus.RUNNING else trial
                    for trial in trials
                ]
            return Study(
                name=name,
                status=StudyStatus.INTERRUPTED if gone else StudyStatus(status),
                created=created,
                trials=tuple(trials),
                **record,
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.database.path}: the record of study {name} is damaged") from error

    def _trials(self, name: str, number: int | None = None) -> list[Trial]:
        only, values = ("", (name,)) if number is None else (" AND number = ?", (name, number))
        history: dict[int, list[tuple[int, float]]] = defaultdict(list)
        sql = f"SELECT number, epoch, value FROM epochs WHERE study = ?{only} ORDER BY number, epoch"
        for of, epoch, value in self._query(sql, *values):
            history[of].append((epoch, value))
        columns = "number, config, status, value, epochs, seconds, reason, started, finished"
        rows = self._query(f"SELECT {columns} FROM trials WHERE study = ?{only} ORDER BY number", *values)
        return [
            Trial(
                number=row[0],
                config=json.loads(row[1]),
                status=row[2],
                value=row[3],
                epochs=row[4],
                seconds=row[5],
                reason=row[6],
                history=tuple(history[row[0]]),
                started=row[7],
                finished=row[8],
            )
            for row in rows
        ]


def _record(connection: Any, name: str, kind: str, number: int, value: float | None) -> None:
    connection.execute(
        "INSERT INTO events (study, kind, number, value) VALUES (?, ?, ?, ?)", (name, kind, number, value)
    )


def _encode(study: Study) -> str:
    record = study.to_json()
    return json.dumps({name: record[name] for name in RECORDED}, allow_nan=False, default=dict)
