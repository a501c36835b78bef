"""The default settings of training on small data, and when each rule of early stopping ends a run.

    python benchmarks/defaults.py run FOLDER rows.jsonl [--sets ECG200 GunPoint …] [--architectures fcn]
                                                        [--treatments original smote original/weighted …]
                                                        [--steps 0 300 1000 2000] [--batch 0] [--seeds 2] [--jobs 2]
    python benchmarks/defaults.py tables rows.jsonl…

FOLDER holds data sets of the UCR archive, each in a folder of its name; a set that is not there is one of the zoo's own
(`heartbeats`). A treatment is RESAMPLER or RESAMPLER/OBJECTIVE; without `--treatments` all are run. `--steps` are
values of `training.min_steps`, where 0 is the default number of epochs, whatever the size of the data; `--batch` is
`training.batch_size`, where 0 is the default. The runs do not stop early, so that each rule can be compared with the
best epoch. `run` appends a line for each run, and leaves out what has all its lines
already; `tables` prints the tables of all lines.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from statistics import mean
from typing import Any

from grid import Case, History, Row, common_row, rows_of, run_cases

RULES = {"validation_loss": min, "balanced_loss": min, "macro_recall": max}
SHARES = (1 / 6, 1 / 3, 1 / 2, 2 / 3)  # of the epochs: the patience of a rule


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("folder", type=Path)
    run.add_argument("rows", type=Path)
    run.add_argument("--sets", nargs="*", default=[])
    run.add_argument("--architectures", nargs="*", default=["fcn"])
    run.add_argument("--treatments", nargs="*", default=[])
    run.add_argument("--steps", nargs="*", type=int, default=[0, 300, 1000, 2000])
    run.add_argument("--batch", type=int, default=0)
    run.add_argument("--seeds", type=int, default=2)
    run.add_argument("--jobs", type=int, default=2)
    run.add_argument("--device", default="cpu")
    run.set_defaults(command=run_all)
    tables = commands.add_parser("tables")
    tables.add_argument("rows", type=Path, nargs="+")
    tables.set_defaults(command=print_tables)
    asked = parser.parse_args()
    asked.command(asked)


def run_all(asked: argparse.Namespace) -> None:
    sets = asked.sets or sorted(path.name for path in asked.folder.iterdir() if path.is_dir())
    batch = {"training.batch_size": asked.batch} if asked.batch else {}
    cases = [
        Case(
            dataset=str(asked.folder / name) if (asked.folder / name).is_dir() else name,
            architecture=architecture,
            treatment=treatment,
            seeds=asked.seeds,
            settings={"training.min_steps": steps, "training.patience": 0, **batch},
            device=asked.device,
        )
        for steps in sorted(asked.steps, reverse=True)  # the longest first, so that no process waits for another
        for architecture in asked.architectures
        for treatment in asked.treatments or all_treatments()
        for name in sets
    ]
    counts = Counter(_case_of(row) for row in rows_of(asked.rows))
    cases = [case for case in cases if counts[_key(case)] < asked.seeds]
    with asked.rows.open("a") as file:
        for row in run_cases(cases, asked.jobs, row_of):
            file.write(json.dumps(row) + "\n")
            file.flush()


def _key(case: Case) -> tuple[object, ...]:
    settings = case.settings
    batch = settings.get("training.batch_size", 0)
    return Path(case.dataset).name, case.architecture, case.treatment, settings["training.min_steps"], batch


def _case_of(row: Row) -> tuple[object, ...]:
    return row["set"], row["architecture"], row["treatment"], row["min_steps"], row["batch"]


def all_treatments() -> list[str]:
    """Return every resampler, and every objective on the original rows."""
    from zoo.registry import Registry

    registry = Registry.discover()
    resamplers, objectives = ([entry.name for entry in registry.of_kind(kind)] for kind in ("resampler", "objective"))
    return [*sorted(resamplers), *(f"original/{name}" for name in sorted(objectives) if name != "cross-entropy")]


def row_of(case: Case, run: Any, history: History) -> Row:
    row = common_row(case, run) | {
        "treatment": case.treatment,
        "min_steps": case.settings["training.min_steps"],
        "batch": case.settings.get("training.batch_size", 0),
    }
    if run.status != "done":
        return row
    return row | {"stops": [stop(rule, share, history) for rule in RULES for share in SHARES]}


def stop(rule: str, share: float, history: History) -> Row:
    """Return when a rule would have ended training, and what the validation set loses by it.

    The rule ends training after a share of the epochs without a better value.
    """
    patience, best, end = ceil(share * len(history)), 0, len(history)
    values = [epoch[rule] for epoch in history]
    for place, value in enumerate(values):
        if value != values[best] and RULES[rule](value, values[best]) == value:
            best = place
        if place - best >= patience:
            end = place + 1
            break
    recalls = [epoch["macro_recall"] for epoch in history]
    return {"rule": rule, "share": share, "trained": end / len(history), "lost": max(recalls) - max(recalls[:end])}


def print_tables(asked: argparse.Namespace) -> None:
    rows = [row for path in asked.rows for row in rows_of(path)]
    done = [row for row in rows if row["status"] == "done"]
    _print_scores(done, "set", rows)
    _print_scores(done, "treatment", rows)
    _print_rules(done)


def _print_scores(done: Sequence[Row], by: str, rows: Sequence[Row]) -> None:
    """Print the mean test macro recall for each number of steps, over all runs with one value of `by`."""
    choices = sorted({(row["min_steps"], row["batch"]) for row in done})
    names = " | ".join(f"{steps} steps{f', batch {batch}' if batch else ''}" for steps, batch in choices)
    print(f"| {by} | rows | architecture | runs | failed | {names} | seconds |\n|{'---|' * (6 + len(choices))}")
    groups: dict[tuple[int, str, str], list[Row]] = defaultdict(list)
    for row in done:
        groups[row["rows"] if by == "set" else 0, row[by], row["architecture"]].append(row)
    for (size, name, architecture), found in sorted(groups.items()):
        cells = {choice: [row for row in found if (row["min_steps"], row["batch"]) == choice] for choice in choices}
        scores = [f"{mean(row['macro_recall'] for row in runs):.3f}" if runs else "" for runs in cells.values()]
        seconds = [f"{mean(row['seconds'] for row in runs):.0f}" if runs else "" for runs in cells.values()]
        failed = sum(row["status"] != "done" and (row[by], row["architecture"]) == (name, architecture) for row in rows)
        counts = f"{len(found)} | {failed}"
        print(f"| {name} | {size or ''} | {architecture} | {counts} | {' | '.join(scores)} | {'/'.join(seconds)} |")
    print()


def _print_rules(done: Sequence[Row]) -> None:
    """Print how often each rule ends training before the best epoch, for the runs with enough epochs to wait."""
    groups: dict[tuple[str, float, str], list[Row]] = defaultdict(list)
    for row in done:
        for found in row["stops"] if row["min_steps"] else ():
            for treatment in (row["treatment"], "all"):
                groups[treatment, found["share"], found["rule"]].append(found)
    print(f"| treatment | patience | {' | '.join(f'{rule}: too early | lost | trained' for rule in RULES)} |")
    print(f"|{'---|' * (2 + 3 * len(RULES))}")
    for treatment, share in dict.fromkeys((treatment, share) for treatment, share, _ in sorted(groups)):
        cells = [_rule_cells(groups[treatment, share, rule]) for rule in RULES]
        print(f"| {treatment} | {share:.2f} | {' | '.join(cells)} |")


def _rule_cells(found: Sequence[Row]) -> str:
    """Return the share of runs ended before the best epoch, the mean recall lost, and the share of epochs trained."""
    early = mean(each["lost"] > 0 for each in found)
    return f"{early:.0%} | {mean(each['lost'] for each in found):.3f} | {mean(each['trained'] for each in found):.2f}"


if __name__ == "__main__":
    main()
