"""`zoo new`: create a complete, working plugin."""

import shlex
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from zoo.cli import options
from zoo.cli.session import session_of
from zoo.cli.views.table import Column, emit, print_json
from zoo.errors import UsageError, unknown_name
from zoo.scaffold import Scaffold, check_name, purpose, write
from zoo.specs import KINDS

COLUMNS = (Column("file", "path"), Column("purpose", "purpose", wraps=True))


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


def new_command(
    context: typer.Context,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help=f"Kind of the component: {', '.join(KINDS)}.", autocompletion=_kinds)
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the component, such as my-net.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            metavar="DIR",
            help="Folder of the distribution, new or empty.",
            rich_help_panel=options.OUTPUT,
            show_default="./NAME",
        ),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(
            help="Holder of the licence.",
            metavar="WHO",
            rich_help_panel=options.OUTPUT,
            show_default="user.name of git",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Create a plugin: a pip distribution with a working example, tests, licence, README and CI.

    `zoo new architecture my-net` creates the folder my-net. It contains the
    distribution zoo-my-net with the package zoo_my_net and the class MyNet.
    Its tests pass from the start. Existing files are not overwritten.
    """
    if kind not in KINDS and name in KINDS:
        raise UsageError(f"the kind is the first argument: zoo new {name} {kind}")
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    check_name(kind, name, session_of(context).registry)
    scaffold = Scaffold(kind, name, _author(author))
    place = folder or Path(name)
    write(scaffold.files(), place)
    rows = [{"path": path, "purpose": purpose(path)} for path in scaffold.paths()]
    steps = _next_steps(scaffold, place)
    if as_json:
        names = {"kind": kind, "name": name, "distribution": scaffold.distribution, "package": scaffold.package}
        print_json({**names, "folder": str(place), "files": rows, "next": steps})
        return
    emit(COLUMNS, rows)
    session_of(context).say("Next:", *(f"  {step}" for step in steps), wrap=False)


def _next_steps(scaffold: Scaffold, folder: Path) -> list[str]:
    go = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    return [*go, "pip install -e '.[test]'", f"zoo check {scaffold.name}", scaffold.use]


def _author(given: str | None) -> str:
    """Return the given name, else the name in git, else an empty text."""
    author = (_git_name() if given is None else given).strip()
    if not author.isprintable():
        raise UsageError(f"--author {author!r} must be one line of printable text")
    return author


def _git_name() -> str:
    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
