"""The leaderboard: configurations ranked on one test set by the mean over seeds, never by the best seed."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, TypeVar

from zoo.records import JsonObject, plain
from zoo.references.record import Reference
from zoo.settings import BEST, FITTED
from zoo.store.alike import loss_text, same_training
from zoo.store.run import Run, RunStatus

if TYPE_CHECKING:
    from zoo.store.expected import Expected

T = TypeVar("T")
Runs = tuple[Run, ...]  # of one configuration, one for each seed
WHOLE_BOARD = ("scale", "rows")  # settings that are compared between all configurations of a board
# Settings that follow from the architecture, unless it has several values of them on a board.
OF_ARCHITECTURE = ("training.learning_rate", "training.precision")
# Not settings: the fields that differ between the runs of a configuration by chance only, and the name of their data.
UNSHOWN = ("seed", "seeds", "dataset", "files", "fold")
# How a run ends without a score. A run that goes on is not counted, nor a damaged record.
UNSCORED = (RunStatus.FAILED, RunStatus.DIVERGED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED, RunStatus.STALE)


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

    `same` are further configurations whose losses make them the same training: they are not ranked. `unscored` are the
    runs of further seeds, which ended without a score.
    """

    runs: tuple[Run, ...]
    settings: str = ""
    same: tuple["Standing", ...] = ()
    unscored: tuple[Run, ...] = ()

    @property
    def same_losses(self) -> tuple[str, ...]:
        """The losses of the configurations that are the same training."""
        return tuple(dict.fromkeys(loss_text(each.runs[0], self.runs[0]) for each in self.same))

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
            **seeds_json(self.runs, self.unscored),
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
            "runs": [each for run in self.runs for each in run.ids],
            "steps": [each.steps for each in self.runs],
        }


@dataclass(frozen=True, eq=False)
class Unscored:
    """A configuration without a scored seed. `runs` are the last runs of its seeds."""

    runs: tuple[Run, ...]
    settings: str = ""

    def reason(self) -> str:
        """Return why there is no score: the errors of the runs, each once."""
        return "; ".join(dict.fromkeys(run.error or str(run.status) for run in self.runs))

    def to_json(self) -> JsonObject:
        """Return the configuration as plain data, with its seeds and the reason."""
        run = self.runs[0]
        return {
            "architecture": run.reference,
            "block": run.block,
            "data": run.data,
            "loss": run.loss,
            "settings": self.settings,
            **seeds_json((), self.runs),
            "reason": self.reason(),
            "runs": [each for run in self.runs for each in run.ids],
        }


@dataclass(frozen=True)
class Board:
    """All configurations scored on one test set, best first. Every extra configuration reuses the test set.

    `names` are the further names of the data set, if the same rows were also in files with other names. `unscored` are
    configurations whose runs all ended without a score. `scored` is the number of configurations scored on the test
    set, if the board has only some of them.
    """

    dataset: str
    protocol: str
    test: str
    standings: tuple[Standing, ...]
    names: tuple[str, ...] = ()
    unscored: tuple[Unscored, ...] = ()
    scored: int = 0

    @property
    def configurations_scored(self) -> int:
        return max(self.scored, len(self.standings))

    @property
    def first_runs(self) -> tuple[Run, ...]:
        """A run of each configuration."""
        return tuple(each.runs[0] for each in self.standings) + tuple(each.runs[0] for each in self.unscored)

    @property
    def some_run(self) -> Run:
        """A run of the board: all have the same classes and the same test rows."""
        return self.first_runs[0]

    @property
    def protocol_text(self) -> str:
        """The protocol, in a cross-validation with the number of its folds."""
        folds = self.some_run.folds
        return f"{self.protocol} ({folds} folds)" if folds else self.protocol

    def holds(self, reference: Reference) -> bool:
        """Whether a reference belongs to this data set and protocol. A file of an archive has the name of its set."""
        name, _, suffix = self.dataset.rpartition(".")
        names = (self.dataset, name) if suffix in ("ts", "tsv") else (self.dataset,)
        rows = (None, self.some_run.parts.rows.get("test"))
        return reference.dataset in names and reference.protocol in ("", self.protocol) and reference.test_rows in rows

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
            "folds": self.some_run.folds,
            "test": self.test,
            "configurations_scored": self.configurations_scored,
            "standings": [
                standing.to_json(score, (expected or {}).get(standing), (places or {}).get(standing))
                for standing in self.standings
            ],
            "unscored": [each.to_json() for each in self.unscored],
        }


