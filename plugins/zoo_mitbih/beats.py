"""The beats cut from the raw records, as the five-class set was made.

Kachuee, Fazeli & Sarrafzadeh 2018 (arXiv 1805.00794) describe the cut; the rule below is the one that gives
the published rows bit for bit, also where the paper says otherwise (125 Hz, where a third of 360 is 120).
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
    """The beats of one record, in its order.

    values   float32 `(beats, 187)` in 0 to 1, zeros after the end
    labels   int64 `(beats,)`, indices into `CLASSES`
    samples  int64 `(beats,)`, where the beats' annotations stand in the record, at its 360 Hz
    """

    values: Floats
    labels: Ints
    samples: Ints


def cut(signal: Ints, samples: Ints, symbols: Sequence[str]) -> Beats:
    """The beats of one channel, int64 `(times,)` in ADC units.

    samples, symbols  ALL annotations of the record in order, those of rhythm and noise included: a beat ends
                      relative to whatever is annotated next
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
    """The beats of one record, from its `.hea`, `.dat` and `.atr`.

    Raises DataError where wfdb is not installed, or a file is cut short or damaged.
    """
    stem = str(folder / str(record))
    _check_end(Path(f"{stem}.atr"))
    # wfdb sets off deprecation warnings of pandas, which no user of the zoo can act on.
    with warnings.catch_warnings(action="ignore"):
        wfdb = _wfdb()
        try:
            recorded = wfdb.rdrecord(stem, physical=False, channels=[0])
            signal = recorded.d_signal[:, 0]
            # The header has the sum of all samples in 16 bits, which wfdb does not compare.
            if (int(signal.sum()) - recorded.checksum[0]) % 2**16:
                raise ValueError("the samples do not add up to the header's checksum")
            annotations = wfdb.rdann(stem, "atr")
            return cut(signal, annotations.sample, annotations.symbol)
        # wfdb lets errors of any type through from files that are cut short or damaged.
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            way_out = "download its .hea, .dat and .atr again"
            raise DataError(f"record {stem} cannot be read; {way_out} ({reason})") from error


def read_records(folder: Path, constant: str) -> Rows:
    """The beats of all 48 records of the raw folder, in the records' order.

    Raises DataError where a file cannot be read or is damaged.
    """
    found = [read_record(folder, record) for record in RECORDS]
    values = np.concatenate([beats.values for beats in found])
    labels = np.concatenate([beats.labels for beats in found])
    samples = np.concatenate([beats.samples for beats in found])
    records = np.repeat(np.array(RECORDS, np.int64), [len(beats.labels) for beats in found])
    if len(labels) != BEATS:
        raise DataError(
            f"{folder}: the raw records give {len(labels)} beats, not {BEATS}: a file is damaged or not of "
            "release 1.0.0; check the folder with `sha256sum -c SHA256SUMS.txt`"
        )
    kept = rows_to_keep(values, constant, str(folder), lambda row: f"record {records[row]}, sample {samples[row]}")
    rows = Rows(values, labels, records, notes=dropped_note(kept))
    return rows if kept.all() else rows.take(kept)


def _check_end(annotations: Path) -> None:
    """Refuse annotations that are cut short: wfdb reads them as if there were no more."""
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
        raise DataError("raw PhysioNet records are read with wfdb: pip install wfdb") from error
    return wfdb
