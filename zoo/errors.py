"""What can go wrong, as the user sees it: one line that says what to do next.

    ZooError
    ├── UsageError            the request makes no sense (exit 2)
    │   └── UnknownName       no such component, preset, parameter or run
    ├── SettingsError         registry.toml cannot be read or says something impossible
    ├── PluginError           a plugin broke its contract
    ├── DataError             rows, labels or files that cannot be used
    │   └── ResamplingError   a resampler that cannot do, or did not do, what was asked
    ├── ModelError            a network cannot be built or does not fit the data
    ├── SealError             the test set was opened twice, or before training had ended
    ├── Diverged              the loss or the logits became NaN or infinite
    └── StoreError            results cannot be written or read

Anything else that reaches the user is a bug and shows its traceback.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class ZooError(Exception):
    """The root of all errors that a user can do something about."""

    exit_code = 1


class UsageError(ZooError):
    """The request makes no sense as it was put."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that nothing answers to."""


class SettingsError(ZooError):
    """A registry.toml that cannot be read or says something impossible."""


class PluginError(ZooError):
    """A plugin that broke its contract."""


class DataError(ZooError):
    """Rows, labels or files that cannot be used."""


class ResamplingError(DataError):
    """A resampler that cannot do, or did not do, what was asked."""


class ModelError(ZooError):
    """A network that cannot be built or does not fit the data."""


class SealError(ZooError):
    """The test set was opened a second time, or before training had ended."""


class Diverged(ZooError):
    """The loss or the logits became NaN or infinite."""


class StoreError(ZooError):
    """Results that cannot be written or read."""


@contextmanager
def guarded(kind: type[ZooError], what: str) -> Iterator[None]:
    """Runs code of a plugin's: whatever it raises, `sys.exit` included, becomes a ZooError of one line."""
    try:
        yield
    except ZooError:
        raise
    except (Exception, SystemExit) as error:
        raise kind(f"{what}: {describe(error)}") from error


def describe(error: BaseException) -> str:
    """An exception in one line, as a row of `zoo plugins` shows it."""
    if isinstance(error, SystemExit):
        return f"sys.exit({error.code!r})"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def unknown_name(
    noun: str, name: str, known: Iterable[str], hint: str = "", *, elsewhere: Iterable[str] = ()
) -> UnknownName:
    """The error for a name that nothing answers to, with the nearest names there are, here or elsewhere."""
    names = sorted(known)
    close = get_close_matches(name, [*names, *elsewhere], n=3, cutoff=0.6)
    if close:
        way_out = f"Did you mean {' or '.join(close)}?"
    elif len(names) <= 12:
        way_out = f"There is {', '.join(names)}." if names else "There is none."
    else:
        way_out = hint
    return UnknownName(f"no {noun} named {name!r}. {way_out or hint}".rstrip())
