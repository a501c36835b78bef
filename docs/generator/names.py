"""The page of the public Python names, by module, from signatures and docstrings."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import zoo
from generator.signatures import signature
from generator.text import code, page, prose
from zoo.specs import Component

INTRODUCTION = """All public Python names; [api.md](api.md) explains what *public* promises. `import zoo` is fast: torch
and other large libraries are imported when something is built or run.

```python
import zoo

model = zoo.build("cnngru.study", block="se", n_channels=1, n_times=187, n_classes=5)
runs = zoo.bench(["cnngru", "cnn2d"], data=["original", "smote"], epochs=2, rows=1000)
print(runs[0].scores["macro_recall"])
own = zoo.bench("minirocket", dataset=(X, y), group=patients)  # your arrays: files.md#from-python
trained = zoo.load(runs[0].id)
```

Each kind of component has a page about its spec and the arguments of its factory: [hooks](hooks/index.md)."""

# The public modules; for each, its public names, or () for all names.
MODULES: dict[str, tuple[str, ...]] = {
    "zoo": (),
    "zoo.data": (),
    "zoo.data.files": ("Table", "check_file", "dropped_note", "from_file", "read_table", "rows_to_keep"),
    "zoo.layers": (),
    "zoo.scaled": ("Scaled",),
    "zoo.testing": (),
    "zoo.errors": tuple(name for name in zoo.__all__ if name.endswith("Error") or name in ("Diverged", "UnknownName")),
    "zoo.store.run": ("Run",),
    "zoo.records": ("Scores", "Interval", "Cost", "SplitSummary", "Environment"),
    "zoo.claims.result": ("Finding", "Hypotheses", "HypothesisAnswer"),
    "zoo.verification.result": ("Verifications", "Verified"),
    "zoo.versus.result": (
        *("Comparisons", "BoardComparison", "Placed", "Pair", "RunPair", "DatasetComparison", "DatasetPair", "Verdict"),
    ),
    "zoo.versus.ranking": ("Leaderboard",),
    "zoo.versus.ranked": ("Ranked",),
    "zoo.reporting.records": ("Report",),
    "zoo.training.fitting": ("Batches",),
}
# Created by the zoo only, so their signatures are not shown.
GIVEN = (
    *("Batches", "Check", "Finding", "Hypotheses", "HypothesisAnswer", "Leaderboard", "Ranked", "Report", "Run"),
    *("Table", "Verifications", "Verified"),
)
VALUES = {
    "Space": "A search space: for each name of a hyperparameter a `Choice`, an `Int` or a `Float`.",
    "Value": "The type of a hyperparameter: `bool`, `int`, `float` or `str`.",
    "Floats": "An array of float32.",
    "Ints": "An array of int64.",
    "LEFT_OUT": "In `DeclaredSplit.parts`: a row that belongs to no set.",
    "TRAIN": "In `DeclaredSplit.parts`: a row of the training set.",
    "VALIDATION": "In `DeclaredSplit.parts`: a row of the validation set.",
    "TEST": "In `DeclaredSplit.parts`: a row of the test set.",
    "hookimpl": "Marks a function of a plugin as the implementation of the hook with the same name.",
}


def public_names() -> dict[str, list[str]]:
    """Return the public names of each module, in alphabetical order."""
    return {module: sorted(names or _public(module)) for module, names in MODULES.items()}


def _public(module: str) -> list[str]:
    loaded = importlib.import_module(module)
    if hasattr(loaded, "__all__"):
        return list(loaded.__all__)
    own = (name for name, thing in vars(loaded).items() if getattr(thing, "__module__", "") == module)
    return [name for name in own if not name.startswith("_")]


def names_page() -> str:
    return page("# From Python", INTRODUCTION, *_sections())


def _sections() -> Iterator[str]:
    for module, names in public_names().items():
        loaded = importlib.import_module(module)
        yield f"## {module}"
        yield prose(loaded.__doc__ or "")
        for name in names:
            thing = getattr(loaded, name)
            if module == "zoo" and inspect.isclass(thing) and issubclass(thing, Exception):
                continue  # documented under zoo.errors
            yield f"### {module}.{name}"
            yield from _entry(name, thing)
        if module == "zoo":
            yield "`zoo` also exports the errors of [zoo.errors](#zooerrors)."


def _entry(name: str, thing: Any) -> Iterator[str]:
    if name in VALUES:
        yield VALUES[name]
    elif inspect.isclass(thing) and issubclass(thing, Component):
        yield f"{_first(thing)} [Its page](hooks/{thing.kind}.md)."
    elif inspect.isclass(thing):
        shown = signature(thing)
        yield code(shown) if shown != name and name not in GIVEN else ""
        yield prose(vars(thing).get("__doc__") or "")
        yield from _methods(thing)
    else:
        yield code(signature(thing))
        yield prose(inspect.getdoc(thing) or "")


def _methods(thing: type) -> Iterator[str]:
    """Yield the documented methods that a class defines itself."""
    for name, member in vars(thing).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        shown = name if isinstance(member, property) else signature(function)
        yield f"`{' '.join(shown.split())}`: {prose(function.__doc__)}"


def _first(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]
