"""The pages of the hooks, and of the kinds of components that a plugin can provide."""

import inspect
from pathlib import Path

from generator.signatures import signature
from generator.text import code, page, prose, table
from zoo import hookspecs, specs
from zoo.specs import KINDS, Component

EXAMPLES = Path(__file__).parent.parent / "examples"
UP = "../"

INDEX = f"""A plugin is a Python module and an entry point of the group `zoo` that names it:

```toml
[project.entry-points.zoo]
pulse = "zoo_pulse"
```

The module has one or more functions. Each has the name of a hook and the decorator `@zoo.hookimpl`. One hook returns
components; the other hooks observe runs, for a tracker or a notebook. An implementation can accept all arguments of the
hook, some, or none.

`ZOO_API = "{hookspecs.API_VERSION}"` in the module declares the version of this contract for which it was written:
[api.md]({UP}api.md). If a hook raises an error, the error becomes a row in `zoo plugins` or a note under the run, and
the command continues. [Your architecture in ten minutes]({UP}plugins.md) leads from an empty folder to a package."""

NOTES = {
    "zoo_components": """Called once, without arguments, when names are looked up: by every command and by
`zoo.list_components()`. It must be fast, so its module imports neither torch nor numpy. A spec names its code by a
string, and the code is imported when the component is built. The kinds of components:""",
    "zoo_run_started": """Called in the process of `zoo bench` or `zoo.bench`, after the run was added to the store and
before its first epoch. It is not called for a stored run that is reused.""",
    "zoo_epoch_finished": """`scores` has the losses and the scores on the validation set, by name. It contains
nothing from the test set.""",
    "zoo_run_finished": """Called after the run and its files were stored, for every status. `run.scores` has the
scores if the status is `done`.""",
}

COMPONENTS = {
    "architecture": "A network that `zoo bench NAME` trains, fits or tunes.",
    "block": "A layer for the block slot of an architecture: `zoo bench cnngru --block NAME`.",
    "dataset": "Labelled series: `zoo bench cnngru --dataset NAME`.",
    "resampler": "A method that balances the training set: `zoo bench cnngru --data NAME`.",
    "objective": "A training loss: `zoo bench cnngru --loss NAME`.",
    "searcher": "A method that proposes hyperparameters: `zoo tune cnngru --search NAME`.",
}


def hook_pages() -> dict[str, str]:
    """Return the pages by path: the index, the hooks and the kinds."""
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("zoo_")}
    pages = {f"hooks/{name}.md": _hook_page(name, hook) for name, hook in hooks.items()}
    pages |= {f"hooks/{kind}.md": _kind_page(kind, spec) for kind, spec in KINDS.items()}
    return {"hooks/index.md": _index(hooks), **pages}


def _index(hooks: dict[str, object]) -> str:
    hook_rows = [(f"[`{name}`]({name}.md)", _first(hook)) for name, hook in hooks.items()]
    kinds = [(f"[`zoo.{spec.__name__}`]({kind}.md)", COMPONENTS[kind]) for kind, spec in KINDS.items()]
    return page(
        "# Hooks",
        INDEX,
        table(("hook", "purpose"), hook_rows),
        "## The specs that `zoo_components` returns",
        table(("spec", "component"), kinds),
    )


def _hook_page(name: str, hook: object) -> str:
    parts = [f"# {name}", code(f"@zoo.hookimpl\ndef {signature(hook)}: ...")]  # type: ignore[arg-type]
    parts += [prose(inspect.getdoc(hook) or "", UP), NOTES[name]]
    if name == "zoo_components":
        parts.append("\n".join(f"- [`zoo.{spec.__name__}`]({kind}.md)" for kind, spec in KINDS.items()))
    else:
        parts += [
            f"`run` is a `zoo.store.run.Run`; [json.md]({UP}json.md) documents its fields.",
            "## Example",
            "A complete plugin that writes the epochs of every run to a file:",
            code((EXAMPLES / "tracker.py").read_text().rstrip()),
        ]
    return page(*parts)


def _kind_page(kind: str, spec: type[Component]) -> str:
    common = prose(inspect.getdoc(Component) or "", UP).partition("\n\n")[2]
    parts = [f"# zoo.{spec.__name__}", COMPONENTS[kind], code(signature(spec)), prose(inspect.getdoc(spec) or "", UP)]
    if kind == "architecture":
        parts.append(f"The arguments of `fit`: [zoo.training.fitting]({UP}python.md#zootrainingfitting).")
    parts += ["Every component has:", common]
    if kind == "architecture":
        preset = specs.Preset
        parts += ["## zoo.Preset", code(signature(preset)), prose(inspect.getdoc(preset) or "", UP)]
    parts += ["## First steps", _beginning(kind)]
    return page(*parts)


def _beginning(kind: str) -> str:
    return f"""`zoo new {kind} NAME` writes a complete distribution with a working {kind} and its tests.
`zoo check NAME` runs the conformance checks of its kind, which [checks.md]({UP}checks.md) lists.
[collection.md]({UP}collection.md) lists the components that come with the zoo."""


def _first(hook: object) -> str:
    return (inspect.getdoc(hook) or "").partition("\n")[0]
