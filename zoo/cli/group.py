"""How the command line reads its arguments and ends: one line for a user's error, exit codes as documented."""

import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from zoo.errors import ZooError
from zoo.interruption import exit_code

GRID_OPTIONS = frozenset({"--block", "--data", "--loss", "--dataset", "--protocol"})
GLOBAL_OPTIONS = {"--registry": 1, "--debug": 0}  # with how many values each takes
WRONG_USAGE = 2
# Typer brings its own copy of click and exports this class's children only.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class ZooGroup(TyperGroup):
    """Turns a ZooError into one line, and takes the global options anywhere on the line."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _stopped_in_order():
            return super().make_context(*args, **extra)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, _global_first(args))
        except _UsageError as error:
            raise _one_line(ctx, error) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            with _stopped_in_order():
                result = super().invoke(ctx)
                sys.stdout.flush()
                return result
        except _UsageError as error:
            raise _one_line(ctx, error) from None
        except BrokenPipeError:  # `zoo list | head`: Typer ends that quietly
            raise
        except OSError as error:
            if error.filename is not None:  # not of a stream, and so none of the user's making
                raise
            _say(f"error: the output cannot be written: {error.strerror}")
            raise typer.Exit(1) from None
        except ZooError as error:
            if ctx.params.get("debug"):
                raise
            _say(f"error: {error}")
            raise typer.Exit(error.exit_code) from None


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """One line for Ctrl-C and SIGTERM, where a command has not more to say of it."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        _say("interrupted")
        raise typer.Exit(exit_code(stopped)) from None


def _one_line(ctx: Any, error: Any) -> BaseException:
    """A usage error as one line; a bare `zoo` is not one, and shows the help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        shows_help: BaseException = error
        return shows_help
    message = error.format_message().rstrip(".")
    command = (error.ctx or ctx).command_path
    stop = "" if message.endswith("?") else "."
    _say(f"error: {message[0].lower()}{message[1:]}{stop} `{command} --help` shows what there is.")
    return typer.Exit(WRONG_USAGE)


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - no markup, no wrapping: the line as it is


class GridCommand(TyperCommand):
    """Lets the options of an axis take several values: `--data original smote`.

    They do once an architecture has been named; before, the word after the first value is an architecture,
    so that `zoo bench --data smote cnngru` means what it says.
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
    """Repeat an axis's option before each of its values; `flags` are the options that take none."""
    spread: list[str] = []
    axis, named, owed = "", False, False  # owed: the word to come belongs to the option before it
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
