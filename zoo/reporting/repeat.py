"""How to repeat the runs of a configuration: commands with every setting, versions and fingerprints."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoo.data.folds import CROSS_VALIDATION
from zoo.reporting.records import Once, Repeat
from zoo.settings import BEST
from zoo.store.run import Run

# Options of a bench that a run stores among the parameters of its data set.
OF_FILE = ("target", "group", "columns", "drop")
SCOPES = {
    "params": "",
    "block_params": "block.",
    "data_params": "data.",
    "loss_params": "loss.",
    "training": "training.",
}

# Settings that configurations do not name at these values, and the defaults of which differ.
UNNAMED = {"label_smoothing": 0.0, "keep": BEST}


def repeat_of(runs: Sequence[Run]) -> Repeat:
    """Return how to repeat the runs of one configuration. Every setting is named, since defaults can change."""
    some = runs[0]
    return Repeat(
        commands=tuple(_commands(some, sorted(run.seed for run in runs))),
        environment=_environment(some),
        plugins=", ".join(f"{name} {version}" for name, version in some.plugins.items()),
        runs=tuple(
            Once(
                run=run.id,
                seed=run.seed,
                fingerprint=run.fingerprint[:12],
                code=run.code[:8],
                created=run.created[:16].replace("T", " "),
            )
            for run in runs
        ),
    )


def _commands(run: Run, seeds: Sequence[int]) -> Iterator[str]:
    """Yield a command for each range of consecutive seeds."""
    words = [*_cell(run), *_data(run), *_settings(run)]
    for first, number in _ranges(seeds):
        yield shlex.join(["zoo", "bench", *words, "--seed", str(first), "--seeds", str(number)])


def _ranges(seeds: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first seed and the length of each range of consecutive seeds."""
    start = 0
    for place in range(1, len(seeds) + 1):
        if place == len(seeds) or seeds[place] != seeds[place - 1] + 1:
            yield seeds[start], place - start
            start = place


def _cell(run: Run) -> Iterator[str]:
    yield run.reference
    options = {"--block": run.block, "--data": run.data, "--loss": run.loss, "--dataset": run.dataset}
    options |= {"--protocol": run.protocol, "--scale": run.scale}
    for name, value in options.items():
        if value:
            yield from (name, value)
    if run.protocol == CROSS_VALIDATION:
        yield from ("--cv", str(run.folds))
    if run.rows is not None:
        yield from ("--rows", str(run.rows))


def _data(run: Run) -> Iterator[str]:
    for name, value in _mapping(run, "dataset_params").items():
        if name in OF_FILE:
            yield from (f"--{name}", str(value))
        elif name == "drop_class":
            yield from ("--drop-class", str(value))
        elif name == "merge_class":
            for merged in str(value).split(";"):
                yield from ("--merge-class", merged)
        else:
            yield from ("--set", f"dataset.{name}={_value(value)}")


def _settings(run: Run) -> Iterator[str]:
    unnamed = {"training": UNNAMED} if run.loss else {}
    for part, scope in SCOPES.items():
        for name, value in {**unnamed.get(part, {}), **_mapping(run, part)}.items():
            yield from ("--set", f"{scope}{name}={_value(value)}")


def _mapping(run: Run, name: str) -> Mapping[str, Any]:
    found = run.config.get(name)
    return found if isinstance(found, Mapping) else {}


def _value(value: object) -> str:
    """Return a value as `--set` reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _environment(run: Run) -> str:
    found = run.environment
    parts = [found.device, found.cpu, f"{found.threads} threads" if found.threads > 1 else "1 thread"]
    parts += [f"Python {found.python}"] if found.python else []
    parts += [f"{name} {version}" for name, version in found.libraries.items()]
    return ", ".join(filter(None, parts))
