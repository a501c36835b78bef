"""The simulated patients: the properties that all beats of a person share."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoo.data import TEST, TRAIN, VALIDATION
from zoo_heartbeats.forms import Floats, patient_forms

N, S, V, F, Q = range(5)
# Patients on each side of the inter-patient split. MIT-BIH has 47; about twice as many put several of each kind on
# each side.
SIDES = {TRAIN: 40, VALIDATION: 16, TEST: 24}
_PACED, _FIBRILLATING = 0.1, 0.15  # 4 of MIT-BIH's 48 records are paced, 8 show atrial fibrillation


@dataclass(frozen=True)
class Population:
    """Patients by index, every array `(patients, …)`.

    side          the side of the inter-patient split: TRAIN, VALIDATION or TEST
    forms         `(patients, kinds, waves, 3)`, see `zoo_heartbeats.forms`
    interval      mean RR interval in s
    irregularity  standard deviation of successive RR intervals, relative to their mean
    paced         whether the patient has a pacemaker
    fibrillation  size of fibrillatory waves in mV; 0 without atrial fibrillation
    noise, wander, mains  sizes of muscle noise, baseline wander and power-line hum in mV
    weights       `(classes, patients)`: the share of each class's rows that each patient has; each class sums to 1
    """

    side: npt.NDArray[np.int8]
    forms: Floats
    interval: Floats
    irregularity: Floats
    paced: npt.NDArray[np.bool_]
    fibrillation: Floats
    noise: Floats
    wander: Floats
    mains: Floats
    weights: npt.NDArray[np.float64]


def population(seed: int) -> Population:
    """Return the patients of one seed. They do not depend on the number of rows."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    side = np.repeat(list(SIDES), list(SIDES.values())).astype(np.int8)
    paced, fibrillating = _marks(side, _PACED, 0.0), _marks(side, _FIBRILLATING, _PACED)
    count = len(side)
    # Sinus rhythm varies by 1.5 to 5 % from beat to beat, atrial fibrillation by far more.
    irregularity = np.where(fibrillating, rng.uniform(0.12, 0.22, count), rng.uniform(0.015, 0.05, count))
    forms = [
        patient_forms(rng, rng.choice(["narrow", "left block", "right block"], p=[0.74, 0.12, 0.14]), p) for p in paced
    ]
    return Population(
        side=side,
        forms=np.stack(forms),
        interval=(0.78 * rng.lognormal(0.0, 0.18, count)).clip(0.5, 1.2).astype(np.float32),
        irregularity=np.where(paced, 0.006, irregularity).astype(np.float32),
        paced=paced,
        fibrillation=np.where(fibrillating, rng.uniform(0.02, 0.08, count), 0.0).astype(np.float32),
        noise=rng.lognormal(np.log(0.02), 0.6, count).astype(np.float32),
        wander=rng.lognormal(np.log(0.10), 0.6, count).astype(np.float32),
        mains=rng.lognormal(np.log(0.004), 0.7, count).astype(np.float32),
        weights=_weights(rng, side, paced, fibrillating),
    )


def _marks(side: npt.NDArray[np.int8], share: float, start: float) -> npt.NDArray[np.bool_]:
    """Mark a fraction `share` of the patients on each side, at least one, after the first fraction `start` of them."""
    marked = np.zeros(len(side), dtype=np.bool_)
    for part in SIDES:
        members = np.flatnonzero(side == part)
        first, number = round(start * len(members)), max(1, round(share * len(members)))
        marked[members[first : first + number]] = True
    return marked


def _weights(
    rng: np.random.Generator,
    side: npt.NDArray[np.int8],
    paced: npt.NDArray[np.bool_],
    fibrillating: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """Return the weights of `Population`. As in MIT-BIH, few patients have most of the ectopic beats.

    Each side of the split gets the same fraction of every class: its fraction of the patients.
    """
    count = len(side)
    sinus = np.where(paced, 0.15, rng.uniform(0.7, 1.3, count))
    atrial = rng.lognormal(0.0, 1.8, count) * ~paced * ~fibrillating
    ventricular = rng.lognormal(0.0, 1.2, count)
    fused = rng.lognormal(0.0, 1.8, count) * (rng.random(count) < 0.5) * ~paced + 1e-3 * ~paced
    weights = np.stack([sinus, atrial, ventricular, fused, paced.astype(float)])
    for part, members in SIDES.items():
        mine = side == part
        weights[:, mine] *= members / count / weights[:, mine].sum(axis=1, keepdims=True)
    return weights
