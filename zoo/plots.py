"""Figures of studies and comparisons, drawn with matplotlib.

Each function returns a matplotlib `Figure` that has no window and is unknown to `pyplot`: change it as you like, then
write the bytes of `file_bytes` to a file. matplotlib is part of the optional extra `plots`, and is imported when the
first figure is drawn. Every public function raises UsageError if it is not installed.

Colour-blind readers can distinguish the colours (Okabe and Ito 2008, Color universal design). Lines also differ in
their dashes and markers, for prints without colours.
"""

import logging
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from zoo.comparison.comparison import Comparison
from zoo.comparison.curve import Band, second_band, trial_band, trial_curve
from zoo.errors import UsageError
from zoo.scores import metric_words
from zoo.space import Choice, Domain, Float, Int, Value
from zoo.store.study import Study, Trial, TrialStatus, ranked
from zoo.wording import count_text, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.store.studies import StudyStore

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TRIAL, BEST, LOST = "#0072b2", "#d55e00", "#000000"  # a trial with a value, the best, a trial without a value
QUIET, DARK = "#767676", "#333333"  # axes and notes, marks
UNITS = (("hours", 3600.0, 7200.0), ("minutes", 60.0, 600.0), ("seconds", 1.0, 0.0))  # name, seconds, least time
WIDTH, HEIGHT = 8.0, 4.5  # inches
ROOM = 0.06  # the margin beyond the lowest and the highest value, as a share of their range
MARKED = 12  # the approximate number of markers on a line
NAME, LABEL, TITLE = 16, 24, 9  # letters per line: of a parameter's name, of a value, per inch of a title
ROUND = (1, 2, 5, 10)  # steps between the numbers on an axis
NO_VALUE = "no trial has a score yet"
FORMATS = {".svg": "svg", ".png": "png"}
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # same width, for SVG viewers without the first
    "text.parse_math": False,  # a dollar sign in a name is not a formula
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#e3e3e3",
    "legend.frameon": False,
    "legend.columnspacing": 1.6,
    "legend.handlelength": 2.6,  # long enough to show dashes
    "savefig.dpi": 150,
    "svg.fonttype": "none",  # text stays text, so that readers can search and copy it
    "svg.hashsalt": "zoo",  # the same ids, and so the same bytes, each time
}


def check_installed() -> None:
    """Raise UsageError, with the command to install it, if matplotlib is missing."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)  # the first import lists all fonts, and may warn that this takes time
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError("figures need matplotlib: pip install 'zoo-registry[plots]'") from error
    finally:
        logger.setLevel(level)


@contextmanager
def styled() -> Iterator[None]:
    """Use matplotlib's own defaults and `STYLE`, without any matplotlibrc, and restore the previous settings."""
    check_installed()
    from matplotlib import style

    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph ")  # SVG viewers have fonts for the letters of all scripts
        yield


@styled()
def file_bytes(figure: "Figure", suffix: str) -> bytes:
    """Return the content of a file with the figure: SVG for the suffix `.svg`, PNG for `.png`.

    With the same release of matplotlib, the same study or comparison produces the same bytes. A PNG shows a box for
    each letter that the font DejaVu Sans does not have. Raises UsageError for any other suffix.
    """
    if suffix not in FORMATS:
        raise UsageError(f"a figure is written as {' or '.join(FORMATS)}, not as {suffix!r}")
    metadata = {"Title": str(figure.get_label())}
    file = BytesIO()
    figure.savefig(file, format=FORMATS[suffix], metadata={**metadata, "Date": None} if suffix == ".svg" else metadata)
    return file.getvalue()


