"""A Ray session of this process, or its connection to a cluster: silent, and removed completely at the end."""

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
from zoo.workers.watcher import watched

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # without it Tune prints tables even with verbose=0
    "TUNE_GLOBAL_CHECKPOINT_S": "100000",  # nobody reads Tune's own state
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # it would catch Ctrl-C, even long after the search
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # otherwise workers run at the lowest priority
    "RAY_memory_monitor_refresh_ms": "0",  # it would end the whole search if one trial takes too much memory
    "OMP_NUM_THREADS": "1",
}
PREFIX = "zoo-"
OWNER = "owner"  # the file in a session's folder with the host and the process that own it
MIB = 2**20
ANSWER_SECONDS = 5.0


class Workers:
    """A context for worker processes on this machine or, with `address`, on a running Ray cluster.

    jobs          the number of worker processes at a time
    cpus_each     CPUs for each of them
    gpus_each     GPUs, or a share of one, for each of them
    shared_bytes  the size of all data they share, if known: otherwise Ray reserves a third of the memory
    address       the cluster: `auto`, `host:port` or `ray://host:port`; None for this machine

    Ray starts only with `start`; the end of the context stops it.
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
        self.folder: Path | None = None  # of the session's files, on this machine only
        self._stack = contextlib.ExitStack()
        self._started = self._terminated = False
        self._before: Any = signal.SIG_DFL  # the handler of SIGTERM outside the session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._started = False
        if self._terminated:  # even if other code has caught the exception
            self._leave()

    @property
    def terminated(self) -> bool:
        """Whether SIGTERM was received."""
        return self._terminated

    def start(self, seen_by_all: Path) -> None:
        """Start Ray, or join the cluster; a second call does nothing.

        `seen_by_all` is the folder for checkpoints, which every node must access. Raises UsageError if Ray already runs
        in this process, if the cluster does not exist, or if one of its nodes is not usable.
        """
        if self._started:
            return
        if ray.is_initialized():
            raise UsageError("Ray already runs in this process: stop it with ray.shutdown(), and try again")
        self._before = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
        self._stack.callback(_on_sigterm, self._before)
        self._stack.enter_context(environment(ENVIRONMENT))
        # Ray prints the message that a worker died to sys.stdout.
        self._stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        try:
            self._start_here() if self.address is None else self._join(self.address)
        except SystemExit:  # Ray raises it on SIGTERM while it starts; then it also sets an alarm that aborts
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
        self._stack.enter_context(watched(self.folder))
        self._stack.callback(ray.shutdown)
        ray.init(
            address="local",  # not the cluster of an environment variable
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
        self._stack.callback(ray.shutdown)  # disconnects; the cluster keeps running

    def _leave(self, *_: Any) -> NoReturn:
        """Call the handler of SIGTERM outside the session, or raise SystemExit if the default would end the process."""
        self._terminated = True
        if callable(self._before):
            self._before(signal.SIGTERM, None)
        raise SystemExit(TERMINATED)


def _on_sigterm(handler: Any) -> None:
    """Set the handler of SIGTERM; Ray's own handler would leave its folder and its processes behind."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def knock(address: str) -> None:
    """Raise UsageError if no cluster answers at the address: Ray would retry for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isascii() and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
        except (OSError, OverflowError, ValueError) as error:
            raise _nobody(address, error) from None


def _nobody(address: str, error: BaseException) -> UsageError:
    reason = " ".join(describe(error).split())[:200]
    return UsageError(f"no Ray cluster to join at {address!r}: start one with `ray start --head` ({reason})")


def remove_dead_sessions() -> None:
    """Remove the folders of sessions on this host whose process no longer exists, for example after a kill."""
    for folder in _short_folder().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):  # another user's folder, or not a session
            host, process = (folder / OWNER).read_text().split()
            ours = re.fullmatch(rf"{PREFIX}\w+", folder.name) and host == socket.gethostname()
            if ours and not psutil.pid_exists(int(process)):
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within the context."""
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
    """Return the parent of the session's folder; it is short, since socket paths are limited to 107 characters."""
    short = Path("/tmp")
    return short if os.access(short, os.W_OK) else Path(tempfile.gettempdir())
