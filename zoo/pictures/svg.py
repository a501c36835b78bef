"""The pieces of which pictures are made: a frame with its margins, grid lines, texts, and the document around them."""

import math
from collections.abc import Callable, Iterable, Iterator
from html import escape

from zoo.space import Value

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 44, 56  # margins
LETTERS = 23  # of a name or value that is shown, `training.learning_rate` just so; the rest is in the tooltip
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-size:14px;font-weight:600}.grid{stroke:#e3e3e3}"
    ".axis{stroke:#777}.mark{font-size:11px;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:3px}"
    ".done{fill:#2b6cb0}.pruned{fill:#fff;stroke:#2b6cb0}.failed{fill:#c53030}"
    ".best{fill:none;stroke:#dd6b20;stroke-width:2}"
)


def grid(low: float, high: float, y: Callable[[float], float]) -> Iterator[str]:
    """A line and its number at round values between the bounds; `y` gives a value's height."""
    for tick in ticks(low, high):
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>'
        yield text(LEFT - 8, y(tick) + 4, tick, anchor="end")


def numbers(last: int, x: Callable[[int], float]) -> Iterator[str]:
    """Whole numbers from 1 below the floor, a dozen at most."""
    for number in range(1, last + 1, max(1, math.ceil(last / 12))):
        yield text(x(number), HEIGHT - BOTTOM + 18, number, anchor="middle")


def padded(values: list[float]) -> tuple[float, float]:
    """Bounds with a little room around the values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.06 * (high - low) or 0.05
    return low - room, high + room


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between the bounds: steps of 1, 2 or 5 and a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def text(x: float, y: float, content: Value, *, anchor: str = "start", kind: str = "", letters: int = LETTERS) -> str:
    """A text of one line, its end in the tooltip where it is long; `kind` is its class."""
    whole = f"{content:.3g}" if isinstance(content, float) else str(content)
    short = whole if len(whole) <= letters else f"{whole[: letters - 1]}…"
    title = "" if short == whole else f"<title>{escape(whole)}</title>"
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(short)}{title}</text>'


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """The whole file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
    )
    return f'{head}<text x="{LEFT}" y="24" class="title">{escape(title)}</text>{"".join(parts)}</svg>\n'
