"""Coverage of the ± that a note on a run gives for the validation score by which the epoch was chosen.

    python benchmarks/choice.py [--draws 20000]

Each row draws validation sets of the same class counts, with the recalls of its classes from the list, and counts how
often the observed score is within ± of the expected one. The table has the mean over all combinations of recalls and
the lowest.
"""

import argparse
from itertools import product

import numpy as np

from zoo.store.hints import precision

RECALLS = (0.05, 0.2, 0.5, 0.7, 0.9, 0.99)
COUNTS = (
    *((1, 1), (1, 9), (2, 8), (3, 7), (5, 5), (4, 40), (9, 90)),
    *((3, 3, 3), (1, 5, 20), (9, 9, 9, 9), (3, 30, 10, 60, 8)),
)
ROWS = (5, 10, 20, 40, 90)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=20_000)
    draws, random = parser.parse_args().draws, np.random.default_rng(0)
    print("| score | rows by class | ± | mean coverage | lowest |\n|---|---|---|---|---|")
    for counts in COUNTS:
        _print_row("macro recall", counts, _macro_errors(counts, draws, random))
    for rows in ROWS:
        errors = [np.abs(random.binomial(rows, recall, draws) / rows - recall) for recall in RECALLS]
        _print_row("accuracy", (rows,), errors)


def _macro_errors(counts: tuple[int, ...], draws: int, random: np.random.Generator) -> list[np.ndarray]:
    combinations = list(product(RECALLS, repeat=len(counts)))
    if len(combinations) > 400:
        combinations = [combinations[place] for place in random.choice(len(combinations), 400, replace=False)]
    sizes = np.array(counts)
    return [
        np.abs((random.binomial(sizes, recalls, (draws, len(counts))) / sizes - recalls).mean(1))
        for recalls in combinations
    ]


def _print_row(score: str, counts: tuple[int, ...], errors: list[np.ndarray]) -> None:
    limit = precision(counts)
    covered = [float(np.mean(each <= limit)) for each in errors]
    sizes = ", ".join(map(str, counts))
    print(f"| {score} | {sizes} | {limit:.2f} | {np.mean(covered):.3f} | {min(covered):.3f} |")


if __name__ == "__main__":
    main()
