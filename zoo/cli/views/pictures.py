"""Write figures of studies, comparisons and hypotheses to files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.views.table import Say
from zoo.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.claims.result import Hypotheses
    from zoo.comparison.comparison import Comparison
    from zoo.store.runs import Store
    from zoo.store.study import Study
    from zoo.versus.result import DatasetComparison


def write_study(say: Say, study: "Study", folder: Path) -> None:
    """Write the history and the parallel coordinates of a study, and report each file."""
    from zoo.plots import study_history, study_parallel

    _write(say, folder, {"history.svg": study_history(study), "parallel.svg": study_parallel(study)})


def write_comparison(say: Say, store: "Store", comparison: "Comparison", folder: Path) -> None:
    """Write the best score so far over trials and over time, and report each file."""
    from zoo.plots import comparison_by_seconds, comparison_by_trials
    from zoo.store.studies import StudyStore

    by_seconds = comparison_by_seconds(comparison, StudyStore(store))
    _write(say, folder, {"trials.svg": comparison_by_trials(comparison), "time.svg": by_seconds})


def check_file(path: Path) -> None:
    """Raise UsageError if no figure can be written to this file."""
    from zoo.plots import FORMATS, check_installed

    if path.suffix not in FORMATS:
        raise UsageError(f"a figure is written as {' or '.join(FORMATS)}, not as {path.name!r}")
    check_installed()


def write_datasets(say: Say, found: "DatasetComparison", path: Path) -> None:
    """Write the diagram of configurations over data sets, and report the file."""
    from zoo.versus.diagram import diagram

    _write(say, path.parent, {path.name: diagram(found)})


def write_hypotheses(say: Say, found: "Hypotheses", path: Path) -> None:
    """Write the forest plot of answers, and report the file. Raises UsageError if no answer has a difference."""
    from zoo.claims.forest import drawable, forest

    if not drawable(found):
        raise UsageError("no figure was written: no hypothesis has a difference yet")
    _write(say, path.parent, {path.name: forest(found)})


def _write(say: Say, folder: Path, figures: Mapping[str, "Figure"]) -> None:
    from zoo.plots import file_bytes
    from zoo.store.files import write_atomically

    for name, figure in figures.items():
        path = folder / name
        write_atomically(path, file_bytes(figure, path.suffix))
        say(f"wrote {path}")
