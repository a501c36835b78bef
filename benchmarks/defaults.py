"""Default settings of training on small data: test macro recall for several numbers of gradient steps.

    python benchmarks/defaults.py FOLDER [--sets ECG200 GunPoint …] [--steps 0 300 1000] [--architectures fcn]
                                         [--treatments original smote original/weighted …] [--seeds 3]

FOLDER holds data sets of the UCR archive, each in a folder of its name. A treatment is RESAMPLER or
RESAMPLER/OBJECTIVE.
`training.min_steps` 0 is the default number of epochs, whatever the size of the data. The tables have the mean over
seeds of the test macro recall, the seconds of training, and how often each rule for the end of training would have
stopped before the epoch that is kept: no lower loss, no lower balanced loss, no better macro recall for the patience
of the run.
"""

import argparse
import csv
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean

import zoo
from zoo.store.run import Run
from zoo.store.runs import Store

RULES = {"validation_loss": min, "balanced_loss": min, "macro_recall": max}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--steps", nargs="*", type=int, default=[0, 300, 1000])
    parser.add_argument("--architectures", nargs="*", default=["fcn"])
    parser.add_argument("--treatments", nargs="*", default=["original"])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    names = asked.sets or sorted(path.name for path in asked.folder.iterdir() if path.is_dir())
    print(f"| set | rows | architecture | treatment | {' | '.join(f'{n} steps' for n in asked.steps)} | seconds |")
    print(f"|{'---|' * (5 + len(asked.steps))}")
    with tempfile.TemporaryDirectory() as results:
        early: dict[str, list[bool]] = defaultdict(list)
        for name in names:
            for architecture in asked.architectures:
                for treatment in asked.treatments:
                    row = [_runs(asked, name, architecture, treatment, steps, results) for steps in asked.steps]
                    _print_row(name, architecture, treatment, row)
                    for rule in RULES:
                        early[f"{treatment} {rule}"] += [_too_early(run, rule, results) for run in row[-1]]
        print("\n| treatment and rule | runs | stopped before the best epoch |\n|---|---|---|")
        for label, found in early.items():
            print(f"| {label} | {len(found)} | {sum(found)} |")


def _runs(
    asked: argparse.Namespace, name: str, architecture: str, treatment: str, steps: int, results: str
) -> list[Run]:
    data, _, loss = treatment.partition("/")
    # patience 0: the history goes on to the end, so that each rule can be compared with the best epoch
    settings = {"training.min_steps": steps, "training.patience": 0}
    found = zoo.bench(
        architecture,
        dataset=str(asked.folder / name),
        data=data,
        loss=loss or None,
        seeds=asked.seeds,
        set=settings,
        threads=1,
        results=results,
    )
    return [run for run in found if run.status == "done"]


def _print_row(name: str, architecture: str, treatment: str, row: list[list[Run]]) -> None:
    scores = " | ".join(f"{mean(run.score('macro_recall') or 0 for run in runs):.3f}" if runs else "-" for runs in row)
    seconds = "/".join(f"{mean(run.cost.train_seconds or 0 for run in runs):.0f}" if runs else "-" for runs in row)
    rows = row[0][0].parts.rows["train"] if row[0] else 0
    print(f"| {name} | {rows} | {architecture} | {treatment} | {scores} | {seconds} |", flush=True)


def _too_early(run: Run, rule: str, results: str) -> bool:
    """Whether training would have stopped before the kept epoch, without an improvement of the rule for its patience.

    The patience is two thirds of the epochs, the share of the defaults.
    """
    with Store(Path(results), create=False) as store:
        rows = list(csv.DictReader(store.read(run, "history.csv").read_text().splitlines()))
    values, patience = [float(row[rule]) for row in rows], max(1, round(len(rows) * 4 / 6))
    best = 0
    for epoch, value in enumerate(values):
        if value != values[best] and RULES[rule](value, values[best]) == value:
            best = epoch
        if epoch - best >= patience:
            return epoch + 1 < run.best_epoch
    return False


if __name__ == "__main__":
    main()