@styled()
def study_history(study: Study) -> "Figure":
    """Draw the value of every ended trial by its number, and the best so far as a stepped line.

    Pruned trials are hollow. A trial without a value is a cross at the bottom. The legend counts the trials and names
    the best one.
    """
    figure, axes = _figure(_heading(study), "trial", metric_words(study.metric))
    last = max((trial.number for trial in study.ended), default=1)
    size = min(6.0, max(2.5, 72 * WIDTH / last))  # in points, limited by the width per trial
    for status, inside in ((TrialStatus.DONE, TRIAL), (TrialStatus.PRUNED, "white")):
        if group := [trial for trial in study.candidates if trial.status == status]:
            numbers, values = [trial.number for trial in group], [trial.value or 0.0 for trial in group]
            axes.plot(numbers, values, "o", ms=size, color=TRIAL, mfc=inside, label=f"{status} ({len(group)})")
    if study.best is not None:
        _draw_best(axes, study, study.best, last)
    with_value = {trial.number for trial in study.candidates}
    if lost := [trial for trial in study.ended if trial.number not in with_value]:
        numbers, transform = [trial.number for trial in lost], axes.get_xaxis_transform()
        axes.plot(numbers, [0.03] * len(lost), "x", ms=size, color=LOST, label=_lost_words(lost), transform=transform)
    axes.margins(y=0.1 if lost else ROOM)
    _count_trials(axes, last)
    finish(figure, axes, "" if study.candidates else NO_VALUE)
    return figure


@styled()
def study_parallel(study: Study) -> "Figure":
    """Draw the values and the score of each trial as a line across vertical axes, one for each parameter.

    The last axis is the metric. Better trials have darker lines; the best has its own colour. A value outside the range
    of an axis is drawn at its end. A line is broken at an axis on which the trial has no value.
    """
    trials = ranked(study.candidates, study.mode)[::-1]
    metric = metric_words(study.metric)
    rulers = [_Ruler(name, domain) for name, domain in study.space.items()]
    rulers.append(_Ruler(metric, _range([trial.value or 0.0 for trial in trials]), ends=False))
    figure, axes = _figure(_heading(study))
    columns = _side_by_side(figure, rulers)
    _draw_columns(axes, columns)
    across = [place for column in columns for place in column.across]
    for rank, trial in enumerate(trials, start=1):
        values = {**trial.config, metric: trial.value or 0.0}
        heights = [column.ruler.height(values.get(column.ruler.name)) for column in columns for _ in column.across]
        _draw_trial(axes, across, heights, trial, rank, len(trials))
    finish(figure, axes, "" if trials else NO_VALUE)
    return figure


@styled()
def comparison_by_trials(comparison: Comparison) -> "Figure":
    """Draw the best validation score so far of each searcher, by the number of trials.

    With several seeds a line is their mean, and its band extends from the lowest to the highest.
    """
    bands = {searcher: trial_band(comparison, searcher) for searcher in comparison.searchers}
    figure, axes = _best_so_far(comparison, bands, "trials")
    _count_trials(axes, max(2, int(_end(bands.values()))))
    return figure


@styled()
def comparison_by_seconds(comparison: Comparison, studies: "StudyStore") -> "Figure":
    """Draw the best validation score so far of each searcher, by the training time of all its trials together.

    `studies` is the store with the studies of the comparison. The axis is in seconds, minutes or hours. With several
    seeds a line is their mean, and its band extends from the lowest to the highest.
    """
    from matplotlib.ticker import MaxNLocator

    bands = {searcher: second_band(comparison, searcher, studies) for searcher in comparison.searchers}
    last = _end(bands.values()) or 1.0
    unit, seconds = next((name, size) for name, size, least in UNITS if last >= least)
    figure, axes = _best_so_far(comparison, bands, f"{unit} of training, all trials of a search together", seconds)
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=list(ROUND)))
    axes.set_xlim(0.0, 1.02 * last / seconds)
    return figure


def _figure(title: str, across: str = "", upwards: str = "") -> tuple["Figure", "Axes"]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((WIDTH, HEIGHT), layout="constrained", label=printable(title))
    FigureCanvasAgg(figure)  # needed to measure texts
    axes = figure.add_subplot(xlabel=across, ylabel=upwards)
    return figure, axes