def seeds_json(scored: Sequence[Run], unscored: Sequence[Run]) -> JsonObject:
    """Return the numbers of seeds of a configuration: scored, asked for, and by status."""
    by_status = Counter(str(run.status) for run in (*scored, *unscored))
    return {"seeds": len(scored), "seeds_asked": len(scored) + len(unscored), "seeds_by_status": dict(by_status)}


def _interval_json(expected: "Expected") -> JsonObject:
    interval = expected.interval
    limits = {"low": interval.low, "high": interval.high, "over": expected.over, "spread": _spread_json(expected)}
    return {**limits, "reason": interval.reason} if interval.reason else limits


def _spread_json(expected: "Expected") -> JsonObject | None:
    found = expected.spread
    return None if found is None else {name: plain(value) for name, value in vars(found).items()}


def boards(runs: Iterable[Run], metric: str) -> list[Board]:
    """Return a board for each test set of the finished runs; for `log_loss` and `ece` the lowest is the best."""
    return [board for board in boards_of_all(runs, metric) if board.standings]


def boards_of_all(runs: Iterable[Run], metric: str) -> list[Board]:
    """Return a board for each test set of the runs that ended, also without a standing if none of them was scored."""
    ended = [run for run in runs if run.status in (RunStatus.DONE, *UNSCORED) and "test" in run.parts.fingerprints]
    first = _first_names(ended)
    by_test: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in ended:
        by_test[first[_content(run)], run.protocol, run.parts.fingerprints["test"]].append(run)
    return [_board(test, found, metric) for test, found in sorted(by_test.items())]


def _board(test: tuple[str, str, str], runs: Sequence[Run], metric: str) -> Board:
    scored = [run for run in runs if run.status == RunStatus.DONE]
    names = {run.dataset_label for run in scored} - {test[0]}
    by_config = _by_configuration(scored)
    missing: dict[tuple[str, str], Runs] = {}
    for config, seeds in _by_configuration([run for run in runs if run.status != RunStatus.DONE]).items():
        if left := tuple(run for seed, run in seeds.items() if seed not in by_config.get(config, ())):
            missing[config] = left
    standings = _ranked(by_config, missing, metric)
    without = [each for config, each in missing.items() if config not in by_config and not _superseded(each, runs)]
    return Board(*test, standings, tuple(sorted(names)), _named_unscored(without, standings))


def _named_unscored(without: Sequence[Runs], standings: Sequence[Standing]) -> tuple[Unscored, ...]:
    every = [*without, *(standing.runs for standing in standings if without)]
    named = _settings({place: runs[0] for place, runs in enumerate(every)})
    return tuple(Unscored(runs, named[place]) for place, runs in enumerate(without))


def _superseded(failed: Runs, runs: Iterable[Run]) -> bool:
    """Whether the same request ended again with other code since: a mended plugin, for example."""
    asked, last = _without_code(failed[0]), max(run.created for run in failed)
    return any(run.created > last and run.code != failed[0].code and _without_code(run) == asked for run in runs)


def _without_code(run: Run) -> tuple[object, ...]:
    described = {key: repr(value) for key, value in _described(run).items() if key != "code"}
    return run.reference, run.block, run.data, run.loss, described


