"""The file `parity.toml` of a plugin: outputs that public code of its architectures returned for fixed weights.

Inputs and weights are made by a formula from their names, see `numbers`, so the file holds only the outputs.
`docs/checks.md` describes every key. Public code is run once, outside the zoo; the zoo never imports it.
"""

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.errors import PluginError
from zoo.space import Value
from zoo.tomls import parsed_file, read_text

FILE = "parity.toml"
MOST_VALUES, TOO_MANY = 10_000_000, "more than ten million values"
Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Numbers = NDArray[np.float32]


class Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tensor of the public code, and its place in the network of the zoo.

    theirs  its name in the public code, from which its values are made
    shape   its shape there
    range   its values are in [low, high)
    ours    the name in the state dict of the zoo's network; several names share it in equal parts along the first axis,
            and several tensors with the same name are joined along the first axis; "" if the network does not have it
    axes    the order of the axes for the zoo, as in `transpose`; the values are then reshaped in row-major order
    add     added to the values for the zoo, such as a difference between two constants
    """

    theirs: Text
    shape: list[Count]
    range: tuple[float, float]
    ours: Text | list[Text] | None = None
    axes: list[int] | None = None
    add: float = 0.0

    def values(self) -> Numbers:
        """Return the tensor of the public code, float32 in its shape."""
        return numbers(self.theirs, self.shape, *self.range)

    def our_values(self) -> Numbers:
        """Return the values for the network of the zoo."""
        axes = range(len(self.shape)) if self.axes is None else self.axes
        return self.values().transpose(*axes) + np.float32(self.add)

    @property
    def places(self) -> tuple[str, ...]:
        """The names in the state dict of the zoo's network."""
        return (self.ours,) if isinstance(self.ours, str) else tuple(self.ours or ())


class Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The training rows of a network that is fitted: their number, and whether all of them are equal."""

    rows: Count
    equal: bool = False


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outputs of the public code of one architecture for one configuration.

    source    the repository with its commit, and the file
    computed  the date, the machine and the releases
    params    parameters of the architecture; `block` is the block of its slot
    rows, n_channels, n_times, n_classes  the shape of the input, and the number of classes
    expected  the outputs, one list for each row; an output that is nan is not compared
    tolerance  the largest accepted difference of an output
    output    the method that returns the outputs; the logits if it is left out
    input     the values of the input are in [low, high)
    fit       the training rows of a network that is fitted before its outputs are compared
    note      what was compared, and what differs on purpose
    """

    source: Text
    computed: Text
    rows: Count
    n_channels: Count
    n_times: Count
    n_classes: Count
    tolerance: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    expected: list[list[float]]
    params: dict[str, Value] = {}
    block: str | None = None
    output: str = ""
    input: tuple[float, float] = (-1.0, 1.0)
    fit: Fit | None = None
    weights: list[Weight] = []
    note: str = ""

    def rows_of_input(self) -> Numbers:
        """Return the input, float32 `(rows, n_channels, n_times)`."""
        return numbers("input", (self.rows, self.n_channels, self.n_times), *self.input)

    def training_rows(self) -> Numbers:
        """Return the rows of the fit, float32 `(rows, n_channels, n_times)`; the label of row i is i modulo classes."""
        assert self.fit is not None
        made = numbers("training", (1 if self.fit.equal else self.fit.rows, self.n_channels, self.n_times), *self.input)
        return made.repeat(self.fit.rows, 0) if self.fit.equal else made

    def their_weights(self) -> dict[str, Numbers]:
        """Return all tensors of the public code by their names there."""
        return {weight.theirs: weight.values() for weight in self.weights}

    def our_weights(self) -> dict[str, Numbers]:
        """Return the values for the state dict of the zoo's network by their names there, each in one axis."""
        found: dict[str, list[Numbers]] = {}
        for weight in self.weights:
            if weight.places:
                parts = np.split(weight.our_values(), len(weight.places)) if weight.shape else [weight.our_values()]
                for place, part in zip(weight.places, parts, strict=True):
                    found.setdefault(place, []).append(part)
        return {place: np.concatenate([part.reshape(-1) for part in parts]) for place, parts in found.items()}


