"""Coverage of the 95 % intervals: how often they contain the true score, before (bootstrap percentiles) and now.

    python benchmarks/coverage.py [--repeats 120] [--seed 0] [--only patients]

*Rows.* The support of a class is 1 to 500 rows and its recall 0.05 to 0.99. Either all classes are like it, or it is
beside classes of 500 rows with a recall of 0.95. Misses go to all other classes, or all to the next one. The recall of
a class is computed exactly, by enumeration.

*Scores of probabilities.* Logits are normal, with a mean that is higher for the true class. The true score is that of
400,000 rows.

*Patients.* The number of rows of a patient is lognormal. The recall of a patient has a beta distribution, whose
intraclass correlation is 0.05 to 0.5. Cases with a reason in the place of an interval are counted apart.

Goals: the mean over recalls is 0.94 or more, and no coverage is below 0.85 (class) or 0.90 (all classes together).
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from scipy.stats import binom

from zoo.metrics import score
from zoo.metrics.limits import Found, of_mean_share, wilson
from zoo.metrics.outcome import Outcome, scores_of_confusion
from zoo.metrics.rows import over_rows
from zoo.records import Interval
from zoo.scores import CLASS_SCORES

Doubles = npt.NDArray[np.float64]
SUPPORTS = (1, 2, 3, 5, 10, 20, 50, 150, 500)
RECALLS = (0.05, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99)
DRAWS = 400
DOUBTFUL = 0.89  # a case whose coverage is below is simulated again, ten times as long: the lowest of many is noise
NAMES = ("macro_recall", "precision", "f1", "macro_f1", "mcc", "accuracy")


def rate(found: list[Found], true: float) -> float:
    """Return the share of the intervals that contain the true score; 1 if there are only reasons."""
    inside = [each[0] - 1e-9 <= true <= each[1] + 1e-9 for each in found if not isinstance(each, str)]
    return float(np.mean(inside)) if inside else 1.0


class Tally:
    """Coverage by method and score: the mean over recalls for each support, and the lowest of all cases."""

    def __init__(self) -> None:
        self.cases: dict[tuple[str, str], dict[object, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.reasons: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, method: str, name: str, support: object, true: float, found: list[Found]) -> None:
        reasons = [isinstance(each, str) for each in found]
        self.reasons[method, name].append(float(np.mean(reasons)))
        if np.mean(reasons) <= 0.5:
            self.cases[method, name][support].append(rate(found, true))

    def print(self) -> None:
        for (method, name), cases in self.cases.items():
            means = [float(np.mean(covered)) for covered in cases.values()]
            lowest = min((min(covered), support) for support, covered in cases.items())
            reasons = float(np.mean(self.reasons[method, name]))
            line = f"{name} | {method} | {np.mean(means):.3f} | {min(means):.3f} | {lowest[0]:.3f} ({lowest[1]})"
            print(f"| {line} | {reasons:.0%} |", flush=True)


def heading(text: str, case: str) -> None:
    print(f"\n{text}\n\n| score | interval | mean | lowest mean | lowest ({case}) | no interval |")
    print("|---|---|---|---|---|---|", flush=True)


def class_recall() -> None:
    """Print the coverage of a class's recall, enumerated over all hits and a fine grid of recalls."""
    recalls = np.linspace(0.05, 0.99, 471)
    for method in ("before", "now"):
        means, lowest = [], (1.0, 0)
        for support in range(1, 501):
            hits = np.arange(support + 1)
            if method == "now":
                low, high = wilson(hits / support, np.full(support + 1, support))
            else:
                low, high = binom.ppf([[0.025], [0.975]], support, hits / support) / support
            inside = (low - 1e-9 <= recalls[:, None]) & (recalls[:, None] <= high + 1e-9)
            covered = (binom.pmf(hits, support, recalls[:, None]) * inside).sum(1)
            means.append(float(covered.mean()))
            lowest = min(lowest, (float(covered.min()), support))
        line = f"recall | {method} | {np.mean(means):.3f} | {min(means):.3f} | {lowest[0]:.3f} ({lowest[1]})"
        print(f"| {line} | 0% |", flush=True)


def situations() -> Iterator[tuple[int, Doubles, Doubles]]:
    """Yield a support, the supports of all classes, and the shares of predictions by true class."""
    for classes, alike, spread, support, recall in product((2, 5), (True, False), (True, False), SUPPORTS, RECALLS):
        if classes == 2 and not spread:
            continue
        supports = np.full(classes, support if alike else 500)
        recalls = np.full(classes, recall if alike else 0.95)
        supports[0], recalls[0] = support, recall
        shares = np.zeros((classes, classes))
        for number in range(classes):
            others = np.arange(classes) != number if spread else np.arange(classes) == (number + 1) % classes
            shares[number, others] = (1 - recalls[number]) / others.sum()
            shares[number, number] = recalls[number]
        yield support, supports.astype(np.float64), shares


