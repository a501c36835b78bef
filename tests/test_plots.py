"""Figures of studies and comparisons: values where they belong, texts that can be read, the same bytes each time."""

import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from comparing import compared, member
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from studies import stored, study_of

from zoo import UsageError
from zoo.comparison.comparison import Comparison, comparison_of
from zoo.comparison.curve import trial_band
from zoo.plots import (
    check_installed,
    comparison_by_seconds,
    comparison_by_trials,
    file_bytes,
    study_history,
    study_parallel,
)
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, Trial, TrialStatus

Points = list[tuple[float, float]]
SVG = "{http://www.w3.org/2000/svg}"
STUDY = study_of(("done",) * 6 + ("pruned", "failed", "timeout", "running", "interrupted") + ("done",) * 6)


def drawn(figure: Figure) -> Axes:
    """The axes of a figure with everything in its frame, no text over another, and all texts in its SVG as texts."""
    figure.draw_without_rendering()
    boxes = [(text, text.get_window_extent()) for text in shown(figure)]
    for text, box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert not first.padded(-1).overlaps(second.padded(-1)), (one, other)
    (axes,) = figure.axes
    frame = axes.bbox.padded(1)
    for line in axes.get_lines():
        for x, y in line.get_transform().transform(line.get_xydata()):
            assert math.isnan(y) or frame.contains(x, y), line
    root = ElementTree.fromstring(file_bytes(figure, ".svg"))
    assert root.tag == f"{SVG}svg"
    written = {element.text for element in root.iter(f"{SVG}text")}
    assert {line for text in shown(figure) for line in text.get_text().split("\n")} <= written
    return axes


def shown(figure: Figure) -> list[Text]:
    """The texts of a figure, but for ticks beyond the ends of an axis, which are not drawn."""
    beyond = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond |= {id(tick.label1) for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    found = (text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip())
    return [text for text in found if id(text) not in beyond]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in shown(axes.get_figure())]


def whole(axes: Axes) -> list[str]:
    """The texts as they were before they were broken into lines."""
    return [text.replace("\n", "") for text in texts(axes)]


def labelled(axes: Axes, start: str) -> Line2D:
    """The one line whose entry in the legend begins so."""
    (line,) = [line for line in axes.get_lines() if str(line.get_label()).startswith(start)]
    assert str(line.get_label()) in texts(axes)
    return line


def points(line: Line2D) -> Points:
    return [(float(x), float(y)) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def ticks(axes: Axes) -> Points:
    """The numbers along the lower axis as they are written, and where they are."""
    written = set(map(id, shown(axes.get_figure())))
    found = [tick for tick in axes.xaxis.get_major_ticks() if id(tick.label1) in written]
    return [(float(tick.label1.get_text()), float(tick.get_loc())) for tick in found]


# files


def test_a_file_is_svg_or_png_with_the_title_of_the_figure() -> None:
    figure = study_history(STUDY)
    root = ElementTree.fromstring(file_bytes(figure, ".svg"))
    assert root.findtext(f"{SVG}title") == "cnngru-optuna-0: validation macro recall"
    width, height = (float(root.attrib[side].removesuffix("pt")) / 72 for side in ("width", "height"))
    assert (width, height) == pytest.approx(tuple(figure.get_size_inches()))
    assert file_bytes(figure, ".png").startswith(b"\x89PNG")
    with pytest.raises(UsageError, match=r"written as \.svg or \.png, not as '\.pdf'"):
        file_bytes(figure, ".pdf")


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_study_gives_the_same_bytes_whatever_matplotlib_is_set_to(suffix: str) -> None:
    first = [file_bytes(draw(STUDY), suffix) for draw in (study_history, study_parallel)]
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "path", "axes.grid": False}):
        figures = [draw(STUDY) for draw in (study_history, study_parallel)]
        assert [file_bytes(figure, suffix) for figure in figures] == first
        assert [file_bytes(figure, suffix) for figure in figures] == first
        assert (matplotlib.rcParams["font.size"], matplotlib.rcParams["svg.fonttype"]) == (20, "path")
    assert not any(b"dc:date" in content for content in first)


def test_figures_belong_to_no_window_and_are_not_known_to_pyplot() -> None:
    program = (
        "import sys\nfrom studies import study_of\nfrom zoo.plots import file_bytes, study_history\n"
        "file_bytes(study_history(study_of()), '.svg')\nprint('matplotlib.pyplot' in sys.modules)"
    )
    assert python(program).stdout == "False\n"


