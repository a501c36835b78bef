"""A page for each hook, and one for each kind of component that a plugin can give."""

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

The module has one function or more, each named as a hook and marked with `@zoo.hookimpl`. One hook gives components;
the others observe runs, for a tracker or a notebook. An implementation may take any of a hook's arguments, or none.

A module that says `ZOO_API = "{hookspecs.API_VERSION}"` says for which version of this contract it was written:
[api.md]({UP}api.md). What a plugin's hook raises is a line in `zoo plugins`, or a note under the run, and never the end
of anyone's work. [Your architecture in ten minutes]({UP}plugins.md) goes from an empty folder to a package."""

NOTES = {
    "zoo_components": """Called once, without arguments, when names are looked up: by every command and by
`zoo.list_components()`. It must be quick, so the module that holds it imports neither torch nor numpy: a spec names its
code by a string, and what the string names is imported when it is built. The kinds of components:""",
    "zoo_run_started": """Called in the process of `zoo bench` or `zoo.bench`, when the run is in the store and before
its first epoch. A run that is served from the store does not begin.""",
    "zoo_epoch_finished": """`scores` has the losses and what was measured on the validation set, by name. Nothing of
the test set is in it.""",
    "zoo_run_finished": """Called when the run and its files are stored, however it ended. The scores of a run that is
`done` are in `run.scores`.""",
}

COMPONENTS = {
    "architecture": "A network that `zoo bench NAME` trains, fits or tunes.",
    "block": "A layer for the slot of any architecture that has one: `zoo bench cnngru --block NAME`.",
    "dataset": "Labelled series: `zoo bench cnngru --dataset NAME`.",
    "resampler": "What balances the training set: `zoo bench cnngru --data NAME`.",
    "objective": "A training loss: `zoo bench cnngru --loss NAME`.",
    "searcher": "What proposes hyperparameters: `zoo tune cnngru --search NAME`.",
}


def hook_pages() -> dict[str, str]:
    """By path: the index, the hooks and the kinds."""
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
        table(("hook", "what it is for"), hook_rows),
        "## What `zoo_components` gives",
        table(("spec", "what it offers"), kinds),
    )


def _hook_page(name: str, hook: object) -> str:
    parts = [f"# {name}", code(f"@zoo.hookimpl\ndef {signature(hook)}: ...")]  # type: ignore[arg-type]
    parts += [prose(inspect.getdoc(hook) or "", UP), NOTES[name]]
    if name == "zoo_components":
        parts.append("\n".join(f"- [`zoo.{spec.__name__}`]({kind}.md)" for kind, spec in KINDS.items()))
    else:
        parts += [
            f"`run` is a `zoo.store.run.Run`; [json.md]({UP}json.md) names its fields.",
            "## Example",
            "A whole plugin, which writes the epochs of every run to a file:",
            code((EXAMPLES / "tracker.py").read_text().rstrip()),
        ]
    return page(*parts)


def _kind_page(kind: str, spec: type[Component]) -> str:
    common = prose(inspect.getdoc(Component) or "", UP).partition("\n\n")[2]
    parts = [f"# zoo.{spec.__name__}", COMPONENTS[kind], code(signature(spec)), prose(inspect.getdoc(spec) or "", UP)]
    if kind == "architecture":
        parts.append(f"What `fit` gets: [zoo.training.fitting]({UP}python.md#zootrainingfitting).")
    parts += ["Every component has:", common]
    if kind == "architecture":
        preset = specs.Preset
        parts += ["## zoo.Preset", code(signature(preset)), prose(inspect.getdoc(preset) or "", UP)]
    parts += ["## Beginning", _beginning(kind)]
    return page(*parts)


def _beginning(kind: str) -> str:
    return f"""`zoo new {kind} NAME` writes a whole distribution with a working {kind} in it, and its tests.
`zoo check NAME` runs the conformance checks of its kind, which [checks.md]({UP}checks.md) lists. What comes with the
zoo is in [collection.md]({UP}collection.md)."""


def _first(hook: object) -> str:
    return (inspect.getdoc(hook) or "").partition("\n")[0]
