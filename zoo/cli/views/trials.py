"""Lines, rows and columns of trials, for the live table, the end of a study and `zoo studies`."""

from collections.abc import Sequence

from zoo.cli.views.table import Column, Row, number
from zoo.scores import metric_words
from zoo.store.study import Study, Trial
from zoo.wording import config_text, count_text, short_keys, value_text

VALUE = number(3)


def number_text(value: float | None) -> str:
    return str(VALUE(value))


def trial_line(study: Study, trial: Trial) -> str:
    """Return the outcome of a trial in one line."""
    start = f"trial {trial.number}/{study.wanted} {trial.status}"
    if trial.reason:
        start = f"{start} ({trial.reason})"
    value = "" if trial.value is None else f" {metric_words(study.metric)} {number_text(trial.value)},"
    epochs = count_text(trial.epochs, "epoch")
    return f"{start}:{value} {epochs}, {trial.seconds:.1f} s, {config_text(trial.config)}".rstrip(", ")


def trial_columns(study: Study, keys: Sequence[str]) -> list[Column]:
    """Return the columns of a table of trials on a terminal. A narrow one leaves out the last keys first."""
    names = short_keys(keys)
    return [
        Column("trial", "number", numeric=True),
        Column("status", "status"),
        Column(study.metric.replace("_", " "), "value", VALUE, numeric=True),
        Column("epochs", "epochs", numeric=True, drop=1),
        Column("seconds", "seconds", number(1), numeric=True, drop=2),
        *(Column(names[key], f"config.{key}", value_text, drop=3 + place) for place, key in enumerate(keys)),
        Column("reason", "reason", optional=True, wraps=True),
    ]


def flat_columns(keys: Sequence[str]) -> list[Column]:
    """Return the columns for a pipe."""
    names = ("number", "status", "value", "epochs", "seconds", "reason", *(f"config.{key}" for key in keys))
    return [Column(name, name) for name in names]


def trial_row(trial: Trial) -> Row:
    """Return a trial as a row, with a cell for each hyperparameter."""
    row = {
        "number": trial.number,
        "status": trial.status,
        "value": trial.value,
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "reason": trial.reason,
    }
    return row | {f"config.{key}": value for key, value in trial.config.items()}
