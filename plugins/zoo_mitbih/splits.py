"""The published ways to separate the beats: by beat (official) and by patient (de Chazal et al. 2004).

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

# The database's documentation: records 201 and 202 are of the same man.
SAME_PATIENT = {202: 201}

# Without it F has 42 rows to learn from.
F_RECORD = 208


def patients(records: Ints) -> Ints:
    """int64 `(rows,)`: the patient of each row, called by the first record made of them."""
    found = records.copy()
    for record, patient in SAME_PATIENT.items():
        found[records == record] = patient
    return found


def official(parts: npt.NDArray[np.int8]) -> DeclaredSplit:
    """Train and test as the files have them, int8 `(rows,)`."""
    note = (
        "split by beat, not by patient: about 96 % of the test beats have a direct neighbour in train, "
        "so scores are intra-patient"
    )
    return DeclaredSplit(parts, notes=(note,))


def inter_patient(records: Ints, labels: Ints, *, strict: bool) -> DeclaredSplit:
    """DS1 against DS2, of rows with these records and labels, int64 `(rows,)` each.

    strict  leaves out record 202 (DS2), whose patient is also in DS1; as published, that patient's record 201 stays
            in train, so that no epoch is chosen by a patient of the test set
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
        return "record 202 is left out: its patient is record 201's, who is in train"
    return "as published, one patient is on both sides: record 201 in train, record 202 in test"


def _dropped(parts: npt.NDArray[np.int8], labels: Ints) -> str:
    unscored = labels >= len(SCORED)
    train, test = (int(np.sum(unscored & (parts == part))) for part in (TRAIN, TEST))
    names = ", ".join(CLASSES[len(SCORED) :])
    return f"{train + test} rows of class {names} are left out, {train} of DS1 and {test} of DS2"


def _f_rows(parts: npt.NDArray[np.int8], records: Ints, labels: Ints) -> str:
    in_train = (labels == CLASSES.index("F")) & (parts == TRAIN)
    own = int(np.sum(in_train & (records == F_RECORD)))
    return f"{own} of DS1's {int(in_train.sum())} F rows are record {F_RECORD}'s, which therefore stays in train"
