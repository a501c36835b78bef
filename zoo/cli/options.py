"""Options that several commands share, and the request that `zoo bench` and `zoo tune` make from them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from zoo.cli.complete import Completer, composed, names_of
from zoo.harness.request import Request

# The options that describe a cell, named alike in `zoo bench` and `zoo tune`; each reads `--set` in its own way.
_CELL = ("block", "data", "loss", "dataset", "protocol", "rows", "epochs", "data_dir", "target", "group", "device")


def request_of(context: typer.Context, architectures: Sequence[str], **others: Any) -> Request:
    """Make a request from the options of a command; `others` are the fields that the command works out itself.

    Raises UsageError for values that make no sense.
    """
    return Request.of(architectures, **{name: context.params[name] for name in _CELL}, **others)


def _axis(text: str, complete: Completer | None = None, *, grid: bool = False) -> Any:
    """The option of an axis; with `grid`, its text says that it takes several values."""
    return typer.Option(help=f"{text} Several values make a grid." if grid else text, autocompletion=complete)


_BLOCK = "Block for the slot; a+b is one after the other.", composed("block")
_DATA = "Resampler of the training set.", names_of("resampler")
_LOSS = "Training loss.", names_of("objective")
_DATASET = "Data set, or a .csv, .parquet, .npz or .ts file.", names_of("dataset")
_PROTOCOL = "official, holdout, inter-patient, inter-patient-strict."

Block = Annotated[str | None, _axis(*_BLOCK)]
Blocks = Annotated[list[str] | None, _axis(*_BLOCK, grid=True)]
Resampler = Annotated[str | None, _axis(*_DATA)]
Resamplers = Annotated[list[str] | None, _axis(*_DATA, grid=True)]
Loss = Annotated[str | None, _axis(*_LOSS)]
Losses = Annotated[list[str] | None, _axis(*_LOSS, grid=True)]
Dataset = Annotated[str | None, _axis(*_DATASET)]
Datasets = Annotated[list[str] | None, _axis(*_DATASET, grid=True)]
Protocol = Annotated[str | None, _axis(_PROTOCOL)]
Protocols = Annotated[list[str] | None, _axis(_PROTOCOL, grid=True)]
Rows = Annotated[int | None, typer.Option(help="Rows to train on, by class shares; all by default.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder with the data set's files; else ZOO_DATA.")]
Target = Annotated[str | None, typer.Option(help="Column of the labels, for a file.")]
Group = Annotated[str | None, typer.Option(help="Column of what belongs together (patients), for a file.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]

Address = Annotated[
    str | None, typer.Option(help="Of a running Ray cluster to work on: auto, HOST:PORT, or local for here.")
]
ResultsToWrite = Annotated[Path | None, typer.Option(help="Folder for results; else ZOO_RESULTS.")]
ResultsToRead = Annotated[Path | None, typer.Option(help="Folder with results; else ZOO_RESULTS.")]
Save = Annotated[
    str | None, typer.Option(help="Write the winner to registry.toml as this preset.", metavar="ARCH.NAME")
]


def json_option(text: str) -> Any:
    """The option `--json` with a text of its own."""
    return typer.Option("--json", help=text)


Json = Annotated[bool, json_option("Print JSON.")]
