"""The shapes of beats, as sums of Gaussians.

McSharry, Clifford, Tarassenko & Smith 2003 (A dynamical model for generating synthetic electrocardiogram
signals, IEEE Trans. Biomed. Eng. 50(3):289-294) describe each wave of a beat by an angle `theta`, a size `a` and a
width `b` on the cycle of the beat. Integrated at one beat per second, their table is a sum of Gaussians over time with
heights `a b^2`, centres `theta / 2 pi` s and widths `b / 2 pi` s. The angles of P and T come from the authors' own
program, ECGSYN (PhysioNet), where they are a little farther from R. A form in this module is such a sum. It has one
more wave in the QRS complex and two halves of the T wave, as in Clifford, Nemati & Sameni 2010 (An artificial vector
model for generating abnormal electrocardiographic rhythms, Physiol. Meas. 31:595-609).

The differences between the forms are textbook knowledge (Surawicz & Knilans, Chou's Electrocardiography; Surawicz et
al. 2009, AHA/ACCF/HRS recommendations III, Circulation 119:e235-e240):
- Bundle branch blocks, ventricular beats and paced beats have a QRS of at least 0.12 s.
- If the left ventricle is late (left block, ventricular, paced), T points in the opposite direction to QRS.
- A right block ends in a broad S in lead II.
- An atrial ectopic beat has a different P. If it is conducted aberrantly, its QRS is mostly that of a right block.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WAVES = ("P", "Q", "R", "S", "late", "T early", "T late")
P, Q, R, S, LATE, T_EARLY, T_LATE = range(len(WAVES))
KINDS = ("sinus", "atrial", "aberrant", "ventricular", "other ventricular", "paced")
SINUS, ATRIAL, ABERRANT, VENTRICULAR, OTHER_VENTRICULAR, PACED = range(len(KINDS))
HEIGHT, CENTRE, WIDTH = range(3)

_THETA = np.deg2rad([-70.0, -15.0, 0.0, 15.0, 100.0])  # the paper has 60 and 90 for P and T
_A = np.array([1.2, -5.0, 30.0, -7.5, 0.75])
_B = np.array([0.25, 0.1, 0.1, 0.1, 0.4])


def published_form() -> Floats:
    """Return the published table, `(waves, 3)`: height relative to R, centre and width in s at one beat per second."""
    height, centre, width = _A * _B**2 / (_A[2] * _B[2] ** 2), _THETA / (2 * np.pi), _B / (2 * np.pi)
    p, q, r, s, t = np.stack([height, centre, width], axis=1)
    late = [0.0, 0.05, 0.02]  # no height in a narrow QRS
    t_early = [0.45 * t[HEIGHT], t[CENTRE] - 0.05, 1.2 * t[WIDTH]]  # T rises more slowly than it falls
    t_late = [0.75 * t[HEIGHT], t[CENTRE] + 0.01, 0.75 * t[WIDTH]]
    return np.array([p, q, r, s, late, t_early, t_late], dtype=np.float32)


def patient_forms(rng: np.random.Generator, conduction: str, paced: bool) -> Floats:
    """Return the forms of one patient, `(kinds, waves, 3)`: height in mV, centre and width in s at one beat per second.

    `conduction` is `narrow`, `left block` or `right block`: the QRS of the patient's sinus beats.
    """
    narrow = _varied(rng, published_form())
    if rng.random() < 0.12:  # a lead along another axis: small R, deep S
        narrow[R, HEIGHT], narrow[S, HEIGHT] = 0.35, -rng.uniform(0.5, 0.9)
    sinus = {"narrow": _copy, "left block": _left_block, "right block": _right_block}[conduction](rng, narrow)
    atrial = _other_p(rng, sinus)
    forms = np.stack(
        [
            sinus,
            atrial,
            _right_block(rng, atrial),
            _ventricular(rng, sinus),
            _ventricular(rng, sinus),
            _paced(rng, sinus) if paced else sinus,
        ]
    )
    forms[:, :, HEIGHT] *= 1.1 * rng.lognormal(0.0, 0.3)  # R in lead II: mostly 0.6 to 2 mV
    return forms


def _varied(rng: np.random.Generator, form: Floats) -> Floats:
    """Return `form` for a different person: heights vary most, and those of T and P more than those of QRS."""
    usual = np.array([0.6, 0.8, 1.0, 0.7, 1.0, 0.9, 0.9])  # in most records R is relatively higher than in the table
    spread = np.array([0.4, 0.5, 0.1, 0.6, 0.0, 0.4, 0.4])
    varied = form.copy()
    varied[:, HEIGHT] *= usual * rng.lognormal(0.0, spread)
    varied[:, CENTRE] *= rng.normal(1.0, 0.07, len(WAVES))
    varied[:, WIDTH] *= rng.lognormal(0.0, 0.15, len(WAVES))
    if rng.random() < 0.15:  # flat or inverted T is common
        varied[T_EARLY:, HEIGHT] *= -rng.uniform(0.1, 0.8)
    return varied


def _copy(rng: np.random.Generator, form: Floats) -> Floats:
    return form.copy()


def _left_block(rng: np.random.Generator, form: Floats) -> Floats:
    blocked = form.copy()
    blocked[[Q, S], HEIGHT] *= 0.2
    blocked[R] = [1.0, 0.0, rng.uniform(0.020, 0.028)]
    blocked[LATE] = [rng.uniform(0.4, 0.9), rng.uniform(0.045, 0.065), rng.uniform(0.018, 0.026)]
    blocked[T_EARLY:, HEIGHT] = -np.abs(blocked[T_EARLY:, HEIGHT]) * rng.uniform(0.6, 1.2)
    return blocked


def _right_block(rng: np.random.Generator, form: Floats) -> Floats:
    blocked = form.copy()
    blocked[LATE] = [-rng.uniform(0.25, 0.6), rng.uniform(0.055, 0.075), rng.uniform(0.018, 0.028)]
    return blocked


def _other_p(rng: np.random.Generator, form: Floats) -> Floats:
    """Return `form` from a different place in the atria: P has a different shape, is often inverted and nearer to R."""
    ectopic = form.copy()
    ectopic[P, HEIGHT] *= rng.choice([-0.6, 0.6, 1.3])
    ectopic[P, CENTRE] *= rng.uniform(0.75, 1.05)
    ectopic[P, WIDTH] *= rng.uniform(0.6, 0.9)
    return ectopic


def _ventricular(rng: np.random.Generator, form: Floats) -> Floats:
    sign, size = rng.choice([1.0, -1.0], p=[0.6, 0.4]), rng.uniform(0.7, 1.6)
    shape = [
        [0.0, form[P, CENTRE], form[P, WIDTH]],  # a ventricular beat has no P wave
        [-sign * rng.uniform(0.0, 0.35), -rng.uniform(0.07, 0.10), rng.uniform(0.020, 0.030)],
        [sign, 0.0, rng.uniform(0.018, 0.036)],
        [-sign * rng.uniform(0.0, 0.6), rng.uniform(0.095, 0.13), rng.uniform(0.022, 0.035)],
        [sign * rng.uniform(0.1, 0.7), rng.uniform(0.035, 0.065), rng.uniform(0.018, 0.028)],
        [-sign * rng.uniform(0.15, 0.35), rng.uniform(0.21, 0.27), rng.uniform(0.05, 0.07)],
        [-sign * rng.uniform(0.15, 0.35), rng.uniform(0.29, 0.35), rng.uniform(0.04, 0.06)],
    ]
    return np.array(shape, dtype=np.float32) * np.array([size, 1.0, 1.0], dtype=np.float32)


def _paced(rng: np.random.Generator, form: Floats) -> Floats:
    """Return a beat paced from the right ventricle: like a left block, mostly downward in lead II.

    The place of the Q wave holds the pacing spike.
    """
    up = rng.choice([1.0, -1.0], p=[0.5, 0.5])
    shape = [
        [rng.uniform(0.0, 0.12), form[P, CENTRE], form[P, WIDTH]],
        [rng.choice([1.0, -1.0]) * rng.uniform(0.2, 1.2), -rng.uniform(0.05, 0.09), 0.003],
        [rng.uniform(0.9, 1.3) if up > 0 else rng.uniform(0.35, 0.7), 0.0, rng.uniform(0.020, 0.030)],
        [-rng.uniform(0.1, 0.3) if up > 0 else -rng.uniform(0.7, 1.3), rng.uniform(0.075, 0.10), 0.030],
        [up * rng.uniform(0.1, 0.5), rng.uniform(0.045, 0.060), rng.uniform(0.018, 0.028)],
        [-up * rng.uniform(0.15, 0.35), rng.uniform(0.24, 0.30), rng.uniform(0.05, 0.07)],
        [-up * rng.uniform(0.15, 0.35), rng.uniform(0.32, 0.38), rng.uniform(0.04, 0.06)],
    ]
    return np.array(shape, dtype=np.float32)
