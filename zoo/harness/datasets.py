"""Load a data set by its name, or from a file, as labelled series."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.assignments import split_assignments
from zoo.data.arrays import PREFIX
from zoo.data.classes import with_classes
from zoo.data.files import data_set_name, from_file, is_path
from zoo.data.folds import Fold
from zoo.data.protocols import Parts, default_protocol, separate
from zoo.data.scaling import moments
from zoo.data.series import LabelledSeries
from zoo.errors import DataError, UsageError, guarded, unknown_name
from zoo.factories import complete, load_factory, located
from zoo.harness.request import DataRequest
from zoo.harness.seeds import axis_seeds
from zoo.registry import Entry, Registry
from zoo.space import Value
from zoo.specs import Dataset
from zoo.workspace import Workspace

_IN_MEMORY = re.compile(f"{PREFIX}[0-9a-f]{{8}}")
_TEXT_PARAMETERS = ("separator", "decimal", "layout")
_FILE_PARAMETERS = ("constant", "header", *_TEXT_PARAMETERS)


@dataclass(frozen=True)
class Loaded:
    """A data set in memory; `sized` is true if it was generated with the requested number of rows.

    `scale` is the one that the data set declares; "" for files and arrays, whose values decide. `grouped` is true for a
    file that has groups, and for arrays with groups that the user passed. `entry` is None for files and arrays.
    """

    name: str
    params: Mapping[str, Value]
    series: LabelledSeries
    synthetic: bool = False
    sized: bool = False
    scale: str = ""
    grouped: bool = False
    entry: Entry[Dataset] | None = None

    @property
    def key_name(self) -> str:
        """The name in the keys of runs; "" for files and arrays, because the same rows may have any name."""
        return "" if self.entry is None else self.entry.spec.key_name


def load_dataset(workspace: Workspace, name: str, request: DataRequest) -> Loaded:
    """Load the data set with this name or path, with the options of a request.

    Raises DataError or UsageError, each with a message of one line.
    """
    loaded = _load(workspace, name, request)
    if not (request.drop_class or request.merge_class):
        return loaded
    series = with_classes(loaded.series, drop=request.drop_class, merge=request.merge_class)
    named = {"drop_class": ",".join(request.drop_class), "merge_class": ";".join(request.merge_class)}
    return replace(
        loaded, series=series, params={**loaded.params, **{key: text for key, text in named.items() if text}}
    )


def _load(workspace: Workspace, name: str, request: DataRequest) -> Loaded:
    params = split_assignments(request.assignments)["dataset"]
    if (given := request.in_memory.get(name)) is not None:
        return Loaded(name, given.params, given.series, grouped=given.grouped)
    if is_file(workspace.registry, name):
        return _from_file(Path(name), params, request)
    if request.target or request.group:
        raise UsageError(f"--target and --group are for files: --dataset beats.csv, not {name}")
    if request.columns or request.drop:
        raise UsageError(f"--columns and --drop are for files: --dataset beats.csv, not {name}")
    entry = dataset_entry(workspace.registry, name)
    spec = entry.spec
    complete_params = located(spec, complete(spec, params))
    harness: dict[str, object] = {"rows": request.rows} if spec.generated else {}
    if spec.from_files:
        harness["data_dir"] = workspace.settings.data_dir(spec.name, request.data_dir)
    with guarded(DataError, f"data set {name} cannot be loaded"):
        series = load_factory(spec.factory)(**harness, **complete_params)
    if not isinstance(series, LabelledSeries):
        raise DataError(f"data set {name}: its factory returned {type(series).__name__}, not LabelledSeries")
    return Loaded(entry.name, complete_params, series, spec.synthetic, spec.generated, spec.scale, entry=entry)


def separated(
    loaded: Loaded,
    protocol: str,
    seed: int,
    request: DataRequest,
    validation: float | None = None,
    fold: Fold | None = None,
) -> Parts:
    """Separate a data set for the seed of a run; see `chosen_protocol` for the default.

    `validation` is the share of validation rows or groups; None: that of the protocol. `fold` is that of a
    cross-validation.
    """
    chosen, split = chosen_protocol(loaded, protocol, request), axis_seeds(seed)["split"]
    size = request.rows
    return separate(loaded.series, chosen, seed=split, rows=size, sized=loaded.sized, validation=validation, fold=fold)


def scaled(loaded: Loaded, parts: Parts, scale: str) -> Parts:
    """Scale separated data; an empty `scale` means that of the data set, by default that of its values.

    The rows outside the test set decide, whatever the seed and `--rows`. If they are scaled, a note has the reason.
    """
    if scale or loaded.scale:
        return parts.scaled(scale or loaded.scale)
    reason = moments(loaded.series.values, loaded.series.lengths, parts.pool).why_scaled()
    if not reason:
        return parts
    note = f"the samples are scaled to mean 0 and standard deviation 1, because {reason}: --scale none keeps them"
    return replace(parts.scaled("standard"), notes=(*parts.notes, note))


def chosen_protocol(loaded: Loaded, protocol: str, request: DataRequest) -> str:
    """Return the protocol; if it is empty, the published split, else the groups of a file, else `holdout`."""
    default = default_protocol(loaded.series)
    return protocol or ("inter-patient" if loaded.grouped and default == "holdout" else default)


def dataset_entry(registry: Registry, name: str) -> Entry[Dataset]:
    """Return the registered data set of this name. Raises UsageError for one that was in the memory of a program."""
    if _IN_MEMORY.fullmatch(name):
        raise UsageError(f"{name} was passed as arrays from Python: pass them to zoo.bench again, as dataset=(X, y)")
    return registry.get(Dataset, name)


def is_file(registry: Registry, name: str) -> bool:
    """Whether a data set's name is a path: not a registered name, and it looks like a path or exists as one."""
    return not any(entry.name == name for entry in registry.of_kind("dataset")) and is_path(name)


def _from_file(path: Path, params: Mapping[str, Value], request: DataRequest) -> Loaded:
    for name in params:
        if name not in _FILE_PARAMETERS:
            raise unknown_name("parameter of a file", name, _FILE_PARAMETERS)
    merged = {"constant": "error", **params}
    header = params.get("header")
    if not (header is None or isinstance(header, bool)):
        raise UsageError(f"dataset.header must be true or false, not {header!r}")
    constant = str(merged["constant"])
    named = {name: getattr(request, name) for name in ("target", "group", "columns", "drop")}
    texts = {name: None if params.get(name) is None else str(params[name]) for name in _TEXT_PARAMETERS}
    series = from_file(path, constant=constant, header=header, **texts, **named)
    kept = {**merged, **{name: column for name, column in named.items() if column is not None}}
    return Loaded(data_set_name(path), kept, series, grouped=series.groups is not None)