def _content(run: Run) -> tuple[object, ...]:
    """Return what the data of a run are, without their name; the name if they have no fingerprint of all rows."""
    prints = run.parts.fingerprints
    pool = prints.get("pool", run.dataset_label)
    return pool, prints["test"], tuple(run.parts.classes), run.protocol, run.synthetic


def _first_names(runs: Iterable[Run]) -> dict[tuple[object, ...], str]:
    """Return the name that the data of each content had in its first run that was scored, or else in its first run."""
    names: dict[tuple[object, ...], str] = {}
    for run in sorted(runs, key=lambda run: (run.status != RunStatus.DONE, run.created)):
        names.setdefault(_content(run), run.dataset_label)
    return names


def _by_configuration(runs: Iterable[Run]) -> dict[tuple[str, str], dict[int, Run]]:
    """Return the last run of each seed by configuration and precision, which early configurations lack."""
    by_config: dict[tuple[str, str], dict[int, Run]] = defaultdict(dict)
    for run in runs:  # a repeated run (--force) replaces the earlier one
        by_config[run.configuration, run.precision][run.seed] = run
    return by_config


def _ranked(
    by_config: Mapping[tuple[str, str], Mapping[int, Run]], missing: Mapping[tuple[str, str], Runs], metric: str
) -> tuple[Standing, ...]:
    found = _each_training_once([tuple(seeds.values()) for seeds in by_config.values()])
    named = _settings({id(runs): runs[0] for group in found for runs in group})
    standings = [
        Standing(
            first,
            named[id(first)],
            tuple(Standing(runs, named[id(runs)]) for runs in same),
            missing.get((first[0].configuration, first[0].precision), ()),
        )
        for first, *same in found
    ]
    sign = 1 if metric in ("log_loss", "ece") else -1

    def order(standing: Standing) -> float:
        value = standing.mean(metric)
        return math.inf if value is None else sign * value

    return tuple(sorted(standings, key=order))


def _each_training_once(configurations: Sequence[Runs]) -> list[list[Runs]]:
    """Return the configurations of each training, first that with the most seeds."""
    groups: list[list[Runs]] = []
    for runs in sorted(configurations, key=len, reverse=True):  # of equally many, the first stays first
        known = next((group for group in groups if same_training(group[0], runs)), None)
        if known is None:
            groups.append([runs])
        else:
            known.append(runs)
    places = {id(runs): place for place, runs in enumerate(configurations)}
    return sorted(groups, key=lambda group: places[id(group[0])])


def _settings(runs: Mapping[T, Run]) -> dict[T, str]:
    """Return the settings that differ between configurations, apart from architecture, block, data and loss.

    Rows and scale are compared over the whole board, training settings separately between trained and between fitted
    networks, parameters only between configurations of the same architecture, block, data and loss. The learning rate
    and the precision follow from the architecture: they are compared between configurations of the same one.
    """
    flat = {config: _described(run) for config, run in runs.items()}
    alike: dict[tuple[str, ...], list[T]] = defaultdict(list)
    for config, run in runs.items():
        alike[run.architecture, run.block, run.data, run.loss].append(config)
    whole = [key for key in _varying(flat.values()) if key in WHOLE_BOARD]
    texts = {}
    for (architecture, *_, loss), configs in alike.items():
        same_kind = [flat[config] for config, run in runs.items() if bool(run.loss) == bool(loss)]
        same_network = [flat[config] for config, run in runs.items() if run.architecture == architecture]
        varying = [key for key in _varying(same_kind, present=True) if key.startswith("training.")]
        within = {key for key in OF_ARCHITECTURE if key in _varying(same_network)}
        everywhere = [*whole, *(key for key in varying if key not in OF_ARCHITECTURE or key in within)]
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
    it, and not the rule that keeps the best epoch; early ones have the precision that was asked for.
    """
    named = run.config.get("training", {})
    if not run.loss:
        return {name: value for name, value in named.items() if name in FITTED}
    return {"label_smoothing": 0.0, "keep": BEST, **named, "precision": run.precision}


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
