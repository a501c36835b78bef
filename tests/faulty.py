"""A plugin for tests of studies: a tiny network that ends as it is told, and a searcher that proposes in order."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from ray.tune.search import Searcher as TuneSearcher
from torch import Tensor, nn

import zoo
from zoo.data.series import LabelledSeries

HOWS = ("fine", "raise", "exit", "nan", "memory", "greedy", "sleep", "swallow", "kill", "fine")


@zoo.hookimpl
def zoo_components() -> Iterable[Any]:
    space: zoo.Space = {"how": zoo.Choice(*dict.fromkeys(HOWS)), "place": zoo.Int(0, len(HOWS))}
    return [
        zoo.Architecture(name="faulty", factory="faulty:Faulty", summary="Ends as told.", spaces={"default": space}),
        zoo.Architecture(name="steady", factory="faulty:Steady", summary="Takes its time, and says when."),
        zoo.Searcher(name="in-order", factory="faulty:InOrder", summary="Each way to end, in order."),
        zoo.Dataset(name="levels", factory="faulty:levels", summary="Two classes that differ in level."),
        zoo.Searcher(name="no-searcher", factory="faulty:no_searcher", summary="Makes a list, or fails."),
    ]


class Faulty(nn.Module):
    def __init__(self, *, n_channels: int, n_times: int, n_classes: int, how: str = "fine", place: int = 0) -> None:
        super().__init__()
        self.how = how
        self.linear = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(x.flatten(1))
        if self.how == "huge":
            return logits * 1e12
        return self.end(logits) if self.training and self.how != "fine" else logits

    def end(self, logits: Tensor) -> Tensor:
        if self.how == "leaks":
            torch.set_default_dtype(torch.float64)
            os.environ["LEAKED"] = "1"
            return logits
        if self.how == "exit":
            sys.exit(3)
        if self.how == "nan":
            return logits * float("nan")
        if self.how == "memory":
            raise torch.OutOfMemoryError("CUDA out of memory, as it were")
        if self.how == "greedy":
            return torch.stack([torch.empty(2**28) for _ in range(10_000)])
        if self.how == "sleep":
            time.sleep(60)
        if self.how == "swallow":
            return self.endless()
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ValueError("it is broken")

    def endless(self) -> Tensor:
        """Takes the first thing that is raised in it for nothing."""
        with contextlib.suppress(BaseException):
            while True:
                pass
        while True:
            pass


class Steady(nn.Module):
    """Writes a line to `log` for each epoch that it is trained."""

    def __init__(
        self, *, n_channels: int, n_times: int, n_classes: int, pause: float = 0.3, log: str = "", width: int = 4
    ) -> None:
        super().__init__()
        self.pause, self.log = pause, log
        self.layers = nn.Sequential(nn.Linear(n_channels * n_times, width), nn.ReLU(), nn.Linear(width, n_classes))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x.flatten(1))
        return logits

    def train(self, mode: bool = True) -> "Steady":
        if mode and self.layers[0].weight.device.type != "meta":
            time.sleep(self.pause)
        if mode and self.log and self.layers[0].weight.device.type != "meta":
            with Path(self.log).open("a") as file:
                file.write(f"{os.getpid()} {float(self.layers[0].weight.detach().sum())!r}\n")
        super().train(mode)
        return self


class InOrder(TuneSearcher):
    def __init__(self, *, seed: int, startup: int) -> None:
        super().__init__()
        self.proposed = 0

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        return True

    def suggest(self, trial_id: str) -> dict[str, Any]:
        self.proposed += 1
        return {"how": HOWS[self.proposed - 1], "place": self.proposed - 1}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None: ...


def levels(*, level: float = 1.0) -> LabelledSeries:
    labels = torch.arange(60) % 2
    values = level * labels[:, None, None] + torch.arange(8.0) + torch.arange(len(labels))[:, None, None]
    return LabelledSeries(values.numpy(), labels.numpy(), ("low", "high"))


def no_searcher(*, seed: int, startup: int, whole: int = 0) -> list[int]:
    if whole <= startup:
        raise RuntimeError("no such thing")
    return [seed, startup, whole]
