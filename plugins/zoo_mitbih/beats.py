"""The beats cut from the raw records, as in the published five-class data set.

Kachuee, Fazeli & Sarrafzadeh 2018 (arXiv 1805.00794) describe the cut. The rule below reproduces the published rows
bit for bit, also where the paper differs: it states 125 Hz, but a third of 360 Hz is 120 Hz.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import DataError
from zoo.data import Floats, Ints
from zoo.data.files import check_file, dropped_note, rows_to_keep
from zoo_mitbih.rows import CLASSES, TIMES, Rows
from zoo_mitbih.splits import RECORDS
from zoo_mitbih.sums import check_sums

STEP = 3
OVERLAP = 0.2
BEATS = 109_446
FILES = tuple(f"{record}{suffix}" for record in RECORDS for suffix in (".hea", ".dat", ".atr"))

# The AAMI classes of PhysioNet's annotation symbols (ANSI/AAMI EC57).
CLASS_OF = {
    symbol: CLASSES.index(name)
    for name, symbols in (("N", "NLRej"), ("S", "AaJS"), ("V", "VE"), ("F", "F"), ("Q", "/fQ"))
    for symbol in symbols
}


@dataclass(frozen=True)
class Beats:
    """The beats of one record, in the order of the record.

    values   float32 `(beats, 187)` in 0 to 1, zeros after the end
    labels   int64 `(beats,)`, indices into `CLASSES`
    samples  int64 `(beats,)`, the position of each beat's annotation in the record, at 360 Hz
    """

    values: Floats
    labels: Ints
    samples: Ints


def cut(signal: Ints, samples: Ints, symbols: Sequence[str]) -> Beats:
    """Cut the beats from one channel, int64 `(times,)` in ADC units.

    samples, symbols  ALL annotations of the record in order, including those of rhythm and noise: the end of a beat
                      depends on the next annotation of any kind
    """
    chosen = [place for place, symbol in enumerate(symbols[:-1]) if symbol in CLASS_OF]
    following = np.append(samples[2:], len(signal))
    ends = samples[1:] + (OVERLAP * (following - samples[1:])).astype(np.int64)
    values = np.zeros((len(chosen), TIMES), np.float32)
    for row, place in zip(values, chosen, strict=True):
        beat = _scaled(signal[samples[place] : ends[place] : STEP])[:TIMES]
        row[: len(beat)] = beat
    labels = np.array([CLASS_OF[symbols[place]] for place in chosen], np.int64)
    return Beats(values, labels, samples[chosen])


def read_record(folder: Path, record: int) -> Beats:
    """Read the beats of one record from its `.hea`, `.dat` and `.atr`.

    Raises DataError if wfdb is not installed, or if a file is cut short or damaged.
    """
    stem = str(folder / str(record))
    _check_end(Path(f"{stem}.atr"))
    # wfdb causes deprecation warnings of pandas. A user of the zoo cannot do anything about them.
    with warnings.catch_warnings(action="ignore"):
        wfdb = _wfdb()
        try:
            recorded = wfdb.rdrecord(stem, physical=False, channels=[0])
            signal = recorded.d_signal[:, 0]
            # The header contains a 16-bit sum of all samples. wfdb does not check it.
            if (int(signal.sum()) - recorded.checksum[0]) % 2**16:
                raise ValueError("the sum of the samples differs from the header's checksum")
            annotations = wfdb.rdann(stem, "atr")
            return cut(signal, annotations.sample, annotations.symbol)
        # For files that are cut short or damaged, wfdb raises errors of any type.
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            way_out = "download its .hea, .dat and .atr again"
            raise DataError(f"record {stem} cannot be read; {way_out} ({reason})") from error


def read_records(folder: Path, constant: str) -> Rows:
    """Read the beats of all 48 records of the raw folder, in the order of `RECORDS`.

    Raises DataError if a file cannot be read, or is not the published one.
    """
    check_sums(folder, FILES)
    found = [read_record(folder, record) for record in RECORDS]
    values = np.concatenate([beats.values for beats in found])
    labels = np.concatenate([beats.labels for beats in found])
    samples = np.concatenate([beats.samples for beats in found])
    records = np.repeat(np.array(RECORDS, np.int64), [len(beats.labels) for beats in found])
    if len(labels) != BEATS:
        raise DataError(
            f"{folder}: the raw records contain {len(labels)} beats; expected {BEATS}: a file is damaged or not from "
            "release 1.0.0; check the folder with `sha256sum -c SHA256SUMS.txt`"
        )
    kept = rows_to_keep(values, constant, str(folder), lambda row: f"record {records[row]}, sample {samples[row]}")
    rows = Rows(values, labels, records, notes=dropped_note(kept))
    return rows if kept.all() else rows.take(kept)


def _check_end(annotations: Path) -> None:
    """Raise DataError for annotations that are cut short: wfdb reads them without an error."""
    check_file(annotations)
    if not annotations.read_bytes().endswith(b"\0\0"):
        raise DataError(f"{annotations} is cut short: its end mark is missing; download it again")


def _scaled(beat: Ints) -> Floats:
    low, high = beat.min(), beat.max()
    span = high - low
    scaled: Floats = ((beat - low) / (span if span else 1)).astype(np.float32)
    return scaled


def _wfdb() -> Any:
    try:
        import wfdb
    except ImportError as error:
        raise DataError("reading raw PhysioNet records requires wfdb: pip install wfdb") from error
    return wfdb