def finish(figure: "Figure", axes: "Axes", missing: str = "") -> None:
    """Add the title and the legend, and the note `missing` if there is nothing to draw."""
    width = figure.get_figwidth()
    figure.suptitle(wrapped(str(figure.get_label()), int(TITLE * width)), x=0.1 / width, ha="left")
    if missing:
        axes.set_yticks([])
        _note(axes, missing)
    handles = axes.get_legend_handles_labels()[0]
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(handles=handles, ncols=columns, loc="outside lower left")
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width - 0.2 * figure.dpi:
            break
        legend.remove()


def _note(axes: "Axes", text: str) -> None:
    axes.set_title(text, loc="left", size=9, color=QUIET)


def _count_trials(axes: "Axes", last: int) -> None:
    """Label the axis with whole numbers, from the first trial to the last."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=list(ROUND), min_n_ticks=1))
    axes.set_xlim(0.5, last + 0.5)


def printable(text: str) -> str:
    """Return a text with a space in place of each letter that cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def wrapped(text: str, letters: int) -> str:
    """Wrap the text to lines of at most `letters` letters, after a space or a mark such as a dot if possible."""
    words = re.findall(r"[^ ._/+-]+[ ._/+-]*|[ ._/+-]+", printable(text))
    lines = [""]
    for piece in (word[start : start + letters] for word in words for start in range(0, len(word), letters)):
        if lines[-1] and len((lines[-1] + piece).rstrip()) > letters:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def _heading(study: Study) -> str:
    return f"{study.name}: {metric_words(study.metric)}"


def _draw_best(axes: "Axes", study: Study, best: Trial, last: int) -> None:
    """Draw the best so far up to the last ended trial, with a star at the best trial."""
    ordered = replace(study, trials=tuple(sorted(study.trials, key=lambda trial: trial.number)))
    numbers, values = zip(*trial_curve(ordered).steps, strict=True)
    star: dict[str, Any] = {"marker": "*", "ms": 13, "mec": "white", "markevery": [len(numbers) - 1]}
    label = f"best so far (trial {best.number}: {best.value:.4f})"
    axes.step([*numbers, last], [*values, values[-1]], where="post", color=BEST, zorder=3, label=label, **star)


def _lost_words(trials: Sequence[Trial]) -> str:
    """Return a label such as `no score (2 failed, 1 timeout)`."""
    statuses = [trial.status for trial in trials]
    return f"no score ({', '.join(f'{statuses.count(status)} {status}' for status in dict.fromkeys(statuses))})"


@dataclass(frozen=True)
class _Ruler:
    """A vertical axis for the values of a parameter or of the metric, with heights from 0 to 1.

    ends  whether the lowest and the highest number are marked, in addition to round ones
    """

    name: str
    domain: Domain
    ends: bool = True

    @property
    def title(self) -> str:
        log = not isinstance(self.domain, Choice) and self.domain.log
        return wrapped(self.name, NAME) + ("\n(log scale)" if log else "")

    def height(self, value: Value | None) -> float:
        """Return the height of a value; NaN if it has none."""
        if isinstance(self.domain, Choice):
            values = self.domain.values
            return (values.index(value) + 0.5) / len(values) if value in values else math.nan
        if value is None:
            return math.nan
        low, high, number = float(self.domain.low), float(self.domain.high), float(value)
        if low == high:
            return 0.5
        number = min(high, max(low, number))
        if self.domain.log:
            low, high, number = math.log(low), math.log(high), math.log(number)
        return (number - low) / (high - low)

    def marks(self) -> dict[float, str]:
        """Return the texts beside the axis, by their heights."""
        values = list(self.domain.values) if isinstance(self.domain, Choice) else self._numbers(self.domain)
        return {self.height(value): wrapped(text, LABEL) for value, text in zip(values, _texts(values), strict=True)}

    def _numbers(self, domain: Int | Float) -> list[Value]:
        """Return the ends if they are marked, and round numbers, far enough apart that their texts do not touch."""
        found: list[Value] = list(dict.fromkeys((domain.low, domain.high))) if self.ends else []
        for number in _round_numbers(domain):
            height = self.height(number)
            if domain.low < number < domain.high and all(abs(height - self.height(each)) > 0.09 for each in found):
                found.append(number)
        return found


