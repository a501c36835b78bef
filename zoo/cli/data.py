"""`zoo data`: what a data set or a file is, before a run."""

from dataclasses import asdict
from typing import Annotated

import typer

from zoo.assignments import parse_assignments
from zoo.cli import options
from zoo.cli.complete import names_of
from zoo.cli.session import session_of
from zoo.cli.views.table import print_json, quiet_stdout
from zoo.errors import UsageError, unknown_name
from zoo.harness.request import DataRequest
from zoo.specs import SCALES


def data_command(
    context: typer.Context,
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A data set, or a .csv, .parquet, .npz, .ts or .tsv file.",
            autocompletion=names_of("dataset"),
        ),
    ],
    target: options.Target = None,
    group: options.Group = None,
    columns: options.Columns = None,
    drop: options.Drop = None,
    drop_class: options.DropClass = None,
    merge_class: options.MergeClass = None,
    protocol: options.ProtocolOrFolds = None,
    cv: options.Folds = None,
    scale: options.Scale = None,
    rows: options.Rows = None,
    seed: Annotated[
        int, options.number("--seed", "Seed that draws the validation set.", least=0, panel=options.DATA)
    ] = 0,
    data_dir: options.DataDir = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Parameter of the data set, dataset.KEY=VALUE, or training.validation. Repeat the option for more.",
            metavar="KEY=VALUE",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample",
            help="Also show the training rows that each resampler makes.",
            rich_help_panel=options.DATA,
        ),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Show a data set before a run: rows, classes, patients, values, and the sets that each protocol makes.

    With --cv, also the test rows of each fold of a cross-validation. All values come from rows outside the test set.
    """
    from zoo.cli.views.data import print_summary
    from zoo.data.folds import CROSS_VALIDATION, Fold
    from zoo.data.protocols import PROTOCOLS
    from zoo.harness.data_summary import summarise
    from zoo.harness.request import check_folds

    session = session_of(context)
    given = parse_assignments(assignments or ())
    for key in given:
        if not key.startswith("dataset.") and key != "training.validation":
            raise UsageError(
                f"--set {key}: zoo data accepts only parameters of the data set, dataset.KEY=VALUE, and "
                "training.validation"
            )
    if protocol == CROSS_VALIDATION and cv is None:
        raise UsageError(f"--protocol {CROSS_VALIDATION} needs the number of folds: --cv 5")
    check_folds(cv)
    named = protocol == CROSS_VALIDATION
    protocol = None if named else protocol
    for kind, name, known in (("protocol", protocol, (*PROTOCOLS, CROSS_VALIDATION)), ("scale", scale, SCALES)):
        if name and name not in known:
            raise unknown_name(kind, name, known)
    request = DataRequest(
        rows=rows,
        assignments=given,
        data_dir=data_dir,
        target=target,
        group=group,
        columns=columns,
        drop=drop,
        drop_class=tuple(drop_class or ()),
        merge_class=tuple(merge_class or ()),
    )
    with quiet_stdout():
        summary = summarise(
            session.workspace,
            dataset,
            request,
            protocol=protocol or "",
            scale=scale or "",
            seed=seed,
            resampled=resample,
            fold=None if cv is None else Fold(1, cv, named),
        )
    if as_json:
        print_json(asdict(summary))
    else:
        print_summary(summary)
