"""Classes that a request merges or leaves out, before a data set is separated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from zoo.data.lengths import settled
from zoo.data.series import DeclaredSplit, LabelledSeries
from zoo.data.unread import picked
from zoo.errors import DataError, UsageError, unknown_name
from zoo.wording import count_text


def with_classes(series: LabelledSeries, *, drop: Sequence[str], merge: Sequence[str]) -> LabelledSeries:
    """Return a data set with classes merged, and then without the rows of the classes in `drop`.

    drop   names of classes; several may be in one text: `F,Q`
    merge  texts of the form `NEW=OLD,OLD`: the rows of the old classes get the class NEW, which may exist already

    A note reports each change. Raises UnknownName or UsageError for classes that the data set lacks or that are
    requested twice, DataError if fewer than two classes are left.
    """
    if merge:
        series = _merged(series, _requested(merge, series.classes))
    if drop:
        series = _dropped(series, [name for text in drop for name in _names(text, series.classes)])
    if (merge or drop) and len(series.classes) < 2:
        raise DataError(f"only class {series.classes[0]!r} is left, but a data set needs two: merge or drop fewer")
    return series


def _requested(merge: Sequence[str], classes: tuple[str, ...]) -> dict[str, str]:
    """Return the new class of each old class."""
    found: dict[str, str] = {}
    for text in merge:
        new, sign, old = (part.strip() for part in text.partition("="))
        if not (new and sign and old):
            raise UsageError(f"--merge-class must be NEW=OLD,OLD, such as S=A,J, not {text!r}")
        for name in _names(old, classes):
            if found.setdefault(name, new) != new:
                raise UsageError(f"--merge-class puts class {name!r} into {found[name]!r} and {new!r}: name one")
    for name, new in found.items():
        if found.get(new, new) != new:
            raise UsageError(f"--merge-class puts {name!r} into {new!r} and {new!r} into {found[new]!r}: name the last")
    return found


def _names(text: str, classes: tuple[str, ...]) -> Iterator[str]:
    """Yield the classes that a text names, separated by commas; a class whose name has a comma is one class."""
    for name in (text,) if text in classes else text.split(","):
        if name.strip() not in classes:
            raise unknown_name("class", name.strip(), classes)
        yield name.strip()


def _merged(series: LabelledSeries, new: Mapping[str, str]) -> LabelledSeries:
    names = [new.get(name, name) for name in series.classes]
    classes = tuple(dict.fromkeys(names))
    numbers = np.array([classes.index(name) for name in names], np.int64)
    labels = numbers[series.labels]
    notes = []
    for name in dict.fromkeys(new.values()):
        old = [each for each, merged in new.items() if merged == name]
        rows = int(np.isin(series.labels, [series.classes.index(each) for each in old]).sum())
        noun = "class" if len(old) == 1 else "classes"
        notes.append(f"{count_text(rows, 'row')} of {noun} {', '.join(old)} counted as class {name}")
    splits = {
        protocol: replace(split, classes=split.classes and tuple(dict.fromkeys(new.get(n, n) for n in split.classes)))
        for protocol, split in series.splits.items()
    }
    return replace(series, labels=labels, classes=classes, splits=splits, notes=(*series.notes, *notes))


def _dropped(series: LabelledSeries, names: Sequence[str]) -> LabelledSeries:
    classes = tuple(name for name in series.classes if name not in names)
    numbers = np.array([classes.index(name) if name in classes else -1 for name in series.classes], np.int64)
    labels = numbers[series.labels]
    kept = np.flatnonzero(labels >= 0)
    if not len(kept):
        raise DataError(f"no row is left without class {', '.join(names)}: drop fewer classes")
    counts = np.bincount(series.labels, minlength=len(series.classes))
    notes = [
        f"{count_text(int(counts[series.classes.index(name)]), 'row')} of class {name} left out"
        for name in dict.fromkeys(names)
    ]
    lengths = None if series.lengths is None else series.lengths[kept]
    values, lengths = settled(picked(series.values, kept), lengths)
    return replace(
        series,
        values=values,
        labels=labels[kept],
        classes=classes,
        groups=None if series.groups is None else series.groups[kept],
        lengths=lengths,
        splits={name: _cut(split, kept, classes) for name, split in series.splits.items()},
        notes=(*series.notes, *notes),
    )


def _cut(split: DeclaredSplit, kept: npt.NDArray[np.intp], classes: tuple[str, ...]) -> DeclaredSplit:
    scored = None if split.classes is None else tuple(name for name in split.classes if name in classes)
    return replace(split, parts=split.parts[kept], classes=scored)