def test_the_first_use_says_nothing_of_fonts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "home")  # where nothing can be kept
    settings = {"HOME": nowhere, "XDG_CONFIG_HOME": nowhere, "XDG_CACHE_HOME": nowhere}
    done = python("from zoo.plots import check_installed; check_installed()", **settings)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(sys.path)
    variables = {**os.environ, "PYTHONPATH": paths, **environment}
    variables.pop("MPLCONFIGDIR", None)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=variables, timeout=120)


def test_what_to_install_is_said_where_matplotlib_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    check_installed()
    figure = study_history(STUDY)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    said = r"^figures need matplotlib: pip install 'zoo-registry\[plots\]'$"
    for draw in (study_history, study_parallel):
        with pytest.raises(UsageError, match=said):
            draw(STUDY)
    with pytest.raises(UsageError, match=said):
        file_bytes(figure, ".svg")
    with pytest.raises(UsageError, match=said):
        check_installed()


# a study


def studied(*trials: Trial, metric: str = "accuracy", space: Any = None) -> Study:
    study = study_of((), metric=metric)
    return replace(study, trials=trials, space=study.space if space is None else space)


def tried(number: int, value: float | None, status: str = "done", **config: Any) -> Trial:
    return Trial(number=number, config=config, status=status, value=value)


TRIALS = (
    tried(1, 0.2),
    tried(2, 0.7, "pruned"),
    tried(3, None, "failed"),
    tried(4, 0.45),
    tried(5, 0.7),
    tried(6, None, "running"),
)


def test_history_marks_every_trial_that_ended() -> None:
    axes = drawn(study_history(STUDY))
    assert "cnngru-optuna-0: validation macro recall" in texts(axes)
    for status, number in (("done", 12), ("pruned", 1)):
        expected = [(t.number, t.value) for t in STUDY.trials if t.status == status]
        assert points(labelled(axes, f"{status} ({number})")) == expected
    assert [x for x, _ in points(labelled(axes, "no score (1 failed, 1 timeout)"))] == [8, 9]
    assert not [text for text in texts(axes) if "running" in text or "interrupted" in text]
    (_, low), (_, high) = axes.transData.transform([(1, 0.6), (1, 0.7)])
    assert low < high  # higher on the picture is better


def test_history_puts_each_trial_at_its_number_and_its_value() -> None:
    axes = drawn(study_history(studied(*TRIALS)))
    done, pruned, lost = (labelled(axes, start) for start in ("done (3)", "pruned (1)", "no score (1 failed)"))
    assert points(done) == [(1, 0.2), (4, 0.45), (5, 0.7)]
    assert points(pruned) == [(2, 0.7)]
    assert [x for x, _ in points(lost)] == [3]
    (_, height) = lost.get_transform().transform(points(lost)[0])
    foot = axes.bbox.y0
    assert foot < height < foot + 0.05 * axes.bbox.height < axes.transData.transform((1, 0.2))[1]
    assert len({(line.get_marker(), line.get_markerfacecolor()) for line in (done, pruned, lost)}) == 3
    best = labelled(axes, "best so far")
    assert (best.get_drawstyle(), points(best)) == ("steps-post", [(1, 0.2), (2, 0.7), (5, 0.7)])
    assert ticks(axes) == [(number, number) for number in range(1, 6)]  # the fifth is the last that ended
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("trial", "validation accuracy")


@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
def test_the_best_line_ends_at_the_best_trial_and_has_a_star_there(metric: str) -> None:
    study = replace(STUDY, request={**STUDY.request, "metric": metric})
    axes = drawn(study_history(study))
    best = study.best
    assert best is not None
    line = labelled(axes, f"best so far (trial {best.number}: {best.value:.4f})")
    assert points(line)[-1] == (17, best.value)
    assert (line.get_marker(), [points(line)[place] for place in line.get_markevery()]) == (
        "*", [(best.number, best.value)]
    )  # fmt: skip


def test_the_best_so_far_goes_down_where_lower_is_better_and_follows_the_numbers() -> None:
    turned = [replace(trial, number=6 - trial.number) for trial in TRIALS[:5]]
    axes = drawn(study_history(studied(*turned, metric="validation_loss")))
    assert points(labelled(axes, "best so far")) == [(1, 0.7), (2, 0.45), (5, 0.2), (5, 0.2)]


