"""A figure of configurations over several data sets: the critical-difference diagram and the matrix of all pairs."""

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import UsageError
from zoo.plots import styled
from zoo.scores import LOWER_IS_BETTER, metric_parts, score_words
from zoo.versus.result import DatasetComparison, DatasetPair, Verdict
from zoo.versus.several import over_datasets

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL, MARGIN = 1.15, 2.4  # inches of a cell of the matrix, and of the names beside it
ROW = 0.35  # inches of a name in the diagram


def diagram(found: DatasetComparison) -> "Figure":
    """Return a figure of the mean ranks and of all pairs, whatever was the baseline.

    Above is the critical-difference diagram of Demšar 2006. Its bars join configurations without a significant
    difference by Wilcoxon's test with Holm's procedure, as Benavoli, Corani and Mangili 2016 recommend. Below is the
    multi-comparison matrix of Ismail-Fawaz et al. 2023, An approach to multiple comparison benchmark evaluations: for
    each pair the mean difference, the data sets won, equal and lost, and p adjusted by Holm. Raises UsageError if
    matplotlib or scikit-posthocs is not installed.
    """
    every = over_datasets(found.scores, found.metric, all_pairs=True, sign=_sign(found))
    assert every is not None
    return _drawn(every)


def _sign(found: DatasetComparison) -> int:
    """Return -1 for a score of which lower is better, else 1."""
    return -1 if metric_parts(found.metric)[0] in LOWER_IS_BETTER else 1


@styled()
def _drawn(found: DatasetComparison) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(found.mean_ranks)
    side = CELL * len(names) + MARGIN
    heights = [ROW * (3 + len(names) / 2), 0.7 * CELL * len(names) + 0.8]
    title = f"{len(found.datasets)} data sets: {score_words(found.metric)}"
    figure = Figure((max(side, 8.0), sum(heights)), layout="constrained", label=title)
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left")
    above, below = figure.subplots(2, 1, height_ratios=heights)
    _draw_ranks(above, found)
    _draw_matrix(below, found)
    return figure


def _draw_ranks(axes: "Axes", found: DatasetComparison) -> None:
    try:
        import pandas as pd
        from scikit_posthocs import critical_difference_diagram
    except ImportError as error:
        raise UsageError("diagrams need scikit-posthocs: pip install 'zoo-registry[plots]'") from error
    names = list(found.mean_ranks)
    values = pd.DataFrame(np.ones((len(names), len(names))), index=names, columns=names)
    for pair in found.pairs:
        p = 1.0 if pair.adjusted is None else pair.adjusted
        values.loc[pair.configuration, pair.baseline] = values.loc[pair.baseline, pair.configuration] = p
    black = dict.fromkeys(names, "#333333")
    critical_difference_diagram(
        dict(found.mean_ranks),
        values,
        ax=axes,
        color_palette=black,
        label_fmt_left="{label} ({rank:.2f})",
        label_fmt_right="({rank:.2f}) {label}",
    )
    axes.grid(visible=False)
    few = any(pair.verdict == Verdict.TOO_FEW_DATASETS for pair in found.pairs)
    text = "not enough data sets for any significant difference" if few else "bars join those that are tied"
    axes.set_title(f"mean rank, the lowest is the best; {text}", loc="left", fontsize=9, color="#767676")


def _draw_matrix(axes: "Axes", found: DatasetComparison) -> None:
    names = list(found.mean_ranks)
    pairs = {(pair.configuration, pair.baseline): pair for pair in found.pairs}
    table = np.full((len(names), len(names)), np.nan)
    for row, one in enumerate(names):
        for column, other in enumerate(names):
            pair = pairs.get((one, other)) or pairs.get((other, one))
            if pair is None:
                continue
            turned = pair.configuration != one
            table[row, column] = -pair.difference if turned else pair.difference
            strong = pair.adjusted is not None and pair.adjusted <= 0.05
            axes.text(
                column,
                row,
                _cell(pair, turned=turned),
                ha="center",
                va="center",
                fontsize=8,
                weight="bold" if strong else "normal",
            )
    most = max(float(np.nanmax(np.abs(table))), 1e-9)
    axes.imshow(_sign(found) * table, cmap="PuOr", vmin=-2 * most, vmax=2 * most, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=35, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel(
        "row minus column: mean difference, violet if the row is better; better / equal / worse; p adjusted by Holm, "
        "bold if at most 0.05",
        fontsize=9,
        color="#767676",
    )


def _cell(pair: DatasetPair, *, turned: bool) -> str:
    difference = round(-pair.difference if turned else pair.difference, 3) + 0.0  # no minus before zero
    counts = (pair.losses, pair.ties, pair.wins) if turned else (pair.wins, pair.ties, pair.losses)
    p = "not enough" if pair.adjusted is None else "p < 0.001" if pair.adjusted < 0.001 else f"p = {pair.adjusted:.3f}"
    return f"{difference:+.3f}\n{' / '.join(map(str, counts))}\n{p}"
