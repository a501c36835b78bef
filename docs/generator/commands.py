"""The page of the command line, from the Typer application and the signatures of its commands."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from generator.text import code, escaped, page, prose, table

INTRODUCTION = """All commands with their arguments and options. `zoo COMMAND --help` prints the same.

On a terminal, a command prints tables; in a pipe, tab-separated values with all columns; with `--json`, JSON in the
forms that [json.md](json.md) documents. Everything else goes to the error stream, so `zoo results > runs.tsv` contains
only rows.

| exit code | meaning |
|---|---|
| 0 | success |
| 1 | a run failed or diverged, or the command failed with an error of one line |
| 2 | the command line is invalid, or contains an unknown name |
| 130 | interrupted by Ctrl-C; finished work is stored |
| 143 | ended by SIGTERM; finished work is stored |

`zoo --install-completion` lets the Tab key complete commands, options, and the names of components and presets."""

TYPES = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}


@dataclass(frozen=True)
class Parameter:
    """One argument or option: its names, its value, its default and its help."""

    names: tuple[str, ...]
    takes: str
    default: str
    help: str
    required: bool
    many: bool

    @property
    def usage(self) -> str:
        if self.takes.startswith("["):  # a metavar such as `[NAME]...` is a usage already
            return self.takes
        word = f"{self.takes}{'...' if self.many else ''}"
        return word if self.required else f"[{word}]"


@dataclass(frozen=True)
class Command:
    """One command: its words, its docstring, its examples, its arguments and options."""

    words: str
    docstring: str
    examples: tuple[str, ...]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]


def commands(application: typer.Typer, words: str = "zoo", epilog: str | None = None) -> Iterator[Command]:
    """Yield the application, its commands and the commands of its groups, in the order of `--help`."""
    if application.registered_callback is not None:
        yield _command(words, application.registered_callback.callback, epilog)
    for each in application.registered_commands:
        yield _command(f"{words} {each.name}", each.callback, each.epilog)
    for group in application.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, f"{words} {group.name}", group.epilog)


def commands_page() -> str:
    from zoo.cli.app import app

    root, *rest = commands(app)
    options = (
        "## For all commands\n\nThese options are accepted anywhere on the line:",
        _table("option", root.options),
    )
    return page("# The command line", INTRODUCTION, *options, *(part for each in rest for part in _section(each)))


def _section(command: Command) -> Iterator[str]:
    yield f"## {command.words}"
    usage = " ".join((command.words, *(each.usage for each in command.arguments)))
    yield code(f"{usage} [OPTIONS]" if command.options else usage, "text")
    yield prose(command.docstring)
    if command.examples:
        yield code("\n".join(command.examples), "sh")
    if command.arguments:
        yield _table("argument", command.arguments)
    if command.options:
        yield _table("option", command.options)


def _table(noun: str, parameters: tuple[Parameter, ...]) -> str:
    return table((noun, "value", "default", "description"), map(_row, parameters))


def _row(parameter: Parameter) -> tuple[str, ...]:
    is_option = parameter.names[0].startswith("-")
    names = ", ".join(f"`{name}`" for name in parameter.names) if is_option else f"`{parameter.takes}`"
    takes = parameter.takes if is_option else ""
    many = " ..." if parameter.many else ""
    return names, f"{takes}{many}".strip(), parameter.default, escaped(parameter.help)


def _command(words: str, callback: Callable[..., Any] | None, epilog: str | None) -> Command:
    assert callback is not None
    found = [
        (info, _parameter(name, kind, info, parameter.default))
        for name, parameter in inspect.signature(callback, eval_str=True).parameters.items()
        if get_origin(parameter.annotation) is Annotated
        for kind, info in [get_args(parameter.annotation)[:2]]
        if not info.hidden
    ]
    arguments = tuple(each for info, each in found if isinstance(info, ArgumentInfo))
    options = tuple(each for info, each in found if isinstance(info, OptionInfo))
    examples = tuple((epilog or "").split("\n\n")[1:])  # after the heading
    return Command(words, callback.__doc__ or "", examples, arguments, options)


def _parameter(name: str, kind: Any, info: ArgumentInfo | OptionInfo, default: Any) -> Parameter:
    plain = next(each for each in get_args(kind) if each is not NoneType) if NoneType in get_args(kind) else kind
    many = get_origin(plain) is list
    single = get_args(plain)[0] if many else plain
    # inside Annotated, Typer stores the first option name in `default`
    words = (info.default, *(info.param_decls or ()))
    options = (word for word in words if isinstance(word, str) and word.startswith("-"))
    declared = tuple(name for word in options for name in word.split("/"))  # `--rows/--no-rows`
    names = (declared or _option_names(name, single)) if isinstance(info, OptionInfo) else (name,)
    takes = "" if single is bool else (info.metavar or TYPES[single])
    if isinstance(info, ArgumentInfo):
        takes = info.metavar or name.upper()
    required = default is inspect.Parameter.empty
    stated = info.show_default if isinstance(info.show_default, str) else _default_text(default)
    return Parameter(names, takes, stated, _plain(info.help or ""), required, many)


def _option_names(name: str, kind: type) -> tuple[str, ...]:
    word = name.strip("_").replace("_", "-")
    return (f"--{word}", f"--no-{word}") if kind is bool else (f"--{word}",)


def _default_text(default: Any) -> str:
    return "" if default is None or default is False or default is inspect.Parameter.empty else str(default)


def _plain(help_text: str) -> str:
    """Return a help text without the markup of Rich."""
    return re.sub(r"\[/?(?:bold|dim|italic|cyan|green|yellow|red)\]", "", " ".join(help_text.split()))