def test_a_trial_that_timed_out_is_a_cross_whatever_value_it_had() -> None:
    axes = drawn(study_history(studied(tried(1, 0.2), tried(2, 0.9, "timeout"))))
    assert points(labelled(axes, "done (1)")) == [(1, 0.2)]
    assert points(labelled(axes, "best so far")) == [(1, 0.2), (2, 0.2)]
    assert [x for x, _ in points(labelled(axes, "no score (1 timeout)"))] == [2]


@pytest.mark.parametrize("last", [1, 12, 13, 24, 300])
def test_a_dozen_whole_numbers_at_most_along_the_trials(last: int) -> None:
    found = ticks(drawn(study_history(studied(*(tried(number, number / last) for number in range(1, last + 1))))))
    assert 1 <= len(found) <= 12
    assert all(number == place == int(place) and 1 <= place <= last for number, place in found)


@pytest.mark.parametrize(("values", "bounds"), [((2.0, 4.0, 3.0), (1.88, 4.12)), ((0.5, 0.5), None), ((0.5,), None)])
def test_bounds_leave_a_little_room(values: tuple[float, ...], bounds: tuple[float, float] | None) -> None:
    trials = [tried(number, value) for number, value in enumerate(values, start=1)]
    low, high = drawn(study_history(studied(*trials))).get_ylim()
    assert low < min(values) <= max(values) < high
    assert bounds is None or (low, high) == pytest.approx(bounds)


def trial_lines(axes: Axes) -> dict[int, Line2D]:
    """The lines of trials by their numbers, the one in front last."""
    lines = sorted(axes.get_lines(), key=Line2D.get_zorder)
    return {int(gid.removeprefix("trial-")): line for line in lines if (gid := line.get_gid())}


def heights(axes: Axes, line: Line2D) -> list[float]:
    """Where a line crosses each upright axis, from 0 at its foot to 1."""
    places = dict(points(line))
    return [places[float(place)] for place in axes.get_xticks()]


def marks(axes: Axes) -> list[list[tuple[str, float]]]:
    """What is written beside each upright axis, with its height."""
    found = [text for text in axes.texts if isinstance(text, Annotation)]
    return [[(text.get_text(), text.xy[1]) for text in found if text.xy[0] == place] for place in axes.get_xticks()]


SPACE: dict[str, Any] = {
    "block": {"kind": "choice", "values": ["none", "se"]},
    "depth": {"kind": "int", "low": 1, "high": 5, "log": False},
    "rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "same": {"kind": "int", "low": 3, "high": 3, "log": False},
}


def test_parallel_draws_a_line_for_each_trial_with_a_value_and_the_best_on_top() -> None:
    axes = drawn(study_parallel(STUDY))
    assert "cnngru-optuna-0: validation macro recall" in texts(axes)
    lines = trial_lines(axes)
    assert set(lines) == {t.number for t in STUDY.trials if t.status in ("done", "pruned")}
    assert STUDY.best is not None
    *_, (number, front) = lines.items()
    assert number == STUDY.best.number
    assert front.get_label() == f"best (trial {number}: {STUDY.best.value:.4f})"
    labels = {front.get_label(), "other trials (darker is better)"}
    assert labels <= set(texts(axes))
    names = [label.get_text().replace("\n", "") for label in axes.get_xticklabels()]
    assert names == ["hidden", "num_blocks", "training.learning_rate(log scale)", "block", "validation macrorecall"]
    ends = [heights(axes, line)[-1] for line in lines.values()]
    assert ends == sorted(ends)
    assert all(math.isfinite(height) for line in lines.values() for height in heights(axes, line))


