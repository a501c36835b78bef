"""False positives of comparisons: how often two equal configurations are called different.

    python benchmarks/false_positives.py [--repeats 400] [--seed 0]

Each configuration has an expected macro recall, the same for both. A seed changes the chance of each class to be
found. The ratio is the standard deviation of the score over seeds, divided by that over test rows. Rows differ in how
difficult they are, the same for all runs. `before` is the bootstrap of rows and seeds that earlier releases used, from
one seed on; `now` is the interval of differences, which needs five seeds. The last column has 20 patients in the place
of independent rows.

Goal: at most 5 % for ratios of 1/4 to 4.
"""

import argparse

import numpy as np
import numpy.typing as npt

from zoo.metrics.differences import difference
from zoo.metrics.outcome import Outcome, scores_of_confusion
from zoo.metrics.seeds import FEWEST

SUPPORTS = (200, 60, 20)
RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
SEEDS = (1, 2, 3, 5, 10)
PATIENTS = 20
Doubles = npt.NDArray[np.float64]


def simulated(seeds: int, ratio: float, grouped: bool, rng: np.random.Generator) -> list[tuple[Outcome, Outcome]]:
    """Return the runs of two equal configurations on the same rows."""
    labels = np.repeat(np.arange(3), SUPPORTS)
    groups = np.concatenate([np.arange(n) % PATIENTS for n in SUPPORTS]) if grouped else None
    easy = rng.normal(0.8, 1.0, len(labels))
    if groups is not None:
        easy += rng.normal(0, 0.7, PATIENTS)[groups]
    spread = ratio * ROW_DEVIATION

    def run() -> Outcome:
        change = rng.normal(0, 1, 3) * spread
        hit = easy + rng.normal(0, 1, len(labels)) + change[labels] > 0
        return Outcome.of(np.eye(3)[np.where(hit, labels, (labels + 1) % 3)], labels, groups)

    return [(run(), run()) for _ in range(seeds)]


ROW_DEVIATION = 0.17  # of the shift of a class: with it, seeds and rows vary the score alike


def bootstrap_differs(pairs: list[tuple[Outcome, Outcome]], rng: np.random.Generator) -> bool:
    """Whether the percentiles of 400 draws of rows (or patients) and of seeds leave out zero."""
    first = pairs[0][0]
    unit = np.arange(len(first.labels)) if first.unit is None else first.unit
    units = int(unit.max()) + 1
    weights = rng.multinomial(units, np.full(units, 1 / units), 400)[:, unit].astype(np.float64)
    drawn = np.array([[_drawn(outcome, weights) for outcome in pair] for pair in pairs])
    differences = drawn[:, 0] - drawn[:, 1]
    picked = rng.integers(len(pairs), size=(400, len(pairs)))
    means = differences[picked, np.arange(400)[:, None]].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return bool(low > 0 or high < 0)


def _drawn(outcome: Outcome, weights: Doubles) -> Doubles:
    cells = np.zeros((len(outcome.labels), 9))
    cells[np.arange(len(cells)), outcome.labels * 3 + outcome.predicted] = 1
    return scores_of_confusion((weights @ cells).reshape(-1, 3, 3))["macro_recall"]


def differs(pairs: list[tuple[Outcome, Outcome]]) -> bool:
    low, high = difference(pairs, "macro_recall").limits
    return low > 0 or high < 0


def deviations(ratio: float, rng: np.random.Generator) -> float:
    """Return the measured ratio of the standard deviations of the score over seeds and over rows."""
    same = np.array([_values(simulated(200, ratio, False, rng)).var(ddof=1) for _ in range(5)]).mean()
    still = np.array([_values(simulated(200, 0.0, False, rng)).var(ddof=1) for _ in range(5)]).mean()
    rows = np.array([_values(simulated(20, ratio, False, rng)).mean() for _ in range(60)]).var(ddof=1)
    return float(np.sqrt(max(same - still, 0) / rows))


def _values(pairs: list[tuple[Outcome, Outcome]]) -> Doubles:
    return np.array([scores_of_confusion(one.confusion[None])["macro_recall"][0] for one, _ in pairs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print("| seeds / rows | measured | seeds | before | now | now, 20 patients |\n|---|---|---|---|---|---|")
    for ratio in RATIOS:
        measured = deviations(ratio, rng)
        for seeds in SEEDS:
            runs = [simulated(seeds, ratio, False, rng) for _ in range(options.repeats)]
            earlier = np.mean([bootstrap_differs(pairs, rng) for pairs in runs])
            now = patients = "too few seeds"
            if seeds >= FEWEST:
                now = f"{np.mean([differs(pairs) for pairs in runs]):.1%}"
                grouped = [simulated(seeds, ratio, True, rng) for _ in range(options.repeats)]
                patients = f"{np.mean([differs(pairs) for pairs in grouped]):.1%}"
            print(f"| {ratio:g} | {measured:.2f} | {seeds} | {earlier:.1%} | {now} | {patients} |", flush=True)


if __name__ == "__main__":
    main()
