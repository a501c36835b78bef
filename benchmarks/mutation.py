"""Mutation testing with cosmic-ray: the share of small faults in the core that the tests detect, on a seeded sample.

    pip install --constraint constraints.txt --editable '.[dev]'
    python benchmarks/mutation.py --sample 150 --seed 1 --jobs 2
    python benchmarks/mutation.py zoo/metrics zoo/data --sample 40

Places in the modules are drawn at random. For each place, one fault is drawn: a fault of cosmic-ray (a different
operator, a number off by one, a negated condition, an empty loop, …) or the removal of a statement. The tests that
`tests/mutation.toml` lists for the module then run in a copy of the project with this fault, without the real data. A
fault that no test detects is printed as a diff. Either it is equivalent (it changes no behaviour) or a test is missing.
"""

import argparse
import os
import random
import shlex
import shutil
import sys
import tempfile
import time
import tomllib
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from queue import Queue
from typing import Any

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names
from cosmic_ray.testing import run_tests
from cosmic_ray.work_item import TestOutcome

ROOT = Path(__file__).resolve().parents[1]
SLOWER, SPARE = 3, 60  # time limit for tests with a fault, which can hang: factor of their own time, plus seconds
LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "venv", "build", "dist", "site", "zoo-results")


class StatementRemoval(Operator):
    """Replace a call, a raise, or an assignment to an attribute or an element by `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        if node.type == "simple_stmt" and self._acts(statement := node.children[0]):
            yield statement.start_pos, statement.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        node.children[0] = parso.parse(f"{node.children[0].get_first_leaf().prefix}pass").children[0]
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()

    @staticmethod
    def _acts(statement: Any) -> bool:
        if statement.type in ("raise_stmt", "atom_expr"):
            return True
        return statement.type == "expr_stmt" and (
            statement.children[0].type == "atom_expr" or statement.children[1].type == "augassign"
        )


OPERATORS: dict[str, Operator] = {
    "statement removal": StatementRemoval(),
    **{name: kind() for name in operator_names() if not (kind := get_operator(name)).arguments()},
}
SAME = ("_Is", "_IsNot")  # in CPython, the same as equality for small numbers and short strings


@dataclass(frozen=True)
class Fault:
    """One change in one module."""

    module: Path
    line: int
    operator: str
    occurrence: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.operator.removeprefix('core/')}"

    def source(self) -> tuple[str, str]:
        """Return the text of the module without the fault and with it."""
        text = (ROOT / self.module).read_text()
        changed = mutate_code(text, OPERATORS[self.operator], self.occurrence)
        assert changed is not None
        return text, changed

    def compiles(self) -> bool:
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(self.source()[1], self.module, "exec")
        except (SyntaxError, AttributeError):  # cosmic-ray cannot replace an exception with a dot in its name
            return False
        return True


def faults_of(module: Path) -> dict[tuple[Any, Any], list[Fault]]:
    """Return all possible faults of a module by their place, except faults in annotations."""
    found: dict[tuple[Any, Any], list[Fault]] = {}
    tree = get_ast((ROOT / module).read_text())
    for name, operator in OPERATORS.items():
        if name.endswith(SAME):
            continue
        occurrence = 0
        for node in ast_nodes(tree):
            for start, end in operator.mutation_positions(node):
                if not in_annotation(node):
                    found.setdefault((start, end), []).append(Fault(module, start[0], name, occurrence))
                occurrence += 1
    return found


def in_annotation(node: Any) -> bool:
    """Return whether a node is part of a type annotation, which has no effect at run time."""
    while (parent := node.parent) is not None:
        if parent.type in ("annassign", "tfpdef") and node in parent.children[1:3] and node is annotation_of(parent):
            return True
        if parent.type == "funcdef" and node is parent.annotation:
            return True
        node = parent
    return False


def annotation_of(parent: Any) -> Any:
    return parent.children[1 if parent.type == "annassign" else 2]


def sampled(modules: list[Path], size: int, seed: int) -> list[Fault]:
    """Draw `size` places from all modules, and one fault at each place."""
    places = [faults for module in modules for _, faults in sorted(faults_of(module).items())]
    rng = random.Random(seed)
    rng.shuffle(places)
    found = (fault for faults in places if (fault := rng.choice(faults)).compiles())
    return list(islice(found, size))


class Trees:
    """Copies of the project, one for each test run in parallel."""

    def __init__(self, folder: Path, count: int) -> None:
        self.free: Queue[Path] = Queue()
        self.seconds: dict[tuple[str, ...], float] = {}
        for number in range(count):
            self.free.put(Path(shutil.copytree(ROOT, folder / str(number), ignore=LEFT_BEHIND)))

    def check(self, tests: tuple[str, ...]) -> None:
        """Run tests without a fault and store their duration. Exit if they fail."""
        started = time.perf_counter()
        with self._tree() as tree:
            outcome, output = _tested(tree, tests, None)
        if outcome != TestOutcome.SURVIVED:
            raise SystemExit(f"{' '.join(tests)} fail without a fault:\n{output}")
        self.seconds[tests] = time.perf_counter() - started

    def survives(self, fault: Fault, tests: tuple[str, ...]) -> bool:
        """Return whether the tests pass in a copy with the fault."""
        text, changed = fault.source()
        with self._tree() as tree:
            (tree / fault.module).write_text(changed)
            try:
                outcome, _ = _tested(tree, tests, SLOWER * self.seconds[tests] + SPARE)
            finally:
                (tree / fault.module).write_text(text)
        return bool(outcome == TestOutcome.SURVIVED)

    @contextmanager
    def _tree(self) -> Iterator[Path]:
        tree = self.free.get()
        try:
            yield tree
        finally:
            self.free.put(tree)


def _tested(tree: Path, tests: tuple[str, ...], timeout: float | None) -> tuple[TestOutcome, str]:
    variables = f"PYTHONPATH={shlex.quote(f'{tree}:{tree}/plugins')} OMP_NUM_THREADS=1"
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    script = f"cd {shlex.quote(str(tree))} && {variables} exec {shlex.join(command)}"
    return run_tests(shlex.join(["sh", "-c", script]), timeout)


def tests_of(module: Path, table: dict[str, list[str]]) -> tuple[str, ...]:
    """Return the tests that must detect the faults of a module."""
    fitting = [name for name in table if module.is_relative_to(name)]
    return tuple(table[max(fitting, key=len)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="modules or folders; default: all of tests/mutation.toml")
    parser.add_argument("--sample", type=int, default=150, help="number of faults")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="number of test runs in parallel")
    options = parser.parse_args()
    table: dict[str, list[str]] = tomllib.loads((ROOT / "tests" / "mutation.toml").read_text())["tests"]
    os.environ.pop("ZOO_TEST_DATA", None)
    places = [Path(name) for name in options.paths or table]
    modules = sorted({path for place in places for path in modules_in(place)})
    faults = sampled(modules, options.sample, options.seed)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        trees = Trees(Path(folder), options.jobs)
        list(pool.map(trees.check, {tests_of(fault.module, table) for fault in faults}))
        survive = pool.map(lambda fault: trees.survives(fault, tests_of(fault.module, table)), faults)
        survivors = []
        for number, (fault, lives) in enumerate(zip(faults, survive, strict=True), start=1):
            print(f"{number:>4} {'SURVIVED' if lives else 'caught':<9} {fault}", flush=True)
            survivors += [fault] if lives else []
    for fault in survivors:
        text, changed = (source.splitlines() for source in fault.source())
        print(f"\n{fault}", *list(unified_diff(text, changed, n=1, lineterm=""))[2:], sep="\n")
    caught = len(faults) - len(survivors)
    print(f"\n{caught} of {len(faults)} faults caught ({caught / len(faults):.0%}), seed {options.seed}")


def modules_in(place: Path) -> list[Path]:
    """Return the modules of a folder, or the named module."""
    if (ROOT / place).is_file():
        return [place]
    return [path.relative_to(ROOT) for path in (ROOT / place).rglob("*.py")]


if __name__ == "__main__":
    main()
