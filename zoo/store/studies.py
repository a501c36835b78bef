"""Studies in the results store: their trials, each epoch, and the events of the searcher, in order."""

import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec

from zoo.errors import DamagedRecord, UnknownName, UsageError, unknown_name
from zoo.records import JsonObject, converted
from zoo.space import Value
from zoo.store.heartbeat import Heartbeat, alive, now, this_process
from zoo.store.runs import Store
from zoo.store.schema import STARTS, STUDIES
from zoo.store.study import METRICS, Study, StudyStatus, Trial, TrialStatus

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # it is also the name of a folder
PROPOSED, TOLD = "proposed", "told"
TRIAL = ("number", "config", "status", "value", "epochs", "seconds", "reason", "started", "finished")  # columns
EpochResult = tuple[int, float, float]  # number of the epoch, metric, seconds


@dataclass(frozen=True)
class Event:
    """An event of the searcher: it proposed a trial, or received the value of a trial."""

    kind: str
    number: int
    value: float | None


@dataclass(frozen=True)
class DamagedStudy:
    """A study whose record cannot be read, and why."""

    name: str
    error: str

    def to_json(self) -> JsonObject:
        """Return the study as plain data: the documented form of `zoo studies --json`."""
        return {"name": self.name, "status": "damaged", "error": self.error}


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What every stored request has, as far as a study is listed; the room of tuning knows the rest."""

    architecture: str
    search: str
    scheduler: str
    metric: str
    trials: int
    comparison: str = ""
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class _Recorded:
    """The record of a study: all of it but its trials and the columns of its row."""

    request: dict[str, Any]
    space: dict[str, Any]
    finished: str = ""
    winner: int | None = None
    run: str = ""
    scored: tuple[str, ...] = ()
    defaults: str = ""
    notes: tuple[str, ...] = ()


class StudyStore:
    """The studies of one results store; only the main process of a study writes it."""

    def __init__(self, store: Store) -> None:
        self.database = store.database

    # reading

    def studies(self) -> list[Study]:
        """Return all studies with their trials, in the order in which they began, without the damaged ones."""
        return [study for study in self.listed() if isinstance(study, Study)]

    def listed(self) -> list[Study | DamagedStudy]:
        """Return all studies in the order in which they began; a damaged one has only its name and the reason."""
        return self._studies("")

    def get(self, name: str) -> Study:
        """Return the study with this name.

        Raises UnknownName, with the closest names, if there is none, and DamagedRecord if it cannot be read.
        """
        found = self._studies("WHERE name = ?", name)
        if not found:
            hint = "`zoo studies` shows them all."
            raise unknown_name("study", name, (study.name for study in self.studies()), hint)
        if isinstance(found[0], DamagedStudy):
            raise DamagedRecord(f"{self.database.path}: the record of study {name} is damaged: {found[0].error}")
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
        return Heartbeat(self.database.file, name, study=True)

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
            connection.execute(
                "INSERT INTO studies (name, status, created, heartbeat, host, process, start, record) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (study.name, status, started.created, *this_process(), _encode(started)),
            )
        return started

    def take(self, study: Study) -> None:
        """Record that this process runs a study. Raises UsageError if another process is running it."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT status, heartbeat, host, process, start FROM studies WHERE name = ?", (study.name,)
            ).fetchone()
            if row is None:
                raise UnknownName(f"no study named {study.name!r}: it was removed while this command started")
            if row[0] == StudyStatus.RUNNING and alive(*row[1:]) and row[3] != os.getpid():
                raise UsageError(f"study {study.name!r} is running in process {row[3]} on {row[2]}: wait until it ends")
            connection.execute(
                "UPDATE studies SET status = ?, heartbeat = ?, host = ?, process = ?, start = ?, record = ? "
                "WHERE name = ?",
                (StudyStatus.RUNNING, *this_process(), _encode(study), study.name),
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
                "UPDATE trials SET value = :value, "
                "epochs = (SELECT count(*) FROM epochs WHERE study = :study AND number = :number), "
                "seconds = (SELECT coalesce(sum(seconds), 0) FROM epochs WHERE study = :study AND number = :number) "
                "WHERE study = :study AND number = :number",
                {"study": name, "number": number, "value": value},
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
        return self.database.query(sql, parameters) if self.database.version >= STUDIES else []

    def _studies(self, condition: str, *parameters: object) -> list[Study | DamagedStudy]:
        start = "start" if self.database.version >= STARTS else "0"
        columns = f"name, status, created, heartbeat, host, process, {start}, CAST(record AS BLOB)"
        rows = self._query(f"SELECT {columns} FROM studies {condition} ORDER BY rowid", *parameters)
        return [self._decode(*row) for row in rows]

    def _decode(
        self, name: Any, status: Any, created: Any, heartbeat: Any, host: Any, process: Any, start: Any, text: Any
    ) -> Study | DamagedStudy:
        try:
            _check_name(name)
            if not isinstance(created, str):
                raise TypeError(f"it was created at {created!r}")
            gone = status == StudyStatus.RUNNING and not alive(heartbeat, host, process, start)
            recorded = converted(msgspec.json.decode(text), _Recorded)
            _check_request(recorded.request)
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
                **{item.name: getattr(recorded, item.name) for item in fields(recorded)},
            )
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
            return DamagedStudy(str(name), " ".join(f"{error}".split())[:300])

    def _trials(self, name: str, number: int | None = None) -> list[Trial]:
        only, values = ("", (name,)) if number is None else (" AND number = ?", (name, number))
        history: dict[int, list[tuple[int, float]]] = defaultdict(list)
        sql = f"SELECT number, epoch, value FROM epochs WHERE study = ?{only} ORDER BY number, epoch"
        for of, epoch, value in self._query(sql, *values):
            history[of].append((epoch, value))
        rows = self._query(f"SELECT {', '.join(TRIAL)} FROM trials WHERE study = ?{only} ORDER BY number", *values)
        return [_trial(row, history[row[0]]) for row in rows]


def _trial(row: tuple[Any, ...], history: Iterable[tuple[int, float]]) -> Trial:
    """Return the trial of a row. Raises ValueError for a value that no trial has."""
    items = dict(zip(TRIAL, row, strict=True))
    items |= {"config": msgspec.json.decode(items["config"]), "history": tuple(history)}
    trial = converted(items, Trial)
    numbers = (trial.value or 0.0, trial.seconds, *(value for _, value in trial.history))
    if trial.number < 1 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"trial {trial.number} has a value that cannot be")
    return trial


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a study: letters, digits, dots, dashes and underscores")


def _check_request(request: JsonObject) -> None:
    """Raise ValueError if the request of a study lacks a field, or has one of another type."""
    found = converted(request, _Request)
    if found.metric not in METRICS:
        raise ValueError(f"its metric is {found.metric!r}")
    if found.comparison and "seed" not in request:
        raise ValueError("it belongs to a comparison and has no seed")


def _record(connection: Any, name: str, kind: str, number: int, value: float | None) -> None:
    connection.execute(
        "INSERT INTO events (study, kind, number, value) VALUES (?, ?, ?, ?)", (name, kind, number, value)
    )


def _encode(study: Study) -> str:
    record = study.to_json()
    return json.dumps({item.name: record[item.name] for item in fields(_Recorded)}, allow_nan=False, default=dict)
