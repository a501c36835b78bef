"""Two pictures of a study as SVG: how the search went, and which values went with which scores."""

import math
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from zoo.pictures.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, document, grid, numbers, padded, text
from zoo.scores import metric_words
from zoo.space import Value
from zoo.store.study import SCORED, Study, Trial

SPACING, SIDE = 160, 84  # between the axes of the parallel picture, and beside them: room for a name below each

Axis = Mapping[str, Any]
_LEGEND = (
    f'<g transform="translate({WIDTH - RIGHT - 190} 20)"><circle cx="0" cy="0" r="4" class="done"/><text x="9" y="4">'
    'done</text><circle cx="56" cy="0" r="4" class="pruned"/><text x="65" y="4">pruned</text>'
    '<text x="120" y="4" class="failed">&#215;</text><text x="132" y="4">no score</text></g>'
)


def history(study: Study) -> str:
    """Every trial's value by its number, and the best so far as a stepped line; a cross for one without a value."""
    trials = study.ended
    low, high = padded([trial.value for trial in trials if trial.value is not None])
    last = max((trial.number for trial in trials), default=1)
    across, floor = WIDTH - LEFT - RIGHT, HEIGHT - BOTTOM

    def x(number: int) -> float:
        return LEFT + across * (number - 1) / max(1, last - 1)

    def y(value: float) -> float:
        return floor - (floor - TOP) * (value - low) / (high - low)

    parts = [*grid(low, high, y), *numbers(last, x), _LEGEND]
    if path := _best_path(trials, study.mode, x, y):
        parts.append(f'<path d="{path} H {x(last):.1f}" class="best"/>')
    parts += [_mark(trial, x, y) for trial in trials]
    parts.append(text(LEFT + across / 2, HEIGHT - 14, "trial", anchor="middle"))
    return document(WIDTH, HEIGHT, _heading(study), parts)


def parallel(study: Study) -> str:
    """A line per trial with a value across one upright axis per hyperparameter and one for the value.

    The darker a line, the better its trial.
    """
    ended = [(trial.value, trial) for trial in study.trials if trial.status in SCORED]
    ranked = sorted(
        ((value, trial) for value, trial in ended if value is not None),
        key=lambda pair: pair[0],
        reverse=study.mode == "min",
    )
    metric = metric_words(study.metric)
    low, high = padded([value for value, _ in ranked])
    axes: dict[str, Axis] = {**study.space, metric: {"kind": "float", "low": low, "high": high}}
    width, height = max(WIDTH, SPACING * (len(axes) - 1) + 2 * SIDE), HEIGHT + 40
    top, floor = TOP + 16, height - BOTTOM
    place = {name: SIDE + (width - 2 * SIDE) * rank / max(1, len(axes) - 1) for rank, name in enumerate(axes)}

    def y(axis: Axis, value: Value) -> float:
        return floor - (floor - top) * _share(axis, value)

    parts = []
    for rank, (value, trial) in enumerate(ranked):
        values = {**trial.config, metric: value}
        points = " ".join(
            f"{place[name]:.1f},{y(axis, values[name]):.1f}"
            for name, axis in axes.items()
            if _holds(axis, values, name)
        )
        parts.append(_line(points, (rank + 1) / len(ranked), f"trial {trial.number}: {value:.4f}"))
    for name, axis in axes.items():
        parts.append(f'<line x1="{place[name]:.1f}" x2="{place[name]:.1f}" y1="{top}" y2="{floor}" class="axis"/>')
        parts.append(text(place[name], height - BOTTOM + 24, name, anchor="middle"))
        parts += [text(place[name] + 6, y(axis, mark) + 4, mark, kind="mark") for mark in _marks(axis)]
    return document(width, height, _heading(study), parts)


def _best_path(trials: Iterable[Trial], mode: str, x: Callable[[int], float], y: Callable[[float], float]) -> str:
    """The best value so far as an SVG path, up to the last trial that was better."""
    path, best = [], None
    for trial in sorted(trials, key=lambda trial: trial.number):
        if trial.status not in SCORED or trial.value is None:
            continue
        if best is None:
            path.append(f"M {x(trial.number):.1f} {y(trial.value):.1f}")
        elif trial.value < best if mode == "min" else trial.value > best:
            path.append(f"H {x(trial.number):.1f} V {y(trial.value):.1f}")
        else:
            continue
        best = trial.value
    return " ".join(path)


def _mark(trial: Trial, x: Callable[[int], float], y: Callable[[float], float]) -> str:
    across = f"{x(trial.number):.1f}"
    if trial.status in SCORED and trial.value is not None:
        title = f"<title>trial {trial.number}: {trial.value:.4f} ({trial.status})</title>"
        return f'<circle cx="{across}" cy="{y(trial.value):.1f}" r="4" class="{trial.status}">{title}</circle>'
    title = f"<title>trial {trial.number}: {escape(f'{trial.status} {trial.reason}'.strip())}</title>"
    return f'<text x="{across}" y="{HEIGHT - BOTTOM - 4}" text-anchor="middle" class="failed">&#215;{title}</text>'


def _line(points: str, share: float, title: str) -> str:
    """One trial's line; `share` is 1 for the best."""
    colour = f"hsl(215 70% {88 - 58 * share:.0f}%)"
    stroke = f'fill="none" stroke="{colour}" stroke-width="{1 + 1.5 * share:.1f}"'
    return f'<polyline points="{points}" {stroke}><title>{escape(title)}</title></polyline>'


def _share(axis: Axis, value: Value) -> float:
    """How far up an axis a value is, from 0 to 1."""
    if axis["kind"] == "choice":
        return (list(axis["values"]).index(value) + 0.5) / len(axis["values"])
    low, high, number = float(axis["low"]), float(axis["high"]), float(value)
    if low == high:
        return 0.5
    if axis.get("log"):
        low, high, number = math.log(low), math.log(high), math.log(number)
    return min(1.0, max(0.0, (number - low) / (high - low)))


def _holds(axis: Axis, values: Mapping[str, Value], name: str) -> bool:
    return name in values and (axis["kind"] != "choice" or values[name] in axis["values"])


def _marks(axis: Axis) -> list[Value]:
    if axis["kind"] == "choice":
        return list(axis["values"])
    return sorted({axis["low"], axis["high"]})


def _heading(study: Study) -> str:
    return f"{study.name}: {metric_words(study.metric)}"