def _round_numbers(domain: Int | Float) -> Sequence[int | float]:
    """Return round numbers around the range of a domain, whole ones for an Int."""
    from matplotlib.ticker import MaxNLocator

    whole = isinstance(domain, Int)
    if domain.log:
        powers = range(math.floor(math.log10(domain.low)), math.ceil(math.log10(domain.high)))
        numbers = [factor * 10.0**power for factor in (10, 1, 5, 2) for power in powers]  # decades first
    else:
        locator = MaxNLocator(5, steps=list(ROUND), integer=whole)
        numbers = [float(number) for number in locator.tick_values(domain.low, domain.high)]
    return [int(number) for number in numbers if number == int(number)] if whole else numbers


def _texts(values: Sequence[Value]) -> list[str]:
    """Return values as text, numbers with enough digits to distinguish them."""
    texts = [value_text(value) for value in values]
    for digits in range(4, 17):
        if len(set(texts)) == len(values):
            break
        texts = [f"{value:.{digits}g}" if isinstance(value, float) else str(value) for value in values]
    return texts


def _range(values: Sequence[float]) -> Float:
    """Return a range with a small margin around the values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = ROOM * (high - low) or 0.05
    return Float(low - room, high + room)


@dataclass(frozen=True)
class _Column:
    """A ruler with its position and the sizes of its texts, all in inches.

    The lines of trials are horizontal beside the names of a Choice, so that names and lines do not cross.
    """

    ruler: _Ruler
    title: tuple[float, float]
    marks: tuple[float, float]  # width, and the minimum height of the ruler
    place: float = 0.0

    @classmethod
    def measured(cls, figure: "Figure", ruler: _Ruler) -> "_Column":
        sizes = [_extent(figure, text, 9) for text in ruler.marks().values()] or [(0.0, 0.0)]
        width, height = max(width for width, _ in sizes), max(height for _, height in sizes)
        return cls(ruler, _extent(figure, ruler.title, 10), (width + 0.15, (height + 0.06) * len(sizes)))

    @property
    def across(self) -> tuple[float, ...]:
        """The positions at which the lines of trials have a corner."""
        named = isinstance(self.ruler.domain, Choice)
        return (self.place, self.place + self.marks[0]) if named else (self.place,)

    def gap(self, following: "_Column") -> float:
        """Return the minimum distance to the next column."""
        lines = 0.7 if isinstance(self.ruler.domain, Choice) else 0.5
        return max(1.1, self.marks[0] + lines, (self.title[0] + following.title[0]) / 2 + 0.15)


def _extent(figure: "Figure", content: str, size: float) -> tuple[float, float]:
    """Return the width and height of a text in inches."""
    text = figure.text(0, 0, content, size=size)
    box = text.get_window_extent()
    text.remove()
    return box.width / figure.dpi, box.height / figure.dpi


def _side_by_side(figure: "Figure", rulers: Sequence[_Ruler]) -> list[_Column]:
    """Return the rulers in their positions, and resize the figure to fit their texts."""
    columns = [_Column.measured(figure, ruler) for ruler in rulers]
    gaps = [column.gap(following) for column, following in pairwise(columns)]
    beside = columns[0].title[0] / 2 + max(columns[-1].title[0] / 2, columns[-1].marks[0])
    stretch = max(1.0, (WIDTH - beside) / sum(gaps)) if gaps else 1.0
    tall = max(3.0, *(column.marks[1] for column in columns))
    below = max(column.title[1] for column in columns)
    figure.set_size_inches(max(WIDTH, stretch * sum(gaps) + beside) + 0.2, tall + below + 1.4)  # title and legend
    return [replace(column, place=stretch * sum(gaps[:number])) for number, column in enumerate(columns)]


def _draw_columns(axes: "Axes", columns: Sequence[_Column]) -> None:
    last = columns[-1]
    axes.set_xlim(-columns[0].title[0] / 2, last.place + max(last.title[0] / 2, last.marks[0]))
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([])
    axes.set_xticks([column.place for column in columns], [column.ruler.title for column in columns])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.vlines([column.place for column in columns], 0, 1, colors=QUIET, linewidth=1, zorder=4)
    for column in columns:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 1.0 if len(column.across) > 1 else 0.8}
        look: dict[str, Any] = {"va": "center", "size": 9, "color": DARK, "zorder": 5, "bbox": box}
        for height, text in column.ruler.marks().items():
            axes.plot([column.place], [height], "_", ms=6, color=QUIET, zorder=4)
            axes.annotate(text, (column.place, height), (6, 0), textcoords="offset points", **look)


def _draw_trial(
    axes: "Axes", across: Sequence[float], heights: Sequence[float], trial: Trial, rank: int, count: int
) -> None:
    """Draw the line of one trial, the `rank`-th of `count` from the worst to the best."""
    from matplotlib import colormaps

    share, thin = rank / count, max(0.4, min(1.0, 60 / count))
    look: dict[str, Any] = {"color": colormaps["Blues"](0.2 + 0.75 * share), "lw": thin * (0.8 + share), "ms": 4 * thin}
    if rank == count:
        look = {"color": BEST, "lw": 2.5, "ms": 6, "label": f"best (trial {trial.number}: {trial.value:.4f})"}
    elif rank == count - 1:
        look["label"] = "other trials (darker is better)"
    axes.plot(across, heights, marker=".", gid=f"trial-{trial.number}", **look)


def _best_so_far(
    comparison: Comparison, bands: Mapping[str, Band], across: str, unit: float = 1.0
) -> tuple["Figure", "Axes"]:
    """Draw a line for each searcher, its positions divided by `unit`, and a band if there are several seeds."""
    metric = metric_words(comparison.metric)
    figure, axes = _figure(f"{comparison.name}: best {metric} so far", across, metric)
    seeds = {band.seeds for band in bands.values() if band.points}
    for number, (searcher, band) in enumerate(bands.items()):
        more = f" ({count_text(band.seeds, 'seed')})" if len(seeds) > 1 else ""
        label = wrapped(searcher, 2 * LABEL) + (more if band.points else " (no line yet)")
        _draw_line(axes, band, unit, number, label)
        if band.seeds > 1 and band.points:
            _draw_area(axes, band, unit, COLOURS[number % len(COLOURS)], 0.13 if len(bands) < 4 else 0.06)
    if max(seeds, default=0) > 1:
        of = f"{max(seeds)} seeds" if len(seeds) == 1 else "the seeds"
        _note(axes, f"lines: mean of {of}; bands: from the lowest to the highest")
    axes.margins(y=ROOM)
    finish(figure, axes, "" if seeds else "no searcher has a score from all its seeds yet")
    return figure, axes


def _draw_line(axes: "Axes", band: Band, unit: float, number: int, label: str) -> None:
    """Draw a stepped line with markers; later lines are thinner, so that they do not hide earlier ones below them."""
    count = len(band.points)
    marked = [place for place in range(count) if place % math.ceil(count / MARKED) == 0 or place == count - 1]
    look: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "ls": DASHES[number % len(DASHES)]}
    look |= {"marker": MARKERS[number % len(MARKERS)], "markevery": marked}
    look |= {"lw": max(1.2, 2.2 - 0.2 * number), "ms": max(4.5, 7.0 - 0.5 * number)}
    places, means = [point.at / unit for point in band.points], [point.mean for point in band.points]
    axes.step(places, means, where="post", label=label, zorder=3, **look)


def _draw_area(axes: "Axes", band: Band, unit: float, colour: str, share: float) -> None:
    places = [point.at / unit for point in band.points]
    lows, highs = [point.low for point in band.points], [point.high for point in band.points]
    axes.fill_between(places, lows, highs, step="post", fc=(colour, share), ec=(colour, 0.4), lw=0.8)


def _end(bands: Iterable[Band]) -> float:
    """Return the last position of all bands; 0 if none has a point."""
    return max((band.points[-1].at for band in bands if band.points), default=0.0)
