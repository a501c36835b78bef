"""What a comparison of searchers says: a table, and the verdict on tuning in plain lines."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from statistics import mean
from typing import TYPE_CHECKING, Any

from zoo.cli.views import table as output
from zoo.cli.views.runs import SHORT
from zoo.cli.views.study import over_classes_note, run_of
from zoo.cli.views.table import Column, Say, emit, number, print_json
from zoo.cli.views.verdict import difference_text, verdict_lines
from zoo.comparison.comparison import AS_IT_IS, Comparison, seed_of
from zoo.comparison.curve import Band, Point, second_band, trial_band, trial_curve
from zoo.records import Interval
from zoo.scores import metric_words
from zoo.store.run import Run, RunStatus
from zoo.store.study import Study
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.comparison.verdict import Lead, Verdict
    from zoo.store.runs import Store
    from zoo.store.studies import StudyStore

Runs = Mapping[str, Run | None]

FLAT = (
    "searcher",
    "seed",
    "study",
    "status",
    "trials",
    "wanted",
    "metric",
    "validation_25",
    "validation_50",
    "validation_100",
    "seconds",
    "dataset",
    "protocol",
    "score",
    "run",
    "test",
    "test_low",
    "test_high",
    "defaults_run",
    "defaults",
    "difference",
)


def show_comparison(say: Say, store: "Store", comparison: Comparison, *, as_json: bool) -> None:
    """A table, then the verdict: of all that there is so far."""
    from zoo.comparison.verdict import lead, verdicts
    from zoo.store.studies import StudyStore

    runs = {name: run_of(store, name) for study in comparison.studies for name in (study.run, study.defaults) if name}
    found, first = verdicts(store, comparison), lead(comparison)
    notes = _notes(comparison, runs)
    for note in notes:
        say(f"note: {note}")
    if as_json:
        print_json(_object(comparison, StudyStore(store), runs, found, first, notes))
    elif not sys.stdout.isatty():
        emit([Column(name, name) for name in FLAT], _flat_rows(comparison, runs))
    else:
        emit(_columns(comparison), _rows(comparison, runs, found), title=_title(comparison, runs))
    answer = output.say if sys.stdout.isatty() and not as_json else say
    for line in verdict_lines(comparison, found, first, _dataset(runs)):
        answer(line)


def _columns(comparison: Comparison) -> list[Column]:
    marks = sorted(set(comparison.marks().values()))
    after = [
        Column(
            f"after {mark}" if mark < marks[-1] else f"after {count_text(mark, 'trial')}", f"after_{mark}", drop=drop
        )
        for drop, mark in zip(range(2 + len(marks), 2, -1), marks, strict=True)
    ]
    return [
        Column("searcher", "searcher"),
        Column("seeds", "seeds", optional=True),
        *after,
        Column("test", "test", SHORT, numeric=True),
        Column("difference", "difference"),
        Column("train s", "seconds", number(0), numeric=True, drop=2),
    ]


def _rows(comparison: Comparison, runs: Runs, verdicts: "Sequence[Verdict]") -> list[dict[str, Any]]:
    """A row for each searcher, and one for the defaults."""
    rows = []
    for verdict in verdicts:
        band = trial_band(comparison, verdict.searcher)
        winners = [runs.get(study.run) for study in comparison.of(verdict.searcher)]
        rows.append(
            {
                "searcher": verdict.searcher,
                "seeds": None if band.seeds == len(comparison.seeds) else f"{band.seeds} of {len(comparison.seeds)}",
                **{f"after_{mark}": _point_text(band, band.at(mark)) for mark in comparison.marks().values()},
                "test": _mean(comparison, winners),
                "difference": difference_text(verdict.difference),
                "seconds": verdict.seconds,
            }
        )
    defaults = _defaults(comparison, runs)
    seconds = sum(run.cost.train_seconds or 0.0 for run in defaults) if defaults else None
    return [*rows, {"searcher": AS_IT_IS, "test": _mean(comparison, defaults), "seconds": seconds}]


def _flat_rows(comparison: Comparison, runs: Runs) -> list[dict[str, Any]]:
    """A row for each searcher and seed."""
    return [_flat_row(comparison, study, runs) for name in comparison.searchers for study in comparison.of(name)]


def _flat_row(comparison: Comparison, study: Study, runs: Runs) -> dict[str, Any]:
    run, defaults, curve = runs.get(study.run), runs.get(study.defaults), trial_curve(study)
    test = run.scores.of_all(comparison.score) if run is not None and run.status == RunStatus.DONE else Interval()
    plain = defaults.score(comparison.score) if defaults is not None and defaults.status == RunStatus.DONE else None
    return {
        "searcher": study.searcher,
        "seed": seed_of(study),
        "study": study.name,
        "status": study.status,
        "trials": len(study.ended),
        "wanted": study.wanted,
        "metric": study.metric,
        **{f"validation_{share:.0%}".rstrip("%"): curve.at(mark) for share, mark in comparison.marks().items()},
        "seconds": sum(trial.seconds for trial in study.trials),
        "dataset": run.dataset_label if run else None,
        "protocol": run.protocol if run else None,
        "score": comparison.score,
        "run": study.run,
        "test": test.value,
        "test_low": test.low,
        "test_high": test.high,
        "defaults_run": study.defaults,
        "defaults": plain,
        "difference": None if test.value is None or plain is None else test.value - plain,
    }


def _object(
    comparison: Comparison,
    studies: "StudyStore",
    runs: Runs,
    verdicts: "Sequence[Verdict]",
    lead: "Lead | None",
    notes: Sequence[str],
) -> dict[str, Any]:
    """The documented form of a comparison in JSON."""
    return {
        **comparison.to_json(),
        "studies": _flat_rows(comparison, runs),
        "curves": {
            searcher: {
                "trials": trial_band(comparison, searcher).to_json(),
                "seconds": second_band(comparison, searcher, studies).to_json(),
            }
            for searcher in comparison.searchers
        },
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "lead": None if lead is None else asdict(lead),
        "notes": list(notes),
    }


def _title(comparison: Comparison, runs: Runs) -> str:
    run = _first(runs)
    where = f" on {run.dataset_label}, {run.protocol}" if run else ""
    best = f"best {metric_words(comparison.metric)} after so many trials"
    spread = " (mean, lowest-highest over seeds)" if len(comparison.seeds) > 1 else ""
    tested = f"test {comparison.score.replace('_', ' ')} of the winners"
    return f"{comparison.name}: {comparison.architecture}{where}\n{best}{spread}, and {tested}"


def _first(runs: Runs) -> Run | None:
    return next((run for run in runs.values() if run is not None), None)


def _dataset(runs: Runs) -> str:
    run = _first(runs)
    return run.dataset_label if run else ""


def _notes(comparison: Comparison, runs: Runs) -> list[str]:
    return list(dict.fromkeys(_all_notes(comparison, runs)))


def _all_notes(comparison: Comparison, runs: Runs) -> Iterator[str]:
    for study in comparison.studies:
        yield from study.notes
    for run in runs.values():
        if run is not None:
            yield from run.notes
            yield from over_classes_note(run)


def _defaults(comparison: Comparison, runs: Runs) -> list[Run]:
    """The runs of the defaults that were scored, each once."""
    found = [runs.get(name) for name in dict.fromkeys(study.defaults for study in comparison.studies)]
    return [run for run in found if run is not None and run.status == RunStatus.DONE]


def _mean(comparison: Comparison, runs: Sequence[Run | None]) -> float | None:
    values = [run.score(comparison.score) for run in runs if run is not None and run.status == RunStatus.DONE]
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def _point_text(band: Band, point: Point | None) -> str:
    if point is None:
        return "-"
    return f"{point.mean:.3f} ({point.low:.3f}-{point.high:.3f})" if band.seeds > 1 else f"{point.mean:.3f}"
