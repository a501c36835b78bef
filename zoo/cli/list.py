"""`zoo list`: the installed components."""

import json
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli import options
from zoo.cli.families import family_of, large_families
from zoo.cli.session import session_of
from zoo.cli.views.table import Column, Row, count, emit, millions
from zoo.errors import UnknownName, unknown_name
from zoo.specs import KINDS, Architecture, Component

if TYPE_CHECKING:
    from zoo.registry import Entry

Sizes = Mapping[str, Mapping[str, int]]  # `parameters` and `macs`, by the name of the architecture

COLUMNS = (
    Column("kind", "kind"),
    Column("name", "name"),
    Column("presets", "presets", optional=True, cut=True, drop=2),
    Column("summary", "summary", cut=True),
    Column("plugin", "plugin", drop=3),
    Column("params", "parameters", count, numeric=True, optional=True),
    Column("MACs", "macs", millions, numeric=True, optional=True, drop=1),
)
SIZES = Path(__file__).parents[1] / "sizes.json"  # written by docs/generate.py: counting them here would load torch


def list_command(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help=f"A kind ({', '.join(KINDS)}) or a pattern of names.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Argument(metavar="PATTERN", help="A pattern of names, such as 'cnn*'.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List architectures, blocks, datasets, resamplers, objectives and searchers.

    A large family, such as timm, is one line. Its name or a pattern lists its members: zoo list timm.
    Parameters and multiply-accumulates (MACs) are those of the default configuration, for 1 channel, 187 samples and
    5 classes; `zoo show NAME` computes those that the list does not know.
    """
    from zoo.registry import matches

    wanted, glob = _read(kind, pattern)
    of_kind = [entry for entry in session_of(context).registry.entries if wanted in (None, entry.kind)]
    large = large_families(entry.name for entry in of_kind)
    if glob in large:
        glob = f"{glob}/*"
    entries = [entry for entry in of_kind if glob == "*" or matches(entry.name, glob)]
    if not entries and glob != "*":
        raise _nothing(wanted, glob, of_kind)
    sizes = json.loads(SIZES.read_bytes())
    rows = _rows(entries, large, sizes) if glob == "*" else [_row(entry, sizes) for entry in entries]
    if as_json or not sys.stdout.isatty():
        emit(COLUMNS, rows, as_json=as_json, objects=[_object(entry, sizes) for entry in entries])
    else:
        _print_by_kind(rows)


def _print_by_kind(rows: list[Row]) -> None:
    """Print a table for each kind, with the kind as its title if there are several."""
    columns = [column for column in COLUMNS if column.key != "kind"]
    tables = [(kind, list(group)) for kind, group in groupby(rows, key=lambda row: str(row["kind"]))]
    for kind, group in tables:
        emit(columns, group, title=("", f"{kind}s") if len(tables) > 1 else ())


def _nothing(kind: str | None, glob: str, entries: "list[Entry[Component]]") -> UnknownName:
    """Return the error for a name or a pattern without matches, with the closest names."""
    from zoo.registry import is_pattern, split_reference

    command = f"zoo list {kind}" if kind else "zoo list"
    if is_pattern(glob):
        return UnknownName(f"no {kind or 'component'} matches {glob!r}. `{command}` shows them all.")
    if kind is None and (close := get_close_matches(glob, KINDS, n=1, cutoff=0.8)):
        return UnknownName(f"no kind or component named {glob!r}. Did you mean {close[0]}?")
    names = [entry.name for entry in entries]
    if split_reference(glob)[0] in names:
        return UnknownName(f"{glob!r} is a preset, not a component: zoo show {glob}")
    return unknown_name(kind or "kind or component", glob, names, f"`{command}` shows them all.")


def _read(kind: str | None, pattern: str | None) -> tuple[str | None, str]:
    """Return the kind and the pattern. A single word that is not a kind is a pattern; kinds may be plural."""
    if kind is None:
        return None, "*"
    singular = kind.removesuffix("s")
    if singular in KINDS:
        return singular, pattern or "*"
    if pattern is not None:
        raise unknown_name("kind", kind, KINDS)
    return None, kind


def _rows(entries: "list[Entry[Component]]", large: dict[str, int], sizes: Sizes) -> list[Row]:
    """Return a row for each component in order, and a single row for each large family."""
    rows: dict[str, Row] = {}
    for entry in entries:
        family = family_of(entry.name)
        if family not in large:
            rows[f"{entry.kind} {entry.name}"] = _row(entry, sizes)
        elif family not in rows:
            hint = f"{large[family]:,} components: `zoo list {family}` lists them."
            rows[family] = {**_row(entry, sizes), "name": f"{family}/*", "presets": "", "summary": hint}
    return list(rows.values())


def _row(entry: "Entry[Component]", sizes: Sizes) -> Row:
    presets = ", ".join(entry.spec.presets) if isinstance(entry.spec, Architecture) else ""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "presets": presets,
        "summary": entry.spec.summary,
        "plugin": entry.plugin.name,
        **_size(entry, sizes),
    }


def _size(entry: "Entry[Component]", sizes: Sizes) -> Row:
    """Return parameters and multiply-accumulates; None unless the component is one of the zoo's own architectures."""
    from zoo.registry import DISTRIBUTION

    own = isinstance(entry.spec, Architecture) and entry.plugin.distribution == DISTRIBUTION
    size = sizes.get(entry.spec.name, {}) if own else {}
    return {key: size.get(key) for key in ("parameters", "macs")}


def _object(entry: "Entry[Component]", sizes: Sizes) -> Row:
    presets = list(entry.spec.presets) if isinstance(entry.spec, Architecture) else []
    origin = {"distribution": entry.plugin.distribution, "version": entry.plugin.version}
    return {**_row(entry, sizes), "presets": presets, "paper": entry.spec.paper, **origin}
