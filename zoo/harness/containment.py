"""Containment: what a network raises ends its run, and not the bench; a signal to the process ends the bench."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from zoo.errors import ModelError, describe
from zoo.interruption import noticed
from zoo.store.last_words import HUNG, last_words
from zoo.workers.forks import check_forks
from zoo.workers.limits import Deadline, deadline

NATIVE_SECONDS = 30.0  # after the time limit of a run, then code that cannot be interrupted ends the process


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Turn an exception that is no Exception, such as a KeyboardInterrupt of the network itself, into a ModelError.

    The exception of a signal, and that of a time limit, get out even if the network catches them. A fork whose copy
    has returned is a ModelError, too.
    """
    with noticed() as signals:
        try:
            yield
        except (Exception, SystemExit, Deadline):
            if signals:
                raise signals[0] from None
            raise
        except BaseException as error:
            if signals:
                raise signals[0] from None
            raise ModelError(describe(error)) from error
    if signals:
        raise signals[0]
    check_forks()


@contextlib.contextmanager
def limited(seconds: float | None, folder: Path) -> Iterator[None]:
    """Raise Deadline after this number of seconds; keep the last words of the process in the folder of the run."""
    with last_words(folder), deadline(seconds, folder / HUNG, grace=NATIVE_SECONDS):
        yield
