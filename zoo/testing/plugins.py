"""Checks of every plugin, whatever it provides."""

import json
import subprocess
import sys
from dataclasses import fields
from functools import cache

from zoo.assignments import split_assignments
from zoo.networks import Network
from zoo.registry import Entry, Plugin, Registry
from zoo.settings import Training
from zoo.shipped import references_of
from zoo.specs import Component
from zoo.testing.check import NotConforming, expect, tried
from zoo.testing.outputs import check_names, parity_file, parity_of
from zoo.testing.representatives import declared

# Slow imports, a second or more: not allowed in a module that `zoo list` imports.
HEAVY = (
    *("torch", "numpy", "sklearn", "pandas", "ray", "optuna", "hyperopt", "timm"),
    *("imblearn", "pyarrow", "scipy", "torchvision", "wfdb"),
)
SECONDS = 60
# Loads one plugin like the zoo, and prints the effects. The plugin's own prints go to stderr.
PROGRAM = """
import json, sys
sys.path[:], name, module, heavy = json.loads(sys.argv[1])
from importlib.metadata import EntryPoint
from zoo.registry import Registry, Source
from zoo.testing.watching import watched
with watched() as seen:
    Registry.load([Source(name, module, EntryPoint(name, module, "zoo").load)])
imported = [each for each in heavy if each in sys.modules]
print(json.dumps({"imported": imported, "writes": seen.writes, "changes": seen.changes}))
"""


def loads(registry: Registry, plugin: Plugin) -> None:
    """Its entry point can be imported, and its hooks return valid specs."""
    expect(not plugin.error, plugin.error)


def light_import(registry: Registry, plugin: Plugin) -> None:
    """Importing it and listing its components import no large library."""
    heavy = ", ".join(_in_a_process_of_its_own(plugin.name, plugin.module)["imported"])
    expect(not heavy, f"it imports {heavy}: move this import to the modules of its factories")


def global_state(registry: Registry, plugin: Plugin) -> None:
    """Its import changes no global state: no warning filter, no random seed, no setting of a library."""
    changes = ", ".join(_in_a_process_of_its_own(plugin.name, plugin.module)["changes"])
    expect(not changes, f"its import changes {changes}")


def writes(registry: Registry, plugin: Plugin) -> None:
    """Its import writes no file outside the temporary folder."""
    written = ", ".join(_in_a_process_of_its_own(plugin.name, plugin.module)["writes"])
    expect(not written, f"its import writes {written}")


def provides(registry: Registry, plugin: Plugin) -> None:
    """It provides a component, or observes runs."""
    module = registry.manager.get_plugin(plugin.name)
    callers = registry.manager.get_hookcallers(module) or []
    observes = any(caller.name != "zoo_components" for caller in callers)
    expect(bool(plugin.components) or observes, "its zoo_components() returns nothing, and it observes no runs")


def names(registry: Registry, plugin: Plugin) -> None:
    """No other plugin has its name, or a component of the same kind and name."""
    name, _, distribution = plugin.name.partition("@")
    expect(not distribution, f"another installed plugin has the same name, {name!r}")
    for entry in registry.entries:
        if entry.plugin.name == plugin.name:
            rivals = [other.plugin.name for other in registry.of_kind(entry.kind) if _rivals(entry, other)]
            expect(not rivals, f"{entry.kind} {entry.spec.name!r} is also provided by {', '.join(rivals)}")


def representatives(registry: Registry, plugin: Plugin) -> None:
    """The names in its CONFORMANCE are names of its own components."""
    own = {spec.name for spec in plugin.components}
    unknown = sorted(set(declared(registry, plugin)) - own)
    expect(not unknown, f"its CONFORMANCE contains {', '.join(unknown)}, which it does not provide")


def references(registry: Registry, plugin: Plugin) -> None:
    """Its reference file can be read; each preset, setting and metric in it exists."""
    for each in references_of(registry, plugin):
        scopes = split_assignments(each.settings)
        Network.resolve(registry, each.name, params=scopes[""], block_params=scopes["block"])
        unknown = sorted(set(scopes["training"]) - {item.name for item in fields(Training)})
        expect(not unknown, f"{each.file}: entry {each.entry + 1}: no training setting named {', '.join(unknown)}")


def parity(registry: Registry, plugin: Plugin) -> None:
    """Its parity.toml is valid, and each table is named after one of its own architectures."""
    check_names(plugin, parity_of(plugin))
    tried()


def has_parity_file(plugin: Plugin) -> bool:
    """Whether a plugin has a parity.toml."""
    path = parity_file(plugin)
    return path is not None and path.is_file()


CHECKS = (loads, light_import, provides, names, global_state, writes)


def _rivals(entry: Entry[Component], other: Entry[Component]) -> bool:
    return other.spec.name == entry.spec.name and other.plugin.name != entry.plugin.name


@cache
def _in_a_process_of_its_own(name: str, module: str) -> dict[str, list[str]]:
    request = json.dumps([sys.path, name, module, HEAVY])
    command = [sys.executable, "-c", PROGRAM, request]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
        found: dict[str, list[str]] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise NotConforming(f"its import takes longer than {SECONDS} s") from None
    except ValueError:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise NotConforming(f"its import ends Python with exit code {done.returncode}: {last}") from None
    return found
