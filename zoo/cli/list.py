"""`zoo list`: what there is."""

from typing import Annotated

import typer

from zoo.cli import options
from zoo.cli.families import family_of, large_families
from zoo.cli.session import session_of
from zoo.cli.views.table import Column, Row, emit
from zoo.errors import UnknownName, unknown_name
from zoo.registry import Entry, matches
from zoo.specs import KINDS, Architecture, Component

COLUMNS = (
    Column("kind", "kind"),
    Column("name", "name"),
    Column("presets", "presets", optional=True, cut=True, drop=2),
    Column("what it is", "summary", cut=True),
    Column("plugin", "plugin", drop=3),
)


def list_command(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(help=f"A kind ({', '.join(KINDS)}) or a pattern of names.")] = None,
    pattern: Annotated[str | None, typer.Argument(help="A pattern of names, such as 'cnn*'.")] = None,
    as_json: options.Json = False,
) -> None:
    """List architectures, blocks, datasets, resamplers, objectives and searchers.

    A large family, such as timm's, is one line; its name, or a pattern such as 'timm/*resnet*', lists its members.
    """
    wanted, glob = _read(kind, pattern)
    of_kind = [entry for entry in session_of(context).registry.entries if wanted in (None, entry.kind)]
    large = large_families(entry.name for entry in of_kind)
    if glob in large:
        glob = f"{glob}/*"
    entries = [entry for entry in of_kind if glob == "*" or matches(entry.name, glob)]
    if not entries and glob != "*":
        raise UnknownName(f"nothing matches {glob!r}; kinds are {', '.join(KINDS)}")
    rows = _rows(entries, large) if glob == "*" else [_row(entry) for entry in entries]
    emit(COLUMNS, rows, as_json=as_json, objects=map(_object, entries))


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


def _rows(entries: list[Entry[Component]], large: dict[str, int]) -> list[Row]:
    """A row for each component, in order, but one for each large family."""
    rows: dict[str, Row] = {}
    for entry in entries:
        family = family_of(entry.name)
        if family not in large:
            rows[f"{entry.kind} {entry.name}"] = _row(entry)
        elif family not in rows:
            hint = f"{large[family]:,} of them: `zoo list {family}`."
            rows[family] = {**_row(entry), "name": f"{family}/*", "presets": "", "summary": hint}
    return list(rows.values())


def _row(entry: Entry[Component]) -> Row:
    presets = ", ".join(entry.spec.presets) if isinstance(entry.spec, Architecture) else ""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "presets": presets,
        "summary": entry.spec.summary,
        "plugin": entry.plugin.name,
    }


def _object(entry: Entry[Component]) -> Row:
    presets = list(entry.spec.presets) if isinstance(entry.spec, Architecture) else []
    origin = {"distribution": entry.plugin.distribution, "version": entry.plugin.version}
    return {**_row(entry), "presets": presets, "paper": entry.spec.paper, **origin}
