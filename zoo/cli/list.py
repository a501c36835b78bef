"""`zoo list`: what there is."""

from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from zoo.cli.output import Column, emit
from zoo.cli.session import session_of
from zoo.errors import UnknownName, unknown_name
from zoo.registry import Entry
from zoo.specs import KINDS, Architecture

COLUMNS = (
    Column("kind", "kind"),
    Column("name", "name"),
    Column("presets", "presets", optional=True),
    Column("what it is", "summary", wraps=True),
    Column("plugin", "plugin", drop=1),
)


def list_command(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(help=f"A kind ({', '.join(KINDS)}) or a pattern of names.")] = None,
    pattern: Annotated[str | None, typer.Argument(help="A pattern of names, such as 'cnn*'.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List architectures, blocks, datasets, resamplers and objectives."""
    wanted, glob = _read(kind, pattern)
    entries = [
        entry
        for entry in session_of(context).registry.entries
        if wanted in (None, entry.kind) and fnmatchcase(entry.name, glob)
    ]
    if not entries and glob != "*":
        raise UnknownName(f"nothing matches {glob!r}; kinds are {', '.join(KINDS)}")
    emit(COLUMNS, [_row(entry) for entry in entries], as_json=as_json, objects=map(_object, entries))


def _read(kind: str | None, pattern: str | None) -> tuple[str | None, str]:
    """Kind and pattern; a first word that is no kind is a pattern, and kinds may stand in the plural."""
    if kind is None:
        return None, "*"
    singular = kind.removesuffix("s")
    if singular in KINDS:
        return singular, pattern or "*"
    if pattern is not None:
        raise unknown_name("kind", kind, KINDS)
    return None, kind


def _row(entry: Entry) -> dict[str, Any]:
    presets = ", ".join(entry.spec.presets) if isinstance(entry.spec, Architecture) else ""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "presets": presets,
        "summary": entry.spec.summary,
        "plugin": entry.plugin.name,
    }


def _object(entry: Entry) -> dict[str, Any]:
    presets = list(entry.spec.presets) if isinstance(entry.spec, Architecture) else []
    origin = {"distribution": entry.plugin.distribution, "version": entry.plugin.version}
    return {**_row(entry), "presets": presets, "paper": entry.spec.paper, **origin}
