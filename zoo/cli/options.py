"""Options that several commands share, and the request that the options of a cell make."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo import numerals
from zoo.cli.complete import Completer, composed, names_of, treatments
from zoo.errors import UsageError
from zoo.harness.request import Request
from zoo.specs import SCALES

MOST_HOURS = 100_000  # beyond it, timers overflow
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}  # by the sign after a number
# The options of a cell that `zoo bench` and `zoo tune` share. Each command reads `--set` itself.
_CELL = (
    *("block", "data", "loss", "dataset", "protocol", "scale", "rows", "epochs", "data_dir", "device"),
    *("target", "group", "columns", "drop", "drop_class", "merge_class"),
)


def request_of(context: typer.Context, architectures: Sequence[str], **others: Any) -> Request:
    """Return the request of a command from its options of a cell; `others` are further fields.

    Raises UsageError for values that are not valid.
    """
    return Request.of(architectures, **{name: context.params[name] for name in _CELL}, **others)


def _axis(panel: str, text: str, default: str, complete: Completer | None = None, *, grid: bool = False) -> Any:
    """An axis of the grid; with `grid`, an option that takes several values."""
    return typer.Option(
        help=f"{text} Several values make a grid." if grid else text,
        autocompletion=complete,
        rich_help_panel=panel,
        metavar="NAME",
        show_default=default,
    )


def number(
    option: str, text: str, *, least: int, panel: str, kind: type[int] | type[float] = int, default: bool | str = True
) -> Any:
    """An option for a number of at least `least`. Any other value is a UsageError that states what the option takes."""
    noun, letter = ("a whole number", "N") if kind is int else ("a finite number", "X")
    read = numerals.whole if kind is int else numerals.number

    def parse(typed: str) -> float:
        try:
            value = read(str(typed))  # Typer also parses the default
        except ValueError:
            value = float("nan")
        if not least <= value < float("inf"):
            raise UsageError(f"{option} must be {noun} of at least {least}, not {typed!r}")
        return value

    return typer.Option(
        option, help=text, parser=parse, metavar=f"{letter}>={least}", rich_help_panel=panel, show_default=default
    )


def time(option: str, text: str, *, panel: str | None = None) -> Any:
    """An option for a time, which the command receives in seconds."""
    return typer.Option(
        option,
        help=text,
        parser=lambda typed: seconds_of(option, typed),
        metavar="TIME",
        rich_help_panel=panel,
        show_default="no limit",
    )


def seconds_of(option: str, text: str) -> float:
    """Return a typed time in seconds: a number, or a number with s, m or h. Raises UsageError for other text."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not seconds:
        raise UsageError(f"{option} must be a time above 0, such as 90s, 30m or 2h, not {text!r}")
    if seconds > MOST_HOURS * 3600:
        raise UsageError(f"{option} must be at most {MOST_HOURS:,} h, not {text!r}")
    return seconds


# The groups of options in `--help`.
WHAT = "What to run"
DATA = "Data"
TRAINING = "Training"
TUNING = "Tuning"
WHERE = "Where to run"
OUTPUT = "Results and output"
BY_SETTINGS = "preset or registry.toml"  # where the default of an option comes from

_BLOCK = (
    WHAT,
    "Block for the slot of the network; a+b puts b after a.",
    "of the preset or the architecture",
    composed("block"),
)
_DATA = DATA, "Resampler, which balances the training set.", BY_SETTINGS, names_of("resampler")
_LOSS = TRAINING, "Training loss, an objective.", BY_SETTINGS, names_of("objective")
_TREATMENT = (
    DATA,
    "Resampler, alone or with a loss: smote, original/weighted. Replaces --data and --loss.",
    "none",
    treatments,
)
_DATASET = DATA, "Data set, or a .csv, .parquet, .npz, .ts or .tsv file.", "registry.toml", names_of("dataset")
_PROTOCOL = (
    DATA,
    "How to separate the sets: official, holdout, inter-patient, inter-patient-strict.",
    "official if the data set has a published split, else inter-patient with --group, else holdout",
)
_SCALE = (
    DATA,
    f"How to scale the samples: {', '.join(SCALES)}.",
    "registry.toml, else as the data set declares; for a file, standard if its values need it, else none",
)

