"""How long `zoo report` takes for many runs, and how long a browser takes to open its file.

    python benchmarks/report.py [--sets 20] [--configurations 20] [--seeds 5] [--rows 500]

The runs have random predictions. The browser is Debian's: apt-get install chromium chromium-driver.
"""

import argparse
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.reporting.collect import Data
from zoo.reporting.write import written
from zoo.store.predictions import Predictions
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.workspace import Workspace

CLASSES = ("a", "b", "c", "d", "e")
EPOCHS = 40


def stored(store: Store, dataset: str, name: str, seed: int, rows: int) -> None:
    """Store a run with the predictions, the learning curve and the costs of a trained network."""
    rng = np.random.default_rng([seed, len(dataset), *map(ord, name + dataset)])
    labels = np.arange(rows) % len(CLASSES)
    skill = 3 * rng.random() * np.eye(len(CLASSES))[labels]
    logits = (skill + rng.normal(size=(rows, len(CLASSES)))).astype(np.float32)
    raised = np.exp(logits)
    found = Predictions((raised / raised.sum(1, keepdims=True)), labels, np.arange(rows), CLASSES, None, logits)
    parts = {
        "classes": list(CLASSES),
        "fingerprints": {"test": f"test {dataset}", "pool": f"pool {dataset}"},
        "rows": {"train": 1000, "validation": 100, "test": rows},
    }
    what = {
        "architecture": name,
        "data": "original",
        "loss": "cross-entropy",
        "dataset": dataset,
        "protocol": "holdout",
    }
    config = {**what, "params": {"hidden": 64}, "training": {"epochs": EPOCHS, "batch_size": 64}}
    run = Run(id="", key=f"{dataset} {name} {seed}", configuration=f"{dataset} {name}", seed=seed, parts=parts, **what)
    begun = store.begin(replace(run, config=config))
    cost = {"parameters": int(rng.integers(1e3, 1e6)), "macs": int(rng.integers(1e5, 1e8)), "train_seconds": 10.0}
    ended = replace(
        begun, status=RunStatus.DONE, scores=found.scores(), cost=cost, epochs=EPOCHS, best_epoch=30, steps=640
    )
    curve = "".join(f"{epoch},{1 / epoch:.6f},{1 - 1 / epoch:.6f}\n" for epoch in range(1, EPOCHS + 1))
    history = f"number,train_loss,macro_recall\n{curve}".encode()
    store.finish(ended, {"predictions.parquet": found.to_parquet(), "history.csv": history})


def opened(page: Path) -> float:
    """Return the seconds from the request of a page until all its sections are there; the second time counts."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(option)
    with webdriver.Chrome(
        options=options, service=webdriver.chrome.service.Service(shutil.which("chromedriver"))
    ) as it:
        for _ in range(2):
            it.get("about:blank")
            begun = time.perf_counter()
            it.get(page.as_uri())
            assert it.execute_script("return document.querySelectorAll('section').length") > 5
            seconds = time.perf_counter() - begun
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, number in (("sets", 20), ("configurations", 20), ("seeds", 5), ("rows", 500)):
        parser.add_argument(f"--{name}", type=int, default=number)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results, page = Path(folder) / "results", Path(folder) / "report.html"
        with Store(results) as store:
            for dataset in range(asked.sets):
                for name in range(asked.configurations):
                    for seed in range(asked.seeds):
                        stored(store, f"set{dataset:02}", f"net{name:02}", seed, asked.rows)
        wall, begun = time.perf_counter(), time.process_time()
        found = written(results, page, "macro_recall", {}, Data(workspace=Workspace.load(), rows=False))
        built = f"built in {time.process_time() - begun:.1f} s of CPU, {time.perf_counter() - wall:.1f} s"
        print(f"{found.runs} runs: {built}; {page.stat().st_size / 1e6:.1f} MB; opened in {opened(page):.1f} s")


if __name__ == "__main__":
    main()
