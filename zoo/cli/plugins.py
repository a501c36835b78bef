"""`zoo plugins`: the plugins that were found, their components and their errors."""

from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli import options
from zoo.cli.families import folded
from zoo.cli.session import session_of
from zoo.cli.views.table import Column, Row, emit
from zoo.hookspecs import API_VERSION

if TYPE_CHECKING:
    from zoo.registry import Plugin

COLUMNS = (
    Column("plugin", "name"),
    Column("status", "status"),
    Column("distribution", "distribution", drop=1),
    Column("version", "version", drop=2),
    Column("provides", "provides", wraps=True),
    Column("error", "error", wraps=True, optional=True),
)
VERBOSE = (
    *COLUMNS[:4],
    Column("needs API", "needs"),
    Column("offered", "offered"),
    Column("module", "module", drop=1),
    *COLUMNS[4:],
)


def plugins_command(
    context: typer.Context,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also show the plugin API that each plugin needs, and its module.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """List the plugins with their components, or the reason why a plugin did not load."""
    plugins = session_of(context).registry.plugins
    columns = VERBOSE if verbose else COLUMNS
    emit(columns, [_row(plugin) for plugin in plugins], as_json=as_json, objects=[_object(each) for each in plugins])


def _row(plugin: "Plugin") -> Row:
    provides = folded(f"{spec.kind} {spec.name}" for spec in plugin.components)
    row = _object(plugin) | {"provides": ", ".join(provides), "needs": plugin.api or "-", "offered": API_VERSION}
    return row | ({"style": "red"} if plugin.error else {})


def _object(plugin: "Plugin") -> Row:
    return {
        "name": plugin.name,
        "status": plugin.status,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "module": plugin.module,
        "provides": [{"kind": spec.kind, "name": spec.name} for spec in plugin.components],
        "api": {"needed": plugin.api, "offered": API_VERSION},
        "error": plugin.error,
    }
