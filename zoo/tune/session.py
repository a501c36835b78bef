"""A Ray session of this process's own: silent, without a dashboard or usage statistics, and gone without a trace."""

import contextlib
import io
import logging
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import ray

from zoo.errors import UsageError

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
MIB = 2**20


@contextlib.contextmanager
def ray_session(
    *, jobs: int, pending: int, gpus: int, shared_bytes: int, on_folder: Callable[[str], None]
) -> Iterator[Path]:
    """Start Ray on this machine alone for `jobs` workers, and end it; gives the session's folder.

    `pending` trials may wait for a worker: with Tune's own choice of one, a second worker would never come up.
    `on_folder` is told the folder before anything lies in it. Raises UsageError where Ray runs in this process already.
    """
    if ray.is_initialized():
        raise UsageError("Ray is running in this process already: end it by ray.shutdown(), and tune again")
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=_short_folder())
    on_folder(folder)
    store = max(100 * MIB, int(1.3 * shared_bytes) + 50 * MIB)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_environment({**ENVIRONMENT, "TUNE_MAX_PENDING_TRIALS_PG": str(pending)}))
        # The message that a worker died is printed to whatever stands there as sys.stdout.
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.callback(ray.shutdown)
        ray.init(
            address="local",  # not a cluster that an environment variable names
            num_cpus=jobs,
            num_gpus=gpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            object_store_memory=store,
            _temp_dir=folder,
        )
        stack.enter_context(_orderly_sigterm())
        yield Path(folder)


def remove_session(folder: str) -> None:
    """Remove what a session of a process that is gone has left; nothing but such a folder is ever removed."""
    path = Path(folder)
    if re.fullmatch(rf"{PREFIX}\w+", path.name) and path.parent == _short_folder():
        shutil.rmtree(path, ignore_errors=True)


def _short_folder() -> Path:
    """Where the session's folder is made: the paths of its sockets may have 107 characters in all."""
    short = Path("/tmp")
    return short if os.access(short, os.W_OK) else Path(tempfile.gettempdir())


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
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


@contextlib.contextmanager
def _orderly_sigterm() -> Iterator[None]:
    """SIGTERM ends the session in order; Ray's own handler would leave its folder and its processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(*_: Any) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
