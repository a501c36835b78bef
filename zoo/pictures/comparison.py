"""Two pictures of a comparison as SVG: the best so far of each searcher, against trials and against training time.

A line is the mean over seeds, the band around it goes from the lowest to the highest. The colours are told apart by
the colour-blind (Okabe and Ito 2008, Color universal design), the dashes in print without colours.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from zoo.comparison.comparison import Comparison
from zoo.comparison.curve import Band, second_band, trial_band
from zoo.pictures.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, document, grid, numbers, padded, text, ticks
from zoo.scores import metric_words
from zoo.store.studies import StudyStore

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("", "8 4", "2 3", "10 3 2 3")
UNITS = (("hours", 3600.0, 7200.0), ("minutes", 60.0, 600.0), ("seconds", 1.0, 0.0))  # name, seconds, and from when
LETTER, SAMPLE, ROW = 7.5, 30.0, 18.0  # of the legend: a letter's width, a line's length, a row's height


def by_trials(comparison: Comparison) -> str:
    """The best on validation so far by the number of trials."""
    bands = {searcher: trial_band(comparison, searcher) for searcher in comparison.searchers}
    last = max((int(band.points[-1].at) for band in bands.values() if band.points), default=1)
    frame = _Frame(comparison, bands, 1.0, float(max(2, last)))
    return frame.drawn(numbers(last, frame.x), "trials")


def by_seconds(comparison: Comparison, studies: StudyStore) -> str:
    """The best on validation so far by the time that training took, all trials together."""
    bands = {searcher: second_band(comparison, searcher, studies) for searcher in comparison.searchers}
    last = max((band.points[-1].at for band in bands.values() if band.points), default=0.0) or 1.0
    unit, seconds = next((name, size) for name, size, least in UNITS if last >= least)
    frame = _Frame(comparison, bands, 0.0, last)
    marks = (
        text(frame.x(tick * seconds), HEIGHT - BOTTOM + 18, f"{tick:g}", anchor="middle")
        for tick in ticks(0.0, last / seconds, 8)
    )
    return frame.drawn(marks, f"{unit} of training, all trials of a search together")


class _Frame:
    """A picture's axes: places from `first` to `last` across, values upwards."""

    def __init__(self, comparison: Comparison, bands: Mapping[str, Band], first: float, last: float) -> None:
        self.comparison, self.bands, self.first, self.last = comparison, bands, first, last
        self.legend, rows = _legend(list(bands))
        self.top = TOP + ROW * rows
        points = [point for band in bands.values() for point in band.points]
        self.low, self.high = padded([value for point in points for value in (point.low, point.high)])

    def x(self, place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place - self.first) / (self.last - self.first)

    def y(self, value: float) -> float:
        floor = HEIGHT - BOTTOM
        return floor - (floor - self.top) * (value - self.low) / (self.high - self.low)

    def drawn(self, marks: Iterator[str], across: str) -> str:
        """The whole picture, with what is written along its floor."""
        floor = HEIGHT - BOTTOM
        axis = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}" class="axis"/>'
        parts = [*grid(self.low, self.high, self.y), axis, *marks, *self.legend]
        parts += [self._area(number, band) for number, band in enumerate(self.bands.values()) if band.seeds > 1]
        parts += [self._line(number, *pair) for number, pair in enumerate(self.bands.items())]
        seeds = max((band.seeds for band in self.bands.values()), default=0)
        below = f"{across}; mean and range of {seeds} seeds" if seeds > 1 else across
        parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, below, anchor="middle", letters=len(below)))
        title = f"{self.comparison.name}: best {metric_words(self.comparison.metric)} so far"
        return document(WIDTH, HEIGHT, title, parts)

    def _line(self, number: int, searcher: str, band: Band) -> str:
        if not band.points:
            return ""
        start, *rest = band.points
        path = [f"M {self.x(start.at):.1f} {self.y(start.mean):.1f}"]
        path += [f"H {self.x(point.at):.1f} V {self.y(point.mean):.1f}" for point in rest]
        title = f"<title>{escape(searcher)}: {band.points[-1].mean:.4f}</title>"
        return f'<path d="{" ".join(path)}" {_stroke(number)}>{title}</path>'

    def _area(self, number: int, band: Band) -> str:
        highs = self._steps([(point.at, point.high) for point in band.points])
        lows = self._steps([(point.at, point.low) for point in band.points])
        points = " ".join([*highs, *reversed(lows)])
        return f'<polygon points="{points}" fill="{COLOURS[number % len(COLOURS)]}" fill-opacity="0.13"/>'

    def _steps(self, values: Sequence[tuple[float, float]]) -> list[str]:
        """The corners of a stepped line: each value holds up to the next place."""
        corners: list[str] = []
        for (place, value), (_, before) in zip(values, [values[0], *values], strict=False) if values else ():
            corners += [f"{self.x(place):.1f},{self.y(level):.1f}" for level in (before, value)]
        return corners


def _stroke(number: int) -> str:
    dash = DASHES[number % len(DASHES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"{dashes}'


def _legend(names: Sequence[str]) -> tuple[list[str], int]:
    """A line and its name for each searcher, under the title, and how many rows that takes."""
    parts, left, row = [], float(LEFT), 0
    for number, name in enumerate(names):
        width = SAMPLE + 6 + LETTER * min(len(name), 24) + 18
        if left + width > WIDTH and left > LEFT:
            left, row = float(LEFT), row + 1
        height = TOP + ROW * row
        parts.append(f'<path d="M {left:.1f} {height - 4:.1f} H {left + SAMPLE:.1f}" {_stroke(number)}/>')
        parts.append(text(left + SAMPLE + 6, height, name))
        left += width
    return parts, row + 1
