"""The leaderboard: configurations ranked on one test set by the mean over seeds, never by the best seed."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, TypeVar

from zoo.records import JsonObject
from zoo.settings import FITTED, Reference
from zoo.store.alike import loss_text, same_training
from zoo.store.run import Run, RunStatus

if TYPE_CHECKING:
    from zoo.store.expected import Expected

T = TypeVar("T")
Runs = tuple[Run, ...]  # of one configuration, one for each seed
WHOLE_BOARD = ("scale", "rows")  # settings that are compared between all configurations of a board
# Not settings: the fields that differ between the runs of a configuration by chance only, and the name of their data.
UNSHOWN = ("seed", "seeds", "dataset", "files")


@dataclass(frozen=True)
class Place:
    """The ranks that a configuration can have by all significant differences of its board.

    `tied` is whether no difference to the first was shown; None if it could not be, as with too few seeds.
    """

    low: int
    high: int
    tied: bool | None


@dataclass(frozen=True, eq=False)
class Standing:
    """One configuration with its runs, one for each seed.

    `same_losses` are the losses of further configurations that are the same training, and are not ranked.
    """

    runs: tuple[Run, ...]
    settings: str = ""
    same_losses: tuple[str, ...] = ()

    def mean(self, score: str) -> float | None:
        values = self.values(score)
        return mean(values) if values else None

    def deviation(self, score: str) -> float | None:
        """Return the standard deviation over seeds; None for one seed."""
        values = self.values(score)
        return stdev(values) if len(values) > 1 else None

    def values(self, score: str) -> list[float]:
        return [value for run in self.runs if (value := run.score(score)) is not None]

    def cost(self, name: str) -> float | None:
        values = [value for run in self.runs if (value := getattr(run.cost, name)) is not None]
        return mean(values) if values else None

    def steps(self) -> int | str | None:
        """Return the gradient steps of each run, as a range such as 980-1008 if seeds differ; None if unknown."""
        known = sorted(run.steps for run in self.runs if run.steps is not None)
        if not known:
            return None
        return known[0] if known[0] == known[-1] else f"{known[0]}-{known[-1]}"

    def to_json(self, score: str, expected: "Expected | None" = None, place: Place | None = None) -> JsonObject:
        """Return the standing as plain data: its configuration, its score and cost over the seeds, and its place.

        The score has an interval if `expected` has one.
        """
        run = self.runs[0]
        costs = {name: self.cost(name) for name in ("parameters", "macs", "train_seconds", "latency_ms")}
        whole = {name: None if (cost := costs[name]) is None else round(cost) for name in ("parameters", "macs")}
        return {
            "architecture": run.reference,
            "block": run.block,
            "data": run.data,
            "loss": run.loss,
            "same_losses": list(self.same_losses),
            "settings": self.settings,
            "seeds": len(self.runs),
            "score": {
                "mean": self.mean(score),
                "deviation": self.deviation(score),
                **({} if expected is None else _interval_json(expected)),
            },
            "rank_low": None if place is None else place.low,
            "rank_high": None if place is None else place.high,
            "tied": None if place is None else place.tied,
            **costs,
            **whole,
            "runs": [each.id for each in self.runs],
            "steps": [each.steps for each in self.runs],
        }


@dataclass(frozen=True)
class Board:
    """All configurations scored on one test set, best first. Every extra configuration reuses the test set.

    `names` are the further names of the data set, if the same rows were also in files with other names.
    """

    dataset: str
    protocol: str
    test: str
    standings: tuple[Standing, ...]
    names: tuple[str, ...] = ()

    def holds(self, reference: Reference) -> bool:
        """Whether a reference result belongs to this data set and protocol."""
        return reference.dataset == self.dataset and reference.protocol in ("", self.protocol)

    def to_json(
        self,
        score: str,
        expected: "Mapping[Standing, Expected] | None" = None,
        places: Mapping[Standing, Place] | None = None,
    ) -> JsonObject:
        """Return the board as plain data: the documented form of `zoo leaderboard --json`."""
        return {
            "dataset": self.dataset,
            "names": list(self.names),
            "protocol": self.protocol,
            "test": self.test,
            "configurations_scored": len(self.standings),
            "standings": [
                standing.to_json(score, (expected or {}).get(standing), (places or {}).get(standing))
                for standing in self.standings
            ],
        }


def _interval_json(expected: "Expected") -> JsonObject:
    interval = expected.interval
    limits = {"low": interval.low, "high": interval.high, "over": expected.over}
    return {**limits, "reason": interval.reason} if interval.reason else limits


def boards(runs: Iterable[Run], metric: str) -> list[Board]:
    """Return a board for each test set of the finished runs; for `log_loss` and `ece` the lowest is the best."""
    scored = [run for run in runs if run.status == RunStatus.DONE and "test" in run.parts.fingerprints]
    first = _first_names(scored)
    by_test: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in scored:
        by_test[first[_content(run)], run.protocol, run.parts.fingerprints["test"]].append(run)
    return [
        Board(*test, _ranked(found, metric), tuple(sorted({run.dataset_label for run in found} - {test[0]})))
        for test, found in sorted(by_test.items())
    ]


def _content(run: Run) -> tuple[object, ...]:
    """Return what the data of a run are, without their name; the name if they have no fingerprint of all rows."""
    prints = run.parts.fingerprints
    pool = prints.get("pool", run.dataset_label)
    return pool, prints["test"], tuple(run.parts.classes), run.protocol, run.synthetic


def _first_names(runs: Iterable[Run]) -> dict[tuple[object, ...], str]:
    """Return the name that the data of each content had in its first run."""
    names: dict[tuple[object, ...], str] = {}
    for run in sorted(runs, key=lambda run: run.created):
        names.setdefault(_content(run), run.dataset_label)
    return names


def _ranked(runs: Sequence[Run], metric: str) -> tuple[Standing, ...]:
    by_config: dict[tuple[str, str], dict[int, Run]] = defaultdict(dict)
    for run in runs:  # a repeated run (--force) replaces the earlier one; early configurations lack the precision
        by_config[run.configuration, run.precision][run.seed] = run
    found = _each_training_once([tuple(seeds.values()) for seeds in by_config.values()])
    named = _settings({place: each[0] for place, (each, _) in enumerate(found)})
    standings = [Standing(each, named[place], losses) for place, (each, losses) in enumerate(found)]
    sign = 1 if metric in ("log_loss", "ece") else -1

    def order(standing: Standing) -> float:
        value = standing.mean(metric)
        return math.inf if value is None else sign * value

    return tuple(sorted(standings, key=order))


def _each_training_once(configurations: Sequence[Runs]) -> list[tuple[Runs, tuple[str, ...]]]:
    """Return one configuration of each training, that with the most seeds, with the losses of the others."""
    groups: list[list[Runs]] = []
    for runs in sorted(configurations, key=len, reverse=True):  # of equally many, the first stays first
        known = next((group for group in groups if same_training(group[0], runs)), None)
        if known is None:
            groups.append([runs])
        else:
            known.append(runs)
    places = {id(runs): place for place, runs in enumerate(configurations)}
    groups.sort(key=lambda group: places[id(group[0])])
    return [(runs, tuple(dict.fromkeys(loss_text(other[0], runs[0]) for other in others))) for runs, *others in groups]


def _settings(runs: Mapping[T, Run]) -> dict[T, str]:
    """Return the settings that differ between configurations, apart from architecture, block, data and loss.

    Rows and scale are compared over the whole board, training settings separately between trained and between fitted
    networks, parameters only between configurations of the same architecture, block, data and loss.
    """
    flat = {config: _described(run) for config, run in runs.items()}
    alike: dict[tuple[str, ...], list[T]] = defaultdict(list)
    for config, run in runs.items():
        alike[run.architecture, run.block, run.data, run.loss].append(config)
    whole = [key for key in _varying(flat.values()) if key in WHOLE_BOARD]
    texts = {}
    for (*_, loss), configs in alike.items():
        same_kind = [flat[config] for config, run in runs.items() if bool(run.loss) == bool(loss)]
        everywhere = [*whole, *(key for key in _varying(same_kind, present=True) if key.startswith("training."))]
        own = [
            key
            for key in _varying([flat[config] for config in configs])
            if key not in everywhere and not key.startswith("training.")
        ]
        for config in configs:
            found = flat[config]
            named = [f"{key.rpartition('.')[2]}={found[key]}" for key in (*own, *everywhere) if key in found]
            texts[config] = " ".join(named)
    return texts


def _described(run: Run) -> JsonObject:
    asked = {name: value for name, value in run.config.items() if name not in UNSHOWN}
    rows = {} if run.rows is None else {"rows": run.rows}
    flat = {**_flatten({**asked, "training": _training(run)}), "scale": run.scale, **rows, "code": run.code[:4]}
    files = run.config.get("files")
    digests = {place: str(digest) for place, digest in files.items()} if isinstance(files, Mapping) else {}
    named = {place: f"{Path(str(flat[place])).name}@{digests[place][:4]}" for place in digests if place in flat}
    return {**flat, **named}


def _training(run: Run) -> JsonObject:
    """Return the training settings that reached the network, also those that some configurations do not name.

    Early configurations of fitted networks name all settings. Without label smoothing, a configuration does not name
    it; early ones have the precision that was asked for.
    """
    named = run.config.get("training", {})
    if not run.loss:
        return {name: value for name, value in named.items() if name in FITTED}
    return {"label_smoothing": 0.0, **named, "precision": run.precision}


def _varying(configs: Iterable[JsonObject], *, present: bool = False) -> list[str]:
    """Return the keys whose values differ; with `present`, a configuration without the key does not count."""
    found = list(configs)
    keys = dict.fromkeys(key for values in found for key in values)
    return [key for key in keys if len({repr(values.get(key)) for values in found if key in values or not present}) > 1]


def _flatten(config: JsonObject, prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in config.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat
