"""Save the winner of a study as a preset in the user's registry.toml; the rest of the file stays unchanged."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import tomlkit

from zoo.errors import SettingsError, UsageError
from zoo.registry import split_reference
from zoo.scores import metric_words
from zoo.settings import USER_FILE, Layer, Settings, shipped_path
from zoo.space import Value
from zoo.specs import Preset, is_preset_name
from zoo.store.files import write_atomically
from zoo.store.run import Run
from zoo.store.study import Study, Trial
from zoo.tomls import Table
from zoo.tuning.request import TuneRequest
from zoo.wording import count_text
from zoo.workspace import Workspace


def check_free(workspace: Workspace, architecture: str, name: str) -> None:
    """Raise UsageError unless `name` is free for a preset; `architecture` may itself name a preset."""
    bare, _ = split_reference(architecture)
    preset = name.removeprefix(f"{bare}.")
    if preset == name or not is_preset_name(preset):
        raise UsageError(f"--save takes a preset of {bare}, such as {bare}.mine, not {name!r}")
    entry, _, _ = workspace.architecture(bare)
    if preset in entry.spec.presets or name in workspace.settings.presets:
        raise _taken(name)


def check_save(workspace: Workspace, architecture: str, name: str) -> None:
    """Raise UsageError or SettingsError where a winner cannot be saved under that name."""
    check_free(workspace, architecture, name)
    target_file(workspace.settings)


def save_winner(workspace: Workspace, study: Study, run: Run | None, name: str) -> tuple[Trial, Path]:
    """Write the winner of a study as a preset to the user's registry.toml, and return the trial and the file.

    `run` is the run of the winner. Raises UsageError if there is no winner yet, and the errors of `save_preset`.
    """
    trial = study.winning_trial
    if trial is None:
        raise UsageError(f"study {study.name} has no trial to save yet: resume it with zoo tune --resume {study.name}")
    path = target_file(workspace.settings)
    save_preset(path, name, preset_of(workspace, study, trial, run))
    return trial, path


def target_file(settings: Settings) -> Path:
    """Return the user's registry.toml. Raises UsageError if the file in this folder is the shipped one."""
    path = Path(settings.user.path or USER_FILE)
    if path.exists() and path.resolve() == shipped_path().resolve():
        raise UsageError(f"{path} is the file that ships with the zoo: choose your own file with --config FILE")
    return path


def save_preset(path: Path, name: str, preset: Table) -> None:
    """Add `[presets."NAME"]` at the end of the file; create the file if it does not exist.

    Raises SettingsError for an invalid file, and leaves it unchanged.
    """
    before = Layer.read(path) if path.exists() else Layer(str(path))
    if name in before.tables.get("presets", {}):
        raise _taken(name)
    old = path.read_bytes() if path.exists() else b""
    new = old + _appended(old, name, preset).encode()
    wanted = {**before.tables, "presets": {**before.tables.get("presets", {}), name: dict(preset)}}
    try:
        holds = tomllib.loads(new.decode()) == wanted
    except tomllib.TOMLDecodeError:  # presets = { … } on one line; TOML allows no further table there
        holds = False
    if not holds:
        raise SettingsError(
            f'{path}: its presets are not [presets."NAME"] tables, so none can be added: edit the file by hand'
        )
    write_atomically(path.resolve(), new)


def preset_of(workspace: Workspace, study: Study, trial: Trial, run: Run | None) -> dict[str, object]:
    """Return the preset for the configuration of a trial: the fixed values of the study and the values of the trial.

    `run`, the winner's run, provides the components that came from defaults.
    """
    from zoo.assignments import split_assignments
    from zoo.tuning.trial_cell import bench_request

    _, _, base = workspace.architecture(study.architecture)
    asked = bench_request(workspace.registry, TuneRequest.from_json(study.request), trial.config)
    scopes = split_assignments(asked.assignments)
    block, data, loss = (next(iter(axis), None) for axis in (asked.blocks, asked.data, asked.losses))
    settings = workspace.settings
    fixed: dict[str, Value] = {} if asked.epochs is None else {"epochs": asked.epochs}
    if asked.monitor != base.training.get("monitor", settings.shipped.get("training", "monitor")):
        fixed["monitor"] = str(asked.monitor)
    table = {
        "summary": _summary(study, trial),
        "params": {**base.params, **scopes[""]},
        "block": block or base.block or (run.block if run else None),
        "block_params": {**base.params_for("block", block), **scopes["block"]},
        **_part(settings, base, run, "data", data, scopes["data"]),
        **_part(settings, base, run, "loss", loss, scopes["loss"]),
        "training": {**base.training, **fixed, **scopes["training"]},
    }
    return {key: value for key, value in table.items() if value not in (None, "", {})}


def _taken(name: str) -> UsageError:
    return UsageError(f"a preset {name!r} already exists: choose a different name, or remove it first")


def _part(
    settings: Settings,
    base: Preset,
    run: Run | None,
    scope: Literal["data", "loss"],
    given: str | None,
    params: Mapping[str, Value],
) -> dict[str, object]:
    """Return a resampler or a loss with its parameters; an empty table for the loss of a network with fit()."""
    asked = given or str(settings.default("defaults", scope, getattr(base, scope)))
    name = given or (getattr(run, scope) if run else asked)
    return {scope: name, f"{scope}_params": {**base.params_for(scope, asked), **params}} if name else {}


def _summary(study: Study, trial: Trial) -> str:
    value = "" if trial.value is None else f", {metric_words(study.metric)} {trial.value:.3f}"
    return f"study {study.name}, {count_text(len(study.candidates), 'trial')}{value}"


def _appended(old: bytes, name: str, preset: Table) -> str:
    """Return the text that adds a preset, after an empty line and with the line ends of the file."""
    presets = tomlkit.table(is_super_table=True)
    presets[name] = _table(preset)
    text = tomlkit.dumps(tomlkit.document().add("presets", presets))
    lead = "" if not old else "\n" if old.endswith(b"\n") else "\n\n"
    return (lead + text.rstrip("\n") + "\n").replace("\n", "\r\n" if b"\r\n" in old else "\n")


def _table(preset: Table) -> tomlkit.items.Table:
    table = tomlkit.table()
    for key, value in preset.items():
        if isinstance(value, Mapping):
            inline = tomlkit.inline_table()
            inline.update(value)
            table[key] = inline
        else:
            table[key] = value
    return table
