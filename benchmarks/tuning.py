"""Overhead of the tuning harness, and time saved by early stopping: ratios from one run.

    python benchmarks/tuning.py [--trials 4] [--rows 8000] [--jobs 1] [--skip-early]

*Overhead.* A study of `cnngru` by random search with one job is compared with a plain loop, in which the trainer trains
the same configurations one after the other in this process. The ratio is the seconds of the search over the seconds of
the loop. It is printed twice: from the start of the first trial, and including the start of Ray and of the first
worker, which happens once per study. Goal: at most 1.1 without the start, for trials of 10 seconds and more.

*Early stopping.* The same searcher and seed run with and without ASHA. The time is measured from the start of the first
trial until the best validation score reaches the lower of the two final scores.

All runs use the embedded heartbeats. Trials train on one thread.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo.harness.reporter import SilentReporter
from zoo.harness.request import Request
from zoo.harness.training_run import TrainingRun, resampled
from zoo.store.runs import Store
from zoo.store.study import Study, space_from_json
from zoo.training.hardware import computing_on
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.request import TuneRequest
from zoo.tuning.run_study import run_study
from zoo.tuning.trial_cell import cell_of
from zoo.tuning.trial_data import prepare
from zoo.workspace import Workspace


@dataclass
class Stopwatch(SilentTuneReporter):
    """The times at which a search started, its first trial started, it ended, and its best score improved."""

    asked: float = 0.0
    first: float = 0.0
    ended: float = 0.0
    best: list[tuple[float, float]] = field(default_factory=list)

    def on_phase(self, text: str) -> None:
        now = time.perf_counter()
        if text == "starting workers":
            self.asked = now
        elif text.startswith("training the winner") and not self.ended:
            self.ended = now

    def on_trials(self, study: Study, seconds_left: float | None) -> None:
        now = time.perf_counter()
        begun = [trial for trial in study.trials if trial.epochs]
        if begun and not self.first:
            self.first = now - begun[0].seconds
        values = [trial.value for trial in study.trials if trial.value is not None]
        if values and (not self.best or max(values) > self.best[-1][1]):
            self.best.append((now - self.first, max(values)))


def search(request: TuneRequest) -> tuple[Study, Stopwatch]:
    reporter = Stopwatch()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder)) as store:
        return run_study(Workspace.load(), request, store, reporter), reporter


def plain_loop(study: Study) -> float:
    """Return the seconds that the trainer alone needs for the configurations of the study, with the data loaded."""
    workspace, request = Workspace.load(), TuneRequest.from_json(study.request)
    data = prepare(workspace, request, space_from_json(study.space), SilentReporter())
    seconds = 0.0
    for trial in study.trials:
        started = time.perf_counter()
        cell = cell_of(workspace, request, trial.config)
        model = cell.network.build(**data.parts.summary["shape"])
        hardware = cell.hardware(model, "cpu", threads=1)
        with computing_on(hardware):
            lesson = TrainingRun.of(cell, data.parts, resampled(cell, data.parts), hardware)
            for _ in lesson.epochs(lesson.learner(1), SilentReporter()):
                pass
        seconds += time.perf_counter() - started
    return seconds


def overhead(request: TuneRequest) -> None:
    study, reporter = search(request)
    plain = plain_loop(study)
    trials = len(study.trials)
    after, whole = reporter.ended - reporter.first, reporter.ended - reporter.asked
    print(f"overhead: {trials} trials of {plain / trials:.1f} s each by the trainer alone, {plain:.1f} s in total")
    print(f"  search from its first trial: {after:.1f} s, {after / plain:.2f}x (goal: 1.1x)")
    print(f"  including the start of Ray and a worker: {whole:.1f} s, {whole / plain:.2f}x")


def reached(reporter: Stopwatch, score: float) -> float:
    return next(seconds for seconds, value in reporter.best if value >= score)


def early_stopping(request: TuneRequest) -> None:
    runs = {name: search(replace(request, scheduler=name)) for name in ("none", "asha")}
    score = min(reporter.best[-1][1] for _, reporter in runs.values())
    cell = request.cell
    print(f"early stopping: {request.trials} trials of {cell.epochs} epochs, to a validation recall of {score:.3f}")
    seconds = {name: reached(reporter, score) for name, (_, reporter) in runs.items()}
    for name, (study, reporter) in runs.items():
        epochs = sum(trial.epochs for trial in study.trials)
        whole = reporter.ended - reporter.first
        print(f"  {name}: reached after {seconds[name]:.1f} s; {epochs} epochs, {whole:.1f} s in total")
    whole = {name: reporter.ended - reporter.first for name, (_, reporter) in runs.items()}
    to_score, in_all = (found["none"] / found["asha"] for found in (seconds, whole))
    print(f"  none / asha: {to_score:.2f}x to the score, {in_all:.2f}x in total")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--skip-early", action="store_true", help="measure the overhead only")
    options = parser.parse_args()
    cell = Request(architectures=("cnngru",), rows=options.rows, epochs=2, assignments={"training.patience": 0})
    overhead(TuneRequest(cell=cell, trials=options.trials))
    if not options.skip_early:
        longer = replace(cell, rows=1000, epochs=8)
        early_stopping(TuneRequest(cell=longer, trials=3 * options.trials, jobs=options.jobs))


if __name__ == "__main__":
    main()
