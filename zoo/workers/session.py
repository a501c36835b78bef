"""A Ray session of this process's own, or its place in a cluster: silent, and gone without a trace."""

import contextlib
import io
import logging
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import psutil
import ray

from zoo.errors import UsageError, describe
from zoo.interruption import TERMINATED
from zoo.workers.limits import gpus_there

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # without it Tune prints tables even when told to be silent
    "TUNE_GLOBAL_CHECKPOINT_S": "100000",  # nobody reads Tune's own state
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # it would swallow Ctrl-C, also long after the search
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # else workers run at the lowest priority
    "RAY_memory_monitor_refresh_ms": "0",  # it would end the whole search where one trial takes too much
    "OMP_NUM_THREADS": "1",
}
PREFIX = "zoo-"
OWNER = "owner"  # the file in a session's folder that says which process on which host it is of
MIB = 2**20
ANSWER_SECONDS = 5.0


class Workers:
    """A place for worker processes: on this machine alone or, with `address`, on a running cluster of Ray's.

    jobs          how many work at a time
    cpus_each     CPUs that each takes
    gpus_each     GPUs, or a share of one, that each takes
    shared_bytes  the size of all data they share, where that is known: Ray's own choice is a third of the memory
    address       of the cluster: `auto`, `host:port` or `ray://host:port`; None for this machine alone

    A context that ends what `start` started; until then it costs nothing.
    """

    def __init__(
        self,
        jobs: int,
        *,
        cpus_each: int = 1,
        gpus_each: float = 0.0,
        shared_bytes: int | None = None,
        address: str | None = None,
    ) -> None:
        self.jobs, self.cpus_each, self.gpus_each = jobs, cpus_each, gpus_each
        self.shared_bytes, self.address = shared_bytes, address
        self.folder: Path | None = None  # of the session's files, which are this machine's alone
        self._stack = contextlib.ExitStack()
        self._started = self._terminated = False
        self._before: Any = signal.SIG_DFL  # what SIGTERM does outside of the session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._started = False
        if self._terminated:  # whatever caught it on its way
            self._leave()

    @property
    def terminated(self) -> bool:
        """Whether SIGTERM came."""
        return self._terminated

    def start(self, seen_by_all: Path) -> None:
        """Start Ray, or join the cluster, unless that is done.

        `seen_by_all` is the folder that workers write checkpoints to. Raises UsageError where Ray runs in this process
        already, where there is no such cluster, and where one of its nodes cannot do the work.
        """
        if self._started:
            return
        if ray.is_initialized():
            raise UsageError("Ray is running in this process already: end it by ray.shutdown(), and try again")
        self._before = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
        self._stack.callback(_on_sigterm, self._before)
        self._stack.enter_context(environment(ENVIRONMENT))
        # The message that a worker died is printed to whatever stands there as sys.stdout.
        self._stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        try:
            self._start_here() if self.address is None else self._join(self.address)
        except SystemExit:  # what Ray has SIGTERM raise while it starts; in its last moments it sets an alarm, to abort
            self._terminated = True
            signal.alarm(0)
            raise
        _on_sigterm(signal.SIG_IGN if self._before == signal.SIG_IGN else self._leave)
        if self.address is not None:
            from zoo.workers.nodes import check_nodes

            check_nodes(seen_by_all, self.gpus_each)
        self._started = True

    def _start_here(self) -> None:
        gpus = gpus_there(self.gpus_each)
        remove_dead_sessions()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_folder()))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / OWNER).write_text(f"{socket.gethostname()} {os.getpid()}")
        known = self.shared_bytes
        self._stack.callback(ray.shutdown)
        ray.init(
            address="local",  # not a cluster that an environment variable names
            num_cpus=self.jobs * self.cpus_each,
            num_gpus=gpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            object_store_memory=None if known is None else max(100 * MIB, int(1.3 * known) + 50 * MIB),
            _temp_dir=str(self.folder),
        )

    def _join(self, address: str) -> None:
        knock(address)
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
        except (Exception, SystemExit) as error:
            if isinstance(error, SystemExit) and error.code == signal.SIGTERM:
                raise
            raise _nobody(address, error) from None
        self._stack.callback(ray.shutdown)  # leaves it; the cluster goes on

    def _leave(self, *_: Any) -> NoReturn:
        """Do what SIGTERM does outside of the session, or raise SystemExit where that ends the process at once."""
        self._terminated = True
        if callable(self._before):
            self._before(signal.SIGTERM, None)
        raise SystemExit(TERMINATED)


def _on_sigterm(handler: Any) -> None:
    """Set what SIGTERM does; Ray brings a handler of its own, which would leave its folder and its processes behind."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def knock(address: str) -> None:
    """Raise UsageError where nobody answers at a cluster's address: Ray would try again for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise _nobody(address, error) from None


def _nobody(address: str, error: BaseException) -> UsageError:
    reason = " ".join(describe(error).split())[:200]
    return UsageError(f"no Ray cluster to join at {address!r}: start one by `ray start --head` ({reason})")


def remove_dead_sessions() -> None:
    """Remove the folders of sessions on this host whose process is gone, as after a kill."""
    for folder in _short_folder().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):  # another user's, or none of ours
            host, process = (folder / OWNER).read_text().split()
            ours = re.fullmatch(rf"{PREFIX}\w+", folder.name) and host == socket.gethostname()
            if ours and not psutil.pid_exists(int(process)):
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the time of the context."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _short_folder() -> Path:
    """Where the session's folder is made: the paths of its sockets may have 107 characters in all."""
    short = Path("/tmp")
    return short if os.access(short, os.W_OK) else Path(tempfile.gettempdir())