def test_parallel_crosses_each_axis_at_the_trials_value() -> None:
    first = tried(1, 0.2, block="none", depth=1, rate=1e-3, same=3)
    second = tried(2, 0.7, "pruned", block="se", depth=4, rate=1e-2, same=3)
    lost = tried(3, 0.9, "timeout", block="se", depth=5, rate=1e-2, same=3)
    alien = tried(4, 0.45, block="cbam", depth=9, rate=1e-5)
    axes = drawn(study_parallel(studied(first, second, lost, alien, space=SPACE)))
    lines = trial_lines(axes)
    assert list(lines) == [1, 4, 2], "the best on top"
    # From 0.2 to 0.7 with room is from 0.17 to 0.73: 0.2 is 0.03 / 0.56 of the way up.
    low, missing = 0.03 / 0.56, math.nan
    assert heights(axes, lines[1]) == pytest.approx([0.25, 0, 0.5, 0.5, low])
    assert heights(axes, lines[2]) == pytest.approx([0.75, 0.75, 1, 0.5, 1 - low])
    # Outside of an axis is at its end; without a place on it, the line is broken.
    assert heights(axes, lines[4]) == pytest.approx([missing, 1, 0, missing, 0.5], nan_ok=True)
    brightness = [sum(to_rgb(line.get_color())) for line in lines.values()]
    assert brightness[0] > brightness[1]
    assert lines[2].get_color() not in [lines[number].get_color() for number in (1, 4)]
    widths = [line.get_linewidth() for line in lines.values()]
    assert widths == sorted(set(widths))
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert names == ["block", "depth", "rate\n(log scale)", "same", "validation\naccuracy"]
    uprights = [sorted(map(tuple, segment)) for segment in axes.collections[0].get_segments()]
    assert uprights == [[(place, 0), (place, 1)] for place in axes.get_xticks()]


def test_values_are_marked_beside_their_axes_and_level_with_the_lines() -> None:
    trial = tried(1, 0.2, block="none", depth=1, rate=1e-3, same=3)
    block, depth, rate, same, metric = marks(drawn(study_parallel(studied(trial, space=SPACE))))
    assert block == [("none", 0.25), ("se", 0.75)]
    assert sorted(depth) == [("1", 0), ("2", 0.25), ("3", 0.5), ("4", 0.75), ("5", 1)]
    assert dict(rate) == pytest.approx(
        {
            text: (math.log10(float(text)) + 4) / 2
            for text in ("0.0001", "0.0002", "0.0005", "0.001", "0.002", "0.005", "0.01")
        }
    )
    assert same == [("3", 0.5)]
    assert dict(metric) == pytest.approx(
        {text: (float(text) - 0.15) / 0.1 for text in ("0.16", "0.18", "0.2", "0.22", "0.24")}
    )


def test_names_of_a_choice_are_crossed_by_no_line() -> None:
    names = [f"category-number-{number}" for number in range(30)]
    space = {"block": {"kind": "choice", "values": names}, **{name: SPACE[name] for name in ("depth", "rate")}}
    trials = [tried(n, n / 30, block=name, depth=1 + n % 5, rate=1e-3) for n, name in enumerate(names, start=1)]
    axes = drawn(study_parallel(studied(*trials, space=space)))
    labels = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert set(names) <= set(labels)
    for number, line in trial_lines(axes).items():
        name, other = names[number - 1], axes.transData.transform(points(line))
        (start, level), (end, still) = other[:2]
        assert start < labels[name].x0 < labels[name].x1 < end
        assert level == still
        assert labels[name].y0 < level < labels[name].y1


@pytest.mark.parametrize(
    ("low", "high", "log", "expected"),
    [
        (0.0, 1.0, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.13, 0.87, False, [0.13, 0.2, 0.4, 0.6, 0.8, 0.87]),
        (0.0, 10.0, False, [0, 2, 4, 6, 8, 10]),
        (0.0, 5.0, False, [0, 1, 2, 3, 4, 5]),
        (-1.0, 1.0, False, [-1, -0.5, 0, 0.5, 1]),
        (0.0, 0.004, False, [0, 0.001, 0.002, 0.003, 0.004]),
        (0.85012, 0.85019, False, [0.85012, 0.85014, 0.85016, 0.85018, 0.85019]),
        (1e-6, 1.0, True, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]),
        (3e-4, 8e-4, True, [3e-4, 5e-4, 8e-4]),
    ],
)
def test_marks_are_round_numbers_and_both_ends(low: float, high: float, log: bool, expected: list[float]) -> None:
    space = {"rate": {"kind": "float", "low": low, "high": high, "log": log}}
    (rate, _) = marks(drawn(study_parallel(studied(tried(1, 0.5, rate=high), space=space))))
    assert sorted(float(text) for text, _ in rate) == pytest.approx(expected)
    ends = (math.log(low), math.log(high)) if log else (low, high)
    for text, height in rate:
        value = math.log(float(text)) if log else float(text)
        assert height == pytest.approx((value - ends[0]) / (ends[1] - ends[0]))


