"""Groups of rows, such as patients: which groups two sets share, and draws that keep every group together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.data.series import LEFT_OUT, TEST, DeclaredSplit, Ints
from zoo.errors import DataError

GROUP_DRAWS = 200
MIN_ROWS = 10  # of every class on both sides of a split by group, if any draw reaches it
MOST_STEPS = 20_000  # of one search for a split; a search that takes more counts as one that found a split

Groups = npt.NDArray[Any]
Positions = npt.NDArray[np.intp]


def kept_apart(groups: Groups | None, split: DeclaredSplit) -> bool:
    """Return whether the test rows of a split have groups, and none of them is a group of its other rows."""
    if groups is None:
        return False
    tested = groups[split.parts == TEST]
    others = groups[(split.parts != TEST) & (split.parts != LEFT_OUT)]
    return len(tested) > 0 and not np.isin(tested, others).any()


def shared_by(split: DeclaredSplit, groups: Groups) -> Groups:
    """Return the groups that have rows in the test set of a split and in another of its sets."""
    others = groups[(split.parts != TEST) & (split.parts != LEFT_OUT)]
    return np.intersect1d(groups[split.parts == TEST], others)


def says_shared(notes: Sequence[str], shared: Groups, noun: str) -> bool:
    """Return whether notes name all of these groups, or state their number: `201`, or `3 patients`."""
    text = " ".join(notes)
    words = set(re.findall(r"\w+", text))
    named = all(set(re.findall(r"\w+", str(name))) <= words for name in shared.tolist())
    return named or re.search(rf"\b{len(shared)} {re.escape(plural(noun))}\b", text) is not None


def plural(noun: str) -> str:
    """Return `patients` for `patient`; a noun ending in `s`, such as a column name, stays unchanged."""
    return noun if noun.endswith("s") else f"{noun}s"


@dataclass(frozen=True)
class GroupTable:
    """The groups among which some are drawn.

    names   the groups
    rows    number of rows of each class, float64 `(groups, classes)`
    free    positions of the groups that may be drawn
    size    number of groups to draw
    spare   whether the groups that are left over must be divisible once more, as for a test set before validation
    """

    names: Groups
    rows: npt.NDArray[np.float64]
    free: Positions
    size: int
    spare: bool

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Bool `(classes,)`: the classes that have rows."""
        return np.asarray(self.rows.sum(0) > 0)

    @property
    def has(self) -> npt.NDArray[np.bool_]:
        """Bool: which group has which of the classes that have rows."""
        return np.asarray(self.rows[:, self.present] > 0)

    def rank(self, drawn: Positions) -> tuple[float, float]:
        """Return minus the fewest rows of a class on either side, up to MIN_ROWS, and the distance of the shares."""
        total = self.rows.sum(0)
        inside = self.rows[drawn].sum(0)
        fewest = min(inside[total > 0].min(), (total - inside)[total > 0].min(), MIN_ROWS)
        return -fewest, float(np.abs(inside / inside.sum() - total / total.sum()).sum())

    def leaves_enough(self, drawn: Positions) -> bool:
        """Return whether the groups left over can be divided once more, if they must be."""
        left = np.delete(self.has, drawn, axis=0)
        return not self.spare or _Search(left, np.arange(len(left))).found()


def draw_groups(
    labels: Ints,
    groups: Groups,
    eligible: Ints,
    *,
    share: float,
    rng: np.random.Generator,
    classes: Sequence[str],
    noun: str,
    pinned: tuple[Any, ...] = (),
    spare: bool = False,
) -> Ints:
    """Draw a share of the groups at random GROUP_DRAWS times, and return the rows of the draw with the nearest shares.

    Draws that leave MIN_ROWS rows of every class on both sides are preferred. If no draw has every class on both sides,
    or with `spare` none that can be divided once more, as many groups are drawn as the classes need. Groups in `pinned`
    are not drawn. Raises DataError if there is no such draw.
    """
    names, owner = np.unique(groups[eligible], return_inverse=True)
    free = np.flatnonzero(~np.isin(names, pinned))
    if len(names) < 2:
        raise DataError(f"a split by group needs at least two groups, not {len(names)}")
    if not len(free):
        raise DataError("a split by group needs at least two groups, and one of them not kept in the training set")
    rows = np.zeros((len(names), int(labels[eligible].max()) + 1))
    np.add.at(rows, (owner, labels[eligible]), 1)
    size = min(max(1, round(share * len(names))), len(names) - 1, len(free))
    table = GroupTable(names, rows, free, size, spare)
    drawn = _nearest(table, rng)
    if drawn is None or not table.leaves_enough(drawn):
        needed = _as_many_as_needed(table, rng)
        drawn = drawn if needed is None else needed
    if drawn is None:
        raise DataError(_why_none(table, classes, noun))
    return eligible[np.isin(owner, drawn)]


