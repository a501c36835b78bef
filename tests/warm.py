"""The command line in a process of its own, without the seconds that a fresh interpreter takes to import torch.

Run as a program, this imports the libraries that the zoo stands on and the modules of its commands, but no plugin, and
waits: no module of the zoo looks at arguments, variables, folders or streams at its import. Each line on its standard
input asks for one run of `python -m zoo`. That happens in a fork, with arguments, variables, a working folder, streams
and an exit code of its own.
"""

import atexit
import contextlib
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

LIBRARIES = (
    "imblearn.over_sampling",
    "msgspec.json",
    "numpy",
    "pluggy",
    "pyarrow.csv",
    "pyarrow.parquet",
    "pydantic.type_adapter",  # typer imports it when a command starts
    "rich.live",
    "rich.progress",
    "rich.table",
    "safetensors.torch",
    "scipy.special",
    "sqlite3",
    "tomlkit",
    "tomllib",
    "torch",
    "torch._dynamo",
    "torch.utils.flop_counter",
    "typer",
    "zoo.cli.app",
    "zoo.harness.bench",
)


class Warm:
    """The waiting process, from the side of the tests; it starts with its first run."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # of the session, not of the test that runs first

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def run(
        self, words: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` would return for `python -m zoo`. Raises TimeoutExpired."""
        with tempfile.TemporaryDirectory() as folder:
            streams = [Path(folder, name) for name in ("stdout", "stderr")]
            for stream in streams:
                stream.touch()
            code = self.code(words, env=env, cwd=cwd, timeout=timeout, streams=list(map(str, streams)))
            return subprocess.CompletedProcess(["zoo", *words], code, *(stream.read_text() for stream in streams))

    def code(
        self, words: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float, streams: Sequence[str]
    ) -> int:
        """The exit code of a run that writes to these two files, or terminals. Raises TimeoutExpired."""
        asked = {"words": list(words), "env": dict(env), "cwd": str(cwd), "streams": list(streams)}
        code = self._ask(asked, timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["zoo", *words], timeout)
        return code

    def _ask(self, asked: Mapping[str, Any], timeout: float) -> int | None:
        if self.process is None:
            command = [sys.executable, __file__]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.process = subprocess.Popen(command, env=self.environment, **pipes)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps({**asked, 'timeout': timeout})}\n")
        self.process.stdin.flush()
        code: int | None = json.loads(self.process.stdout.readline())
        return code


def main() -> None:
    """Answer until nobody asks any more: the exit code of each run, or null where it took too long."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_zoo(asked)
        sys.stdout.write(f"{json.dumps(_code(child, asked['timeout']))}\n")
        sys.stdout.flush()


def _code(child: int, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _be_zoo(asked: Mapping[str, Any]) -> None:
    """Become `python -m zoo` and end as it does."""
    code: Any = 1
    try:
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["env"])
        for number, path in enumerate((os.devnull, *asked["streams"])):
            os.dup2(os.open(path, os.O_RDWR), number)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - until the process ends
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        places = [place for place in asked["env"].get("PYTHONPATH", "").split(os.pathsep) if place]
        sys.path[:] = [asked["cwd"], *places, *[place for place in sys.path[1:] if place not in places]]
        sys.argv[:] = ["zoo", *asked["words"]]
        runpy.run_module("zoo", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = 0 if end.code is None else end.code
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    main()
