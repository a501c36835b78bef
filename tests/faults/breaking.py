"""Networks that break in every way: each in its `fault`, which is called once per training batch."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Good(nn.Module):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.fault()
        logits: Tensor = self.linear(x.flatten(1))
        return logits

    def fault(self) -> None: ...


class Interrupt(Good):
    def fault(self) -> None:
        raise KeyboardInterrupt


class Closed(Good):
    def fault(self) -> None:
        raise GeneratorExit


class Stopped(Good):
    def fault(self) -> None:
        raise StopIteration


class OfItsOwn(BaseException):
    pass


class Own(Good):
    def fault(self) -> None:
        raise OfItsOwn("mine")


class Exit(Good):
    def fault(self) -> None:
        sys.exit("x" * 3_000_000)


class Wordless(Exception):
    def __str__(self) -> str:
        raise KeyboardInterrupt


class NoText(Good):
    def fault(self) -> None:
        raise Wordless


class LongText(Good):
    def fault(self) -> None:
        raise ValueError("a\n\x1b[31m\u202e\ud800" * 500_000)


class Deep(Good):
    def fault(self) -> None:
        self.fault()


class Sleep(Good):
    def fault(self) -> None:
        time.sleep(10_000)


class Stubborn(Good):
    """Catches what interrupts it, and raises something else."""

    def fault(self) -> None:
        try:
            time.sleep(10_000)
        except BaseException:
            raise ValueError("not now") from None


class Importing(Good):
    """Its time passes in the middle of an import, which must not be torn apart."""

    def fault(self) -> None:
        import slow_module

        assert slow_module.whole
        time.sleep(10_000)


class Always(Good):
    """Sleeps in every call, also when its operations are counted."""

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(10_000)
        return super().forward(x)


class Init(Good):
    def __init__(self, **shape: Any) -> None:
        raise KeyboardInterrupt


class SleepyInit(Good):
    def __init__(self, **shape: Any) -> None:
        time.sleep(10_000)


class Fork(Good):
    def fault(self) -> None:
        os.fork()


class EndingFork(Good):
    """Forks as libraries do, and waits for the copy: this is allowed."""

    def fault(self) -> None:
        copy = os.fork()
        if copy == 0:
            os._exit(0)
        os.waitpid(copy, 0)


class Hang(Good):
    def fault(self) -> None:
        sum(range(10**13))


class AlwaysHang(Good):
    def forward(self, x: Tensor) -> Tensor:
        sum(range(10**13))
        return super().forward(x)


class Segfault(Good):
    def fault(self) -> None:
        ctypes.string_at(0)


class Abort(Good):
    def fault(self) -> None:
        os.abort()


class Leave(Good):
    def fault(self) -> None:
        os._exit(3)


class AlwaysLeave(Good):
    def forward(self, x: Tensor) -> Tensor:
        os._exit(4)


class OneRowLeave(Good):
    """Works with batches, and ends the process for one row, which it first sees when its latency is measured."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 1 and not x.is_meta:
            os._exit(6)
        return super().forward(x)


class OneRowSegfault(Good):
    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 1 and not x.is_meta:
            ctypes.string_at(0)
        return super().forward(x)


class OneRowHang(Good):
    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 1 and not x.is_meta:
            sum(range(10**13))
        return super().forward(x)


class OneRowRaise(Good):
    def forward(self, x: Tensor) -> Tensor:
        if len(x) == 1 and not x.is_meta:
            raise KeyboardInterrupt
        return super().forward(x)


class InitLeave(Good):
    def __init__(self, **shape: Any) -> None:
        os._exit(5)


class Kill(Good):
    def fault(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Greedy(Good):
    def fault(self) -> None:
        self.kept = [torch.ones(2**27) for _ in range(10_000)]


class Thread(Good):
    def fault(self) -> None:
        threading.Thread(target=time.sleep, args=(10_000,)).start()


class Swallow(Good):
    """Says that it trains, and takes Ctrl-C for nothing."""

    def fault(self) -> None:
        if Path("training").exists():
            return
        Path("training").touch()
        with contextlib.suppress(BaseException):
            time.sleep(20)
