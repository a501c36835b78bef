"""The spread of a score by split and by seed: bias of the estimates, and how often their intervals hold.

    python benchmarks/spread.py [--repeats 4000] [--seed 0] [--only normal|classifiers]

`normal`: scores of K folds and S seeds are drawn with a standard deviation of the split that is `ratio` times that of
the seed. `same in all folds` is the part of the variance of the seed that moves all folds alike, as good initial
weights would. `split` and `seed` are the mean estimated variance divided by the true one (for the ratio 0, by that of
the seed); below zero is shown as zero, which makes small ones too large. `covers` is how often the 95 % interval
contains the true value, of the split, of the seed and of the share of the split. `larger` is how often one of both is
called the larger one, and `wrong` how often this is false; where both are equal, every such claim is false.

`classifiers`: a nearest-centroid classifier on new data in each repeat; a seed draws nine tenths of the training rows.
The true variance of the split comes from independent training and test sets of the size of a fold, that of the seed
from 100 more seeds on the folds of the repeat.

Goals: `covers` about 95 %, `wrong` at most 5 %, for `normal`. The classifiers show how near the model is: the folds of
one data set have training rows in common, and the variance of the seed is not the same on each fold.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from false_folds import FEATURES, LARGE, SMALL, drawn, probabilities
from sklearn.model_selection import StratifiedKFold

from zoo.metrics.spread import Spread, spread
from zoo.records import Interval

Doubles = npt.NDArray[np.float64]
SEED = 0.01  # the standard deviation of the seed; only its ratio to that of the split matters
MORE = 100  # seeds, for the true variance of the seed
INDEPENDENT = 400  # training and test sets for the true values


def summary(found: Sequence[Spread], split: float, seed: Doubles) -> str:
    """Return the columns of a line for the true variance of the split, and that of the seed in each repeat."""
    shares = split / (split + seed)
    means = [np.mean([(value.value or 0.0) ** 2 for value in values]) for values in zip(*map(both, found), strict=True)]
    relative = (means[0] / (split or seed.mean()), means[1] / seed.mean())
    covered = [
        np.mean([inside(each.split, np.sqrt(split)) for each in found]),
        np.mean([inside(each.seed, np.sqrt(one)) for each, one in zip(found, seed, strict=True)]),
        np.mean([inside(each.share, one) for each, one in zip(found, shares, strict=True)]),
    ]
    larger = np.mean([bool(each.mostly) for each in found])
    right = ["split" if share > 0.5 else "seed" if share < 0.5 else "" for share in shares]
    wrong = np.mean([each.mostly not in ("", one) for each, one in zip(found, right, strict=True)])
    texts = [f"{value:.1%}" for value in (*covered, larger, wrong)]
    return " | ".join([*(f"{value:.2f}" for value in relative), *texts])


def both(found: Spread) -> tuple[Interval, Interval]:
    return found.split, found.seed


def inside(interval: Interval, value: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return bool(interval.low <= value <= interval.high)


def normal(repeats: int, seed: int) -> None:
    """Print the table of scores that are drawn by the model."""
    print("| K | seeds | ratio | same in all folds | split | seed | covers split | seed | share | larger | wrong |")
    print("|---" * 11 + "|")
    cases = [(folds, seeds, ratio, 0.0) for folds in (3, 5, 10) for seeds in (2, 3, 5, 10) for ratio in (0, 0.5, 1, 2)]
    cases += [(folds, seeds, ratio, 0.5) for folds in (5, 10) for seeds in (2, 3, 5) for ratio in (0.5, 1, 2)]
    for folds, seeds, ratio, alike in cases:
        rng = np.random.default_rng([seed, folds, seeds, round(10 * ratio), round(10 * alike)])
        of_fold = rng.normal(0, ratio * SEED, (repeats, folds, 1))
        of_seed = rng.normal(0, np.sqrt(alike) * SEED, (repeats, 1, seeds))
        rest = rng.normal(0, np.sqrt(1 - alike) * SEED, (repeats, folds, seeds))
        found = [each for table in 0.8 + of_fold + of_seed + rest if (each := spread(table)) is not None]
        line = summary(found, (ratio * SEED) ** 2, np.full(len(found), SEED**2))
        print(f"| {folds} | {seeds} | {ratio:g} | {alike:g} | {line} |", flush=True)


def recall_of_seeds(
    train: Doubles, labels: npt.NDArray[np.int64], test: Doubles, truth: npt.NDArray[np.int64], rngs: Sequence[int]
) -> list[float]:
    """Return the macro recall of a training for each seed."""
    found, classes = [], int(labels.max()) + 1
    for seed in rngs:
        some = np.random.default_rng(seed).random(len(labels)) < 0.9
        said = probabilities(train[some], labels[some], test, classes).argmax(1)
        found.append(float(np.mean([(said[truth == number] == number).mean() for number in range(classes)])))
    return found


def true_split(rng: np.random.Generator, supports: tuple[int, ...], folds: int) -> float:
    """Return the variance of the split, from independent training and test sets."""
    seeds, inner = 20, tuple(round(count * (1 - 1 / folds)) for count in supports)
    table = []
    for _ in range(INDEPENDENT):
        train, labels, _ = drawn(rng, inner, grouped=False)
        test, truth, _ = drawn(rng, tuple(s - i for s, i in zip(supports, inner, strict=True)), grouped=False)
        given = rng.integers(2**31, size=seeds).tolist()
        table.append(recall_of_seeds(train[:, :FEATURES], labels, test[:, :FEATURES], truth, given))
    scores = np.array(table)
    return float(scores.mean(1).var(ddof=1) - scores.var(axis=1, ddof=1).mean() / seeds)


def classifiers(repeats: int, seed: int) -> None:
    """Print the table of trained classifiers."""
    print("| rows | K | seeds | true split | true seed | split | seed | covers split | seed | share | larger | wrong |")
    print("|---" * 12 + "|")
    for supports, folds, seeds in ((SMALL, 5, 3), (SMALL, 5, 10), (LARGE, 5, 3), (LARGE, 5, 10), (LARGE, 10, 5)):
        rng = np.random.default_rng([seed, sum(supports), folds, seeds])
        split, found, of_seed = true_split(rng, supports, folds), [], []
        for _ in range(repeats):
            rows, labels, _ = drawn(rng, supports, grouped=False)
            splitter = StratifiedKFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
            given = rng.integers(2**31, size=seeds + MORE).tolist()
            table = [
                recall_of_seeds(rows[a][:, :FEATURES], labels[a], rows[b][:, :FEATURES], labels[b], given)
                for a, b in splitter.split(rows, labels)
            ]
            if (each := spread(np.array(table)[:, :seeds])) is not None and each.total:
                found.append(each)
                of_seed.append(np.var(np.array(table)[:, seeds:], axis=1, ddof=1).mean())
        deviations = f"{np.sqrt(split):.3f} | {np.sqrt(np.mean(of_seed)):.3f}"
        line = summary(found, split, np.array(of_seed))
        print(f"| {sum(supports)} | {folds} | {seeds} | {deviations} | {line} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("normal", "classifiers"))
    options = parser.parse_args()
    if options.only != "classifiers":
        normal(options.repeats, options.seed)
    if options.only != "normal":
        classifiers(max(options.repeats // 10, 1), options.seed)


if __name__ == "__main__":
    main()
