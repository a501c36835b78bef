"""The head of the fitted baselines: ridge regression on one-hot targets, solved from sums over batches.

Dempster, Petitjean and Webb 2020 (ROCKET, arXiv:1910.13051) use scikit-learn's RidgeClassifierCV; this is the same
classifier, streamed, with the penalty chosen on the validation rows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from zoo_rocket.fitted import Batches

Features = Callable[[Tensor], Tensor]
# logspace(-3, 3, 10) as in the ROCKET papers, and like there for features of length 1: the penalty of standardised
# ones is alpha times the rows, so that what is right for a hundred rows is near what is right for a hundred thousand.
ALPHAS = tuple(10 ** (-3 + 6 * step / 9) for step in range(10))
CONSTANT = 1e-6  # a spread below this part of the mean is rounding: float32 resolves 1e-7
SHARPNESS = (1e-3, 1e3)  # the bounds of 1 / temperature; ridge scores lie near -1 and 1
HALVINGS = 40  # of an interval 14 natural logarithms wide: to 1e-11


class RidgeHead(nn.Module):
    """Maps features `(batch, n_features)` to logits `(batch, n_classes)`: ridge scores over a temperature.

    The logits are zero until `fit` has filled the weights, which are parameters without gradients. Mean and scale
    of the features, the penalty `alpha` that was chosen and the temperature are buffers.

    standardise  divide each feature by its standard deviation over the training rows; else it is only centred
    balanced     every class weighs the same in the sums, however many rows it has
    """

    mean: Tensor
    scale: Tensor
    alpha: Tensor
    temperature: Tensor

    def __init__(self, n_features: int, n_classes: int, *, standardise: bool = True, balanced: bool = False) -> None:
        super().__init__()
        self.standardise, self.balanced = standardise, balanced
        self.weight = nn.Parameter(torch.zeros(n_classes, n_features), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(n_classes), requires_grad=False)
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("alpha", torch.ones(()))
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, features: Tensor) -> Tensor:
        return self.scores(features) / self.temperature

    def scores(self, features: Tensor) -> Tensor:
        """The outputs of the regression, `(batch, n_classes)`: 1 for the class, -1 for the others, if it were exact."""
        return functional.linear((features - self.mean) / self.scale, self.weight, self.bias)

    @torch.no_grad()
    def fit(self, features: Features, batches: "Batches") -> None:
        """Solve for the weights in one pass over the training rows, then choose among the penalties.

        Sums are float64, on the device where it has float64 and on the CPU where it has not (MPS). With fewer rows
        than features the features of all rows are held, otherwise the products of all pairs of features: at most
        8 bytes x n_features squared, of which the eigendecomposition needs four.
        """
        shift = features(next(iter(batches)).values).mean(0)
        rows = self._columns(features, batches, shift)
        solve = _from_rows if batches.rows < len(shift) else _from_sums
        ridge = solve(rows, shift.to(exact(shift.device)), self.standardise)
        self.mean.copy_(ridge.mean)
        self.scale.copy_(ridge.scale)
        self.bias.copy_(ridge.intercept)
        weights = torch.stack([ridge.weights(alpha) for alpha in ALPHAS]).to(self.weight)
        chosen, temperature = choose(*self._validation_scores(features, batches, weights))
        self.weight.copy_(weights[chosen].T)
        self.alpha.fill_(ALPHAS[chosen])
        self.temperature.fill_(temperature)

    def _columns(self, features: Features, batches: "Batches", shift: Tensor) -> Iterator[Tensor]:
        """Features less the shift, a one and the targets of each row, all times the root of the row's weight.

        The products of these columns are all that ridge regression needs; the shift keeps the spread of a feature
        from being lost beside the square of a large mean.
        """
        class_weights = self._class_weights(batches)
        for batch in batches:
            labels = batch.labels.to(class_weights.device)
            found = (features(batch.values) - shift).to(class_weights)
            targets = 2 * functional.one_hot(labels, len(self.bias)).to(found) - 1
            columns = torch.cat([found, torch.ones_like(targets[:, :1]), targets], 1)
            yield columns * class_weights[labels].sqrt()[:, None]

    def _class_weights(self, batches: "Batches") -> Tensor:
        """What a row of each class weighs, float64: rows / (classes * rows of the class) where balanced, else 1."""
        n_classes = len(self.bias)
        weights = torch.ones(n_classes, dtype=torch.float64, device=exact(self.bias.device))
        if not self.balanced:
            return weights
        counts = torch.stack([torch.bincount(batch.labels, minlength=n_classes) for batch in batches]).sum(0)
        return weights * (counts.sum() / (n_classes * counts.clamp(min=1))).to(weights.device)

    def _validation_scores(self, features: Features, batches: "Batches", weights: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of the validation rows for each penalty, float64 `(rows, penalties, classes)`, and their labels."""
        scores, labels = [], []
        for batch in batches.validation:
            standardised = (features(batch.values) - self.mean) / self.scale
            scores.append(torch.einsum("bf,afc->bac", standardised, weights) + self.bias)
            labels.append(batch.labels)
        where = exact(self.bias.device)
        return torch.cat(scores).to(where).double(), torch.cat(labels).to(where)


