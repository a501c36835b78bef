"""From stored runs to comparisons: which runs are compared, and what each configuration is called."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import UsageError, unknown_name
from zoo.metrics.differences import difference, no_interval
from zoo.metrics.single import mcnemar
from zoo.records import Interval
from zoo.scores import LOWER_IS_BETTER, metric_parts
from zoo.store.folds import with_folds_pooled
from zoo.store.leaderboard import Board, Standing, boards
from zoo.store.predictions import Remembered
from zoo.store.run import Run, RunStatus
from zoo.versus.board import Measured, compared, outcome_of
from zoo.versus.result import Comparisons, DatasetComparison, RunPair
from zoo.versus.several import over_datasets
from zoo.wording import count_text

if TYPE_CHECKING:
    from zoo.store.runs import Store


def compare_given(
    store: "Store", runs: Sequence[Run | str] | None, metric: str, baseline: str = "", *, all_pairs: bool = False
) -> Comparisons:
    """Compare the runs that were given, or those with these ids; without any, all runs of the store."""
    metric_parts(metric)
    if runs is None:
        return compare_runs(store, store.runs(), metric, baseline, all_pairs=all_pairs)
    found = [store.get(run) if isinstance(run, str) else run for run in runs]
    _refuse_repeated(found)
    if len(found) == 1:
        raise UsageError(f"run {found[0].id} has nothing to be compared with: name two runs, or none to compare all")
    if len(found) == 2 and not baseline:
        return compare_two(store, found, metric)
    return compare_runs(store, found, metric, baseline, all_pairs=all_pairs)


def compare_runs(
    store: "Store", runs: Sequence[Run], metric: str, baseline: str = "", *, all_pairs: bool = False
) -> Comparisons:
    """Compare the configurations of runs, on each test set, and over data sets if there are several.

    Raises UnknownName or UsageError if there is nothing to compare, with the reason.
    """
    if metric == "ece":
        raise UsageError("ece cannot be compared: it has no interval. Try log_loss")
    if all_pairs and baseline:
        raise UsageError("--all-pairs compares all configurations and has no --baseline: leave one of them out")
    remembered = Remembered(store)
    pooled = with_folds_pooled(remembered, runs)
    done = [run for run in pooled.runs if run.status == RunStatus.DONE]
    if not done and pooled.incomplete:
        raise UsageError(f"no configuration has all its folds: {'; '.join(pooled.incomplete)}")
    if not done:
        raise UsageError("no finished run to compare: `zoo results` lists the stored runs")
    found = with_metric(boards(done, metric), metric)
    names = names_of(found)
    chosen = _named(baseline, sorted(set(names.values()))) if baseline else ""
    usable, notes = [], list(pooled.incomplete)
    for board in found:
        where = f"{board.dataset}, {board.protocol_text}"
        if problem := _problem(board, names, chosen):
            notes.append(f"{where}: {problem}")
        else:
            usable.append(board)
        if same := _same_losses(board):
            notes.append(f"{where}: losses that are the same training, compared once: {same}")
    notes += _unfinished(runs, usable, names)
    if not usable:
        apart = len(set(names.values())) > 1 and all(len(board.standings) == 1 for board in found)
        reason = "no two configurations were scored on the same test rows: " if apart else ""
        raise UsageError(f"nothing to compare: {reason}{'; '.join(notes)}")
    found_boards = []
    for board in usable:
        against = _on_board(board, names, chosen)
        found_boards.append(compared(remembered, board, names, metric, against, all_pairs=all_pairs))
        remembered.forget(run for standing in board.standings for run in standing.runs)
    several, more = across(found, names, metric, chosen, all_pairs=all_pairs)
    notes += more
    return Comparisons(tuple(found_boards), several, notes=tuple(notes))


def across(
    found: Sequence[Board], names: Mapping[Standing, str], metric: str, baseline: str = "", *, all_pairs: bool = False
) -> tuple[DatasetComparison | None, list[str]]:
    """Compare the named configurations of boards over their data sets; also return notes on what was left out.

    None for a single data set, and if fewer than two configurations were scored on all of them.
    """
    notes: list[str] = []
    table = _table(found, names, metric, _without_code(baseline), notes)
    if len(table) < 2:
        return None, notes
    sign = -1 if metric_parts(metric)[0] in LOWER_IS_BETTER else 1
    several = over_datasets(table, metric, _without_code(baseline), all_pairs=all_pairs, sign=sign)
    if several is None:
        notes.append("over data sets: fewer than two configurations were scored on all of them")
    return several, notes


def compare_two(store: "Store", runs: Sequence[Run], metric: str) -> Comparisons:
    """Compare two single runs on the same test rows. Raises UsageError if they were not scored on the same."""
    one, other = runs
    _refuse_repeated(runs)
    for run in runs:
        if run.status != RunStatus.DONE:
            raise UsageError(f"run {run.id} ended as {run.status}: only finished runs can be compared")
    if one.fold != other.fold and (one.configuration, one.folds) == (other.configuration, other.folds):
        raise UsageError(
            f"runs {one.id} and {other.id} are folds {one.fold} and {other.fold} of {one.folds} of one configuration, "
            "with different test rows: `zoo results RUN` shows the scores of each"
        )
    if len(boards(runs, "macro_recall")) > 1:
        where = [f"{run.id} on {run.dataset_label}, {run.protocol_text}" for run in runs]
        raise UsageError(f"these runs have different test rows: {where[0]}; {where[1]}")
    (board,) = with_metric(boards(runs, "macro_recall"), metric)
    measured = Measured.of(metric, one.parts.classes)
    pair = (outcome_of(store, one), outcome_of(store, other))
    if not np.array_equal(pair[0].labels, pair[1].labels):
        raise UsageError(f"runs {one.id} and {other.id} were scored on different test rows")
    scores = [score for run in runs if (score := run.score(metric)) is not None]
    if len(scores) < 2:
        raise UsageError(f"{metric} has no value: there are no such test rows")
    found = difference([pair], measured.name, measured.number)
    reason = no_interval(pair, one.parts.classes, one.parts.groups_by or "group", measured.name, measured.number)
    counted = mcnemar(*pair, measured.number)
    return Comparisons(
        single=RunPair(
            dataset=board.dataset,
            protocol=board.protocol,
            fold=one.fold,
            folds=one.folds,
            metric=metric,
            runs=(one.id, other.id),
            names=(_title(one), _title(other)),
            scores=(scores[0], scores[1]),
            difference=Interval(found.mean, reason=reason) if reason else Interval(found.mean, *found.limits),
            only_first=counted.first,
            only_second=counted.second,
            rows=metric_parts(metric)[1] or "all",
            resampled=one.scores.resampled or "rows",
            p=counted.p,
        )
    )


def _refuse_repeated(runs: Sequence[Run]) -> None:
    if twice := [each for each, times in Counter(run.id for run in runs).items() if times > 1]:
        raise UsageError(f"run {twice[0]} was given twice: name two runs or more, each once")


def names_of(found: Sequence[Board]) -> dict[Standing, str]:
    """Return a name for each configuration: its architecture, and what else differs between some of those ranked.

    The settings in which it differs are part of the name only where a board has two configurations without them. The
    configurations that are the same training as a ranked one are named, too.
    """
    standings = [standing for board in found for standing in board.standings]
    fields = {
        each: (each.runs[0].reference, each.runs[0].block, each.runs[0].data, each.runs[0].loss)
        for standing in standings
        for each in (standing, *standing.same)
    }
    shown = [number for number in range(4) if number == 0 or len({fields[each][number] for each in standings}) > 1]
    short = {each: " ".join(part for number in shown if (part := parts[number])) for each, parts in fields.items()}
    alike = {
        name
        for board in found
        for name, times in Counter(
            name for standing in board.standings for name in {short[each] for each in (standing, *standing.same)}
        ).items()
        if times > 1
    }
    return {each: f"{name} {each.settings}".rstrip() if name in alike else name for each, name in short.items()}


def _title(run: Run, *, seed: bool = True) -> str:
    words = (run.reference, run.block, run.data, run.loss, f"seed={run.seed}" if seed else "")
    return " ".join(filter(None, words))


def with_metric(found: Sequence[Board], metric: str) -> list[Board]:
    """Return the boards that have the class of a metric, if it has one. Raises UnknownName if none has."""
    label = metric_parts(metric)[1]
    kept = [board for board in found if not label or label in board.some_run.parts.classes]
    if kept:
        return kept
    classes = dict.fromkeys(name for board in found for name in board.some_run.parts.classes)
    raise unknown_name("class", label, classes)


def _named(baseline: str, names: Sequence[str]) -> str:
    """Return the configuration that a user means: its name, or words that only its name contains."""
    if baseline in names:
        return baseline
    words = set(baseline.split())
    found = [name for name in names if words <= set(name.split())]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{baseline!r} is {len(found)} configurations: {', '.join(found)}. Name one of them")
    raise unknown_name("configuration", baseline, names)


def _problem(board: Board, names: Mapping[Standing, str], baseline: str) -> str:
    """Return why a board has nothing to compare; "" if it has."""
    if len(board.standings) < 2:
        return f"{names[board.standings[0]]} is the only configuration"
    if baseline and not _on_board(board, names, baseline):
        return f"{baseline} was not scored"
    seeds = Counter(run.seed for standing in board.standings for run in standing.runs)
    return "" if max(seeds.values()) > 1 else "no two configurations have a seed in common"


def _on_board(board: Board, names: Mapping[Standing, str], baseline: str) -> str:
    """Return the name of the baseline on a board: that of the ranked configuration which is the same training."""
    found = _by_name(board.standings, names).get(baseline)
    return "" if found is None else names[found]


def _by_name(standings: Sequence[Standing], names: Mapping[Standing, str]) -> dict[str, Standing]:
    """Return the configurations by name; one that is the same training has the ranked one under its own name."""
    return {names[each]: standing for standing in standings for each in (standing, *standing.same)}


def _same_losses(board: Board) -> str:
    """Return the losses of a board that are the same training; "" if there are none."""
    found = (" = ".join((each.runs[0].loss, *each.same_losses)) for each in board.standings if each.same)
    return ", ".join(dict.fromkeys(found))


def _without_code(name: str) -> str:
    """Return the name of a configuration without the hash of its code, which a new release changes."""
    return re.sub(r" code=[0-9a-f]{4}(?= |$)", "", name)


def _unfinished(runs: Sequence[Run], found: Sequence[Board], names: Mapping[Standing, str]) -> list[str]:
    """Return a note for each configuration with seeds that have no scores: the others may be the easier ones."""
    several = len({run.dataset_label for run in runs if run.status != RunStatus.DAMAGED}) > 1
    ended: dict[str, dict[int, Run]] = defaultdict(dict)
    for run in runs:
        if run.configuration and run.status not in (RunStatus.DONE, RunStatus.DAMAGED):
            ended[run.configuration][run.seed] = run
    notes = []
    for standing in (standing for board in found for standing in board.standings):
        done = {run.seed for run in standing.runs}
        lost = [run for seed, run in ended[standing.runs[0].configuration].items() if seed not in done]
        if lost:
            seeds = len(done) + len(lost)
            where = f"{lost[0].dataset_label}: " * several
            notes.append(
                f"{where}{names[standing]}: {_by_status(lost)}, of {seeds} seeds; only the others are compared"
            )
    scored = {run.configuration for run in runs if run.status == RunStatus.DONE}
    without: dict[str, list[str]] = defaultdict(list)
    for lost in (list(by_seed.values()) for name, by_seed in ended.items() if by_seed and name not in scored):
        text = f"{_title(lost[0], seed=False)} ({_by_status(lost)})"
        without[f"{lost[0].dataset_label}: " * several].append(text)
    notes += [f"{where}without a finished seed, and not compared: {', '.join(each)}" for where, each in without.items()]
    if damaged := sum(run.status == RunStatus.DAMAGED for run in runs):
        notes.append(f"{count_text(damaged, 'damaged run')} left out; `zoo results` shows why")
    return notes


def _by_status(runs: Sequence[Run]) -> str:
    """Return the number of runs of each status: 2 diverged, 1 running."""
    return ", ".join(f"{count} {status}" for status, count in Counter(str(run.status) for run in runs).items())


def _table(
    found: Sequence[Board], names: Mapping[Standing, str], metric: str, baseline: str, notes: list[str]
) -> dict[str, dict[str, float]]:
    """Return the mean scores by data set and configuration.

    A data set with several test sets is left out, since they are one. A configuration that is the same training as a
    ranked one of a data set has its score there, unless they are the same on all data sets.
    """
    by_dataset: dict[str, list[Board]] = defaultdict(list)
    for board in found:
        by_dataset[board.dataset].append(board)
    table: dict[str, dict[str, Standing]] = {}
    ranked = {baseline}
    for dataset, several in by_dataset.items():
        if len(several) > 1:
            notes.append(f"{dataset} has {len(several)} test sets and is left out of the comparison over data sets")
            continue
        newest = sorted(several[0].standings, key=lambda standing: max(run.created for run in standing.runs))
        if len({_without_code(names[standing]) for standing in newest}) < len(newest):
            notes.append(f"{dataset}: over data sets, the newest code of each configuration counts")
        by_name = _by_name(newest, names)
        table[dataset] = {_without_code(name): standing for name, standing in by_name.items()}
        ranked |= {_without_code(names[standing]) for standing in newest}
    kept = _each_training_once(table, [baseline, *(name for row in table.values() for name in row if name in ranked)])
    return {
        dataset: {
            name: mean for name, standing in row.items() if name in kept and (mean := standing.mean(metric)) is not None
        }
        for dataset, row in table.items()
    }


def _each_training_once(table: Mapping[str, Mapping[str, Standing]], names: Iterable[str]) -> Collection[str]:
    """Return the names; of those that are the same training on all data sets, the first."""
    first: dict[tuple[Standing | None, ...], str] = {}
    for name in names:
        first.setdefault(tuple(row.get(name) for row in table.values()), name)
    return first.values()