def test_of_a_loss_the_lowest_is_on_top_and_of_equals_the_earliest() -> None:
    trials = [tried(number, value) for number, value in ((1, 0.3), (2, 0.1), (3, 0.2), (4, 0.1))]
    axes = drawn(study_parallel(studied(*trials, metric="validation_loss", space={})))
    assert list(trial_lines(axes)) == [1, 3, 4, 2]


ODD = {
    "empty": study_of(()),
    "failed": study_of(("failed",)),
    "one": study_of(("done",)),
    "equal": replace(STUDY, trials=tuple(replace(trial, value=0.5) for trial in STUDY.trials[:3])),
    "escaped": replace(STUDY, name="<b>&"),
    "formula": replace(STUDY, name="$a_b$ \\frac"),
    "lines": replace(STUDY, name="a\nb\x00c"),
    "one-number": replace(STUDY, space={"hidden": {"kind": "int", "low": 8, "high": 8, "log": False}}),
    "alien": replace(STUDY, space={"block": {"kind": "choice", "values": ["none"]}}),
    "many": study_of(("done",) * 300),
}


@pytest.mark.parametrize("study", ODD.values(), ids=ODD.keys())
def test_odd_studies_have_figures_too(study: Study) -> None:
    history, parallel = drawn(study_history(study)), drawn(study_parallel(study))
    assert bool(len(history.get_yticks())) == bool(study.candidates)  # no numbers without values
    for axes in (history, parallel):
        title = f"{study.name}: validation macro recall".replace("\n", " ").replace("\x00", " ")
        assert title in texts(axes)
        assert ("no trial has a score yet" in texts(axes)) == (not study.candidates)


def test_letters_of_other_scripts_are_texts_of_the_svg() -> None:
    study = replace(STUDY, name="心电图", space={"参数": {"kind": "choice", "values": ["甲", "乙"]}})
    root = ElementTree.fromstring(file_bytes(study_parallel(study), ".svg"))
    written = {element.text for element in root.iter(f"{SVG}text")}
    assert {"心电图: validation macro recall", "参数", "甲", "乙"} <= written
    assert file_bytes(study_history(study), ".png")


def test_long_names_and_many_parameters_are_there_as_a_whole() -> None:
    key = "block.squeeze-and-excitation.reduction"
    values = ["x" * 60, "se-resnet+dilated-convolution-with-gates", "none"]
    space = {f"{key}.{number}": {"kind": "choice", "values": values} for number in range(8)}
    config = dict.fromkeys(space, values[1])
    trials = [Trial(number=number, config=config, status="done", value=0.5 + number / 100) for number in range(1, 20)]
    name = "-".join(f"part{number}" for number in range(40))
    axes = drawn(study_parallel(replace(studied(*trials, space={**SPACE, **space}), name=name)))
    assert {*space, *values, f"{name}: validation accuracy"} <= set(whole(axes)) | {
        text.replace("\n", " ") for text in texts(axes)
    }
    drawn(study_history(replace(STUDY, name=name)))


# a comparison


def raced(values: dict[str, list[list[Any]]], name: str = "race", **request: Any) -> Comparison:
    """Studies that are over, with these values of their trials by seed."""
    studies = []
    for searcher, seeds in values.items():
        for seed, found in enumerate(seeds):
            trials = tuple(
                Trial(number=n, config={}, status=TrialStatus.DONE, value=value) for n, value in enumerate(found, 1)
            )
            study = member(searcher, seed, (), name, **{"trials": len(found), "metric": "accuracy", **request})
            studies.append(replace(study, trials=trials))
    return Comparison(name, tuple(studies))


def corners(area: Any) -> set[tuple[float, float]]:
    (path,) = area.get_paths()
    return {(float(x), round(float(y), 6)) for x, y in path.vertices}


