"""The sequence of beats and the RR intervals around a labelled beat.

An atrial premature beat resets the sinus node, so the pause after it is little more than one normal cycle. A
ventricular premature beat does not reset it, and the pause after the beat makes up for the early arrival (full
compensatory pause). A fusion beat comes when both a sinus beat and a ventricular beat are due (Surawicz & Knilans,
Chou's Electrocardiography). RR intervals vary slowly and from beat to beat, as in McSharry et al. 2003. They vary much
more in atrial fibrillation, and hardly at all in paced rhythm.

AAMI's classes (ANSI/AAMI EC57; de Chazal et al. 2004, IEEE Trans. Biomed. Eng. 51(7):1196-1206): N from the sinus node
with any bundle branch block, S supraventricular ectopic, V ventricular ectopic, F fusion, Q paced or unknown.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoo_heartbeats.forms import (
    ABERRANT,
    ATRIAL,
    OTHER_VENTRICULAR,
    PACED,
    SINUS,
    VENTRICULAR,
    Floats,
)
from zoo_heartbeats.patients import F, Population, Q, S, V

Ints = npt.NDArray[np.int64]

# The shares of sinus, atrial, ventricular and paced beats after a beat of N, S, V, F, Q. Ectopic beats come in pairs
# and runs more often than by chance.
_FOLLOWERS = np.array(
    [
        [0.915, 0.025, 0.060, 0.000],
        [0.720, 0.240, 0.040, 0.000],
        [0.860, 0.010, 0.130, 0.000],
        [0.870, 0.010, 0.120, 0.000],
        [0.060, 0.000, 0.030, 0.910],
    ]
)
_FOLLOWER_KINDS = np.array([SINUS, ATRIAL, VENTRICULAR, PACED])
_SHORTEST, _LONGEST = 0.3, 1.8  # s: below, the heart is refractory; above, the pause would be a separate diagnosis


@dataclass(frozen=True)
class Rhythm:
    """Two successive beats for each row; every array is `(rows,)`.

    kind, other, share  the labelled beat is `1 - share` of the form `kind` and `share` of the form `other`
    following           the kind of the next beat
    before, after, later  RR intervals in s: before the labelled beat, after it, and after the next beat
    missed              s from a ventricular R to the sinus R that was due; its P wave may be visible. 0 for other beats
    """

    kind: Ints
    other: Ints
    share: Floats
    following: Ints
    before: Floats
    after: Floats
    later: Floats
    missed: Floats


def draw_rhythm(rng: np.random.Generator, people: Population, labels: Ints, patient: Ints) -> Rhythm:
    """Draw the beats and intervals around each labelled beat."""
    rows = len(labels)
    kind, other, share = _labelled_form(rng, labels)
    following = _following(rng, people, labels, patient)
    cycle = people.interval[patient] * rng.normal(1.0, np.where(people.paced[patient], 0.02, 0.07), rows)
    normal = cycle * rng.normal(1.0, people.irregularity[patient], (3, rows))
    before = _interval_before(rng, labels, normal[0])
    after = _interval_after(rng, labels, cycle, before, normal[1])
    early = np.isin(following, (ATRIAL, VENTRICULAR))
    after = np.where(early, cycle * rng.uniform(0.52, 0.80, rows), after).clip(_SHORTEST, _LONGEST)
    later = np.where(early, 1.2, 1.0) * normal[2]
    missed = np.where((labels == V) | (labels == F), cycle - before, 0.0)  # other beats reset the sinus node
    to32 = [array.astype(np.float32) for array in (share, before, after, later, missed)]
    return Rhythm(kind, other, to32[0], following, *to32[1:])


def _labelled_form(rng: np.random.Generator, labels: Ints) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    chance, blend = rng.random((2, len(labels)))
    kind = np.array([SINUS, ATRIAL, VENTRICULAR, SINUS, PACED])[labels]
    kind[(labels == V) & (chance < 0.35)] = OTHER_VENTRICULAR
    other = np.array([SINUS, ABERRANT, VENTRICULAR, VENTRICULAR, SINUS])[labels]
    share = np.zeros(len(labels))
    share[labels == S] = blend[labels == S] ** 3  # most are conducted almost normally
    share[labels == F] = 0.15 + 0.5 * blend[labels == F]
    pseudo = (labels == Q) & (chance < 0.12)  # MIT-BIH: 982 of 8,043 Q beats are fusions of paced and normal beats
    share[pseudo] = 0.6 * blend[pseudo]
    return kind, other, share


def _following(rng: np.random.Generator, people: Population, labels: Ints, patient: Ints) -> Ints:
    bounds = _FOLLOWERS.cumsum(axis=1)[labels]
    following = _FOLLOWER_KINDS[(rng.random((len(labels), 1)) > bounds[:, :-1]).sum(axis=1)]
    demand = people.paced[patient] & (following == SINUS) & (rng.random(len(labels)) < 0.5)
    return np.where(demand, PACED, following)


def _interval_before(
    rng: np.random.Generator, labels: Ints, normal: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    low = np.array([1.0, 0.60, 0.52, 0.88, 1.0])[labels]
    high = np.array([1.0, 0.90, 0.85, 1.0, 1.0])[labels]
    return normal * rng.uniform(low, high)


def _interval_after(
    rng: np.random.Generator,
    labels: Ints,
    cycle: npt.NDArray[np.float64],
    before: npt.NDArray[np.float64],
    normal: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    reset = normal * rng.uniform(1.0, 1.2, len(labels))
    compensatory = normal + rng.uniform(0.2, 1.0, len(labels)) * (cycle - before)  # not all compensate fully
    return np.select([labels == S, (labels == V) | (labels == F)], [reset, compensatory], normal)