Block = Annotated[str | None, _axis(*_BLOCK)]
Blocks = Annotated[list[str] | None, _axis(*_BLOCK, grid=True)]
Resampler = Annotated[str | None, _axis(*_DATA)]
Resamplers = Annotated[list[str] | None, _axis(*_DATA, grid=True)]
Treatments = Annotated[list[str] | None, _axis(*_TREATMENT, grid=True)]
Loss = Annotated[str | None, _axis(*_LOSS)]
Losses = Annotated[list[str] | None, _axis(*_LOSS, grid=True)]
Dataset = Annotated[str | None, _axis(*_DATASET)]
Datasets = Annotated[list[str] | None, _axis(*_DATASET, grid=True)]
Protocol = Annotated[str | None, _axis(*_PROTOCOL)]
_WITH_FOLDS = DATA, f"{_PROTOCOL[1][:-1]}, cross-validation (with --cv).", _PROTOCOL[2]
ProtocolOrFolds = Annotated[str | None, _axis(*_WITH_FOLDS)]
Protocols = Annotated[list[str] | None, _axis(*_WITH_FOLDS, grid=True)]
Scale = Annotated[str | None, _axis(*_SCALE)]
Scales = Annotated[list[str] | None, _axis(*_SCALE, grid=True)]
Rows = Annotated[
    int | None, number("--rows", "Number of training rows; class shares are kept.", least=1, panel=DATA, default="all")
]
Folds = Annotated[
    int | None,
    number(
        "--cv", "Cross-validation: number of folds, which together have every row.", least=2, panel=DATA, default="none"
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the files of the data set.", metavar="DIR", rich_help_panel=DATA, show_default="ZOO_DATA"
    ),
]
Target = Annotated[
    str | None, typer.Option(help="For a file: the column of the labels.", metavar="COLUMN", rich_help_panel=DATA)
]
Group = Annotated[
    str | None,
    typer.Option(
        help="For a file: the column of the patient, or of another group that must not be separated.",
        metavar="COLUMN",
        rich_help_panel=DATA,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        help="For a table: the columns that are samples: 't*', t0:t139 or a,b,c.",
        metavar="COLUMNS",
        rich_help_panel=DATA,
        show_default="all others",
    ),
]
Drop = Annotated[
    str | None,
    typer.Option(help="For a table: columns to leave out, such as id,age.", metavar="COLUMNS", rich_help_panel=DATA),
]
DropClass = Annotated[
    list[str] | None,
    typer.Option(
        "--drop-class", help="Leave out the rows of a class, or of several: F,Q.", metavar="CLASS", rich_help_panel=DATA
    ),
]
MergeClass = Annotated[
    list[str] | None,
    typer.Option(
        "--merge-class",
        help="Count classes as one, new or existing: S=A,J. Repeat the option for more.",
        metavar="NEW=OLD,OLD",
        rich_help_panel=DATA,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE", rich_help_panel=WHERE, show_default="registry.toml"
    ),
]

Threads = Annotated[
    int | None,
    number("--threads", "CPU threads; 0 is automatic.", least=0, panel=WHERE, default="registry.toml"),
]
Jobs = Annotated[int, number("--jobs", "Number of parallel runs, each with one thread.", least=1, panel=WHERE)]
TimeBudget = Annotated[float | None, time("--time-budget", "Time for all runs together: 90s, 20m, 2h.", panel=TRAINING)]
Address = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster to use: auto, HOST:PORT, or local for this machine.",
        metavar="ADDRESS",
        rich_help_panel=WHERE,
        show_default="local",
    ),
]
_RESULTS_DEFAULT = "ZOO_RESULTS, else zoo-results"
ResultsToWrite = Annotated[
    Path | None,
    typer.Option(help="Folder for results.", metavar="DIR", rich_help_panel=OUTPUT, show_default=_RESULTS_DEFAULT),
]
ResultsToRead = Annotated[
    Path | None,
    typer.Option(help="Folder with results.", metavar="DIR", rich_help_panel=OUTPUT, show_default=_RESULTS_DEFAULT),
]
Save = Annotated[
    str | None,
    typer.Option(help="Write the winner to registry.toml as a preset.", metavar="ARCH.NAME", rich_help_panel=OUTPUT),
]


def json_option(text: str) -> Any:
    """`--json` with a command's own help text."""
    return typer.Option("--json", help=text, rich_help_panel=OUTPUT)


Json = Annotated[bool, json_option("Print JSON.")]
