"""The one line that reports how a file was read."""

from collections.abc import Sequence
from itertools import islice

import numpy as np

from zoo.data.series import Ints
from zoo.data.unread import Values
from zoo.wording import count_text

_MOST_CLASSES = 8  # whose rows the line counts


def read_line(
    name: str,
    values: Values,
    lengths: Ints | None,
    labels: Ints,
    classes: Sequence[str],
    *,
    samples: str = "",
    label: str = "",
    details: Sequence[str] = (),
) -> str:
    """Return `read beats.csv: 450 rows x 140 samples (t0 … t139), label "kind": 2 classes 262/188`.

    name     the file, or the files
    samples  where the samples come from: columns or arrays
    label    the column or array of the labels, if it has a name
    details  what else was decided, such as columns that were left out
    """
    rows, channels, times = values.shape
    wide = count_text(times, "sample") if lengths is None else f"{lengths.min()} to {times} samples"
    size = " x ".join([count_text(rows, "row"), *([f"{channels} channels"] if channels > 1 else []), wide])
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    shown = "/".join([*map(str, islice(counts, _MOST_CLASSES)), *(["…"] if len(counts) > _MOST_CLASSES else [])])
    called = f'label "{label}": ' if label else ""
    first = f"{size} ({samples})" if samples else size
    number = f"{len(classes)} class{'' if len(classes) == 1 else 'es'}"
    return f"read {name}: " + ", ".join([first, f"{called}{number} {shown}", *details])
