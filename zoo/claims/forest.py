"""A figure of the answers to hypotheses: a forest plot, with a panel for each metric."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.claims.answers import Answer
from zoo.claims.hypothesis import Direction, Kind
from zoo.claims.metrics import metric_text
from zoo.claims.result import Finding, Hypotheses
from zoo.plots import COLOURS, DARK, QUIET, finish, printable, styled, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS: Mapping[Answer, tuple[str, str]] = {
    Answer.CONFIRMED: (COLOURS[2], "o"),
    Answer.REFUTED: (COLOURS[1], "s"),
    Answer.UNDECIDED: (QUIET, "D"),
}
LETTERS = 58  # of a line of a claim
WIDTH, LINE, SPACE, AROUND = 9.0, 0.19, 0.14, 0.75  # inches: of the figure, of a line, between claims, of a panel


def drawable(found: Hypotheses) -> Mapping[tuple[str, bool], Sequence[Finding]]:
    """Return the findings with a difference, by their metric and whether it is a ratio."""
    panels: dict[tuple[str, bool], list[Finding]] = defaultdict(list)
    for each in found.findings:
        if each.difference.value is not None and each.kind != Kind.REPRODUCIBLE:
            panels[each.metric, each.ratio].append(each)
    return panels


@styled()
def forest(found: Hypotheses) -> "Figure":
    """Return a figure with the difference and the 95 % interval of each finding, and what the hypothesis claims.

    Two short lines are the ends of the claimed range, or one if it has one end. There is a panel for each metric, and
    another for its ratios. Findings without a difference are left out; there must be one with a difference. Raises
    UsageError if matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = drawable(found)
    names = dict.fromkeys(_place(each) for group in panels.values() for each in group)
    labels = [[_label(each, names) for each in group] for group in panels.values()]
    heights = [AROUND + sum(2 * _half(label) for label in column) for column in labels]
    figure = Figure((WIDTH, sum(heights) + 0.8), layout="constrained", label=_title(found, names))
    FigureCanvasAgg(figure)
    areas = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)
    for axes, column, ((metric, ratio), group) in zip(areas[:, 0], labels, panels.items(), strict=True):
        _draw(axes, group, column)
        axes.set_xlabel(f"{metric_text(metric)}: first {'/' if ratio else '-'} second")
    _explain(areas[0, 0], [each for group in panels.values() for each in group])
    finish(figure, areas[0, 0])
    return figure


def _title(found: Hypotheses, names: Collection[str]) -> str:
    where = f", {next(iter(names))}" if len(names) == 1 else ""
    return printable(f"{Path(found.file).name}: differences with 95 % intervals{where}")


def _label(finding: Finding, names: Collection[str]) -> str:
    where = f" ({_place(finding)})" if len(names) > 1 else ""
    return wrapped(f"{finding.hypothesis}  {finding.claim}{where}", LETTERS)


def _place(finding: Finding) -> str:
    return ", ".join(filter(None, (finding.dataset, finding.protocol)))


def _draw(axes: "Axes", group: Sequence[Finding], labels: Sequence[str]) -> None:
    heights = _heights(labels)
    axes.axvline(1.0 if group[0].ratio else 0.0, color="#b0b0b0", linewidth=1, zorder=1)
    for finding, height in zip(group, heights, strict=True):
        _draw_finding(axes, finding, height)
    axes.set_yticks(heights, labels)
    axes.set_ylim(heights[-1] - _half(labels[-1]), _half(labels[0]))
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)


def _explain(axes: "Axes", drawn: Sequence[Finding]) -> None:
    """Add what the legend shows: the answers that are there, and the sign for what a hypothesis claims."""
    for answer, (colour, marker) in LOOKS.items():
        if any(each.answer == answer for each in drawn):
            inside = "white" if answer == Answer.UNDECIDED else colour
            axes.plot([], [], f"{marker}-", color=colour, mfc=inside, linewidth=2, ms=6, label=str(answer))
    axes.plot([], [], "|", color=DARK, ms=12, mew=1.5, label="end of the claimed range")


def _half(label: str) -> float:
    return (LINE * (label.count("\n") + 1) + SPACE) / 2


def _heights(labels: Sequence[str]) -> list[float]:
    """Return the heights of the claims from the top down, in inches, so that labels of several lines do not touch."""
    heights, place = [], _half(labels[0])
    for label in labels:
        place -= _half(label)
        heights.append(place)
        place -= _half(label)
    return heights


def _draw_finding(axes: "Axes", finding: Finding, height: float) -> None:
    colour, marker = LOOKS[finding.answer]
    value = finding.difference.value
    assert value is not None
    low, high = finding.difference.low, finding.difference.high
    if low is not None or high is not None:
        ends = (value if low is None else low, value if high is None else high)
        axes.plot(ends, [height] * 2, color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
    if (low is None) != (high is None):  # the interval is open on one side
        marker = ">" if high is None else "<"
    inside = "white" if finding.answer == Answer.UNDECIDED else colour
    axes.plot([value], [height], marker, color=colour, mfc=inside, ms=6, zorder=4)
    for bound in _bounds(finding):
        axes.plot([bound] * 2, [height - 0.1, height + 0.1], color=DARK, linewidth=1.5, zorder=3)


def _bounds(finding: Finding) -> Iterator[float]:
    """Yield the ends of the range of differences that the hypothesis claims."""
    margin = finding.margin
    if margin is None:
        return
    below = 1 / margin if finding.ratio else -margin
    if finding.direction != Direction.LOWER:
        yield margin
    if finding.direction != Direction.HIGHER:
        yield below
