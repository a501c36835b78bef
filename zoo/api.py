"""The zoo from Python: the functions behind the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import warn

from zoo.errors import NothingToRun, StoreError, UsageError, describe
from zoo.registry import Entry, Registry
from zoo.scores import metric_parts
from zoo.settings import Settings
from zoo.space import Value
from zoo.specs import Component
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.unpackaged import is_unpackaged, with_unpackaged
from zoo.workspace import Workspace

if TYPE_CHECKING:
    from torch import nn

    from zoo.claims.result import Hypotheses
    from zoo.harness.reporter import BenchReporter
    from zoo.reporting.records import Report
    from zoo.verification.result import Verifications
    from zoo.versus.ranking import Leaderboard
    from zoo.versus.result import Comparisons


def list_components(kind: str | None = None, *, registry: Registry | None = None) -> list[Entry[Component]]:
    """Return the registered components, of one kind or of all; each entry has `name`, `kind`, `spec` and `plugin`."""
    found = registry or Workspace.load().registry
    return list(found.entries) if kind is None else found.of_kind(kind)


def build(
    architecture: str,
    *,
    n_channels: int,
    n_times: int,
    n_classes: int,
    block: str | None = None,
    block_params: Mapping[str, Value] | None = None,
    registry: Registry | None = None,
    **params: Value,
) -> "nn.Module":
    """Build a network: `build("cnngru.study", block="se", n_channels=1, n_times=187, n_classes=5)`.

    `params` are the parameters of the architecture, `block_params` those of the block. The module maps float
    `(batch, n_channels, n_times)` to logits `(batch, n_classes)`; its weights are drawn from torch's global random
    state. Raises UnknownName or UsageError for an unknown name or an invalid value, ModelError if the network cannot be
    built.
    """
    from zoo.networks import Network

    workspace = _workspace(registry)
    network = Network.resolve(
        workspace.registry,
        architecture,
        block=block,
        params=params,
        block_params=block_params,
        presets=workspace.settings.presets,
    )
    return network.build(n_channels=n_channels, n_times=n_times, n_classes=n_classes)


def bench(
    architectures: str | Sequence[str],
    *,
    block: str | Sequence[str] = (),
    data: str | Sequence[str] = (),
    loss: str | Sequence[str] = (),
    treatment: str | Sequence[str] = (),
    dataset: Any = (),
    protocol: str | Sequence[str] = (),
    cv: int | None = None,
    scale: str | Sequence[str] = (),
    seeds: int | Sequence[int] = 1,
    rows: int | None = None,
    epochs: int | None = None,
    set: Mapping[str, Value] | None = None,
    data_dir: str | Path | None = None,
    target: Any = None,
    group: Any = None,
    columns: str | None = None,
    drop: str | None = None,
    drop_class: str | Sequence[str] = (),
    merge_class: str | Sequence[str] = (),
    results: str | Path | None = None,
    device: str | None = None,
    threads: int | None = None,
    jobs: int = 1,
    address: str | None = None,
    isolate: bool = False,
    run_timeout: float | None = None,
    force: bool = False,
    resume: bool = False,
    registry: Registry | None = None,
    reporter: "BenchReporter | None" = None,
    watch: "BenchReporter | None" = None,
) -> list[Run]:
    """Train and score every combination of the axes, or reuse its stored run. Returns one run for each combination.

    An axis is one value or several. An architecture may be an unregistered network, `path/to/file.py:Net` or
    `package.module:Net`. `seeds` is the number of seeds (0, 1, …) or a list of them. `set` holds the assignments of
    `--set`: `{"hidden": 64, "training.batch_size": 32}`. A `treatment` is a resampler, alone or with a loss, in
    place of `data` and `loss`: `["original", "smote", "original/weighted"]`.

    A `dataset` is a name, a path, `(X, y)`, a published split `(X_train, y_train, X_test, y_test)`, a DataFrame with
    the column `target` of its labels, or a `LabelledSeries`; a list holds several. X is `(rows, times)` or
    `(rows, channels, times)`: a NumPy array, a tensor, a DataFrame, or anything that NumPy can take. A `numpy.memmap`
    is not copied. `group` is the patient of each row: a column, or an array; for a published split
    `(group_train, group_test)`. `columns` and `drop` choose the samples of a table, as on the command line. Equal
    content has an equal name, such as `array-1f0c2a9b`, and so one stored run.

    `cv` is the number of folds of a cross-validation, each of which is one run; `zoo.compare` pools them.
    `drop_class="F"` leaves out the rows of a class, and `merge_class="S=A,J"` counts the classes A and J
    as S. With several `jobs`, or the `address` of a Ray cluster, worker processes train up to `jobs` runs at a time;
    with `isolate`, worker processes do so even if `jobs` is 1. `run_timeout` is the time limit of each run in
    seconds. A run that hangs in code that cannot be interrupted ends this process half a minute later, unless worker
    processes train. Raises ZooError if the whole request is impossible; a failed run reports its failure in `status`
    and `error`. `reporter` receives the progress; `watch` is its deprecated name.
    """
    from zoo.harness.bench import run_bench
    from zoo.harness.in_memory import named_datasets
    from zoo.harness.reporter import SilentReporter
    from zoo.harness.request import Request

    if watch is not None:
        warn("zoo.bench(watch=…) is deprecated since 0.1.0: use reporter=…", DeprecationWarning, stacklevel=2)
    workspace = _workspace(registry)
    references = (architectures,) if isinstance(architectures, str) else architectures
    known, names = with_unpackaged(workspace.registry, references)
    workspace = replace(workspace, registry=known)
    datasets, in_memory = named_datasets(dataset, set or {}, target=target, group=group, columns=columns, drop=drop)
    request = Request.of(
        names,
        block=block,
        data=data,
        loss=loss,
        treatment=treatment,
        dataset=datasets,
        protocol=protocol,
        cv=cv,
        scale=scale,
        seeds=range(seeds) if isinstance(seeds, int) else seeds,
        rows=rows,
        epochs=epochs,
        assignments=set or {},
        data_dir=data_dir,
        target=target if isinstance(target, str) else None,
        group=group if isinstance(group, str) else None,
        in_memory=in_memory,
        columns=columns,
        drop=drop,
        drop_class=drop_class,
        merge_class=merge_class,
        device=device,
        threads=threads,
        run_timeout=run_timeout,
        force=force,
        resume=resume,
    )
    with Store(workspace.settings.results_folder(results)) as store:
        asked = (workspace, request, store, reporter or watch or SilentReporter())
        try:
            return list(run_bench(*asked, jobs=jobs, address=address, isolate=isolate))
        except NothingToRun as error:
            raise error.in_full() from None


def compare(
    runs: Sequence[Run | str] | None = None,
    *,
    baseline: str = "",
    metric: str = "macro_recall",
    all_pairs: bool = False,
    results: str | Path | None = None,
) -> "Comparisons":
    """Compare the configurations of stored runs, paired by seed and by test row; two single runs by McNemar's test.

    `runs` are runs or their ids, by default all in `results`. Each configuration is compared with `baseline`, or with
    the first of its board, or, with `all_pairs`, with each other one. A `metric` is a score, such as `macro_recall`, or
    that of a class, such as `recall:F`. The comparisons have a `boards` entry for each test set, `over_datasets` if
    there are several data sets, `to_json()`, and `to_frame()` for a pandas DataFrame. Raises ZooError if there is
    nothing to compare.
    """
    from zoo.versus.runs import compare_given

    with Store(Settings.load().results_folder(results), create=False) as store:
        return compare_given(store, runs, metric, baseline, all_pairs=all_pairs)


def leaderboard(
    runs: Sequence[Run | str] | None = None,
    *,
    metric: str = "macro_recall",
    results: str | Path | None = None,
) -> "Leaderboard":
    """Rank the configurations of stored runs, with a board for each test set, as `zoo leaderboard` does.

    `runs` are runs or their ids, by default all in `results`. A `metric` is a score, such as `macro_recall`, or that
    of a class, such as `recall:F`. The leaderboard has `rows()`, a record for each configuration, `to_json()`, and
    `to_frame()` for a pandas DataFrame. Without runs it is empty. With `runs`, a board still states how many
    configurations in `results` were scored on its test set. Raises ZooError for an unknown run or metric.
    """
    from zoo.versus.ranking import Leaderboard, ranking

    metric_parts(metric)
    folder = Settings.load().results_folder(results)
    if not runs and not Store.exists(folder):
        return Leaderboard(metric, (), {}, {})
    with Store(folder, create=False) as store:
        if runs is None:
            return ranking(store, store.runs(), metric)
        given = [store.get(run) if isinstance(run, str) else run for run in runs]
        chosen = {run.id: run for run in given}
        others = [run for run in store.runs() if run.id not in chosen]
        return ranking(store, [*others, *given], metric, lambda run: run.id in chosen)


def report(
    output: str | Path,
    *,
    metric: str = "macro_recall",
    architecture: str | None = None,
    dataset: str | None = None,
    rows: bool | None = None,
    data_dir: str | Path | None = None,
    results: str | Path | None = None,
    registry: Registry | None = None,
) -> "Report":
    """Write a report of the stored runs, one HTML file for a browser without a network, as `zoo report` does.

    `architecture` and `dataset` are patterns that choose runs. `rows` puts the series of some test rows into the file;
    by default they are left out if rows are grouped, by patient for example, and not simulated. `data_dir` is the
    folder of the data set's files. Returns the records that the page shows. Raises UsageError if there is nothing to
    report or plotly is not installed.
    """
    from zoo.reporting.collect import Data
    from zoo.reporting.write import written

    metric_parts(metric)
    workspace = _workspace(registry)
    data = Data(workspace=workspace, data_dir=None if data_dir is None else Path(data_dir), rows=rows)
    patterns = {"architecture": architecture, "dataset": dataset}
    return written(workspace.settings.results_folder(results), Path(output), metric, patterns, data)


def hypotheses(
    file: str | Path,
    *,
    only: str | Sequence[str] = (),
    dataset: str | Sequence[str] = (),
    protocol: str | None = None,
    rows: int | None = None,
    data_dir: str | Path | None = None,
    seeds: int | None = None,
    run: bool = False,
    time_budget: float | None = None,
    jobs: int = 1,
    threads: int | None = None,
    device: str | None = None,
    results: str | Path | None = None,
    registry: Registry | None = None,
    reporter: "BenchReporter | None" = None,
) -> "Hypotheses":
    """Answer the hypotheses of a TOML file from stored runs: confirmed, refuted or undecided.

    `only` are the ids of some hypotheses. `dataset`, `protocol`, `rows`, `data_dir` and the number of `seeds` replace
    those of the file. With `run`, missing runs are trained first, those nearest to a decision
    before others, until `time_budget` seconds have passed; `jobs` is the number of parallel runs. The answers have
    `answers` with the findings of each hypothesis, `records()`, `to_json()`, and `to_frame()` for a pandas
    DataFrame. Raises ZooError if the file is not valid or names something unknown.
    """
    from zoo.claims.file import read_hypotheses
    from zoo.claims.hypothesis import Elsewhere
    from zoo.claims.run import answer_in
    from zoo.harness.reporter import SilentReporter
    from zoo.harness.request import values_of
    from zoo.missing.training import Options

    options = Options(jobs=jobs, time_budget=time_budget, threads=threads, device=device)
    other = Elsewhere(values_of(dataset), protocol, seeds, rows, None if data_dir is None else Path(data_dir))
    asked = read_hypotheses(Path(file)).only(values_of(only)).elsewhere(other)
    workspace = _workspace(registry)
    folder = workspace.settings.results_folder(results)
    return answer_in(workspace, asked, folder, reporter or SilentReporter(), options if run else None)


def verify(
    names: str | Sequence[str] = (),
    *,
    data_dir: str | Path | None = None,
    dataset: str | Sequence[str] = (),
    seeds: int = 3,
    run: bool = True,
    time_budget: float | None = None,
    jobs: int = 1,
    threads: int | None = None,
    device: str | None = None,
    results: str | Path | None = None,
    registry: Registry | None = None,
    reporter: "BenchReporter | None" = None,
) -> "Verifications":
    """Repeat published results at their protocol, and compare each with its band: verified, above or below.

    `names` are architectures, presets, patterns, plugins or networks in files; without any, all references are
    verified. `data_dir` is the folder of an archive, such as the UCR archive, and `dataset` names some of its data
    sets. Missing runs are trained, those of the shortest references first, until `time_budget` seconds have passed;
    without `run`, stored runs alone answer. The result has `answers`, `passed`, `records()`, `to_json()`, and
    `to_frame()` for a pandas DataFrame. Raises ZooError for a name without references.
    """
    from zoo.harness.reporter import SilentReporter
    from zoo.harness.request import values_of
    from zoo.missing.training import Options
    from zoo.verification.plan import Asked
    from zoo.verification.run import verified_in

    options = Options(jobs=jobs, time_budget=time_budget, threads=threads, device=device)
    folder = None if data_dir is None else Path(data_dir)
    asked = Asked(values_of(names), values_of(dataset), seeds, folder)
    workspace = _workspace(registry)
    where = workspace.settings.results_folder(results)
    return verified_in(workspace, asked, where, reporter or SilentReporter(), options if run else None)


def load(run: str, *, results: str | Path | None = None, registry: Registry | None = None) -> "nn.Module":
    """Return the trained network of a stored run, in eval mode on the CPU. `run` is its id or the start of its id.

    Weights are read from safetensors and their sha256 is checked; names are looked up in the registry, never imported
    from the file. If the run scaled its rows, the network scales its input in the same way: pass it new rows in the
    units of the data set. Raises UnknownName for an unknown run, StoreError for a run without intact weights.
    """
    import safetensors.torch

    from zoo.harness.trained import rebuilt
    from zoo.networks import Network

    workspace = _workspace(registry)
    with Store(workspace.settings.results_folder(results), create=False) as store:
        found = store.get(run)
        if is_unpackaged(workspace.registry, found.architecture):
            path = store.path(found, "model.safetensors")
            problem = f"run {found.id} has the unregistered network {found.architecture}"
            scaled = f"zoo.scaled.Scaled(network, {found.scale!r}, {found.shape['n_channels']})"
            wrapped = "" if found.scale == "none" else f" put it into {scaled},"
            raise UsageError(f"{problem}: build it,{wrapped} and load {path} into it")
        weights = safetensors.torch.load_file(store.read(found, "model.safetensors"))
    network = Network.resolve(
        workspace.registry,
        found.architecture,
        block=found.block or None,
        params=found.config["params"],
        block_params=found.config["block_params"],
        files=False,
    )
    members = found.config["training"].get("members", 1)
    try:
        module = rebuilt(network, members, found.shape, weights, found.scale)
    except RuntimeError as error:
        reason = f"its weights do not fit the current {found.reference}: {describe(error)}"
        raise StoreError(f"run {found.id}: {reason}") from error
    return module.eval()


def _workspace(registry: Registry | None) -> Workspace:
    """Return the given registry, or that of the installed plugins, with the settings of this folder."""
    return Workspace.load() if registry is None else Workspace(registry, Settings.load())
