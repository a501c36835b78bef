"""`zoo compare`: which configurations differ, and which are tied."""

from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import options
from zoo.cli.filters import Metric, pattern
from zoo.cli.session import session_of
from zoo.cli.views.configurations import show_comparisons
from zoo.cli.views.pictures import check_file, write_datasets
from zoo.errors import UsageError
from zoo.scores import metric_parts


def compare_command(
    context: typer.Context,
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN", help="Compare these runs: their ids, or the starts of their ids.", show_default="all"
        ),
    ] = None,
    architecture: Annotated[str | None, pattern("architectures")] = None,
    dataset: Annotated[str | None, pattern("data sets")] = None,
    data: Annotated[str | None, pattern("resamplers")] = None,
    protocol: Annotated[str | None, pattern("protocols")] = None,
    baseline: Annotated[
        str,
        typer.Option(
            help="Configuration to compare the others with, as the table names it.",
            metavar="NAME",
            rich_help_panel=options.OUTPUT,
            show_default="the first of each board",
        ),
    ] = "",
    all_pairs: Annotated[
        bool,
        typer.Option(
            "--all-pairs", help="Compare each configuration with each other one.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    metric: Metric = "macro_recall",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a diagram of several data sets to FILE, a .svg or .png. Needs the extra plots.",
            metavar="FILE",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    results: options.ResultsToRead = None,
    as_json: options.Json = False,
) -> None:
    """Compare configurations that were scored on the same test rows.

    Differences are paired by seed and by test row. Each has an interval, and a verdict: better, worse or tied.

    Two RUNs are compared by McNemar's test. Several data sets are compared one by one, and together.
    """
    from zoo.store.runs import Store
    from zoo.store.selection import Selection
    from zoo.versus.runs import compare_given, compare_runs

    metric_parts(metric)
    if output is not None:
        check_file(output)
    session = session_of(context)
    folder = session.settings.results_folder(results)
    if not Store.exists(folder):
        raise UsageError(f"no results in {str(folder)!r}: start a run with `zoo bench cnngru`, or name --results DIR")
    picked = Selection.of(architecture=architecture, dataset=dataset, data=data, protocol=protocol)
    if runs and picked:
        raise UsageError("name either runs or filters such as --architecture, not both")
    with Store(folder, create=False) as store:
        if runs:
            found = compare_given(store, runs, metric, baseline, all_pairs=all_pairs)
        else:
            chosen = [run for run in store.runs() if picked.picks(run)]
            if picked and not chosen:
                raise UsageError("no run matches these filters: `zoo results` lists the stored runs")
            found = compare_runs(store, chosen, metric, baseline, all_pairs=all_pairs)
    if output is not None and found.over_datasets is None:
        raise UsageError("a diagram needs configurations that were scored on several data sets")
    show_comparisons(session.say, found, as_json=as_json)
    if output is not None and found.over_datasets:
        write_datasets(session.say, found.over_datasets, output)