def of_rows(repeats: int, rng: np.random.Generator) -> None:
    heading("Rows", "support")
    class_recall()
    tally = Tally()
    for support, supports, shares in situations():
        true = {
            name: float(each.ravel()[0])
            for name, each in scores_of_confusion((shares * supports[:, None])[None]).items()
        }
        found = simulated_rows(supports, shares, repeats, rng)
        if any(method == "now" and rate(limits, true[name]) < DOUBTFUL for (method, name), limits in found.items()):
            found = simulated_rows(supports, shares, 10 * repeats, rng)
        for (method, name), limits in sorted(found.items()):
            tally.add(method, name, support, true[name], limits)
    tally.print()


def simulated_rows(
    supports: Doubles, shares: Doubles, repeats: int, rng: np.random.Generator
) -> dict[tuple[str, str], list[Found]]:
    found: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for _ in range(repeats):
        confusion = np.stack([rng.multinomial(int(n), each) for n, each in zip(supports, shares, strict=True)])
        for name, each in now(confusion, int(rng.integers(1 << 31))).items():
            found["now", name].append(each)
        for name, each in before(confusion, rng).items():
            found["before", name].append(each)
    return found


def now(confusion: npt.NDArray[np.int64], seed: int) -> dict[str, Found]:
    """Return the intervals of a confusion matrix; of the scores by class, that of the first class."""
    true, predicted = np.nonzero(confusion)
    labels, said = (np.repeat(each, confusion[true, predicted]) for each in (true, predicted))
    outcome = Outcome.of(np.eye(len(confusion))[said], labels)
    found = over_rows(outcome, outcome.values(), DRAWS, seed)
    return {name: found[name][0] if name in CLASS_SCORES else found[name] for name in NAMES}


def before(confusion: npt.NDArray[np.int64], rng: np.random.Generator) -> dict[str, Found]:
    """Return the percentiles of rows drawn with replacement, a class without drawn rows left out."""
    total = confusion.sum()
    drawn = rng.multinomial(total, confusion.ravel() / total, DRAWS).reshape(DRAWS, *confusion.shape)
    scores = scores_of_confusion(drawn.astype(np.float64))
    return {name: percentiles(scores[name]) for name in NAMES}


def percentiles(values: Doubles) -> Found:
    first = values if values.ndim == 1 else values[:, 0]
    low, high = np.percentile(first[~np.isnan(first)], [2.5, 97.5])
    return float(low), float(high)


def of_many_classes(repeats: int, rng: np.random.Generator) -> None:
    heading("Macro recall of many classes, all with this support", "support")
    tally = Tally()
    for classes, support, recall in product((3, 10, 30, 100), SUPPORTS, RECALLS):
        sizes = np.full(classes, float(support))
        drawn = rng.binomial(support, recall, (4 * repeats, classes))
        found: list[Found] = [of_mean_share(hits.astype(float), sizes) for hits in drawn]
        tally.add(f"now, {classes} classes", "macro_recall", support, recall, found)
    tally.print()


