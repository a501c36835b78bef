"""Parsing of the command line, one line per user error, and the documented exit codes."""

import re
import sys
import traceback
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from zoo.errors import ZooError
from zoo.interruption import exit_code
from zoo.visible import sentence

GRID_OPTIONS = frozenset({"--block", "--data", "--loss", "--treatment", "--dataset", "--protocol", "--scale"})
GLOBAL_OPTIONS = {"--config": 1, "--registry": 1, "--debug": 0}  # with the number of values that each takes
WRONG_USAGE = 2
# Typer contains its own copy of click and exports only the subclasses of this class.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class ZooGroup(TyperGroup):
    """The command group: prints a ZooError as one line, and accepts the global options anywhere on the line."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _ending_in_order():
            return super().make_context(*args, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, _global_first(args))
        except _UsageError as error:
            raise _one_line(ctx, error) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            with _ending_in_order():
                result = super().invoke(ctx)
                sys.stdout.flush()
                return result
        except _UsageError as error:
            raise _one_line(ctx, error) from None
        except ZooError as error:
            if ctx.params.get("debug"):
                _say(*traceback.format_exc().splitlines())
            else:
                _say(f"error: {error}")
            raise typer.Exit(error.exit_code) from None


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Print one line if the output cannot be written, and after Ctrl-C or SIGTERM if the command printed none."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        _say("interrupted")
        raise typer.Exit(exit_code(stopped)) from None
    except BrokenPipeError:  # `zoo list | head`: Typer exits without a message
        raise
    except OSError as error:
        if error.filename is not None:  # an error of a file, not of a stream: a bug
            raise
        _say(f"error: the output cannot be written: {error.strerror}")
        raise typer.Exit(1) from None


def _one_line(ctx: Any, error: Any) -> BaseException:
    """Print a usage error as one line. `zoo` without a command shows the help instead."""
    if type(error).__name__ == "NoArgsIsHelpError":
        shows_help: BaseException = error
        return shows_help
    message = error.format_message().rstrip(".")
    place = error.ctx or ctx
    inner = getattr(place, "invoked_subcommand", None) if error.ctx is None else None
    command = f"{place.command_path} {inner}" if inner else place.command_path
    stop = "" if message.endswith("?") else "."
    study = re.fullmatch("No such command '(.*)'", message) if command.endswith(" studies") else None
    way_out = f"To show a study: {command} show {study[1]}" if study else f"`{command} --help` shows the usage."
    _say(f"error: {message[0].lower()}{message[1:]}{stop} {way_out}")
    return typer.Exit(WRONG_USAGE)


def _say(*lines: str) -> None:
    for line in lines:
        print(sentence(line), file=sys.stderr)  # noqa: T201 - no markup and no wrapping


class GridCommand(TyperCommand):
    """A command whose grid options take several values: `--data original smote`.

    This works only after the first architecture. Before it, the word after the first value is the architecture, so
    that `zoo bench --data smote cnngru` is read correctly.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        flags = {name for parameter in self.params if getattr(parameter, "is_flag", False) for name in parameter.opts}
        return super().parse_args(ctx, _spread(args, flags | {"-h", "--help"}))


def _global_first(args: list[str]) -> list[str]:
    first: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(args):
        name = args[position].partition("=")[0]
        values = 0 if "=" in args[position] else GLOBAL_OPTIONS.get(name, 0)
        taken = args[position : position + 1 + values]
        (first if name in GLOBAL_OPTIONS else rest).extend(taken)
        position += len(taken)
    return first + rest


def _spread(args: list[str], flags: Set[str]) -> list[str]:
    """Repeat a grid option before each of its values. `flags` are the options without a value."""
    spread: list[str] = []
    axis, named, owed = "", False, False  # owed: the next word is the value of the option before it
    for word in args:
        if word.startswith("-") and not owed:
            name, given, _ = word.partition("=")
            axis = name if name in GRID_OPTIONS else ""
            owed = not given and name not in flags
        elif owed:
            owed = False
        elif axis and named:
            spread.append(axis)
        else:
            axis, named = "", True
        spread.append(word)
    return spread
