"""Write the report of a results folder to a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.errors import UsageError
from zoo.paths import is_folder
from zoo.reporting.collect import Data, report_of
from zoo.reporting.page import check_installed, page_of
from zoo.reporting.records import Report
from zoo.shipped import shipped_references
from zoo.store.files import write_atomically
from zoo.store.runs import Store
from zoo.store.selection import Selection

ENDINGS = (".html", ".htm")


def written(folder: Path, output: Path, metric: str, patterns: Mapping[str, str | None], data: Data) -> Report:
    """Write the report of the runs in a results folder that match patterns, by the name of a field; return it.

    Raises UsageError if there is nothing to report, if plotly is not installed or the file has a wrong ending, and
    StoreError if the file cannot be written.
    """
    check_file(output)
    report = read(folder, metric, patterns, data)
    write_atomically(output, page_of(report).encode())
    return report


def read(folder: Path, metric: str, patterns: Mapping[str, str | None], data: Data) -> Report:
    """Return the report of the runs in a results folder that match patterns. Raises UsageError if there are none."""
    if not Store.exists(folder):
        raise UsageError(f"no results in {str(folder)!r}: start a run with `zoo bench cnngru`, or name --results DIR")
    picked = Selection.of(**patterns)
    with Store(folder, create=False) as store:
        runs = store.runs()
        if not runs:
            raise UsageError(f"no runs in {str(folder)!r}: start one with `zoo bench cnngru`")
        if not any(map(picked.picks, runs)):
            raise UsageError("no run matches these filters: `zoo results` lists the stored runs")
        keep = picked.picks if picked else None
        workspace = data.workspace
        references = [*shipped_references(workspace.registry).references, *workspace.settings.references]
        chosen = _words(patterns)
        report = report_of(store, runs, metric, keep, references=references, chosen=chosen, data=data)
    if not report.boards:
        raise UsageError(_nothing(report.notes))
    return report


def check_file(output: Path) -> None:
    """Raise UsageError if no report can be written to this file, also because plotly is not installed."""
    if output.suffix.lower() not in ENDINGS:
        raise UsageError(f"a report is an HTML file: name one that ends in .html, not {output.name!r}")
    if is_folder(output):
        raise UsageError(f"{str(output)!r} is a folder: name a file in it")
    check_installed()


def _words(patterns: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {pattern}" for name, pattern in patterns.items() if pattern is not None)


def _nothing(notes: Sequence[str]) -> str:
    reason = f": {'; '.join(notes)}" if notes else ""
    return f"no run has ended yet{reason}. `zoo results` lists the stored runs"
