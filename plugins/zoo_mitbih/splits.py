"""The published splits: by beat (official) and by patient (de Chazal et al. 2004).

P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of heartbeats using ECG morphology and
heartbeat interval features", IEEE Transactions on Biomedical Engineering 51(7), 2004.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from zoo.data import LEFT_OUT, TEST, TRAIN, DeclaredSplit, Ints
from zoo_mitbih.rows import CLASSES

# fmt: off
DS1 = (101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122,
       124, 201, 203, 205, 207, 208, 209, 215, 220, 223, 230)
DS2 = (100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210,
       212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234)
# fmt: on
PACED = (102, 104, 107, 217)
RECORDS = tuple(sorted(DS1 + DS2 + PACED))

SCORED = ("N", "S", "V", "F")

# According to the database's documentation, records 201 and 202 are from the same man.
SAME_PATIENT = {202: 201}

# Without this record, class F has 42 training rows.
F_RECORD = 208


def patients(records: Ints) -> Ints:
    """Return the patient of each row, int64 `(rows,)`: the number of the patient's first record."""
    found = records.copy()
    for record, patient in SAME_PATIENT.items():
        found[records == record] = patient
    return found


def official(parts: npt.NDArray[np.int8]) -> DeclaredSplit:
    """Return the split into the training and test files, int8 `(rows,)`."""
    note = (
        "split by beat, not by patient: about 96 % of the test beats have a direct neighbour in the training set, "
        "so scores are intra-patient"
    )
    return DeclaredSplit(parts, notes=(note,))


def inter_patient(records: Ints, labels: Ints, *, strict: bool) -> DeclaredSplit:
    """Return the split into DS1 (training) and DS2 (test), for rows with these records and labels, int64 `(rows,)`.

    strict  leave out record 202 (DS2), whose patient is also in DS1. Otherwise both records are used, as published, and
            the patient's record 201 is never used for validation, so that no epoch is chosen by a patient of the test
            set
    """
    parts = np.full(records.shape, LEFT_OUT, np.int8)
    parts[_among(records, DS1)] = TRAIN
    parts[_among(records, DS2)] = TEST
    if strict:
        parts[_among(records, SAME_PATIENT)] = LEFT_OUT
    return DeclaredSplit(
        parts,
        classes=SCORED,
        by_group=True,
        keep_in_train=(F_RECORD,) if strict else (F_RECORD, *SAME_PATIENT.values()),
        notes=(
            _shared_patient(strict),
            _dropped(parts, labels),
            _f_rows(parts, records, labels),
            _PACED_NOTE,
        ),
    )


_PACED_NOTE = f"paced records {', '.join(map(str, PACED))} are left out"


def _among(records: Ints, chosen: Iterable[int]) -> npt.NDArray[np.bool_]:
    return np.isin(records, np.array(list(chosen), np.int64))


def _shared_patient(strict: bool) -> str:
    if strict:
        return "record 202 is left out: its patient's other record, 201, is in the training set"
    return "as published, one patient is in both sets: record 201 in the training set, record 202 in the test set"


def _dropped(parts: npt.NDArray[np.int8], labels: Ints) -> str:
    unscored = labels >= len(SCORED)
    train, test = (int(np.sum(unscored & (parts == part))) for part in (TRAIN, TEST))
    names = ", ".join(CLASSES[len(SCORED) :])
    return f"{train + test} rows of class {names} are left out, {train} of DS1 and {test} of DS2"


def _f_rows(parts: npt.NDArray[np.int8], records: Ints, labels: Ints) -> str:
    in_train = (labels == CLASSES.index("F")) & (parts == TRAIN)
    own = int(np.sum(in_train & (records == F_RECORD)))
    all_f = int(in_train.sum())
    return f"{own} of the {all_f} F rows of DS1 are from record {F_RECORD}, which therefore stays in the training set"
