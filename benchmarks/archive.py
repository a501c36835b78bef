"""The default settings on data sets of the UCR archive, beside the accuracies that others have published.

    python benchmarks/archive.py run FOLDER rows.jsonl [--sets …] [--architectures fcn resnet1d …] [--seeds 3]
                                                       [--set training.min_steps=3000 …] [--label "3000 steps"]
                                                       [--jobs 2] [--device cpu]
    python benchmarks/archive.py tables FOLDER rows.jsonl…

FOLDER holds the data sets, each in a folder of its name, and `published.csv` with the columns dataset,
zoo_architecture, mean_of_sources, lowest_run, highest_run. Without `--sets`, all sets of that file are run. `run`
appends a line for each run, and leaves out a set and an architecture that have all their lines already; `tables` prints
the tables of all lines.
"""

import argparse
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from grid import Case, History, Row, common_row, rows_of, run_cases

NEAR = 0.05  # of the published accuracy
COMPARED = ("fcn", "resnet1d", "inceptiontime", "lite")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("folder", type=Path)
    run.add_argument("rows", type=Path)
    run.add_argument("--sets", nargs="*", default=[])
    run.add_argument("--architectures", nargs="*", default=[*COMPARED])
    run.add_argument("--seeds", type=int, default=3)
    run.add_argument("--set", nargs="*", default=[], dest="assignments")
    run.add_argument("--label", default="default")
    run.add_argument("--jobs", type=int, default=2)
    run.add_argument("--device", default="cpu")
    run.set_defaults(command=run_all)
    tables = commands.add_parser("tables")
    tables.add_argument("folder", type=Path)
    tables.add_argument("rows", type=Path, nargs="+")
    tables.set_defaults(command=print_tables)
    asked = parser.parse_args()
    asked.command(asked)


def run_all(asked: argparse.Namespace) -> None:
    sets = asked.sets or list(dict.fromkeys(row["dataset"] for row in published(asked.folder)))
    settings = {name: json.loads(value) for name, _, value in (text.partition("=") for text in asked.assignments)}
    cases = [
        Case(str(asked.folder / name), architecture, seeds=asked.seeds, settings=settings, device=asked.device)
        for architecture in asked.architectures
        for name in sets
    ]
    counts = Counter((row["label"], row["architecture"], row["set"]) for row in rows_of(asked.rows))
    cases = [case for case in cases if counts[asked.label, case.architecture, Path(case.dataset).name] < asked.seeds]
    with asked.rows.open("a") as file:
        for row in run_cases(cases, asked.jobs, row_of):
            file.write(json.dumps({"label": asked.label, **row}) + "\n")
            file.flush()


def row_of(case: Case, run: Any, _history: History) -> Row:
    return common_row(case, run)


def published(folder: Path) -> list[dict[str, str]]:
    with (folder / "published.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def print_tables(asked: argparse.Namespace) -> None:
    rows = [row for path in asked.rows for row in rows_of(path)]
    known = {(row["dataset"], row["zoo_architecture"]): row for row in published(asked.folder)}
    _print_accuracies(rows)
    for label in dict.fromkeys(row["label"] for row in rows):
        _print_compared([row for row in rows if row["label"] == label], label, known)


def _print_accuracies(rows: Sequence[Row]) -> None:
    """Print the mean test accuracy of each architecture with its default settings, for each set."""
    groups = _groups([row for row in rows if row["label"] == "default"])
    architectures = sorted({architecture for _, architecture in groups})
    print(f"| set | {' | '.join(architectures)} |\n|{'---|' * (1 + len(architectures))}")
    for name in sorted({name for name, _ in groups}):
        cells = [_mean(groups.get((name, architecture), [])) for architecture in architectures]
        print(f"| {name} | {' | '.join(cells)} |")
    print()


def _print_compared(rows: Sequence[Row], label: str, known: Mapping[tuple[str, str], Mapping[str, str]]) -> None:
    """Print our accuracy beside the published one, and for each architecture on how many sets it is near."""
    found = {key: _against(key, group, known) for key, group in _groups(rows).items()}
    compared = {key: value for key, value in found.items() if value is not None}
    architectures = list(dict.fromkeys(architecture for _, architecture in compared))
    print(f"| {label} | {' | '.join(architectures)} |\n|{'---|' * (1 + len(architectures))}")
    for name in dict.fromkeys(name for name, _ in compared):
        cells = [_compared_cell(compared.get((name, architecture))) for architecture in architectures]
        print(f"| {name} | {' | '.join(cells)} |")
    counts = []
    for architecture in architectures:
        near = [ours >= theirs - NEAR for (_, other), (ours, theirs, _) in compared.items() if other == architecture]
        counts.append(f"{sum(near)} of {len(near)}")
    print(f"| at most {NEAR} below | {' | '.join(counts)} |\n")


def _against(
    key: tuple[str, str], rows: Sequence[Row], known: Mapping[tuple[str, str], Mapping[str, str]]
) -> tuple[float, float, str] | None:
    """Return our mean accuracy, the published mean, and how many members it has where that is not ours."""
    name, architecture = key
    bare = architecture.partition(".")[0]
    ours, other = (
        (" (5 members)", " (1 member)") if architecture.endswith(".paper") else (" (1 member)", " (5 members)")
    )
    done = [row["accuracy"] for row in rows if row["status"] == "done"]
    for member, mark in (("", ""), (ours, ""), (other, other)):
        if (name, f"{bare}{member}") in known and done:
            return mean(done), float(known[name, f"{bare}{member}"]["mean_of_sources"]), mark
    return None


def _compared_cell(found: tuple[float, float, str] | None) -> str:
    if found is None:
        return ""
    ours, theirs, mark = found
    text = f"{ours:.3f} / {theirs:.3f}{mark}"
    return text if ours >= theirs - NEAR else f"**{text}**"


def _groups(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["set"], row["architecture"]].append(row)
    return groups


def _mean(rows: Sequence[Row]) -> str:
    done = [row["accuracy"] for row in rows if row["status"] == "done"]
    return f"{mean(done):.3f}" if done else "-"


if __name__ == "__main__":
    main()
