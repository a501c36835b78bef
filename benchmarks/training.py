"""Rows trained per second: the zoo's loop compared with the usual DataLoader loop.

    python benchmarks/training.py [--rounds 5] [--threads 1] [--nets tiny cnn2d.study cnngru.study]

Both use the same network, batch size, optimiser and rows (the embedded heartbeats). The loops run in turn, and the
order changes from round to round, so a busy machine slows all loops. The ratio is the median over the rounds. The zoo
trains once in float32 and once with its default precision (`auto`: bf16 if it is faster).

Goals: never below the loop; at least 1.25 for the tiny network; at least 1.9 for cnn2d.study with bf16.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import zoo
from zoo.data.rows import Rows
from zoo.factories import load_factory
from zoo.registry import Registry
from zoo.settings import Settings
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, Learner, train

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


class Tiny(nn.Module):
    """A network so small that the loop around it dominates the time: 8 filters, 173 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(1, 8, 15, stride=8), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 5)
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


@dataclass(frozen=True)
class Contest:
    """One network, its batch size, and enough rows for some seconds per round."""

    build: Callable[[], nn.Module]
    batch_size: int
    rows: int


CONTESTS = {
    "tiny": Contest(Tiny, 32, 20_000),
    "cnn2d.study": Contest(lambda: zoo.build("cnn2d.study", **BEAT), 16, 800),
    "cnngru.study": Contest(lambda: zoo.build("cnngru.study", **BEAT), 32, 480),
}


class Nobody:
    def on_batch(self, epoch: int, rows_done: int, rows: int, loss: float) -> None: ...
    def on_epoch(self, epoch: Epoch) -> None: ...


def usual_loop(model: nn.Module, rows: Rows, batch_size: int) -> None:
    """Train one epoch with the loop of most tutorials and papers."""
    dataset = TensorDataset(torch.from_numpy(rows.values), torch.from_numpy(rows.labels))
    loader = DataLoader(dataset, batch_size=batch_size, shuffle=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    model.train()
    total = 0.0
    for values, labels in loader:
        optimiser.zero_grad()
        loss = criterion(model(values), labels)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(labels)


def zoo_loop(model: nn.Module, rows: Rows, batch_size: int, precision: str, threads: int) -> None:
    training = Settings.load().training({"epochs": 1, "batch_size": batch_size, "clip": 0.0, "scheduler": "none"}, {})
    hardware = Hardware.choose("cpu", threads, precision, model, recurrent=False)
    few = Rows(rows.values[:16], rows.labels[:16], rows.index[:16])
    learner = Learner.start(model, training, hardware, seed=0)
    for _ in train(learner, rows, few, nn.CrossEntropyLoss(), reporter=Nobody()):
        pass


def timed(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def one_round(contest: Contest, rows: Rows, threads: int, turn: int) -> dict[str, float]:
    contenders: dict[str, Callable[[nn.Module], None]] = {
        "DataLoader loop": lambda model: usual_loop(model, rows, contest.batch_size),
        "zoo, fp32": lambda model: zoo_loop(model, rows, contest.batch_size, "fp32", threads),
        "zoo, auto": lambda model: zoo_loop(model, rows, contest.batch_size, "auto", threads),
    }
    names = list(contenders)
    order = names[turn % 3 :] + names[: turn % 3]
    found = {}
    for name in order:
        torch.manual_seed(0)
        model = contest.build()
        found[name] = timed(lambda model=model, name=name: contenders[name](model))  # type: ignore[misc]
    return {name: found[name] for name in names}


def heartbeats(rows: int) -> Rows:
    spec = Registry.discover().get("dataset", "heartbeats").spec
    series = load_factory(spec.factory)(rows=rows)
    index = torch.arange(rows).numpy()
    return Rows(series.values[:rows], series.labels[:rows], index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--nets", nargs="+", choices=CONTESTS, default=list(CONTESTS))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    every = heartbeats(max(CONTESTS[name].rows for name in options.nets))
    print(f"{'net':<14}{'loop':<18}{'rows/s':>9}{'ratio':>8}   ({options.threads} thread(s), {options.rounds} rounds)")
    for name in options.nets:
        contest = CONTESTS[name]
        part = slice(0, contest.rows)
        rows = replace(every, values=every.values[part], labels=every.labels[part], index=every.index[part])
        one_round(replace(contest), replace(rows, values=rows.values[:64], labels=rows.labels[:64]), options.threads, 0)
        rounds = [one_round(contest, rows, options.threads, turn) for turn in range(options.rounds)]
        for loop in rounds[0]:
            speed = contest.rows / median(found[loop] for found in rounds)
            ratio = median(found["DataLoader loop"] / found[loop] for found in rounds)
            print(f"{name:<14}{loop:<18}{speed:>9,.0f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
