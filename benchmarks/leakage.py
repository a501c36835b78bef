"""What leaks are worth: the points of macro recall by which each makes a score too high.

    python benchmarks/leakage.py [--seeds 5] [--data-dir FOLDER] [--only patients …]

The harness of the zoo does not allow these leaks, so this script calls the networks itself. Each leak is measured on
the simulated rows of `heartbeats` and, with `--data-dir`, on the real rows of `mitbih`. For each seed, rows are drawn
at random, and two scores are computed that differ in the leak only: the number of training rows, their classes, the
network and its random numbers are the same. The table has the means over the seeds, and Student's interval of the
paired difference.

The network is `minirocket` with balanced weights; the epoch is chosen for a small `fcn`, whose batches have the same
share of each class. Each part has at least `FEWEST` rows of each class, so rare classes are more frequent than in the
data set.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from imblearn.over_sampling import SMOTE, RandomOverSampler
from scipy import stats
from sklearn.metrics import recall_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

import zoo
from zoo.data import TEST, TRAIN, LabelledSeries
from zoo.training.batches import Tensors
from zoo.training.fitting import Batches
from zoo_heartbeats.dataset import heartbeats
from zoo_mitbih.dataset import mitbih

ROWS = 500  # of the training set, of the validation set and of the test set
FEWEST = 30  # rows of each class in each of them
EPOCHS, STEPS, BATCH, LEARNING_RATE = 20, 15, 32, 1e-2  # of the fcn; an epoch has so many steps
COPIED = 0.2  # the share of the test rows that are in the training set, too
SETTINGS = [(features, balanced) for features in (336, 1008) for balanced in (True, False)]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Series `(rows, samples)` with the number of each one's class."""

    values: npt.NDArray[np.float32]
    labels: Ints

    def take(self, places: Ints) -> "Rows":
        return Rows(self.values[places], self.labels[places])


@dataclass(frozen=True)
class Source:
    """A data set: its rows, and the sides of the split by patient (-1: on none)."""

    name: str
    rows: Rows
    side: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Job:
    """One measurement of one leak: its data and its random numbers."""

    source: Source
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


Pair = tuple[float, float]  # the macro recall without the leak, and with it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--only", nargs="*", choices=LEAKS, default=[*LEAKS])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| leak | rows | without | with | worth (95 % interval) |", "|---|---|---|---|---|", sep="\n")
    for source in sources(options.data_dir):
        for name in options.only:
            pairs = [LEAKS[name][1](Job(source, seed)) for seed in range(options.seeds)]
            print(f"| {LEAKS[name][0]} | {source.name} | {_row(pairs)} |", flush=True)


def sources(data_dir: Path | None) -> Iterator[Source]:
    yield _source("`heartbeats`", heartbeats())
    if data_dir is not None:
        yield _source("`mitbih`", mitbih(data_dir=data_dir))


def _source(name: str, series: LabelledSeries) -> Source:
    side = series.splits["inter-patient"].parts
    return Source(name, Rows(np.asarray(series.values)[:, 0], series.labels), side)


def _row(pairs: Sequence[Pair]) -> str:
    scores = 100 * np.array(pairs)
    worth = scores[:, 1] - scores[:, 0]
    margin = stats.t.ppf(0.975, len(worth) - 1) * worth.std(ddof=1) / np.sqrt(len(worth))
    without, leaked = scores.mean(0)
    middle = worth.mean()
    return f"{without:.1f} | {leaked:.1f} | {middle:+.1f} ({middle - margin:+.1f} to {middle + margin:+.1f})"


def resampled_before(make: Callable[..., object]) -> Callable[[Job], Pair]:
    """Return the measurement of a resampler that is applied to all rows, and not to the training rows only."""

    def measure(job: Job) -> Pair:
        (pool,) = parts(job, 1, 2 * ROWS)
        train, test = halves(pool, job.seed)
        everything = resampled(make, pool, job.seed)
        leaked_train, leaked_test = halves(everything, job.seed)
        honest = trained(job, resampled(make, train, job.seed))
        leaked = trained(job, leaked_train)
        return recall(honest, test), recall(leaked, leaked_test)

    return measure


def copies(job: Job) -> Pair:
    """Some test rows are in the training set, too, in place of as many training rows of the same class."""
    train, test = parts(job, 2)
    kept = np.arange(len(train.labels))
    taken: list[int] = []
    for label in np.unique(test.labels):
        own = np.flatnonzero(test.labels == label)
        count = min(round(COPIED * len(own)), int((train.labels[kept] == label).sum()))
        taken += [*own[:count]]
        kept = np.delete(kept, np.flatnonzero(train.labels[kept] == label)[:count])
    leaked = joined(train.take(kept), test.take(np.array(taken)))
    return recall(trained(job, train), test), recall(trained(job, leaked), test)


def epoch_by_test(job: Job) -> Pair:
    """The epoch is chosen by the test rows, and not by the validation rows."""
    train, validation, test = parts(job, 3)
    model = network(job, "fcn", filters=8)
    scores = [(recall(model, validation), recall(model, test)) for _ in epochs(model, job, train)]
    return max(scores, key=lambda each: each[0])[1], max(score for _, score in scores)


def settings_by_test(job: Job) -> Pair:
    """The number of features and the class weights are chosen by the test rows, and not by the validation rows."""
    train, validation, test = parts(job, 3)
    scores: list[Pair] = []
    for features, balanced in SETTINGS:
        model = trained(job, train, num_features=features, balanced=balanced)
        scores.append((recall(model, validation), recall(model, test)))
    return max(scores, key=lambda each: each[0])[1], max(score for _, score in scores)


