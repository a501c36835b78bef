"""Checks in a process of their own, each with a time limit: a check that hangs or crashes fails, and the others run."""

import multiprocessing
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from zoo.registry import Registry
from zoo.testing.check import Check
from zoo.testing.collection import Subject
from zoo.testing.running import ChecksHere, CheckStatus, Measures, Outcome
from zoo.workers.forks import die_with_parent
from zoo.workers.limits import import_slow_modules

END_SECONDS = 5.0


class ChecksApart:
    """A context that runs the checks of subjects in a process, a fork of this one; a new one after a hang or a crash.

    The limit of each check is `timeout` seconds.
    """

    def __init__(self, registry: Registry, subjects: Sequence[Subject], timeout: float) -> None:
        self.registry, self.subjects, self.timeout = registry, subjects, timeout
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> "ChecksApart":
        import_slow_modules()  # once, not in every process
        self._start()  # while this process has no other threads
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, subject: Subject, check: Check) -> Outcome:
        """Run one check and return its outcome."""
        started = time.perf_counter()
        place = (self.subjects.index(subject), subject.checks.index(check))
        try:
            status, message, trace = self._ask(place)
        except TimeoutError:
            status, message, trace = CheckStatus.FAILED, f"exceeded its limit of {self.timeout:g} s", ""
        except EOFError:
            status, message, trace = CheckStatus.FAILED, f"its process died: {self._cause()}", ""
        return Outcome(check, status, message, time.perf_counter() - started, trace)

    def measures(self, subject: Subject) -> Measures:
        """Return the measures of a subject whose checks have run; nothing is known after a hang or a crash."""
        try:
            found: Measures = self._ask((self.subjects.index(subject), None))
        except (TimeoutError, EOFError):
            self._end()
            return Measures()
        return found

    def _ask(self, place: tuple[int, int | None]) -> Any:
        """Return the answer of the process. Raises TimeoutError after the limit, EOFError if the process has died."""
        if self._process is None or not self._process.is_alive():
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(place)
            if self._pipe.poll(self.timeout):
                return self._pipe.recv()
        except OSError:
            raise EOFError from None
        self._end()
        raise TimeoutError

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(self.registry, self.subjects, other), daemon=True)
        self._process.start()
        other.close()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(END_SECONDS)
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _cause(self) -> str:
        assert self._process is not None
        self._process.join(END_SECONDS)
        code = self._process.exitcode
        self._end()
        if code is None:
            return "it has closed its connection"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _serve(registry: Registry, subjects: Sequence[Subject], pipe: Connection) -> None:
    """Answer until the other side ends: run the check that it names, or return the measures of a subject."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the other side, which ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()
    with ChecksHere(registry) as runner:
        while True:
            try:
                number, place = pipe.recv()
            except EOFError:
                return
            subject = subjects[number]
            with redirect_stdout(sys.stderr):
                if place is None:
                    pipe.send(runner.measures(subject))
                    continue
                outcome = runner.run(subject, subject.checks[place])
            pipe.send((outcome.status, outcome.message, outcome.traceback))