def test_a_line_for_each_searcher_and_a_band_of_its_seeds(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        comparison = compared(store, {"random": 0.6, "optuna": 0.7, "hyperopt": 0.7})
        found = [
            drawn(comparison_by_trials(comparison)),
            drawn(comparison_by_seconds(comparison, StudyStore(store))),
        ]
    for axes in found:
        assert [line.get_label() for line in axes.get_lines()] == ["random", "optuna", "hyperopt"]
        assert {"random", "optuna", "hyperopt", "race: best validation macro recall so far"} <= set(texts(axes))
        assert len(axes.collections) == 3
        for look in (Line2D.get_color, Line2D.get_linestyle, Line2D.get_marker):
            assert len({look(line) for line in axes.get_lines()}) == 3, "told apart without colours too"
        for line in axes.get_lines():
            assert line.get_drawstyle() == "steps-post"
            assert list(line.get_ydata()) == sorted(line.get_ydata())  # it only gets better
            assert list(line.get_xdata()) == sorted(line.get_xdata())
        assert "lines: mean of 3 seeds; bands: from the lowest to the highest" in texts(axes)
    for line in found[0].get_lines():
        assert points(line)[-1] == (8, trial_band(comparison, str(line.get_label())).points[-1].mean)


def test_the_band_is_from_the_lowest_to_the_highest_seed(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        axes = drawn(comparison_by_trials(compared(store, {"random": 0.6})))
    (area,), (line,) = axes.collections, axes.get_lines()
    levels: dict[float, list[float]] = {}
    for x, y in corners(area):
        levels.setdefault(x, []).append(y)
    for x, y in points(line):
        assert min(levels[x]) <= y <= max(levels[x])


def test_lines_and_bands_go_through_their_values() -> None:
    axes = drawn(comparison_by_trials(raced({"random": [[0.2, 0.3, 0.7], [0.4, 0.3, 0.5]]})))
    (line,), (area,) = axes.get_lines(), axes.collections
    assert line.get_label() == "random"
    assert [x for x, _ in points(line)] == [1, 2, 3]
    assert [y for _, y in points(line)] == pytest.approx([0.3, 0.35, 0.6])
    highs = {(1, 0.4), (2, 0.4), (3, 0.4), (3, 0.7)}
    lows = {(1, 0.2), (2, 0.2), (2, 0.3), (3, 0.3), (3, 0.5)}
    assert corners(area) == highs | lows
    assert (line.get_color(), line.get_linestyle()) == ("#0072b2", "-")
    assert tuple(area.get_facecolor()[0][:3]) == to_rgb("#0072b2")
    assert 0 < area.get_facecolor()[0][3] < 0.2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("trials", "validation accuracy")
    assert "lines: mean of 2 seeds; bands: from the lowest to the highest" in texts(axes)
    assert ticks(axes) == [(1, 1), (2, 2), (3, 3)]
    assert axes.get_ylim() == pytest.approx((0.17, 0.73))


def test_a_comparison_of_one_trial_and_one_seed_has_a_point_and_no_band() -> None:
    axes = drawn(comparison_by_trials(raced({"random": [[0.5]]})))
    (line,) = axes.get_lines()
    assert (points(line), line.get_marker(), line.get_markevery()) == ([(1, 0.5)], "o", [0])
    assert axes.get_xlabel() == "trials"
    assert not axes.collections
    assert not [text for text in texts(axes) if "seed" in text]


def test_one_trial_of_several_seeds_has_its_range() -> None:
    axes = drawn(comparison_by_trials(raced({"random": [[0.5], [0.6]]})))
    assert corners(*axes.collections) == {(1, 0.5), (1, 0.6)}
    assert all(width > 0 for width in axes.collections[0].get_linewidth())


def test_searchers_say_how_many_seeds_they_have_where_these_differ() -> None:
    waiting = replace(member("hyperopt", 0, ()), status="waiting")
    comparison = raced({"random": [[0.5, 0.6]], "optuna": [[0.5, 0.6], [0.5, 0.7]]})
    axes = drawn(comparison_by_trials(replace(comparison, studies=(*comparison.studies, waiting))))
    assert {"random (1 seed)", "optuna (2 seeds)", "hyperopt (no line yet)"} <= set(texts(axes))
    assert "lines: mean of the seeds; bands: from the lowest to the highest" in texts(axes)


def test_seeds_without_a_trial_in_common_have_no_line() -> None:
    axes = drawn(comparison_by_trials(raced({"random": [[None, 0.5], [0.6]], "optuna": [[0.5], [0.6]]})))
    assert "random (no line yet)" in texts(axes)
    assert [len(points(line)) for line in axes.get_lines()] == [0, 1]
    assert len(axes.collections) == 1


@pytest.mark.parametrize(
    ("seconds", "words", "numbers"),
    [
        (100.0, "seconds", [0, 20, 40, 60, 80, 100]),
        (599.0, "seconds", [0, 100, 200, 300, 400, 500, 600]),
        (600.0, "minutes", [0, 2, 4, 6, 8, 10]),
        (7199.0, "minutes", [0, 20, 40, 60, 80, 100, 120]),
        (7200.0, "hours", [0, 0.5, 1, 1.5, 2]),
    ],
)
def test_times_are_in_the_unit_that_suits_them(
    tmp_path: Path, seconds: float, words: str, numbers: list[float]
) -> None:
    study = member("random", 0, (), trials=2, metric="accuracy")
    trials = [
        Trial(number=n, config={}, status=TrialStatus.DONE, value=v, seconds=s, history=((1, v),))
        for n, v, s in ((1, 0.4, seconds / 4), (2, 0.6, seconds * 3 / 4))
    ]
    with Store(tmp_path) as store:
        kept = stored(store, replace(study, trials=tuple(trials)))
        axes = drawn(comparison_by_seconds(Comparison("race", (kept,)), StudyStore(store)))
    assert axes.get_xlabel() == f"{words} of training, all trials of a search together"
    found = ticks(axes)
    assert [number for number, _ in found] == numbers
    assert [number for number, _ in found] == pytest.approx([place for _, place in found])
    size = {"seconds": 1, "minutes": 60, "hours": 3600}[words]
    (line,) = axes.get_lines()
    assert [x * size for x, _ in points(line)] == pytest.approx([seconds / 4, seconds])


def test_searchers_differ_in_looks_and_the_legend_says_which_is_which() -> None:
    names = [f"searcher-{letter}" for letter in "abcdefgh"]
    axes = drawn(comparison_by_trials(raced({name: [[0.5, 0.6]] for name in names})))

    def looks(lines: Any) -> list[tuple[Any, ...]]:
        return [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines]

    assert len(set(looks(axes.get_lines()))) == 8
    (legend,) = axes.get_figure().legends
    assert [text.get_text() for text in legend.get_texts()] == names
    assert looks(legend.get_lines()) == looks(axes.get_lines())
    assert [points(line) for line in axes.get_lines()] == [[(1, 0.5), (2, 0.6)]] * 8
    widths = [line.get_linewidth() for line in axes.get_lines()]
    assert widths == sorted(widths, reverse=True)  # one that lies below another is seen beside it


@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
@pytest.mark.parametrize("odd", ["nothing", "one seed", "one trial", "failed", "hours", "many"])
def test_odd_comparisons_have_figures_too(tmp_path: Path, odd: str, metric: str) -> None:
    with Store(tmp_path) as store:
        statuses = {"one trial": ("done",), "failed": ("failed",) * 3, "nothing": ()}.get(odd, ("done",) * 4)
        names = [f"<searcher-{number}>" for number in range(12 if odd == "many" else 1)]
        for name in names:
            study = member(name, 0, statuses, metric=metric)
            slow = [replace(trial, seconds=9000.0) for trial in study.trials] if odd == "hours" else study.trials
            stored(store, replace(study, trials=tuple(slow)))
        comparison = comparison_of(StudyStore(store), "race")
        found = [
            drawn(comparison_by_trials(comparison)),
            drawn(comparison_by_seconds(comparison, StudyStore(store))),
        ]
    empty = odd in ("nothing", "failed")
    for axes in found:
        assert [bool(points(line)) for line in axes.get_lines()] == [not empty] * len(names)
        assert ("no searcher has a score from all its seeds yet" in texts(axes)) == empty
    assert not found[0].collections
    unit = "hours" if odd == "hours" else "seconds"
    assert found[1].get_xlabel().startswith(f"{unit} of training")


def test_a_comparison_of_nothing_yet_is_named() -> None:
    waiting = Comparison("race", (replace(member("random", 0, ()), status="waiting"),))
    assert "race: best validation macro recall so far" in texts(drawn(comparison_by_trials(waiting)))


def test_the_title_names_comparison_and_metric() -> None:
    axes = drawn(comparison_by_trials(raced({"<r>": [[0.5]]}, name="a-b", metric="validation_loss")))
    assert "a-b: best validation loss so far" in texts(axes)
    assert "<r>" in texts(axes)
    assert axes.get_figure().get_figwidth() == 8
