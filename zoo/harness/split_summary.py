"""What a worker process knows of the data beside the rows it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.data.protocols import Parts
from zoo.data.rows import Rows
from zoo.data.sealed import SealedTest


@dataclass(frozen=True)
class SplitSummary:
    """Classes, shapes and sizes of separated data, and not a row of its test part."""

    classes: tuple[str, ...]
    record: Mapping[str, Any]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, parts: Parts) -> "SplitSummary":
        return cls(parts.classes, parts.record, parts.notes)

    def parts(self, train: Rows, validation: Rows) -> Parts:
        """The parts as a worker has them: under the seal is nothing."""
        nothing = Rows(train.values[:0], train.labels[:0], train.index[:0])
        return Parts(train, validation, SealedTest(nothing), self.classes, self.record, self.notes)
