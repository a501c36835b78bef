"""The data set `heartbeats`: its sizes, its class shares and its two splits.

How far patients and beats differ (`forms`, `patients`, `rhythm`, `signal`) was set so that the set tells nets apart:
on the official test set (seed 0, 50,000 training rows) class-weighted logistic regression on the raw samples has a
macro recall of 0.67 and a residual CNN of 79,000 parameters one of 0.92; with 5,000 rows they have 0.62 and 0.72.
S and F are the hard classes, as in the real set.
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
COUNTS = (72471, 2223, 5788, 641, 6431)  # of MIT-BIH's training set, as Kachuee et al. 2018 cut it
TRAIN_ROWS, VALIDATION_ROWS, TEST_ROWS = 5_000, 5_000, 20_000
FEWEST, MOST = 50, 1_000_000  # fewer rows cannot hold every class; a million are 750 MB
_CHUNK = 1_000  # rows drawn at once: their samples fit a processor's cache

SYNTHETIC = "synthetic: simulated by the McSharry model, not recorded from patients"
OFFICIAL = "intra-patient: the same simulated patients are in all parts, as in the real set's split by beat"
INTER_PATIENT = "inter-patient: train, validation and test have different simulated patients; other rows are left out"


def heartbeats(*, rows: int | None = None, seed: int = 0) -> LabelledSeries:
    """Simulated beats `(rows + 25000, 1, 187)` at 120 Hz in [0, 1], classes N, S, V, F, Q.

    `rows` is the size of the training set (5,000 where it is None); 5,000 rows to validate and 20,000 to test
    follow, the same whatever `rows` is. A larger training set begins with the rows of a smaller one.

    Raises `zoo.DataError` for less than 50 or more than 1,000,000 rows.
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
            "holdout": "heartbeats come with a test set of their own: use --protocol official",
            "inter-patient-strict": "no patient is on both sides of heartbeats' split: use --protocol inter-patient",
        },
        notes=(SYNTHETIC,),
    )


def _check(rows: int, seed: int) -> None:
    if not FEWEST <= rows <= MOST:
        raise DataError(f"heartbeats cannot make {rows!r} training rows; ask for {FEWEST} to {MOST:,}")
    if seed < 0:
        raise DataError(f"heartbeats cannot be seeded with {seed!r}; give 0 or a positive integer")


def _fill(values: Floats, people: Population, seed: int, part: int) -> tuple[Ints, Ints]:
    """Draw one part's rows into `values` and give their classes and patients.

    Chunks are drawn whole and then cut, so that no row depends on how many there are.
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
    """Class and patient of each row; the plan of fewer rows is the beginning of this one."""
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
    """Labels in an order whose every beginning has the classes in their shares.

    It is Huntington's and Hill's way of giving out seats: any five rows or more hold every class.
    """
    total, turns, owners = sum(COUNTS), [], []
    for label, count in enumerate(COUNTS):
        seats = np.arange(rows * count // total + 2, dtype=np.float64)
        turns.append(np.sqrt(seats * (seats + 1)) / count)
        owners.append(np.full(len(seats), label))
    order = np.argsort(np.concatenate(turns), kind="stable")
    return np.concatenate(owners)[order][:rows].astype(np.int64)


def _by_patient(parts: npt.NDArray[np.int8], side: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Inter-patient parts: each row goes to its patient's side, or is left out.

    Patients to validate and to test give rows of the two fixed parts only, so those rows are the same whatever
    number is trained on. Training patients give rows of the parts to train and to validate, so that the rare F has
    at least 10 rows there even with 50 rows asked for.
    """
    split = np.full(len(parts), LEFT_OUT, dtype=np.int8)
    split[(side == TRAIN) & (parts != TEST)] = TRAIN
    others = (side != TRAIN) & (parts != TRAIN)
    split[others] = side[others]
    return split