def _nearest(table: GroupTable, rng: np.random.Generator) -> Positions | None:
    """Return the best of GROUP_DRAWS draws; None if none has every class on both sides."""
    draws = [rng.permutation(table.free)[: table.size] for _ in range(GROUP_DRAWS)]
    best = min(draws, key=table.rank)
    return best if table.rank(best)[0] < 0 else None


def _as_many_as_needed(table: GroupTable, rng: np.random.Generator) -> Positions | None:
    """Return the best draw of the smallest number of groups that the classes need, at least `size`; None if none is."""
    best: tuple[tuple[float, ...], Positions] | None = None
    for _ in range(GROUP_DRAWS):
        order = rng.permutation(table.free)
        needed = _Search(table.has, order).groups()
        if needed is None:
            break  # the search is complete: another order finds none either
        for drawn in (_filled(table, needed, order), needed):
            rank = (max(len(drawn), table.size), *table.rank(drawn))
            if (best is None or rank < best[0]) and table.leaves_enough(drawn):
                best = rank, drawn
    return None if best is None else best[1]


def _filled(table: GroupTable, drawn: Positions, order: Positions) -> Positions:
    """Add groups in this order, up to `size`, while enough groups of every class are left over."""
    fewest = 2 if table.spare else 1
    left = table.has.sum(0) - table.has[drawn].sum(0)
    chosen = [*drawn.tolist()]
    for group in order[~np.isin(order, drawn)].tolist():
        if len(chosen) < table.size and (left - table.has[group] >= fewest)[table.has[group]].all():
            left = left - table.has[group]
            chosen.append(group)
    return np.array(chosen, np.intp)


class _Search:
    """A complete search for groups that have every class together, and leave every class to the other groups.

    `has` is bool `(groups, classes)`; `order` holds the positions that may be chosen, the first ones preferred.
    """

    def __init__(self, has: npt.NDArray[np.bool_], order: Positions) -> None:
        self.has, self.order = has, order
        self.steps = 0

    def found(self) -> bool:
        """Return whether there are such groups."""
        return self.groups() is not None or self.steps > MOST_STEPS

    def groups(self) -> Positions | None:
        """Return such groups, or None."""
        branches = [iter([np.empty(0, np.intp)])]
        while branches and self.steps <= MOST_STEPS:
            chosen = next(branches[-1], None)
            if chosen is None:
                branches.pop()
                continue
            self.steps += 1
            missing = np.logical_not(self.has[chosen].any(0))
            if not np.delete(self.has, chosen, axis=0).any(0).all():
                continue
            if not missing.any():
                return chosen
            branches.append(iter([np.append(chosen, group) for group in self._of_rarest(missing)]))
        return None

    def _of_rarest(self, missing: npt.NDArray[np.bool_]) -> Positions:
        """Return the groups that have the rarest of the classes that are still missing."""
        able = self.has[self.order]
        rarest = int(np.argmin(np.where(missing, able.sum(0), len(self.order) + 1)))
        return self.order[able[:, rarest]]


def _why_none(table: GroupTable, classes: Sequence[str], noun: str) -> str:
    """Return why there is no draw: the class with the fewest groups, if they are too few."""
    problem = "no split by group found with every class on both sides"
    owners = np.where(table.present, (table.rows > 0).sum(0), len(table.names) + 1)
    rarest, needed = int(np.argmin(owners)), 3 if table.spare else 2
    if owners[rarest] >= needed:
        return f"{problem}: too few {plural(noun)} have the rare classes"
    few = f"{owners[rarest]} {noun if owners[rarest] == 1 else plural(noun)}"
    sets = ", but the training, validation and test set need one each"
    if not table.spare:
        sets = " outside the test set, but the training and validation set need one each"
    return (
        f"{problem}: class {classes[rarest]!r} has rows of {few}{sets}: add rows, or leave the class out with "
        f"--drop-class {classes[rarest]}"
    )
