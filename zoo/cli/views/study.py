"""Tables and lines of studies."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from zoo.cli.views import table as output
from zoo.cli.views.runs import interval_text
from zoo.cli.views.table import Column, Row, Say, emit, number, print_json
from zoo.cli.views.trials import VALUE, flat_columns, trial_columns, trial_row
from zoo.records import JsonObject
from zoo.scores import metric_words, score_words
from zoo.store.run import Run, RunStatus
from zoo.store.study import Study, Trial, ranked
from zoo.tuning.study_json import study_to_json
from zoo.wording import count_text, value_text

if TYPE_CHECKING:
    from zoo.store.runs import Store
    from zoo.store.studies import DamagedStudy
    from zoo.tuning.importance import Importance


COLUMNS = (
    Column("study", "name"),
    Column("status", "status"),
    Column("comparison", "comparison", optional=True, drop=4),
    Column("architecture", "architecture"),
    Column("search", "searcher", drop=3),
    Column("scheduler", "scheduler", drop=4),
    Column("trials", "trials", numeric=True),
    Column("metric", "metric", drop=2),
    Column("best", "best", VALUE, numeric=True),
    Column("run", "run", drop=1),
    Column("created", "created", drop=5),
    Column("error", "error", optional=True, wraps=True),
)


def show_study(
    say: Say,
    store: "Store",
    study: Study,
    *,
    as_json: bool,
    most: int | None = None,
    mattered: "Importance | None" = None,
) -> None:
    """Show the trials, the winner and its choice: on a terminal the best `most` trials, in a pipe all of them."""
    run = store.find(study.run)
    for note in dict.fromkeys((*study.notes, *(run.remarks if run else ()))):
        say(f"note: {note}")
    if as_json:
        print_json(study_to_json(study, run, mattered))
    elif not sys.stdout.isatty():
        emit(flat_columns(list(study.space)), [trial_row(trial) for trial in study.trials])
    else:
        _print_tables(say, study, run, most, mattered)
    answer = output.say if sys.stdout.isatty() and not as_json else say
    answer(outcome(study, run))


def outcome(study: Study, run: Run | None) -> str:
    """Return one line: the number of trials, the criterion of the choice and the test score of the winner."""
    best = study.winning_trial
    if best is None:
        ended = len(study.ended)
        return f"no winner: none of the {count_text(ended, 'finished trial')} has a validation score"
    choice = f"{count_text(len(study.candidates), 'trial')} by {metric_words(study.metric)} {VALUE(best.value)}"
    if run is None:
        return f"best so far of {choice}, trial {best.number}; the test set was not used"
    if run.status != RunStatus.DONE:
        return f"chosen from {choice}; its run {run.id} on the test set: {run.status}. {run.error}".rstrip()
    metric = "accuracy" if study.metric == "accuracy" else "macro_recall"
    score = f"test {score_words(metric)} {interval_text(run.scores.of_all(metric))}"
    simulated = f", on {run.dataset_label}" if run.synthetic else ""
    return f"chosen from {choice}; {score}, run {run.id}{simulated}"


def show_list(say: Say, found: "Sequence[Study | DamagedStudy]", as_json: bool, objects: Iterable[JsonObject]) -> None:
    if found or as_json or not sys.stdout.isatty():
        rows = [_row(study) if isinstance(study, Study) else _damaged_row(study) for study in found]
        emit(COLUMNS, rows, as_json=as_json, objects=objects)
    if not found:
        say("no studies yet: start one with `zoo tune cnngru`")


def _row(study: Study) -> Row:
    ended = len(study.ended)
    return {
        "name": study.name,
        "status": study.status,
        "comparison": study.comparison,
        "architecture": study.architecture,
        "searcher": study.searcher,
        "scheduler": study.scheduler,
        "trials": f"{ended}/{study.wanted}",
        "metric": study.metric,
        "best": study.best.value if study.best else None,
        "run": study.run,
        "created": study.created[:16].replace("T", " "),
        "error": "",
    }


def _damaged_row(study: "DamagedStudy") -> Row:
    return {**dict.fromkeys((column.key for column in COLUMNS), ""), **study.to_json(), "best": None, "style": "red"}


def _print_tables(say: Say, study: Study, run: Run | None, most: int | None, mattered: "Importance | None") -> None:
    trials = ranked(study.trials, study.mode)
    shown = trials[:most]
    where = f" on {run.dataset_label}, {run.protocol}" if run else ""
    keys = list(mattered.shares if mattered else ())
    columns = trial_columns(study, [*keys, *(key for key in study.space if key not in keys)])
    emit(
        columns,
        [trial_row(trial) for trial in shown],
        title=(f"{study.name}: {study.architecture}{where}, validation set",),
    )
    if len(shown) < len(trials):
        say(f"and {len(trials) - len(shown)} more: zoo studies show {study.name}")
    if best := study.winning_trial:
        emit(
            _config_columns(best),
            _config_rows(study, best, mattered),
            title=("", f"configuration of trial {best.number}"),
        )
    if mattered is not None and mattered.note:
        say(mattered.note)


def _config_columns(trial: Trial) -> list[Column]:
    return [
        Column("hyperparameter", "key"),
        Column("value", "value", value_text),
        Column("searched", "domain", wraps=True),
        Column("importance", "importance", number(2), numeric=True, optional=True),
    ]


def _config_rows(study: Study, trial: Trial, mattered: "Importance | None") -> list[Row]:
    """Return a row for each hyperparameter, sorted by importance if it is known."""
    shares = mattered.shares if mattered else {}
    keys = sorted(trial.config, key=lambda key: -shares.get(key, 0.0))
    return [
        {"key": key, "value": trial.config[key], "domain": str(study.space.get(key, "")), "importance": shares.get(key)}
        for key in keys
    ]
