"""The learning curves of stored runs: a value of each epoch, for each network of an ensemble."""

import csv
import math
from collections import defaultdict

from zoo.errors import StoreError
from zoo.store.run import Run
from zoo.store.runs import Store


def history(store: Store, run: Run, column: str) -> list[list[float]]:
    """Return the values of a column of `history.csv` for each network of a run; none if it is not stored.

    NaN for an epoch without a value.
    """
    members: dict[str, list[float]] = defaultdict(list)
    try:
        with store.read(run, "history.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                members[row.get("member") or ""].append(_number(row.get(column)))
    except (StoreError, OSError, ValueError, csv.Error):
        return []
    return list(members.values())


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
