"""The head of the fitted baselines: ridge regression on one-hot targets, solved from sums over batches.

Dempster, Petitjean and Webb 2020 (ROCKET, arXiv:1910.13051) use scikit-learn's RidgeClassifierCV. This is the same
classifier, but it reads the rows in batches, and chooses the penalty on the validation rows. Without validation rows it
chooses, as RidgeClassifierCV does, by leave-one-out scores: those of each training row without that row.
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
Score = Callable[[Tensor, Tensor], float]  # of logits `(rows, classes)` and labels; more is better
# logspace(-7, 3, 16). As in the ROCKET paper, alpha is for features of length 1: for standardised features the penalty
# is alpha times the number of rows. All papers try logspace(-3, 3, 10), the last ten of these. The code of Hydra, and
# later code of MiniRocket, does not divide by the lengths, so that its grid starts at 1e-3 / rows: at 1e-7 for ten
# thousand rows. float32 features resolve little below that.
ALPHAS = tuple(10 ** (-3 + 6 * step / 9) for step in range(-6, 10))
CONSTANT = 1e-6  # a standard deviation below this fraction of the mean is rounding: float32 resolves 1e-7
SHARPNESS = (1e-3, 1e3)  # the bounds of 1 / temperature; ridge scores are near -1 and 1
HALVINGS = 40  # of an interval of 14 in the natural logarithm: a precision of 1e-11
LEAST = 1e-12  # of 1 minus the leverage of a row, which is rounding below that


class RidgeHead(nn.Module):
    """Maps features `(batch, n_features)` to logits `(batch, n_classes)`: ridge scores over a temperature.

    The logits are zero until `fit` sets the weights, which are parameters without gradients. The mean and scale of the
    features, the chosen penalty `alpha` and the temperature are buffers.

    standardise  divide each feature by its standard deviation over the training rows; if False, only centre it
    balanced     all classes have the same weight in the sums, whatever their numbers of rows
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
        """Return the outputs of the regression, `(batch, n_classes)`: ideally 1 for the row's class, -1 for others."""
        return functional.linear((features - self.mean) / self.scale, self.weight, self.bias)

    @torch.no_grad()
    def fit(self, features: Features, batches: "Batches") -> None:
        """Solve for the weights in one pass over the training rows, then choose the penalty and the temperature.

        They are chosen on the validation rows, by the score that training monitors. Without validation rows, they are
        chosen by leave-one-out scores of the training rows; with more rows than features, that is one more pass.

        Sums are float64. They are on the CPU if the device has no float64 (MPS). With fewer rows than features, the
        features of all rows are kept in memory; otherwise, the products of all pairs of features. Both take at most
        8 bytes x n_features squared. The eigendecomposition needs four times this memory.
        """
        shift = features(next(iter(batches)).values).mean(0)
        rows = self._columns(features, batches, shift)
        solve = _from_rows if batches.rows < len(shift) else _from_sums
        ridge = solve(rows, shift.to(exact(shift.device)), self.standardise)
        self.mean.copy_(ridge.mean)
        self.scale.copy_(ridge.scale)
        self.bias.copy_(ridge.intercept)
        weights = torch.stack([ridge.weights(alpha) for alpha in ALPHAS]).to(self.weight)
        validated = len(batches.validation) > 0
        scores, labels = (
            self._validation_scores(features, batches, weights)
            if validated
            else _left_out_scores(ridge, self._columns(features, batches, shift), shift.to(ridge.mean))
        )
        balanced = batches.monitor == "balanced_loss"
        chosen, temperature = choose(scores, labels, batches.score, balanced=balanced, squared=not validated)
        self.weight.copy_(weights[chosen].T)
        self.alpha.fill_(ALPHAS[chosen])
        self.temperature.fill_(temperature)
        self._report(batches, chosen, scores[:, chosen] / temperature, labels)

    @staticmethod
    def _report(batches: "Batches", chosen: int, logits: Tensor, labels: Tensor) -> None:
        """Report the leave-one-out logits if they decided, and a penalty at an end of the grid."""
        if not len(batches.validation):
            batches.held_out(logits, labels)
        for place, word in ((0, "lowest"), (len(ALPHAS) - 1, "highest")):
            if chosen == place:
                batches.note(f"the ridge penalty chosen is the {word} tried, {ALPHAS[place]:g} of the rows")

    def _columns(self, features: Features, batches: "Batches", shift: Tensor) -> Iterator[Tensor]:
        """Yield the features minus the shift, a one and the targets, each times the square root of the row's weight.

        Ridge regression needs only the products of these columns. Without the shift, the variance of a feature with a
        large mean would be lost in rounding.
        """
        class_weights = self._class_weights(batches)
        for batch in batches:
            labels = batch.labels.to(class_weights.device)
            found = (features(batch.values) - shift).to(class_weights)
            targets = 2 * functional.one_hot(labels, len(self.bias)).to(found) - 1
            columns = torch.cat([found, torch.ones_like(targets[:, :1]), targets], 1)
            yield columns * class_weights[labels].sqrt()[:, None]

    def _class_weights(self, batches: "Batches") -> Tensor:
        """Return the weight of a row of each class, float64: rows / (classes * class rows) if balanced, otherwise 1."""
        n_classes = len(self.bias)
        weights = torch.ones(n_classes, dtype=torch.float64, device=exact(self.bias.device))
        if not self.balanced:
            return weights
        counts = torch.stack([torch.bincount(batch.labels, minlength=n_classes) for batch in batches]).sum(0)
        return weights * (counts.sum() / (n_classes * counts.clamp(min=1))).to(weights.device)

    def _validation_scores(self, features: Features, batches: "Batches", weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of the validation rows, float64 `(rows, penalties, classes)`, and their labels."""
        scores, labels = [], []
        for batch in batches.validation:
            standardised = (features(batch.values) - self.mean) / self.scale
            scores.append(torch.einsum("bf,afc->bac", standardised, weights) + self.bias)
            labels.append(batch.labels)
        where = exact(self.bias.device)
        return torch.cat(scores).to(where).double(), torch.cat(labels).to(where)


@dataclass(frozen=True)
class Ridge:
    """Ridge regression for every penalty at once: the weights are left diag(1 / (eigenvalues + alpha)) right.

    The weights minimise the mean squared error plus alpha times the sum of their squares. X and Y below are the
    standardised features and the centred targets, divided by the square root of the number of rows.

    mean, scale  standardise the features
    weight       the sum of the weights of the rows
    rows         the rows, if they were kept
    """

    mean: Tensor
    scale: Tensor
    intercept: Tensor
    left: Tensor
    eigenvalues: Tensor
    right: Tensor
    weight: Tensor
    rows: "KeptRows | None" = None

    def weights(self, alpha: float) -> Tensor:
        """Return the weights, float64 `(features, classes)`."""
        return self.left @ (self.right / (self.eigenvalues.clamp(min=0) + alpha)[:, None])


@dataclass(frozen=True)
class KeptRows:
    """What leave-one-out scores need of the rows, with the square roots of their weights: roots, targets, vectors.

    root     float64 `(rows,)`, of squared sum 1
    targets  centred, `(rows, classes)`
    vectors  the eigenvectors of XX', `(rows, rows)`
    """

    root: Tensor
    targets: Tensor
    vectors: Tensor


def _from_sums(rows: Iterable[Tensor], shift: Tensor, standardise: bool) -> Ridge:
    """Solve from X'X with its eigenvectors V: the weights are V diag(1 / (eigenvalues + alpha)) V'X'Y."""
    total = torch.zeros(())
    for columns in rows:
        if not total.dim():
            total = columns.new_zeros(columns.shape[1], columns.shape[1])
        total.addmm_(columns.T, columns)
    n = len(shift)
    weight = total[n, n].clone()
    total.div_(weight)
    gram, cross, mean, intercept = total[:n, :n], total[:n, n + 1 :], total[n, :n], total[n, n + 1 :]
    gram.addr_(mean, mean, alpha=-1)
    cross.addr_(mean, intercept, alpha=-1)
    scale = _scale(gram.diagonal(), shift + mean, standardise)
    eigenvalues, vectors = torch.linalg.eigh(gram.div_(scale).div_(scale[:, None]))
    right = vectors.T @ (cross / scale[:, None])
    return Ridge(shift + mean, scale, intercept, vectors, eigenvalues, right, weight)


def _from_rows(rows: Iterable[Tensor], shift: Tensor, standardise: bool) -> Ridge:
    """Solve from XX' with its eigenvectors U, for fewer rows than features.

    The weights are X'U diag(1 / (eigenvalues + alpha)) U'Y.
    """
    held, n = torch.cat(list(rows)), len(shift)
    length = held[:, n].norm()
    held.div_(length)
    x, root, y = held[:, :n], held[:, n], held[:, n + 1 :]
    mean, intercept = root @ x, root @ y
    x.addr_(root, mean, alpha=-1)
    y.addr_(root, intercept, alpha=-1)
    scale = _scale((x * x).sum(0), shift + mean, standardise)
    x.div_(scale)
    eigenvalues, vectors = torch.linalg.eigh(x @ x.T)
    kept = KeptRows(root, y, vectors)
    return Ridge(shift + mean, scale, intercept, x.T @ vectors, eigenvalues, vectors.T @ y, length.square(), kept)


def _left_out_scores(ridge: Ridge, columns: Iterable[Tensor], shift: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores of each training row without that row, float64 `(rows, penalties, classes)`, and the labels.

    With H the matrix that maps targets to fitted targets, a row's error without itself is its error divided by
    1 - H_ii (Golub, Heath and Wahba 1979). The scale of the features, and the weights of the classes, are those of all
    rows. `columns` are read again unless the rows were kept.
    """
    if ridge.rows is not None:
        return _left_out_of_kept(ridge, ridge.rows)
    parts = [_left_out_of(ridge, batch, shift) for batch in columns]
    scores, labels = zip(*parts, strict=True)
    return torch.cat(scores), torch.cat(labels)


def _left_out_of_kept(ridge: Ridge, kept: KeptRows) -> tuple[Tensor, Tensor]:
    """Return these scores from the eigenvectors U of XX': 1 - H is alpha B diag(1 / (eigenvalues + alpha)) B'.

    B is U without its part along the roots, which the intercept fits. Each term is positive: nothing cancels, however
    near H_ii is to 1.
    """
    basis = kept.vectors - kept.root[:, None] * (kept.root @ kept.vectors)
    errors = []
    for alpha in ALPHAS:
        shrunk = basis / (ridge.eigenvalues.clamp(min=0) + alpha)
        errors.append((shrunk @ ridge.right) / (shrunk * basis).sum(1, keepdim=True).clamp(min=LEAST))
    return _without(ridge, kept.targets, kept.root, errors)


def _left_out_of(ridge: Ridge, columns: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Return these scores of a batch, from the eigenvectors of X'X."""
    n = len(shift)
    columns = columns / ridge.weight.sqrt()
    x, root, y = columns[:, :n], columns[:, n], columns[:, n + 1 :]
    y = y - root[:, None] * ridge.intercept
    turned = ((x - root[:, None] * (ridge.mean - shift)) / ridge.scale) @ ridge.left
    errors = []
    for alpha in ALPHAS:
        shrunk = turned / (ridge.eigenvalues.clamp(min=0) + alpha)
        leverage = (shrunk * turned).sum(1) + root.square()
        errors.append((y - shrunk @ ridge.right) / (1 - leverage).clamp(min=LEAST)[:, None])
    return _without(ridge, y, root, errors)


def _without(ridge: Ridge, targets: Tensor, root: Tensor, errors: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return scores and labels from weighted, centred targets and the errors of each penalty."""
    scores = torch.stack([(targets - error) / root[:, None] for error in errors], 1) + ridge.intercept
    return scores, (targets / root[:, None] + ridge.intercept).argmax(1)


def _scale(variance: Tensor, mean: Tensor, standardise: bool) -> Tensor:
    """Return the standard deviations, and 1 for a feature that is constant up to rounding, as in scikit-learn."""
    deviation = variance.clamp(min=0).sqrt()
    keep = (deviation > CONSTANT * mean.abs()) if standardise else torch.zeros_like(deviation, dtype=torch.bool)
    return torch.where(keep, deviation, 1.0)


def choose(
    scores: Tensor, labels: Tensor, score: Score, *, balanced: bool = False, squared: bool = False
) -> tuple[int, float]:
    """Return the index of the best of several score tables `(rows, tables, classes)`, and its temperature.

    The best table has the best `score` of its logits. By default that is macro recall, in which a small class counts as
    much as a large one; accuracy would choose the penalty for the majority class. If several are equal, the one with
    the lowest log loss is chosen, or with `squared` the one with the lowest squared error, by which RidgeClassifierCV
    chooses. `balanced`: the temperature is for a log loss in which all classes count the same.
    """
    each_class = torch.bincount(labels, minlength=scores.shape[2]).to(scores)
    weights = (
        len(labels) / ((each_class > 0).sum() * each_class[labels]) if balanced else torch.ones_like(scores[:, 0, 0])
    )
    temperatures = fit_temperatures(scores, labels, weights)
    logits = scores / temperatures[:, None]
    targets = functional.one_hot(labels, scores.shape[2]).to(scores)
    errors = (
        (2 * targets[:, None] - 1 - scores).square().mean((0, 2))
        if squared
        else functional.cross_entropy(
            logits.movedim(1, 2), labels[:, None].expand(logits.shape[:2]), reduction="none"
        ).mean(0)
    )
    ranks = [(score(table, labels), -error) for table, error in zip(logits.unbind(1), errors.tolist(), strict=True)]
    best = max(range(len(ranks)), key=ranks.__getitem__)
    return best, float(temperatures[best])


def fit_temperatures(scores: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the temperature with the lowest log loss for each table `(rows, tables, classes)`, float64 `(tables,)`.

    The loss is convex in 1 / temperature, so bisection on the sign of its slope finds the minimum. The targets are
    smoothed as if there were one more row, spread over the classes (Laplace's rule, as in Platt 1999). The best
    temperature is then above zero even if the rows are perfectly separated, and it decreases with more such rows.
    `weights` `(rows,)`, of mean 1, are those of the rows in the loss.
    """
    rows, tables, n_classes = scores.shape
    weight = (torch.ones_like(scores[:, 0, 0]) if weights is None else weights)[:, None]
    unseen = n_classes / (rows + n_classes)
    targets = (1 - unseen) * functional.one_hot(labels, n_classes).to(scores) + unseen / n_classes
    towards = (weight * (targets[:, None] * scores).sum(2)).mean(0)
    low, high = (scores.new_full((tables,), bound).log() for bound in SHARPNESS)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = (weight * ((scores * middle.exp()[:, None]).softmax(2) * scores).sum(2)).mean(0)
        low, high = torch.where(expected < towards, middle, low), torch.where(expected < towards, high, middle)
    return (-(low + high) / 2).exp()


def exact(device: torch.device) -> torch.device:
    """Return the device for sums in float64: `device`, or the CPU instead of MPS, which has no float64."""
    return torch.device("cpu") if device.type == "mps" else device
