"""Runs of the zoo in several processes, for benchmarks: each process has its own store and one thread."""

import csv
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

Row = dict[str, Any]
History = list[dict[str, float]]  # of each epoch: its number, losses and validation scores


@dataclass(frozen=True)
class Case:
    """One call of `zoo.bench`: an architecture on a data set with several treatments and seeds.

    `dataset` is a name or a path. A treatment is RESAMPLER or RESAMPLER/OBJECTIVE; "" is the preset's own.
    """

    dataset: str
    architecture: str
    treatment: str = ""
    seeds: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    device: str = "cpu"


def run_cases(cases: Sequence[Case], jobs: int, row_of: Callable[[Case, Any, History], Row]) -> Iterator[Row]:
    """Yield a row for each finished run of the cases, in the order in which they finish.

    `row_of` computes it in the process of the run, from the case, the run and its history.
    """
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_run, case, row_of) for case in cases]
        for done in as_completed(waiting):
            yield from done.result()


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file with a JSON object on each line; none if there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def common_row(case: Case, run: Any) -> Row:
    """Return what the rows of all benchmarks share; a run that did not end well has no scores."""
    row = {
        "set": Path(case.dataset).name,
        "architecture": case.architecture,
        "seed": run.seed,
        "status": str(run.status),
        "error": run.error,
    }
    if run.status != "done":
        return row
    return row | {
        "rows": run.parts.rows["train"],
        "steps": run.steps,
        "epochs": run.epochs,
        "best_epoch": run.best_epoch,
        "accuracy": run.score("accuracy"),
        "macro_recall": run.score("macro_recall"),
        "parameters": run.cost.parameters,
        "seconds": run.cost.train_seconds,
    }


def _run(case: Case, row_of: Callable[[Case, Any, History], Row]) -> list[Row]:
    import zoo
    from zoo.store.runs import Store

    resampler, _, objective = case.treatment.partition("/")
    with tempfile.TemporaryDirectory() as results:
        runs = zoo.bench(
            case.architecture,
            dataset=case.dataset,
            data=resampler or (),
            loss=objective or (),
            seeds=case.seeds,
            rows=case.rows,
            set=case.settings,
            device=case.device,
            threads=1,
            results=results,
        )
        with Store(Path(results), create=False) as store:
            return [row_of(case, run, _history(store, run)) for run in runs]


def _history(store: Any, run: Any) -> History:
    if run.status != "done":
        return []
    with (store.path(run) / "history.csv").open(newline="") as file:
        return [{name: float(value or "nan") for name, value in row.items()} for row in csv.DictReader(file)]
