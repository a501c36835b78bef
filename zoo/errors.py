"""The errors a user can act on. Each prints one line with the way out.

    ZooError
    ├── UsageError            the request is invalid (exit 2)
    │   └── UnknownName       no component, preset, parameter or run has this name
    ├── SettingsError         registry.toml cannot be read or has an invalid value
    ├── PluginError           a plugin broke its contract
    ├── DataError             rows, labels or files cannot be used
    │   └── ResamplingError   a resampler failed, or its rows do not match the request
    ├── ModelError            a network cannot be built or does not fit the data
    ├── SealError             the test set was opened twice, or before training had ended
    ├── Diverged              the loss or the logits became NaN or infinite
    └── StoreError            results cannot be written or read
        ├── StoreMoved        the results folder was removed, renamed or replaced while it was in use
        └── DamagedRecord     the record of a run or a study cannot be read

Any other exception that reaches the user is a bug and shows its traceback.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from zoo.visible import abridged, quoted, sentence

LONGEST_REASON = 300  # characters of another library's message


class ZooError(Exception):
    """The base class of all errors that a user can act on. The message becomes one printable line, see `sentence`."""

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        super().__init__(sentence(str(message)))


class UsageError(ZooError):
    """The request is invalid."""

    exit_code = 2


class NothingToRun(UsageError):
    """No combination of a request is possible; `reasons` has a line for each that was left out."""

    def __init__(self, reasons: Iterable[str] = ()) -> None:
        super().__init__("nothing to run: no requested combination is possible")
        self.reasons = tuple(reasons)

    def in_full(self) -> UsageError:
        """Return the error with its reasons, for callers who have not seen them."""
        return UsageError(f"{self}: {'; '.join(self.reasons)}") if self.reasons else self


class UnknownName(UsageError):
    """No component, preset, parameter or run has this name."""


class SettingsError(ZooError):
    """A registry.toml cannot be read or has an invalid value."""


class PluginError(ZooError):
    """A plugin broke its contract."""


class MissingLibrary(PluginError):
    """A component needs a library that is not installed."""


class DataError(ZooError):
    """Rows, labels or files cannot be used."""


class ResamplingError(DataError):
    """A resampler failed, or its rows do not match the request."""


class ModelError(ZooError):
    """A network cannot be built or does not fit the data."""


class SealError(ZooError):
    """The test set was opened a second time, or before training had ended."""


class Diverged(ZooError):
    """The loss or the logits became NaN or infinite."""


class StoreError(ZooError):
    """Results cannot be written or read."""


class StoreMoved(StoreError):
    """The results folder was removed, renamed or replaced while it was in use: results stored there would be lost."""


class DamagedRecord(StoreError):
    """The record of a run or a study cannot be read."""


@contextmanager
def guarded(kind: type[ZooError], what: str) -> Iterator[None]:
    """Run plugin code, and turn any exception, `sys.exit` included, into a ZooError of this kind, in one line."""
    try:
        yield
    except ZooError:
        raise
    except (Exception, SystemExit) as error:
        raise kind(f"{what}: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Return an exception as one line, as `zoo plugins` shows it."""
    if isinstance(error, SystemExit):
        return f"sys.exit({quoted(error.code)})"
    name = abridged(type(error).__name__, LONGEST_REASON)
    try:
        text = abridged(" ".join(str(error).split()), LONGEST_REASON)
    except BaseException as problem:
        text = f"its message cannot be shown ({type(problem).__name__})"
    return f"{name}: {text}" if text else name


def unknown_name(
    noun: str, name: str, known: Iterable[str], hint: str = "", *, elsewhere: Iterable[str] = ()
) -> UnknownName:
    """Return the error for an unknown name, with the closest names, or all names where they are few.

    `elsewhere` holds names of other places that the user may have meant. `hint` replaces a long list of names.
    """
    names = sorted(known)
    close = get_close_matches(name, [*names, *elsewhere], n=3, cutoff=0.6)
    if close:
        way_out = f"Did you mean {' or '.join(close)}?"
    elif len(names) <= 12:
        way_out = f"Available: {', '.join(names)}." if names else ""
    else:
        way_out = hint
    return UnknownName(f"no {noun} named {name!r}. {way_out}".rstrip())
