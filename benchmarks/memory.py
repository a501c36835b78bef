"""The memory of a bench on arrays that are larger than it should ever be: a `numpy.memmap` on disk.

    python benchmarks/memory.py [--gigabytes 2] [--times 500] [--rows 200] [--nets tiny minirocket]

Each network is trained on `rows` rows and scored on the whole test set, in a process of its own. The number is the peak
of the memory that only this process has (the unique set size), beyond that of a process after `import torch`. Goal:
under 700 MB with the default options. `tiny` is trained; `minirocket` is fitted, and needs many minutes for 2 GB.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from torch import Tensor, nn

CLASSES = 3
PIECE = 2**20  # samples that are written at a time
EVERY = 0.05  # seconds between two measurements


def write(path: Path, rows: int, times: int) -> None:
    """Write noisy sines `(rows, times)`, float32, whose frequency is the class of the row."""
    rng = np.random.default_rng(0)
    grid = np.linspace(0, 2 * np.pi, times, dtype=np.float32)
    with path.open("wb") as file:
        for start in range(0, rows, PIECE // times):
            labels = np.arange(start, min(start + PIECE // times, rows)) % CLASSES
            noise = rng.standard_normal((len(labels), times), dtype=np.float32)
            file.write((np.sin((labels[:, None] + 1) * grid) + noise).astype(np.float32).tobytes())


class Tiny(nn.Module):
    """A network that needs little time: 8 filters with a large stride."""

    def __init__(self, n_channels: int, n_times: int, n_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(n_channels, 8, 15, stride=8),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(8, n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


class Peak:
    """Measures the private memory of this process in a thread; `highest` is the peak in bytes."""

    def __init__(self) -> None:
        self.highest = self.now()
        threading.Thread(target=self._watch, daemon=True).start()

    @staticmethod
    def now() -> int:
        return int(psutil.Process().memory_full_info().uss)

    def _watch(self) -> None:
        while True:
            self.highest = max(self.highest, self.now())
            time.sleep(EVERY)


def measure(path: Path, times: int, rows: int, net: str) -> None:
    """Print the peak beyond `import torch`, the seconds and the macro recall of one run."""
    before = Peak.now()  # after `import torch`
    import zoo

    peak = Peak()
    values = np.memmap(path, np.float32, "r").reshape(-1, times)
    labels = np.arange(len(values)) % CLASSES
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as results:
        network = f"{__file__}:Tiny" if net == "tiny" else net
        (run,) = zoo.bench(network, dataset=(values, labels), rows=rows, epochs=2, results=results)
    seconds = time.perf_counter() - started
    beyond = (peak.highest - before) / 1e6
    print(f"{net:<22}{beyond:>10,.0f}{seconds:>10.0f}{run.score('macro_recall') or 0:>14.3f}{run.error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--nets", nargs="+", default=["tiny", "minirocket"])
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.file is not None:
        measure(asked.file, asked.times, asked.rows, asked.nets[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "values.dat"
        write(path, int(asked.gigabytes * 1e9) // (4 * asked.times), asked.times)
        print(f"{'network':<22}{'peak MB':>10}{'seconds':>10}{'macro recall':>14}", flush=True)
        for net in asked.nets:
            words = ["--file", path, "--times", asked.times, "--rows", asked.rows, "--nets", net]
            subprocess.run([sys.executable, __file__, *map(str, words)], check=True)


if __name__ == "__main__":
    main()
