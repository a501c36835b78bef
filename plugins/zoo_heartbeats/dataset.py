"""The data set `heartbeats`: its sizes, class shares and two splits.

The differences between patients and between beats (`forms`, `patients`, `rhythm`, `signal`) were chosen so that strong
and weak networks get different scores. On the official test set (seed 0, 50,000 training rows), class-weighted logistic
regression on the raw samples has a macro recall of 0.67, and a residual CNN with 79,000 parameters has 0.92. With
5,000 rows they have 0.62 and 0.72. S and F are the hard classes, as in the real data set.
"""

import numpy as np
import numpy.typing as npt

from zoo import DataError
from zoo.data import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, LabelledSeries
from zoo_heartbeats.forms import Floats
from zoo_heartbeats.patients import Population, population
from zoo_heartbeats.rhythm import Ints, draw_rhythm
from zoo_heartbeats.signal import WIDTH_SAMPLES, draw_rows

CLASSES = ("N", "S", "V", "F", "Q")
COUNTS = (72471, 2223, 5788, 641, 6431)  # rows of each class in the MIT-BIH training set of Kachuee et al. 2018
TRAIN_ROWS, VALIDATION_ROWS, TEST_ROWS = 5_000, 5_000, 20_000
FEWEST, MOST = 50, 1_000_000  # fewer rows do not contain every class; a million rows take 750 MB
_CHUNK = 1_000  # rows drawn at once: their samples fit into the processor's cache

SYNTHETIC = "synthetic: simulated with the McSharry model, not recorded from patients"
OFFICIAL = "intra-patient: all three sets contain the same simulated patients, as in MIT-BIH's split by beat"
INTER_PATIENT = "inter-patient: the three sets contain different simulated patients; the remaining rows are left out"


def heartbeats(*, rows: int | None = None, seed: int = 0) -> LabelledSeries:
    """Return simulated beats `(rows + 25000, 1, 187)` at 120 Hz in [0, 1], classes N, S, V, F, Q.

    `rows` is the size of the training set; None means 5,000. After the training rows come 5,000 validation rows and
    20,000 test rows, which do not depend on `rows`. A larger training set begins with the rows of a smaller one.

    Raises `zoo.DataError` for fewer than 50 or more than 1,000,000 rows.
    """
    train_rows = TRAIN_ROWS if rows is None else rows
    _check(train_rows, seed)
    people = population(seed)
    sizes = {TRAIN: train_rows, VALIDATION: VALIDATION_ROWS, TEST: TEST_ROWS}
    parts = np.repeat(list(sizes), list(sizes.values())).astype(np.int8)
    labels, patients = np.empty((2, len(parts)), dtype=np.int64)
    values = np.empty((len(parts), 1, WIDTH_SAMPLES), dtype=np.float32)
    for part in sizes:
        mine = slice(*np.searchsorted(parts, [part, part + 1]))
        labels[mine], patients[mine] = _fill(values[mine, 0], people, seed, part)
    return LabelledSeries(
        values=values,
        labels=labels,
        classes=CLASSES,
        groups=patients,
        splits={
            "official": DeclaredSplit(parts=parts, notes=(OFFICIAL,)),
            "inter-patient": DeclaredSplit(
                parts=_by_patient(parts, people.side[patients]), by_group=True, notes=(INTER_PATIENT,)
            ),
        },
        refusals={
            "holdout": "heartbeats has its own test set: use --protocol official",
            "inter-patient-strict": "heartbeats' inter-patient split is strict already: use --protocol inter-patient",
        },
        notes=(SYNTHETIC,),
    )


def _check(rows: int, seed: int) -> None:
    if not FEWEST <= rows <= MOST:
        raise DataError(f"heartbeats cannot simulate {rows!r} training rows; request {FEWEST} to {MOST:,}")
    if seed < 0:
        raise DataError(f"the seed of heartbeats must be 0 or a positive integer, not {seed!r}")


def _fill(values: Floats, people: Population, seed: int, part: int) -> tuple[Ints, Ints]:
    """Draw the rows of one part into `values`; return their classes and patients.

    Whole chunks are drawn and then cut, so that no row depends on the number of rows.
    """
    rows = len(values)
    labels, patients = _plan(people, seed, part, -(-rows // _CHUNK) * _CHUNK)
    for start in range(0, rows, _CHUNK):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, part, start)))
        chunk = slice(start, start + _CHUNK)
        rhythm = draw_rhythm(rng, people, labels[chunk], patients[chunk])
        values[chunk] = draw_rows(rng, people, patients[chunk], rhythm)[: rows - start]
    return labels[:rows], patients[:rows]


def _plan(people: Population, seed: int, part: int, rows: int) -> tuple[Ints, Ints]:
    """Return the class and patient of each row. A plan for fewer rows is the beginning of this one."""
    offsets = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2, part))).random(len(CLASSES))
    labels = _apportion(rows)
    patients = np.empty_like(labels)
    for label, offset in enumerate(offsets):
        mine = np.flatnonzero(labels == label)
        # Multiples of the golden ratio spread evenly, so every patient gets its share of any number of rows.
        places = (offset + np.arange(len(mine)) * (np.sqrt(5) - 1) / 2) % 1
        bounds = people.weights[label].cumsum()
        patients[mine] = np.searchsorted(bounds / bounds[-1], places, side="right")
    return labels, patients


def _apportion(rows: int) -> Ints:
    """Return labels in an order in which the first n rows have the class shares of `COUNTS`, for every n.

    This is the Huntington-Hill method of apportioning seats. The first five rows already contain every class.
    """
    total, turns, owners = sum(COUNTS), [], []
    for label, count in enumerate(COUNTS):
        seats = np.arange(rows * count // total + 2, dtype=np.float64)
        turns.append(np.sqrt(seats * (seats + 1)) / count)
        owners.append(np.full(len(seats), label))
    order = np.argsort(np.concatenate(turns), kind="stable")
    return np.concatenate(owners)[order][:rows].astype(np.int64)


def _by_patient(parts: npt.NDArray[np.int8], side: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return the parts of the inter-patient split: each row goes to the side of its patient, or is left out.

    Validation and test patients contribute only rows of the two fixed parts, so these rows do not depend on the number
    of training rows. Training patients contribute training and validation rows. The rare class F therefore has at least
    10 training rows, even if only 50 rows are requested.
    """
    split = np.full(len(parts), LEFT_OUT, dtype=np.int8)
    split[(side == TRAIN) & (parts != TEST)] = TRAIN
    others = (side != TRAIN) & (parts != TRAIN)
    split[others] = side[others]
    return split
