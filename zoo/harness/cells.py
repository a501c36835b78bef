"""Cells: one per combination of the requested axes, with every parameter and default filled in."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import ceil
from typing import Generic

from torch import nn

from zoo.data.folds import Fold
from zoo.data.protocols import VALIDATION_SHARE
from zoo.errors import ModelError
from zoo.factories import complete, contents, located
from zoo.harness.containment import contained
from zoo.harness.seeds import axis_seeds
from zoo.inspection import on_meta
from zoo.networks import Incompatible, Network, keyed_entry
from zoo.records import JsonObject, SplitSummary
from zoo.registry import Entry, S
from zoo.settings import BEST, FITTED, ONE_STANDARD_ERROR, Training
from zoo.sources import beyond, factory_hash, source_hash
from zoo.space import Value
from zoo.specs import Component, Objective, Resampler
from zoo.standalone import plain_name
from zoo.surroundings.imports import import_notes
from zoo.training.hardware import Hardware

ADAPTABLE = frozenset({"epochs", "batch_size", "patience", "scheduler_patience", "keep"})  # to the number of rows
SMALL_BATCH = 16  # with batches of 3 rows, 1,000 steps left fcn 0.1 to 0.2 lower on 32 rows
FEW_VALIDATION_ROWS = 30  # with 2 to 20, the best epoch of fcn lost 0.06 on five sets; with 38 to 200, nothing
FINGERPRINTED = ("rows", "dataset_params")  # the fingerprints of the data cover these
SEEDED = ("seed", "seeds", "dataset_params", "fold")


@dataclass(frozen=True)
class ChosenComponent(Generic[S]):
    """A component that is not a network, with all its parameters."""

    entry: Entry[S]
    params: Mapping[str, Value]

    @classmethod
    def of(cls, entry: Entry[S], params: Mapping[str, Value]) -> "ChosenComponent[S]":
        return cls(entry, located(entry.spec, complete(entry.spec, params)))

    def keyed(self) -> "ChosenComponent[S]":
        """Return the component in the form that the key of a run contains."""
        return ChosenComponent(keyed_entry(self.entry), {**self.params, **contents(self.entry.spec, self.params)})


@dataclass(frozen=True)
class Cell:
    """One combination to train and score, before its data are loaded; a network with fit() has no objective.

    `scale` is one of `zoo.specs.SCALES`, or "" until the data are loaded, which then decide. `dataset_key` is the name
    of the data set in the key; "" for a file, which is known by its content only. `adaptable` names the training
    settings that `for_rows` may adapt. `validation` is the share of validation rows, or None for that of the protocol.
    `fold` is that of a cross-validation.
    """

    network: Network
    dataset: str
    protocol: str
    resampler: ChosenComponent[Resampler]
    objective: ChosenComponent[Objective] | None
    training: Training
    rows: int | None
    seed: int
    dataset_params: Mapping[str, Value] = field(default_factory=dict)
    scale: str = ""
    dataset_key: str | None = None
    adaptable: frozenset[str] = frozenset()
    validation: float | None = None
    fold: Fold | None = None

    def for_data(self, data: SplitSummary) -> "Cell":
        """Adapt the training settings that nobody has set to the numbers of training and of validation rows.

        All seeds and folds of a configuration have the same settings, though a split by patient has other numbers of
        rows for each seed, and a cross-validation for each fold. Where validation rows are drawn, the number of
        training rows is therefore that of the rows outside the test set, less the share of validation rows.
        """
        if data.published_validation:
            return self.for_rows(data.rows["train"], data.rows["validation"])
        share = VALIDATION_SHARE if self.validation is None else self.validation
        outside = data.rows["train"] + data.rows["validation"]
        if self.fold is not None:
            outside = round((outside + data.rows["test"]) * (1 - 1 / self.fold.of))
        rows = ceil(outside * (1 - share))
        drawn = None if data.by_group else outside - rows if self.fold is not None else data.rows["validation"]
        return self.for_rows(rows if self.rows is None else min(self.rows, rows), drawn)

    def for_rows(self, rows: int, validation: int | None = None) -> "Cell":
        """Adapt the training settings that nobody has set to the numbers of training and of validation rows.

        A batch has a tenth of the rows, or 16 where that is fewer; such batches are equally large, since a last batch
        of a few rows disturbs batch normalisation. The epochs are as many as `training.min_steps` needs; the epochs of
        patience, of early stopping and of the plateau, grow in proportion. With the scheduler `cosine`, training does
        not stop early: the last epochs have the low rates that the schedule is for. With this scheduler, and fewer than
        `FEW_VALIDATION_ROWS`, the last epoch within one standard error of the best is kept. `validation` is None where
        the number of validation rows differs from seed to seed.
        """
        if self.network.fitted:
            return self
        training = self.training
        if "batch_size" in self.adaptable:
            training = replace(training, batch_size=_batch_size(rows, training.batch_size))
        if "patience" in self.adaptable and training.scheduler == "cosine":
            training = replace(training, patience=0)
        few = validation is not None and validation < FEW_VALIDATION_ROWS
        if "keep" in self.adaptable and training.scheduler == "cosine" and few:
            training = replace(training, keep=ONE_STANDARD_ERROR)
        needed = ceil(training.min_steps / ceil(rows / training.batch_size))
        if "epochs" in self.adaptable and needed > training.epochs:
            grown = {
                name: ceil(getattr(training, name) * needed / training.epochs)
                for name in ("patience", "scheduler_patience")
                if name in self.adaptable
            }
            training = replace(training, epochs=needed, **grown)
        return replace(self, training=training)

    def config(self) -> JsonObject:
        """Return the configuration as plain data without None: the content of config.toml."""
        files = self._files()
        return {**self._config(), "files": files} if files else self._config()

    def _config(self) -> JsonObject:
        config = {
            "architecture": self.network.entry.name,
            "block": self.network.block,
            "dataset": self.dataset,
            "protocol": self.protocol,
            "data": self.resampler.entry.name,
            "loss": "" if self.objective is None else self.objective.entry.name,
            "seed": self.seed,
            "params": _known(self.network.params),
            "block_params": _known(self.network.block_params),
            "data_params": _known(self.resampler.params),
            "loss_params": {} if self.objective is None else _known(self.objective.params),
            "dataset_params": _known(self.dataset_params),
            "training": self._training(),
            "seeds": axis_seeds(self.seed),
        }
        fold = {} if self.fold is None else {"fold": self.fold.number, "folds": self.fold.of}
        scale = {} if self.scale in ("", "none") else {"scale": self.scale}  # older keys have no scale
        config = {**config, **fold, **scale}
        return config if self.rows is None else {**config, "rows": self.rows}

    def _training(self) -> JsonObject:
        """Return the training settings that reach the network; `min_steps` does so by the epochs.

        Older keys have no `validation`, no label smoothing, no `keep` (the best epoch was kept) and no `monitor` of a
        network with fit(): these values are left out.
        """
        settings = {**asdict(self.training), "validation": self.validation}
        usual: JsonObject = {
            "validation": None,
            "label_smoothing": 0.0,
            "keep": BEST,
            **({"monitor": "macro_recall"} if self.network.fitted else {}),
        }
        names = FITTED if self.network.fitted else settings.keys() - {"min_steps"}
        return {
            name: value
            for name, value in settings.items()
            if name in names and not (name in usual and value == usual[name])
        }

    def _files(self) -> JsonObject:
        """Return the sha256 of each file that is a parameter, by its place in the configuration: `params.weights`."""
        chosen = {"data": self.resampler, "loss": self.objective}
        found = {f"params.{name}": digest for name, digest in contents(self.network.spec, self.network.params).items()}
        for part in self.network.blocks:
            before = f"{part.entry.name}." if len(self.network.blocks) > 1 else ""
            found |= {f"block_params.{before}{name}": text for name, text in contents(part.spec, part.params).items()}
        for scope, part_chosen in chosen.items():
            known = {} if part_chosen is None else contents(part_chosen.entry.spec, part_chosen.params)
            found |= {f"{scope}_params.{name}": digest for name, digest in known.items()}
        return found

    def entries(self) -> tuple[Entry[Component], ...]:
        """Return the components of the cell, except the data set."""
        blocks = (part.entry for part in self.network.blocks)
        objective = () if self.objective is None else (self.objective.entry,)
        return (self.network.entry, *blocks, self.resampler.entry, *objective)

    def with_precision(self, precision: str) -> "Cell":
        """Return the cell with the precision that `auto` means; a chosen one, and a fitted network's, stay."""
        if self.network.fitted or self.training.precision != "auto":
            return self
        return replace(self, training=replace(self.training, precision=precision))

    def on_hardware(self, hardware: Hardware) -> "Cell":
        """Return the cell with the precision of the hardware, so that its key and configuration have it."""
        return self.with_precision("bf16" if hardware.bf16 else "fp32")

    @property
    def precision(self) -> str:
        """The training precision, a value of `training.precision`; a network with fit() always uses fp32."""
        return "fp32" if self.objective is None else self.training.precision

    def on_meta(self, shape: Mapping[str, int]) -> nn.Module | None:
        """Return the network on the meta device, or None if it cannot be built there; a real device may still work.

        Raises Incompatible if the network and its blocks do not fit together.
        """
        try:
            with contained():
                return on_meta(lambda: self.network.without_files().build(**shape))
        except Incompatible:
            raise
        except ModelError:
            return None

    def hardware(self, model: nn.Module | None, device: str, threads: int) -> Hardware:
        """Choose the hardware for the network, given on the meta device; 0 threads: choose their number as well."""
        network = nn.Identity() if model is None else model
        return Hardware.choose(device, threads, self.precision, network, recurrent=self.network.spec.recurrent)

    def code(self) -> str:
        """Return the hash of the code that computes the result of the cell: its plugins and the zoo."""
        factories = [entry.spec.factory for entry in self.entries()]
        code: JsonObject = {plain_name(factory): factory_hash(factory) for factory in factories}
        further = beyond(factories)
        return _hash({**code, "zoo": source_hash("zoo"), **({"imported": further} if further else {})})

    @property
    def packages(self) -> tuple[str, ...]:
        """The top-level packages of the components."""
        return tuple(dict.fromkeys(entry.spec.factory.partition(":")[0].partition(".")[0] for entry in self.entries()))

    def import_notes(self) -> tuple[str, ...]:
        """Return a note on each module of the components that changed the global state when it was imported."""
        modules = dict.fromkeys(entry.spec.factory.partition(":")[0] for entry in self.entries())
        return tuple(note for module in modules for note in import_notes(module))

    def keys(self, summary: SplitSummary) -> tuple[str, ...]:
        """Return the keys that the cell can have before its hardware is chosen: one for each precision."""
        cells = (self.with_precision(precision) for precision in ("fp32", "bf16"))
        return tuple(dict.fromkeys(cell.key(summary) for cell in cells))

    def key(self, summary: SplitSummary) -> str:
        """Return the hash of the cell, its separated data and the code."""
        config = {name: value for name, value in self._asked().items() if name not in FINGERPRINTED}
        data = {name: summary[name] for name in ("fingerprints", "classes", "by_group")}
        return _hash({"config": config, "data": data, "code": self.code()})

    def configuration(self, summary: SplitSummary) -> str:
        """Return the hash of the cell, its data and the code, without the seed: equal ones differ only by chance.

        The folds of a cross-validation have one configuration.
        """
        config = {name: value for name, value in self._asked().items() if name not in SEEDED}
        data = {name: summary.fingerprints[name] for name in (("pool", "test") if self.fold is None else ("folds",))}
        return _hash({"config": config, "data": data, "classes": summary.classes, "code": self.code()})

    def besides_loss(self, summary: SplitSummary) -> str:
        """Return the hash of the configuration without the loss and its code; "" for a network with fit()."""
        return "" if self.objective is None else replace(self, objective=None).configuration(summary)

    def _asked(self) -> JsonObject:
        """Return the configuration without the names that others may have chosen, as the base of the key.

        A data set that is a file has no name, and a file that is a parameter has its content in place of its path. A
        component has the name of its spec: `plugin:name` is only needed while another plugin has a component of this
        name.
        """
        cell = replace(
            self,
            network=self.network.keyed(),
            resampler=self.resampler.keyed(),
            objective=None if self.objective is None else self.objective.keyed(),
            dataset=self.dataset if self.dataset_key is None else self.dataset_key,
        )
        return cell._config()


def _batch_size(rows: int, most: int) -> int:
    """Return the rows of a batch: a tenth of all rows, but 16 where that is fewer, and then all batches alike."""
    size = max(SMALL_BATCH, rows // 10)
    return most if size >= most else max(2, ceil(rows / ceil(rows / size)))


def _known(params: JsonObject) -> JsonObject:
    """Drop parameters that are None, which TOML cannot store; the default of the factory restores them."""
    return {name: value for name, value in params.items() if value is not None}


def _hash(asked: JsonObject) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
