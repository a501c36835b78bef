"""Boards of configurations: how often a board claims a difference between equal ones, and finds a real one.

    python benchmarks/false_boards.py [--repeats 1000] [--seed 0] [--only power]

Configurations are simulated as in `false_positives.py`: a ratio is the standard deviation of the score over seeds,
divided by that over test rows.

*equal*: all k configurations have the same expected macro recall. The columns are the shares of boards with any claim
of a difference. `uncorrected` compares the first of the board with each other one at 5 %. `first` adjusts these k - 1
comparisons by Holm, as if the first had not been chosen by its score. `best` claims that a configuration is not
the best if any other is better at 5 % / (k - 1), one-sided (Hsu 1984, with Bonferroni). `baseline` adjusts by Holm
the comparisons with a configuration that was chosen beforehand, and `all pairs` adjusts all pairs.

*power*: half of the k configurations are worse by `gap`. The columns are the shares of these differences that were
found, by comparisons of the best half with one of the worse (`baseline`) and by all pairs; the share of boards with a
false claim; the share whose rank intervals all contain the true ranks; and of the intervals of these differences, the
share that contains the true one.

*scores*: two equal configurations, every score, over rows and over patients. `rare` has classes of 200, 5 and 2 rows.

*runs*: two single runs, of which the first finds each class more often by `gap`; the test rows, or the patients with
their rows, are drawn anew. The columns are the shares of 95 % intervals that contain the true difference, and the share
of p of at most 0.05 by McNemar's test, over all rows and over those of the rarest class.

*datasets*: equal configurations on N data sets, whose scores differ between data sets more than between configurations:
how often the test of Friedman, and any of the tests of Wilcoxon adjusted by Holm, finds a difference.

Goals: at most 5 % for `baseline`, `all pairs` and the columns of `scores` and `datasets`; at least 95 % for the ranks.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt
from false_positives import PATIENTS, ROW_DEVIATION, SUPPORTS
from parts import run_parts
from scipy.special import ndtr, ndtri, softmax

from zoo.metrics.datasets import friedman, friedman_possible, posterior, ranks, signed_ranks, signed_ranks_possible
from zoo.metrics.differences import difference, lowest_variances, p_values
from zoo.metrics.limits import students
from zoo.metrics.multiple import ALPHA, holm, pairs_of, rank_intervals
from zoo.metrics.outcome import Labels, Outcome
from zoo.metrics.single import mcnemar
from zoo.scores import CLASS_SCORES

Doubles = npt.NDArray[np.float64]
CLASSES, RARE = len(SUPPORTS), (200, 5, 2)


class Board:
    """The p values of all pairs of simulated configurations: `zoo.metrics.differences` for macro recall, at once."""

    def __init__(self, shift: Doubles, seeds: int, ratio: float, patients: bool, rng: np.random.Generator) -> None:
        labels, groups, easy = rows_of(patients, rng)
        change = rng.normal(0, ratio * ROW_DEVIATION, (len(shift), seeds, CLASSES))
        margin = easy + rng.normal(0, 1, (len(shift), seeds, len(labels))) + change[..., labels]
        weight = 1 / (np.array(SUPPORTS)[labels] * CLASSES)
        hits = (margin + shift[:, None, None] > 0) * weight
        values, mean = hits.sum(2), hits.mean(1)
        units = [mean] if groups is None else [mean, by_group(mean, groups)]
        least = lowest_variances(SUPPORTS) / CLASSES**2
        parts = [np.maximum(squares(mean[:, labels == n], 0), least[n]) for n in range(CLASSES)]
        within = np.max([*(squares(each) for each in units), np.sum(parts, axis=0)], axis=0)
        apart = values[:, None] - values[None]
        between = apart.var(2, ddof=1) / seeds
        freedom = [max(seeds - 1, 1), units[-1].shape[1] - 1]
        self.first = np.argsort(-values.mean(1), kind="stable")
        self.score, self.size = apart.mean(2), len(shift)
        self.p = p_values(self.score, between, within, *freedom)
        self.half = np.sqrt(students(freedom[0]) ** 2 * between + students(freedom[1]) ** 2 * within)
        expected = ndtr((0.8 + shift) / np.sqrt(2 + (ratio * ROW_DEVIATION) ** 2))
        self.true = expected[:, None] - expected[None]

    def with_all(self) -> Doubles:
        """Return the p values of all pairs, adjusted."""
        adjusted = np.ones((self.size, self.size))
        pairs = pairs_of(self.size)
        for (i, j), p in zip(pairs, holm([self.p[pair] for pair in pairs]), strict=True):
            adjusted[i, j] = adjusted[j, i] = p
        return adjusted

    def with_one(self, chosen: int) -> list[float]:
        """Return the adjusted p values of the comparisons of all others with one of them."""
        return holm([self.p[chosen, other] for other in range(self.size) if other != chosen])

    def not_best(self) -> npt.NDArray[np.bool_]:
        """Return which of them are not the best."""
        one_sided = np.where(self.score < 0, self.p / 2, 1.0)
        found: npt.NDArray[np.bool_] = (one_sided <= ALPHA / (self.size - 1)).any(1)
        return found


def rows_of(patients: bool, rng: np.random.Generator) -> tuple[Labels, Labels | None, Doubles]:
    """Return labels, groups, and how easy each row is, the same for all runs."""
    labels = np.repeat(np.arange(CLASSES), SUPPORTS)
    easy = rng.normal(0.8, 1.0, len(labels))
    if not patients:
        return labels, None, easy
    groups = np.concatenate([np.arange(n) % PATIENTS for n in SUPPORTS])
    return labels, groups, easy + rng.normal(0, 0.7, PATIENTS)[groups]


def by_group(mean: Doubles, groups: npt.NDArray[np.int64]) -> Doubles:
    sums = np.zeros((len(mean), PATIENTS))
    for number in range(PATIENTS):
        sums[:, number] = mean[:, groups == number].sum(1)
    return sums


def squares(mean: Doubles, lost: int = 1) -> Doubles:
    """Return the variances over units of all differences, `(configurations, configurations)`."""
    inner = mean @ mean.T
    found = inner.diagonal()[:, None] + inner.diagonal()[None] - 2 * inner
    units = mean.shape[1]
    return np.maximum(found, 0.0) * units / (units - lost)


CLAIMS: dict[str, Callable[[Board], bool]] = {
    "uncorrected": lambda board: bool((board.p[board.first[0]] <= ALPHA).any()),
    "first": lambda board: min(board.with_one(board.first[0])) <= ALPHA,
    "best": lambda board: bool(board.not_best().any()),
    "baseline": lambda board: min(board.with_one(0)) <= ALPHA,
    "all pairs": lambda board: bool((board.with_all() <= ALPHA).any()),
}


def of_equal(repeats: int, rng: np.random.Generator) -> None:
    print(f"\n| seeds / rows | seeds | units | k | {' | '.join(CLAIMS)} |\n|{'---|' * (4 + len(CLAIMS))}")
    for ratio, seeds, patients, size in product((0.25, 1.0, 4.0), (5, 10), (False, True), (3, 10, 20)):
        boards = [Board(np.zeros(size), seeds, ratio, patients, rng) for _ in range(repeats)]
        shares = [np.mean([claim(board) for board in boards]) for claim in CLAIMS.values()]
        units = f"{PATIENTS} patients" if patients else "rows"
        print(f"| {ratio:g} | {seeds} | {units} | {size} | {' | '.join(f'{s:.1%}' for s in shares)} |", flush=True)


def of_power(repeats: int, rng: np.random.Generator) -> None:
    print("\n| seeds / rows | seeds | k | gap | baseline | all pairs | false claims | true ranks | covered |")
    print("|---|---|---|---|---|---|---|---|---|")
    for ratio, seeds, size, gap in product((0.25, 1.0, 4.0), (5, 10), (4, 20), (0.05, 0.1, 0.2)):
        half, share = size // 2, ndtr(0.8 / np.sqrt(2))
        shift = np.where(np.arange(size) < half, 0.0, np.sqrt(2) * ndtri(share - gap) - 0.8)
        found = np.array([judged(Board(shift, seeds, ratio, False, rng), half) for _ in range(repeats)])
        shares = " | ".join(f"{each:.1%}" for each in found.mean(0))
        print(f"| {ratio:g} | {seeds} | {size} | {gap:.2f} | {shares} |", flush=True)


def judged(board: Board, half: int) -> tuple[float, ...]:
    """Return the shares of differences found with a baseline and in all pairs, false claims, true ranks, coverage."""
    claimed = board.with_all() <= ALPHA
    alike = np.arange(board.size) < half
    different = alike[:, None] != alike[None]
    ranks = rank_intervals(claimed & (board.score > 0))
    true = [(1, half) if good else (half + 1, board.size) for good in alike]
    covered = all(low <= first and last <= high for (low, high), (first, last) in zip(ranks, true, strict=True))
    with_baseline = np.array(board.with_one(board.size - 1))[:half] <= ALPHA
    wrong = claimed & (~different | (different & (board.score > 0) & ~alike[:, None]))
    inside = (np.abs(board.score - board.true) <= board.half + 1e-12)[different]
    found = (with_baseline.mean(), claimed[different].mean(), wrong.any(), covered, inside.mean())
    return tuple(float(each) for each in found)


SCORES = ("macro_recall", "macro_f1", "accuracy", "mcc", "auroc", "log_loss", *CLASS_SCORES)


def of_scores(repeats: int, rng: np.random.Generator) -> None:
    print(f"\n| seeds / rows | seeds | units | {' | '.join(SCORES)} |\n|{'---|' * (3 + len(SCORES))}")
    for ratio, seeds, units in product((0.25, 1.0, 4.0), (5, 10), ("rows", f"{PATIENTS} patients", "rare")):
        found = np.array([claims(seeds, ratio, units, rng) for _ in range(repeats)])
        shares = " | ".join(f"{each:.1%}" for each in found.mean(0))
        print(f"| {ratio:g} | {seeds} | {units} | {shares} |", flush=True)


def claims(seeds: int, ratio: float, units: str, rng: np.random.Generator) -> list[bool]:
    """Return for each score whether two equal configurations differ; scores by class are those of the rarest class."""
    if units == "rare":
        labels, groups = np.repeat(np.arange(CLASSES), RARE), None
        easy = rng.normal(0.8, 1.0, len(labels))
    else:
        labels, groups, easy = rows_of(units != "rows", rng)

    def run() -> Outcome:
        change = rng.normal(0, ratio * ROW_DEVIATION, CLASSES)
        margin = easy + rng.normal(0, 1, len(labels)) + change[labels]
        logits = np.zeros((len(labels), CLASSES))
        logits[np.arange(len(labels)), labels] = margin
        logits[np.arange(len(labels)), (labels + 2) % CLASSES] = -1.0
        return Outcome.of(softmax(logits, axis=1), labels, groups, logits)

    pairs = [(run(), run()) for _ in range(seeds)]
    numbers = [CLASSES - 1 if name in CLASS_SCORES else None for name in SCORES]
    return [difference(pairs, name, number).p <= ALPHA for name, number in zip(SCORES, numbers, strict=True)]


def of_datasets(repeats: int, rng: np.random.Generator) -> None:
    print(
        "\n| data sets | k | Friedman | Wilcoxon, first | Wilcoxon, all pairs | Bayesian |\n|---|---|---|---|---|---|"
    )
    for datasets, size in product((6, 8, 10, 14, 20, 40), (2, 3, 6)):
        shares = np.array([over_datasets(datasets, size, rng) for _ in range(repeats)]).mean(0)
        possible = (
            friedman_possible(datasets, size),
            signed_ranks_possible(datasets, size - 1),
            signed_ranks_possible(datasets, len(pairs_of(size))),
            True,
        )
        texts = [f"{share:.1%}" if each else "not enough" for share, each in zip(shares, possible, strict=True)]
        print(f"| {datasets} | {size} | {' | '.join(texts)} |", flush=True)


def over_datasets(datasets: int, size: int, rng: np.random.Generator) -> list[bool]:
    scores = rng.normal(0.7, 0.15, (datasets, 1)) + rng.normal(0, 0.03, (datasets, size)) * rng.uniform(
        0.3, 2, (datasets, 1)
    )
    scores = scores.round(2 if rng.random() < 0.5 else 4)  # small test sets have ties
    best = int(ranks(scores).mean(0).argmin())
    p = {pair: signed_ranks(scores[:, pair[0]] - scores[:, pair[1]])[1] for pair in pairs_of(size)}
    first = holm([value for pair, value in p.items() if best in pair])
    better, _, worse = posterior(scores[:, 0] - scores[:, 1], draws=2000)
    return [
        size > 2 and friedman(scores)[1] <= ALPHA,
        min(first) <= ALPHA,
        min(holm(list(p.values()))) <= ALPHA,
        max(better, worse) > 1 - ALPHA,
    ]


RUN_SCORES = ("macro_recall", "accuracy", "recall")


def of_runs(repeats: int, rng: np.random.Generator) -> None:
    print(f"\n| units | gap | {' | '.join(RUN_SCORES)} | p, all rows | p, rarest class |\n|{'---|' * 7}")
    for units, gap in product(("rows", f"{PATIENTS} patients", "rare"), (0.0, 0.1, 0.2)):
        found = np.array([of_two_runs(units, gap, rng) for _ in range(repeats)])
        print(f"| {units} | {gap:.1f} | {' | '.join(f'{each:.1%}' for each in found.mean(0))} |", flush=True)


def of_two_runs(units: str, gap: float, rng: np.random.Generator) -> list[bool]:
    """Return which intervals contain the true difference, and which p values of McNemar's test are at most 0.05."""
    labels = np.repeat(np.arange(CLASSES), RARE if units == "rare" else SUPPORTS)
    patients = "patients" in units
    groups = np.arange(len(labels)) % PATIENTS if patients else None
    own, variance = 0.5 if patients else 0.0, 2.25 if patients else 2.0
    share = ndtr(0.8 / np.sqrt(variance))
    shifts = (np.sqrt(variance) * ndtri(share + gap) - 0.8, 0.0)
    easy = rng.normal(0.8, 1.0, len(labels))

    def run(shift: float) -> Outcome:
        by_patient = rng.normal(0, own, PATIENTS)[groups] if groups is not None else 0.0
        hit = easy + by_patient + rng.normal(0, 1, len(labels)) + shift > 0
        return Outcome.of(np.eye(CLASSES)[np.where(hit, labels, (labels + 1) % CLASSES)], labels, groups)

    pair = (run(shifts[0]), run(shifts[1]))
    numbers = [CLASSES - 1 if name in CLASS_SCORES else None for name in RUN_SCORES]
    limits = [difference([pair], name, number).limits for name, number in zip(RUN_SCORES, numbers, strict=True)]
    tests = [mcnemar(*pair, number).p <= ALPHA for number in (None, CLASSES - 1)]
    return [low - 1e-9 <= gap <= high + 1e-9 for low, high in limits] + tests


PARTS = {"equal": of_equal, "power": of_power, "scores": of_scores, "runs": of_runs, "datasets": of_datasets}

if __name__ == "__main__":
    run_parts(__doc__, PARTS, repeats=1000)