def patients(job: Job) -> Pair:
    """The training rows are from all patients, those of the test rows among them, and not from other patients only."""
    side, labels = job.source.side, job.source.rows.labels
    there = [np.flatnonzero(side == part) for part in (TRAIN, TEST)]
    classes = [label for label in np.unique(labels) if all((labels[own] == label).sum() > 2 * FEWEST for own in there)]
    rng = job.rng
    others, test = (drawn(labels, own, classes, ROWS, rng) for own in there)
    counts = {label: int((labels[others] == label).sum()) for label in classes}
    everyone = np.setdiff1d(np.concatenate(there), test)
    mixed = np.concatenate(
        [rng.choice(everyone[labels[everyone] == label], count, replace=False) for label, count in counts.items()]
    )
    rows = job.source.rows
    honest, leaked = (trained(job, rows.take(places)) for places in (others, mixed))
    return recall(honest, rows.take(test)), recall(leaked, rows.take(test))


LEAKS: Mapping[str, tuple[str, Callable[[Job], Pair]]] = {
    "smote": ("SMOTE before the split", resampled_before(SMOTE)),
    "oversampled": ("repeated rows of rare classes before the split", resampled_before(RandomOverSampler)),
    "copies": (f"{COPIED:.0%} of the test rows are training rows, too", copies),
    "epoch": (f"the best of {EPOCHS} epochs, by the test rows", epoch_by_test),
    "settings": (f"the best of {len(SETTINGS)} settings, by the test rows", settings_by_test),
    "patients": ("other beats of the test patients in the training set", patients),
}


def parts(job: Job, number: int, rows: int = ROWS) -> list[Rows]:
    """Return disjoint random parts of the data, of any patient, with the same classes."""
    labels = job.source.rows.labels
    places = drawn(labels, np.arange(len(labels)), [*np.unique(labels)], number * rows, job.rng, number * FEWEST)
    found: list[list[int]] = [[] for _ in range(number)]
    for label in np.unique(labels):
        for part, own in zip(found, np.array_split(places[labels[places] == label], number), strict=True):
            part += [*own]
    return [job.source.rows.take(np.array(part)) for part in found]


def drawn(
    labels: Ints, among: Ints, classes: Sequence[int], rows: int, rng: np.random.Generator, fewest: int = FEWEST
) -> Ints:
    """Return random places: the class shares are those of the data, but each class has at least `fewest` rows."""
    total = sum(int((labels[among] == label).sum()) for label in classes)
    found = []
    for label in classes:
        own = among[labels[among] == label]
        found.append(rng.choice(own, min(len(own), max(fewest, round(rows * len(own) / total))), replace=False))
    return np.concatenate(found)


def halves(rows: Rows, seed: int) -> tuple[Rows, Rows]:
    places = np.arange(len(rows.labels))
    train, test = train_test_split(places, test_size=0.5, stratify=rows.labels, random_state=seed)
    return rows.take(train), rows.take(test)


def resampled(make: Callable[..., object], rows: Rows, seed: int) -> Rows:
    values, labels = make(random_state=seed).fit_resample(rows.values, rows.labels)  # type: ignore[attr-defined]
    return Rows(values, labels)


def joined(one: Rows, other: Rows) -> Rows:
    return Rows(np.concatenate([one.values, other.values]), np.concatenate([one.labels, other.labels]))


def network(job: Job, name: str, **params: int | bool) -> nn.Module:
    torch.manual_seed(job.seed)
    n_classes = int(job.source.rows.labels.max()) + 1
    return zoo.build(name, n_channels=1, n_times=job.source.rows.values.shape[1], n_classes=n_classes, **params)


def trained(job: Job, rows: Rows, *, num_features: int = 1008, balanced: bool = True) -> nn.Module:
    """Fit a minirocket; its penalty is chosen by leave-one-out scores of the training rows."""
    model = network(job, "minirocket", num_features=num_features, balanced=balanced)
    order, own = (torch.Generator().manual_seed(job.seed) for _ in range(2))
    given = tensors(rows)
    model.fit(Batches(given, given.take(slice(0, 0)), 256, order, None, lambda done, count: None), generator=own)  # type: ignore[operator]
    return model


def epochs(model: nn.Module, job: Job, rows: Rows) -> Iterator[int]:
    """Train with Adam on batches that have the same share of each class; yield after each epoch."""
    optimiser, given = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE), tensors(rows)
    weights = 1 / torch.bincount(given.labels).clamp(min=1)[given.labels]
    order = torch.Generator().manual_seed(job.seed)
    for epoch in range(1, EPOCHS + 1):
        for places in torch.multinomial(weights, STEPS * BATCH, True, generator=order).split(BATCH):
            loss = functional.cross_entropy(model.train()(given.values[places]), given.labels[places])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        yield epoch


def tensors(rows: Rows) -> Tensors:
    return Tensors(torch.from_numpy(rows.values)[:, None], torch.from_numpy(rows.labels), None)


@torch.no_grad()
def recall(model: nn.Module, rows: Rows) -> float:
    model.eval()
    batches = tensors(rows).values.split(256)
    predicted = torch.cat([model(batch).argmax(1) for batch in batches]).numpy()
    return float(recall_score(rows.labels, predicted, labels=np.unique(rows.labels), average="macro", zero_division=0))


if __name__ == "__main__":
    main()