class NotCompared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason why an architecture, or each one that matches a pattern, is compared with no public code."""

    not_compared: Text


Parity = Mapping[str, tuple[Case, ...] | NotCompared]


def numbers(name: str, shape: Sequence[int], low: float, high: float) -> Numbers:
    """Return the values of a tensor by the formula of `parity.toml`, float32 in the given shape.

    Value i in row-major order is low + (high - low) h(c + i) / 2^32. c is the CRC-32 of the name, and h a hash of whole
    numbers modulo 2^32: x ^= x >> 16; x *= 0x7feb352d; x ^= x >> 15; x *= 0x846ca68b; x ^= x >> 16.
    """
    x = np.arange(math.prod(shape), dtype=np.uint32) + np.uint32(zlib.crc32(name.encode()))
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    x ^= x >> np.uint32(16)
    return (low + (high - low) * (x / 2.0**32)).astype(np.float32).reshape(shape)


def read_parity(path: Path) -> Parity:
    """Read a `parity.toml`: the cases of each architecture, or the reason why there is none.

    Raises SettingsError for a file that cannot be read, PluginError with the file and the key for an invalid value.
    """
    tables = parsed_file(path, read_text(path))
    return {name: _entry(path, name, value) for name, value in tables.items()}


def _entry(path: Path, name: str, value: Any) -> tuple[Case, ...] | NotCompared:
    try:
        if isinstance(value, dict):
            if "not_compared" not in value:
                raise ValueError(f'write [[{name}]] for outputs of public code, or not_compared = "reason"')
            return msgspec.convert(value, NotCompared)
        cases = tuple(msgspec.convert(value, list[Case]))
        if not cases:
            raise ValueError(f"write at least one table [[{name}]]")
    except ValueError as error:  # msgspec's errors are among them
        place, message = _located(str(error))
        raise PluginError(f"{path}: {name}{place}: {message}") from None
    for number, case in enumerate(cases):
        if fault := _fault(case):
            key, message = fault
            raise PluginError(f"{path}: {name}[{number}].{key}: {message}")
    return cases


def _located(message: str) -> tuple[str, str]:
    """Split a message of msgspec into the place, such as `[0].rows`, and the error."""
    found = re.fullmatch(r"(.*) - at `\$(.*)`", message)
    text, place = (found[1], found[2]) if found else (message, "")
    return place, text[:1].lower() + text[1:]


def _fault(case: Case) -> tuple[str, str] | None:
    """Return the key and the error of a value that its type alone does not rule out."""
    widths = {len(row) for row in case.expected}
    if len(case.expected) != case.rows or len(widths) != 1 or 0 in widths:
        return "expected", f"needs {case.rows} lists of equal length, one for each row"
    if np.isinf(case.expected).any() or np.isnan(case.expected).all():
        return "expected", "has an infinite value, or no value at all"
    if not -1e6 < case.input[0] < case.input[1] < 1e6:
        return "input", "needs two numbers, the lower one first"
    for key, rows in (("rows", case.rows), ("fit.rows", case.fit.rows if case.fit else 0)):
        if rows * case.n_channels * case.n_times > MOST_VALUES:
            return key, f"with n_channels and n_times these are {TOO_MANY}"
    names = [weight.theirs for weight in case.weights]
    for number, weight in enumerate(case.weights):
        if fault := _fault_of_weight(weight, names):
            return f"weights[{number}].{fault[0]}", fault[1]
    return None


def _fault_of_weight(weight: Weight, names: list[str]) -> tuple[str, str] | None:
    if names.count(weight.theirs) > 1:
        return "theirs", f"{weight.theirs!r} is there twice"
    if not -1e6 < weight.range[0] <= weight.range[1] < 1e6:
        return "range", "needs two numbers, the lower one first"
    if math.prod(weight.shape) > MOST_VALUES:
        return "shape", f"these are {TOO_MANY}"
    if weight.axes is not None and sorted(weight.axes) != list(range(len(weight.shape))):
        return "axes", f"needs each of the {len(weight.shape)} axes of the shape once, counted from 0"
    first = weight.shape[weight.axes[0] if weight.axes else 0] if weight.shape else 1
    if len(weight.places) > 1 and first % len(weight.places):
        return "ours", f"{first} along the first axis cannot be split into {len(weight.places)} equal parts"
    return None