@dataclass(frozen=True)
class Ridge:
    """Ridge regression for every penalty at once: its weights are left diag(1 / (eigenvalues + alpha)) right.

    They minimise the mean squared error plus alpha times the sum of their squares. In what follows X and Y are
    standardised features and centred targets, over the root of the number of rows.

    mean, scale  what standardises features
    """

    mean: Tensor
    scale: Tensor
    intercept: Tensor
    left: Tensor
    eigenvalues: Tensor
    right: Tensor

    def weights(self, alpha: float) -> Tensor:
        """float64 `(features, classes)`."""
        return self.left @ (self.right / (self.eigenvalues.clamp(min=0) + alpha)[:, None])


def _from_sums(rows: Iterable[Tensor], shift: Tensor, standardise: bool) -> Ridge:
    """From X'X: with V its eigenvectors, the weights are V diag(1 / (eigenvalues + alpha)) V'X'Y."""
    total = torch.zeros(())
    for columns in rows:
        if not total.dim():
            total = columns.new_zeros(columns.shape[1], columns.shape[1])
        total.addmm_(columns.T, columns)
    n = len(shift)
    total.div_(total[n, n].clone())
    gram, cross, mean, intercept = total[:n, :n], total[:n, n + 1 :], total[n, :n], total[n, n + 1 :]
    gram.addr_(mean, mean, alpha=-1)
    cross.addr_(mean, intercept, alpha=-1)
    scale = _scale(gram.diagonal(), shift + mean, standardise)
    eigenvalues, vectors = torch.linalg.eigh(gram.div_(scale).div_(scale[:, None]))
    right = vectors.T @ (cross / scale[:, None])
    return Ridge(shift + mean, scale, intercept, vectors, eigenvalues, right)


def _from_rows(rows: Iterable[Tensor], shift: Tensor, standardise: bool) -> Ridge:
    """From XX', for fewer rows than features: with U its eigenvectors, X'U diag(1 / (eigenvalues + alpha)) U'Y."""
    held, n = torch.cat(list(rows)), len(shift)
    held.div_(held[:, n].norm())
    x, root, y = held[:, :n], held[:, n], held[:, n + 1 :]
    mean, intercept = root @ x, root @ y
    x.addr_(root, mean, alpha=-1)
    y.addr_(root, intercept, alpha=-1)
    scale = _scale((x * x).sum(0), shift + mean, standardise)
    x.div_(scale)
    eigenvalues, vectors = torch.linalg.eigh(x @ x.T)
    return Ridge(shift + mean, scale, intercept, x.T @ vectors, eigenvalues, vectors.T @ y)


def _scale(variance: Tensor, mean: Tensor, standardise: bool) -> Tensor:
    """The standard deviations, and 1 for a feature that is constant but for rounding, as in scikit-learn."""
    deviation = variance.clamp(min=0).sqrt()
    keep = (deviation > CONSTANT * mean.abs()) if standardise else torch.zeros_like(deviation, dtype=torch.bool)
    return torch.where(keep, deviation, 1.0)


def choose(scores: Tensor, labels: Tensor) -> tuple[int, float]:
    """The best of several score tables `(rows, tables, classes)`, and its temperature.

    The best is that of the highest macro recall, the score that a small class counts in as much as a large one;
    accuracy would choose the penalty for the majority. Among equals the lowest log loss decides.
    """
    temperatures = fit_temperatures(scores, labels)
    logits = scores / temperatures[:, None]
    losses = functional.cross_entropy(logits.movedim(1, 2), labels[:, None].expand(logits.shape[:2]), reduction="none")
    hits = (scores.argmax(2) == labels[:, None]).to(scores)
    recalls = torch.stack([hits[labels == label].mean(0) for label in labels.unique()]).mean(0)
    ranks = list(zip(recalls.tolist(), (-losses.mean(0)).tolist(), strict=True))
    best = max(range(len(ranks)), key=ranks.__getitem__)
    return best, float(temperatures[best])


def fit_temperatures(scores: Tensor, labels: Tensor) -> Tensor:
    """The temperature of least log loss for each of the tables `(rows, tables, classes)`, float64 `(tables,)`.

    The loss is convex in 1 / temperature, so halving an interval by the sign of its slope finds it. The targets are
    smoothed as if one more row had been seen, spread over the classes (Laplace's rule, as in Platt 1999): where the
    rows are perfectly separated a finite temperature is best, and the more rows say so the lower it is.
    """
    rows, tables, n_classes = scores.shape
    unseen = n_classes / (rows + n_classes)
    targets = (1 - unseen) * functional.one_hot(labels, n_classes).to(scores) + unseen / n_classes
    towards = (targets[:, None] * scores).sum(2).mean(0)
    low, high = (scores.new_full((tables,), bound).log() for bound in SHARPNESS)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = ((scores * middle.exp()[:, None]).softmax(2) * scores).sum(2).mean(0)
        low, high = torch.where(expected < towards, middle, low), torch.where(expected < towards, high, middle)
    return (-(low + high) / 2).exp()


def exact(device: torch.device) -> torch.device:
    """Where sums in float64 can be kept: there, or on the CPU (MPS has no float64)."""
    return torch.device("cpu") if device.type == "mps" else device