def of_probabilities(repeats: int, rng: np.random.Generator) -> None:
    heading("Scores of probabilities, three classes", "rows of the rarest class")
    tally = Tally()
    for sharp, scale, rare in product((1.0, 2.0, 4.0), (1.0, 3.0), (2, 5, 10, 30, 100)):
        supports = np.array([rare, 3 * rare, 10 * rare])
        truth = score(*simulated(supports * (400_000 // supports.sum()), sharp, scale, rng), "abc", draws=0)
        found: dict[tuple[str, str], list[Found]] = defaultdict(list)
        for number in range(repeats):
            probabilities, labels = simulated(supports, sharp, scale, rng)
            scores = score(probabilities, labels, "abc", draws=10)
            rows = rng.integers(len(labels), size=(100, len(labels)))
            draws = (
                [score(probabilities[some], labels[some], "abc", draws=0) for some in rows]
                if number < 30 and rare <= 30
                else []
            )
            for name in ("auroc", "log_loss", "ece"):
                found["now", name].append(found_of(scores.of_all(name)))
                values = [draw.of_all(name).value for draw in draws]
                if values:
                    found["before", name].append(percentiles(np.array(values, dtype=float)))
        for (method, name), limits in sorted(found.items()):
            tally.add(method, name, rare, truth.of_all(name).value or 0.0, limits)
    tally.print()


def simulated(
    supports: npt.NDArray[np.int64], sharp: float, scale: float, rng: np.random.Generator
) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Return probabilities and labels; a `scale` above 1 makes the probabilities too sure."""
    labels = np.repeat(np.arange(len(supports)), supports)
    logits = rng.normal(size=(len(labels), len(supports))) + sharp * np.eye(len(supports))[labels]
    return softmax(scale * logits, axis=1), labels


def of_patients(repeats: int, rng: np.random.Generator) -> None:
    heading("Patients, two classes", "patients")
    tally = Tally()
    for patients, recall, alike in product((6, 10, 22, 50), (0.2, 0.5, 0.8, 0.9, 0.95, 0.99), (0.05, 0.2, 0.5)):
        found: dict[tuple[str, str], list[Found]] = defaultdict(list)
        for _ in range(repeats):
            hit, labels, groups = grouped(patients, recall, alike, rng)
            probabilities = np.eye(2)[np.where(hit, labels, 1 - labels)]
            shares = np.array([[recall, 1 - recall], [1 - recall, recall]]) * np.bincount(labels)[:, None]
            true = {name: float(each.ravel()[0]) for name, each in scores_of_confusion(shares[None]).items()}
            scores = score(probabilities, labels, "ab", groups, noun="patient", draws=1)
            for name in (*NAMES, "recall"):
                interval = scores.by_class(name)["a"] if name in CLASS_SCORES else scores.of_all(name)
                found["now", name].append(moved(found_of(interval), true[name]))
            for name, each in before_of_patients(hit, labels, groups, rng).items():
                found["before", name].append(moved(each, true[name]))
        for (method, name), limits in sorted(found.items()):
            tally.add(method, name, patients, 0.0, limits)
    tally.print()
    of_sure_patients(repeats, rng)


def of_sure_patients(repeats: int, rng: np.random.Generator) -> None:
    """Print the coverage of scores of probabilities, for patients whose rows are easier or harder."""
    tally = Tally()
    for patients, sharp, alike in product((10, 22, 50), (0.5, 1.5), (0.3, 1.0)):
        many, labels, _ = sure(4000, sharp, alike, rng)
        truth = score(many, labels, "ab", draws=0)
        found: dict[str, list[Found]] = defaultdict(list)
        for _ in range(repeats):
            scores = score(*sure(patients, sharp, alike, rng)[:2], "ab", np.repeat(np.arange(patients), 40), draws=1)
            for name in ("auroc", "log_loss"):
                found[name].append(found_of(scores.of_all(name)))
        for name, limits in found.items():
            tally.add("now", name, patients, truth.of_all(name).value or 0.0, limits)
    tally.print()


def sure(
    patients: int, sharp: float, alike: float, rng: np.random.Generator
) -> tuple[Doubles, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return probabilities, labels and groups: 40 rows of each patient, whose logits share a normal part."""
    groups = np.repeat(np.arange(patients), 40)
    labels = (np.arange(len(groups)) % 4 == 0).astype(np.int64)
    margin = sharp + rng.normal(0, alike, patients)[groups] + rng.normal(size=len(groups))
    return softmax(np.stack([np.where(labels, -margin, margin), np.zeros(len(groups))], axis=1), axis=1), labels, groups


def moved(found: Found, true: float) -> Found:
    return found if isinstance(found, str) else (found[0] - true, found[1] - true)


def grouped(
    patients: int, recall: float, alike: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return hits, labels and groups of rows whose patients have recalls of their own."""
    sizes = 1 + rng.lognormal(3, 0.5, (2, patients)).astype(int)
    strength = 1 / alike - 1
    own = rng.beta(recall * strength, (1 - recall) * strength, (2, patients))
    hit = [rng.random(n) < p for n, p in zip(sizes.ravel(), own.ravel(), strict=True)]
    labels, groups = np.repeat([0, 1], sizes.sum(1)), np.repeat(np.tile(np.arange(patients), 2), sizes.ravel())
    return np.concatenate(hit), labels, groups


def before_of_patients(
    hit: npt.NDArray[np.bool_], labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], rng: np.random.Generator
) -> dict[str, Found]:
    units = int(groups.max()) + 1
    cells = np.zeros((units, 2, 2))
    np.add.at(cells, (groups, labels, np.where(hit, labels, 1 - labels)), 1)
    weights = rng.multinomial(units, np.full(units, 1 / units), DRAWS)
    scores = scores_of_confusion(np.einsum("du,uij->dij", weights, cells))
    return {name: percentiles(scores[name]) for name in (*NAMES, "recall")}


def found_of(interval: Interval) -> Found:
    if interval.low is None or interval.high is None:
        return interval.reason
    return interval.low, interval.high


PARTS = {"rows": of_rows, "classes": of_many_classes, "probabilities": of_probabilities, "patients": of_patients}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=tuple(PARTS), help="one part of the simulation")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    for part in [options.only] if options.only else PARTS:
        PARTS[part](options.repeats, rng)


if __name__ == "__main__":
    main()
