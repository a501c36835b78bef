"""What is asked of a bench: the axes of the grid, and how it is run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import UsageError
from zoo.space import Value

Axis = str | Sequence[str] | None  # as it is typed: one value, several, or none


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of the bench: every tuple is an axis of the grid, and an empty one leaves the choice to defaults.

    `monitor` is what a study searches for: epochs are chosen by it, also over a preset, unless the user set another.
    """

    architectures: tuple[str, ...]
    blocks: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    rows: int | None = None
    epochs: int | None = None
    assignments: Mapping[str, Value] = field(default_factory=dict)
    monitor: str | None = None
    data_dir: Path | None = None
    target: str | None = None
    group: str | None = None
    device: str | None = None
    threads: int | None = None
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        if not self.architectures:
            raise UsageError("name an architecture to bench: `zoo list architecture` shows them all")
        if self.force and self.resume:
            raise UsageError("--force starts again and --resume goes on: choose one")
        for name, value in (("rows", self.rows), ("epochs", self.epochs), ("seeds", len(self.seeds))):
            if value is not None and value < 1:
                raise UsageError(f"--{name} is at least 1, not {value}")
        if self.threads is not None and self.threads < 0:
            raise UsageError(f"--threads is at least 1, or 0 to choose, not {self.threads}")

    @classmethod
    def of(
        cls,
        architectures: Axis,
        *,
        block: Axis = None,
        data: Axis = None,
        loss: Axis = None,
        dataset: Axis = None,
        protocol: Axis = None,
        seeds: Sequence[int] = (0,),
        data_dir: str | Path | None = None,
        **others: Any,
    ) -> "Request":
        """The request for axes as they are typed and called: `block="se"`, `data=["original", "smote"]`.

        `others` are fields of a request. Raises UsageError for what makes no sense.
        """
        return cls(
            architectures=_values(architectures),
            blocks=_values(block),
            data=_values(data),
            losses=_values(loss),
            datasets=_values(dataset),
            protocols=_values(protocol),
            seeds=tuple(seeds),
            data_dir=None if data_dir is None else Path(data_dir),
            **others,
        )


def _values(axis: Axis) -> tuple[str, ...]:
    if axis is None:
        return ()
    return (axis,) if isinstance(axis, str) else tuple(axis)
