"""Answers to hypotheses: how often they are wrong at the margin, and how good the estimate of the needed seeds is.

    python benchmarks/false_answers.py [--repeats 400] [--seed 0] [--only scores]

Configurations are simulated as in `false_positives.py`: a ratio is the standard deviation of the score over seeds,
divided by that over test rows.

*scores*: the expected macro recall of the first group is above that of the second by exactly the margin, so that each
answer but `undecided` is wrong. `pairs` is the number of configurations of each group, which share the test rows.
`5, then 10` answers after five seeds and, if that is undecided, after ten; `equal` is the claim of equality within the
margin, where it is above 0.

*numbers*: the same for numbers of single runs, in units of their standard deviation over seeds: normal and lognormal
ones, and steps that are known up to an epoch, where the deviation is a part or a multiple of an epoch. The difference
is zero, and so is the margin.

*needed*: a true difference of `gap`, margin 0. `estimate` is the median number of seeds that five seeds seem to need,
and `decided` the share of repetitions that are decided with that number (at most 60), of a quarter of
the repeats.

Goal: at most 5 % for each column of wrong answers but `5, then 10`, which shows why the number of seeds is fixed
before.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
from false_positives import PATIENTS, ROW_DEVIATION, SUPPORTS
from parts import run_parts
from scipy.special import ndtr, ndtri

from zoo.claims.answers import Answer, answer_of, needed
from zoo.claims.hypothesis import Direction
from zoo.claims.measures import Measured, over_seeds
from zoo.metrics.differences import mean_difference
from zoo.metrics.outcome import Outcome

Doubles = npt.NDArray[np.float64]
CLASSES, MOST = len(SUPPORTS), 60
Pairs = list[list[tuple[Outcome, Outcome]]]


def simulated(seeds: int, ratio: float, gap: float, count: int, patients: bool, rng: np.random.Generator) -> Pairs:
    """Return `count` pairs of configurations on the same rows; the first of each is better by `gap` in the mean."""
    labels = np.repeat(np.arange(CLASSES), SUPPORTS)
    groups = np.concatenate([np.arange(n) % PATIENTS for n in SUPPORTS]) if patients else None
    own, spread = 0.7 if patients else 0.0, ratio * ROW_DEVIATION
    deviation = float(np.sqrt(2 + own**2 + spread**2))
    lower = deviation * float(ndtri(ndtr(0.8 / deviation) - gap)) - 0.8
    easy = rng.normal(0.8, 1.0, len(labels))
    if groups is not None:
        easy += rng.normal(0, own, PATIENTS)[groups]

    def run(shift: float) -> Outcome:
        change = rng.normal(0, spread, CLASSES)
        hit = easy + rng.normal(0, 1, len(labels)) + change[labels] + shift > 0
        return Outcome.of(np.eye(CLASSES)[np.where(hit, labels, (labels + 1) % CLASSES)], labels, groups)

    return [[(run(0.0), run(lower)) for _ in range(seeds)] for _ in range(count)]


def plainly(pairs: Pairs) -> Measured:
    """Return the difference without the variance of one seed, which only the needed seeds depend on."""
    return Measured(mean_difference(pairs, "macro_recall"))


def measured(pairs: Pairs) -> Measured:
    found = mean_difference(pairs, "macro_recall")
    singles = [mean_difference([[each] for each in seed], "macro_recall") for seed in zip(*pairs, strict=True)]
    return Measured(found, float(np.mean([each.variances[1] for each in singles])))


def answers(pairs: Pairs, margin: float) -> tuple[bool, ...]:
    """Return whether five seeds answer, ten confirm, ten refute, five or then ten answer, and equality is answered."""
    five, ten = plainly([each[:5] for each in pairs]), plainly(pairs)
    found = answer_of(ten, Direction.HIGHER, margin)
    early = answer_of(five, Direction.HIGHER, margin) != Answer.UNDECIDED
    equal = margin > 0 and answer_of(ten, Direction.EQUAL, margin) != Answer.UNDECIDED
    return early, found == Answer.CONFIRMED, found == Answer.REFUTED, early or found != Answer.UNDECIDED, equal


def of_scores(repeats: int, rng: np.random.Generator) -> None:
    print("| seeds / rows | units | pairs | margin | 5 seeds | 10: confirmed | 10: refuted | 5, then 10 | equal |")
    print(f"|{'---|' * 9}")
    for ratio, patients, count, margin in product((0.25, 1.0, 4.0), (False, True), (1, 3), (0.0, 0.05, 0.2)):
        rows = []
        for _ in range(repeats):
            pairs = simulated(10, ratio, margin, count, patients, rng)
            rows.append(answers(pairs, margin))
        shares = [f"{each:.1%}" for each in np.mean(rows, axis=0)]
        shares = shares if margin else [*shares[:-1], "-"]
        units = f"{PATIENTS} patients" if patients else "rows"
        print(f"| {ratio:g} | {units} | {count} | {margin:.2f} | {' | '.join(shares)} |", flush=True)


def of_numbers(repeats: int, rng: np.random.Generator) -> None:
    print("\n| numbers | 5 seeds | 10 seeds |\n|---|---|---|")
    kinds = ("normal", "lognormal", *(f"steps, {each:g} of an epoch" for each in (0.1, 0.3, 0.5, 1.0, 3.0)))
    for kind in kinds:
        shares = [wrong(kind, seeds, 10 * repeats, rng) for seeds in (5, 10)]
        print(f"| {kind} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)


def wrong(kind: str, seeds: int, repeats: int, rng: np.random.Generator) -> float:
    """Return the share of answers among pairs of numbers of equal mean."""
    count = 0
    for _ in range(repeats):
        draws = rng.normal(0, 1, (2, seeds))
        rounding = 0.0
        if kind == "lognormal":
            draws = np.exp(draws)
        if kind.startswith("steps"):
            share = float(kind.split()[1])
            draws, rounding = np.ceil(rng.uniform(0, 1) + share * draws), 1.0
        found = Measured(over_seeds(draws[0] - draws[1], exact=False, rounding=rounding))
        count += answer_of(found, Direction.HIGHER, 0.0) != Answer.UNDECIDED
    return count / repeats


def of_needed(repeats: int, rng: np.random.Generator) -> None:
    print(
        "\n| seeds / rows | gap | decided by 5 | estimate | rows too few | decided with it |\n|---|---|---|---|---|---|"
    )
    for ratio, gap in product((0.25, 1.0, 4.0), (0.05, 0.1, 0.2)):
        estimates: list[int] = []
        five, bound, later = 0, 0, list[bool]()
        for _ in range(max(repeats // 4, 1)):
            pairs = simulated(MOST, ratio, gap, 1, False, rng)
            found = measured([each[:5] for each in pairs])
            if answer_of(found, Direction.HIGHER, 0.0) != Answer.UNDECIDED:
                five += 1
                continue
            more = needed(found, Direction.HIGHER, 0.0)
            bound += more.by_rows
            if more.seeds is not None:
                estimates.append(more.seeds)
                pairs = [each[: min(more.seeds, MOST)] for each in pairs]
                later.append(answer_of(measured(pairs), Direction.HIGHER, 0.0) != Answer.UNDECIDED)
        total = max(repeats // 4, 1)
        shown = [f"{np.median(estimates):.0f}" if estimates else "-", f"{bound / total:.1%}", _share(later)]
        print(f"| {ratio:g} | {gap:.2f} | {five / total:.1%} | {' | '.join(shown)} |", flush=True)


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.1%}" if values else "-"


PARTS = {"scores": of_scores, "numbers": of_numbers, "needed": of_needed}

if __name__ == "__main__":
    run_parts(__doc__, PARTS, repeats=400)
