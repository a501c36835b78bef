"""The data set `heartbeats`: its sizes, its class shares and its two splits."""

import numpy as np
import numpy.typing as npt

from zoo import DataError
from zoo.data import LEFT_OUT, TEST, TRAIN, VALIDATION, DeclaredSplit, LabelledSeries
from zoo_heartbeats.forms import Floats
from zoo_heartbeats.patients import Population, population
from zoo_heartbeats.rhythm import Ints, draw_rhythm
from zoo_heartbeats.signal import WIDTH_SAMPLES, draw_rows

CLASSES = ("N", "S", "V", "F", "Q")
COUNTS = (72471, 2223, 5788, 641, 6431)  # of MIT-BIH's training part, as Kachuee et al. 2018 cut it
TRAIN_ROWS, VALIDATION_ROWS, TEST_ROWS = 5_000, 5_000, 20_000
FEWEST, MOST = 50, 1_000_000  # fewer rows cannot hold every class; a million are 750 MB
_CHUNK = 1_000  # rows drawn at once: their samples fit a processor's cache

SYNTHETIC = "synthetic: simulated by the McSharry model, not recorded from patients"
OFFICIAL = "intra-patient: the same simulated patients are in all parts, as in the real set's split by beat"
INTER_PATIENT = "inter-patient: no simulated patient is in two parts; rows left out so that none is"


def heartbeats(*, rows: int | None = None, seed: int = 0) -> LabelledSeries:
    """Simulated beats `(rows + 25000, 1, 187)` at 120 Hz in [0, 1], classes N, S, V, F, Q.

    `rows` is the size of the training part (5,000 where it is None); 5,000 rows to validate and 20,000 to test
    follow, the same whatever `rows` is. A larger training part begins with the rows of a smaller one.

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
        labels[mine], patients[mine] = _plan(people, seed, part, sizes[part])
        _fill(values[mine, 0], people, seed, part)
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
        notes=(SYNTHETIC,),
    )


def _check(rows: int, seed: int) -> None:
    if not FEWEST <= rows <= MOST:
        raise DataError(f"heartbeats cannot make {rows!r} training rows; ask for {FEWEST} to {MOST:,}")
    if seed < 0:
        raise DataError(f"heartbeats cannot be seeded with {seed!r}; give 0 or a positive integer")


def _fill(values: Floats, people: Population, seed: int, part: int) -> None:
    """Draw the rows of one part into `values`, in whole chunks so that no row depends on how many there are."""
    rows = len(values)
    labels, patients = _plan(people, seed, part, -(-rows // _CHUNK) * _CHUNK)
    for start in range(0, rows, _CHUNK):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, part, start)))
        chunk = slice(start, start + _CHUNK)
        rhythm = draw_rhythm(rng, people, labels[chunk], patients[chunk])
        values[chunk] = draw_rows(rng, people, patients[chunk], rhythm)[: rows - start]


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
    """Train on the training patients' rows for training and validation; score the others on rows for neither use.

    Validation and test rows come from the two fixed parts, so they are the same whatever number is trained on.
    """
    split = np.full(len(parts), LEFT_OUT, dtype=np.int8)
    split[(side == TRAIN) & (parts != TEST)] = TRAIN
    split[(side != TRAIN) & (parts != TRAIN)] = side[(side != TRAIN) & (parts != TRAIN)]
    return split
