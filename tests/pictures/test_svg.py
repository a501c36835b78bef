"""The pieces of pictures, and where values land in them: numbers in the SVG, worked out by hand."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from comparing import member
from drawings import SVG, drawn, texts
from studies import stored, study_of

from zoo.comparison.comparison import Comparison
from zoo.pictures.comparison import COLOURS, DASHES, by_seconds, by_trials
from zoo.pictures.study import history, parallel
from zoo.pictures.svg import document, grid, numbers, padded, text, ticks
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import DONE, Study, Trial

# A picture is 720 by 360; what is drawn in it lies between x = 64 and 696, and above y = 304.


# the pieces


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.13, 0.87, 5, [0.2, 0.4, 0.6, 0.8]),
        (0.0, 10.0, 5, [0, 2, 4, 6, 8, 10]),
        (0.0, 5.0, 5, [0, 1, 2, 3, 4, 5]),
        (0.0, 10.1, 5, [0, 5, 10]),
        (0.0, 60.0, 5, [0, 20, 40, 60]),
        (0.0, 1.0, 8, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-1.0, 1.0, 5, [-1, -0.5, 0, 0.5, 1]),
        (0.0, 0.004, 5, [0, 0.001, 0.002, 0.003, 0.004]),
    ],
)
def test_ticks_are_round_numbers_with_both_ends(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(expected)


def test_grid_lines_cross_the_frame_at_their_values() -> None:
    line, label = list(grid(0.45, 0.55, lambda value: 1000 * value))[2:4]
    assert line == '<line x1="64" x2="696" y1="500.0" y2="500.0" class="grid"/>'
    assert label == '<text x="56.0" y="504.0" text-anchor="end">0.5</text>'


@pytest.mark.parametrize(("last", "step", "count"), [(1, 1, 1), (12, 1, 12), (13, 2, 7), (24, 2, 12), (300, 25, 12)])
def test_a_dozen_numbers_at_most_from_one_on(last: int, step: int, count: int) -> None:
    found = list(numbers(last, lambda number: 10.0 * number))
    assert [re.findall(r">(\d+)<", each) for each in found] == [[str(1 + step * place)] for place in range(count)]
    assert found[0] == '<text x="10.0" y="322.0" text-anchor="middle">1</text>'


def test_bounds_leave_a_little_room() -> None:
    assert padded([2.0, 4.0, 3.0]) == pytest.approx((1.88, 4.12))
    assert padded([0.5]) == pytest.approx((0.45, 0.55))
    assert padded([]) == pytest.approx((-0.06, 1.06))


@pytest.mark.parametrize(
    ("content", "more", "expected"),
    [
        (0.123456, {}, '<text x="1.2" y="3.0" text-anchor="start">0.123</text>'),
        (1e-05, {}, '<text x="1.2" y="3.0" text-anchor="start">1e-05</text>'),
        (12345, {"anchor": "end"}, '<text x="1.2" y="3.0" text-anchor="end">12345</text>'),
        (True, {"kind": "mark"}, '<text x="1.2" y="3.0" text-anchor="start" class="mark">True</text>'),
        ("<&>", {}, '<text x="1.2" y="3.0" text-anchor="start">&lt;&amp;&gt;</text>'),
        ("a" * 23, {}, f'<text x="1.2" y="3.0" text-anchor="start">{"a" * 23}</text>'),
        ("a" * 24, {}, f'<text x="1.2" y="3.0" text-anchor="start">{"a" * 22}…<title>{"a" * 24}</title></text>'),
        ("<cd>", {"letters": 3}, '<text x="1.2" y="3.0" text-anchor="start">&lt;c…<title>&lt;cd&gt;</title></text>'),
    ],
)
def test_a_text_is_of_one_line_and_cut_where_it_is_long(content: Any, more: dict[str, Any], expected: str) -> None:
    assert text(1.234, 3, content, **more) == expected


def test_a_document_has_its_size_and_its_title() -> None:
    root = drawn(document(300, 200, "a < b", ['<rect id="x"/>', "<g/>"]))
    assert root.attrib == {"viewBox": "0 0 300 200", "width": "300", "height": "200"}
    assert [child.tag.removeprefix(SVG) for child in root] == ["style", "rect", "text", "rect", "g"]
    assert texts(root) == ["a < b"]
    assert document(300, 200, "", []).endswith("</svg>\n")


# a study


def studied(*trials: Trial, metric: str = "accuracy", space: Any = None) -> Study:
    study = study_of((), metric=metric)
    return replace(study, trials=trials, space=study.space if space is None else space)


def tried(number: int, value: float | None, status: str = "done", **config: Any) -> Trial:
    return Trial(number=number, config=config, status=status, value=value)


def circles(root: ElementTree.Element) -> dict[str, tuple[float, float, str]]:
    """Place and class of each trial, by its tooltip."""
    found = {}
    for circle in root.iter(f"{SVG}circle"):
        if title := circle.findtext(f"{SVG}title"):
            found[title] = (float(circle.attrib["cx"]), float(circle.attrib["cy"]), circle.attrib["class"])
    return found


def best_line(root: ElementTree.Element) -> str:
    (path,) = [path.attrib["d"] for path in root.iter(f"{SVG}path") if path.get("class") == "best"]
    return path


# From 0.2 to 0.7 with room is from 0.17 to 0.73: 0.2 is 0.03 / 0.56 of the way from y = 304 up to y = 44.
TRIALS = (
    tried(1, 0.2),
    tried(2, 0.7, "pruned"),
    tried(3, None, "failed"),
    tried(4, 0.45),
    tried(5, 0.7),
    tried(6, None, "running"),
)
LOW, MIDDLE, HIGH = 290.1, 174.0, 57.9
PLACES = (64.0, 222.0, 380.0, 538.0, 696.0)  # the fifth is the last that ended


def test_history_puts_each_trial_at_its_number_and_its_value() -> None:
    root = drawn(history(studied(*TRIALS)))
    assert circles(root) == {
        "trial 1: 0.2000 (done)": (PLACES[0], LOW, "done"),
        "trial 2: 0.7000 (pruned)": (PLACES[1], HIGH, "pruned"),
        "trial 4: 0.4500 (done)": (PLACES[3], MIDDLE, "done"),
        "trial 5: 0.7000 (done)": (PLACES[4], HIGH, "done"),
    }
    crosses = [
        mark
        for mark in root.iter(f"{SVG}text")
        if mark.get("class") == "failed" and mark.find(f"{SVG}title") is not None
    ]
    assert [(cross.attrib["x"], cross.attrib["y"], cross.findtext(f"{SVG}title")) for cross in crosses] == [
        ("380.0", "300", "trial 3: failed")
    ]
    assert best_line(root) == "M 64.0 290.1 H 222.0 V 57.9 H 696.0"
    marks = [(mark.attrib["x"], mark.text) for mark in root.iter(f"{SVG}text") if mark.get("y") == "322.0"]
    assert marks == [("64.0", "1"), ("222.0", "2"), ("380.0", "3"), ("538.0", "4"), ("696.0", "5")]
    (name,) = [mark for mark in root.iter(f"{SVG}text") if mark.text == "trial"]
    assert (name.attrib["x"], name.attrib["y"]) == ("380.0", "346.0")


def test_the_best_so_far_goes_down_where_lower_is_better_and_follows_the_numbers() -> None:
    turned = [replace(trial, number=6 - trial.number) for trial in TRIALS[:5]]
    assert best_line(drawn(history(studied(*turned, metric="validation_loss")))) == (
        "M 64.0 57.9 H 222.0 V 174.0 H 696.0 V 290.1 H 696.0"
    )


def test_a_trial_that_timed_out_is_a_cross_whatever_value_it_had() -> None:
    root = drawn(history(studied(tried(1, 0.2), tried(2, 0.9, "timeout"))))
    assert list(circles(root)) == ["trial 1: 0.2000 (done)"]
    assert best_line(root).startswith("M 64.0 ")
    assert best_line(root).count("V") == 0


SPACE: dict[str, Any] = {
    "block": {"kind": "choice", "values": ["none", "se"]},
    "depth": {"kind": "int", "low": 1, "high": 5, "log": False},
    "rate": {"kind": "float", "low": 1e-4, "high": 1e-2, "log": True},
    "same": {"kind": "int", "low": 3, "high": 3, "log": False},
}


def test_parallel_crosses_each_axis_at_the_trials_value() -> None:
    first = tried(1, 0.2, block="none", depth=1, rate=1e-3, same=3)
    second = tried(2, 0.7, "pruned", block="se", depth=4, rate=1e-2, same=3)
    lost = tried(3, 0.9, "timeout", block="se", depth=5, rate=1e-2, same=3)
    alien = tried(4, 0.45, block="cbam", depth=9, rate=1e-5)
    root = drawn(parallel(studied(first, second, lost, alien, space=SPACE)))
    # Five axes 160 apart from x = 84; values between y = 344 and y = 60: a half is 202, three quarters 131.
    assert root.attrib["width"] == str(160 * 4 + 2 * 84)
    lines = {line.findtext(f"{SVG}title"): line.attrib for line in root.iter(f"{SVG}polyline")}
    assert {title: attributes["points"] for title, attributes in lines.items()} == {
        "trial 1: 0.2000": "84.0,273.0 244.0,344.0 404.0,202.0 564.0,202.0 724.0,328.8",
        "trial 4: 0.4500": "244.0,60.0 404.0,344.0 724.0,202.0",  # outside of an axis is at its end
        "trial 2: 0.7000": "84.0,131.0 244.0,131.0 404.0,60.0 564.0,202.0 724.0,75.2",
    }
    assert list(lines) == ["trial 1: 0.2000", "trial 4: 0.4500", "trial 2: 0.7000"], "the best on top"
    strokes = [attributes["stroke"] for attributes in lines.values()]
    assert strokes == ["hsl(215 70% 69%)", "hsl(215 70% 49%)", "hsl(215 70% 30%)"]
    assert [attributes["stroke-width"] for attributes in lines.values()] == ["1.5", "2.0", "2.5"]
    axes = [(line.attrib["x1"], line.attrib["y1"], line.attrib["y2"]) for line in root.iter(f"{SVG}line")]
    assert axes == [(f"{place}.0", "60", "344") for place in (84, 244, 404, 564, 724)]
    marks = [(m.attrib["x"], m.attrib["y"], m.text) for m in root.iter(f"{SVG}text") if m.get("class") == "mark"]
    assert marks[:7] == [
        ("90.0", "277.0", "none"),
        ("90.0", "135.0", "se"),
        ("250.0", "348.0", "1"),
        ("250.0", "64.0", "5"),
        ("410.0", "348.0", "0.0001"),
        ("410.0", "64.0", "0.01"),
        ("570.0", "206.0", "3"),
    ]
    names = [(m.attrib["x"], m.attrib["y"], m.text) for m in root.iter(f"{SVG}text") if m.get("y") == "368.0"]
    assert names == [
        ("84.0", "368.0", "block"),
        ("244.0", "368.0", "depth"),
        ("404.0", "368.0", "rate"),
        ("564.0", "368.0", "same"),
        ("724.0", "368.0", "validation accuracy"),
    ]


def test_of_a_loss_the_lowest_is_on_top() -> None:
    trials = [tried(number, value) for number, value in ((1, 0.3), (2, 0.1), (3, 0.2))]
    root = drawn(parallel(studied(*trials, metric="validation_loss", space={})))
    assert [line.findtext(f"{SVG}title") for line in root.iter(f"{SVG}polyline")] == [
        "trial 1: 0.3000", "trial 3: 0.2000", "trial 2: 0.1000"
    ]  # fmt: skip


# a comparison


def raced(values: dict[str, list[list[float]]], name: str = "race", **request: Any) -> Comparison:
    """Studies that are over, with these values of their trials by seed."""
    studies = []
    for searcher, seeds in values.items():
        for seed, found in enumerate(seeds):
            trials = tuple(Trial(number=n, config={}, status=DONE, value=value) for n, value in enumerate(found, 1))
            study = member(searcher, seed, (), name, **{"trials": len(found), "metric": "accuracy", **request})
            studies.append(replace(study, trials=trials))
    return Comparison(name, tuple(studies))


def lines(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {title: path for path in root.iter(f"{SVG}path") if (title := path.findtext(f"{SVG}title"))}


def test_lines_and_bands_go_through_their_values() -> None:
    # The legend takes one row: values lie between y = 304 and y = 62. From 0.2 to 0.7 with room is 0.17 to 0.73.
    root = drawn(by_trials(raced({"random": [[0.2, 0.3, 0.7], [0.4, 0.3, 0.5]]})))
    y = {value: f"{304 - 242 * (value - 0.17) / 0.56:.1f}" for value in (0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)}
    ((title, line),) = lines(root).items()
    assert title == "random: 0.6000"
    assert line.attrib["d"] == f"M 64.0 {y[0.3]} H 380.0 V {y[0.35]} H 696.0 V {y[0.6]}"
    assert (line.attrib["stroke"], line.get("stroke-dasharray"), line.attrib["stroke-width"]) == ("#0072b2", None, "2")
    (area,) = root.iter(f"{SVG}polygon")
    highs = ["64.0," + y[0.4]] * 2 + ["380.0," + y[0.4]] * 2 + ["696.0," + y[0.4], "696.0," + y[0.7]]
    lows = ["64.0," + y[0.2]] * 2 + ["380.0," + y[0.2], "380.0," + y[0.3], "696.0," + y[0.3], "696.0," + y[0.5]]
    assert area.attrib["points"] == " ".join([*highs, *reversed(lows)])
    assert area.attrib["fill"] == "#0072b2"
    (axis,) = [line for line in root.iter(f"{SVG}line") if line.get("class") == "axis"]
    assert [axis.attrib[name] for name in ("x1", "x2", "y1", "y2")] == ["64", "696", "304", "304"]
    (below,) = [mark for mark in root.iter(f"{SVG}text") if mark.text == "trials; mean and range of 2 seeds"]
    assert (below.attrib["x"], below.attrib["y"], below.attrib["text-anchor"]) == ("380.0", "346.0", "middle")
    assert [mark.text for mark in root.iter(f"{SVG}text") if mark.get("y") == "322.0"] == ["1", "2", "3"]


def test_a_comparison_of_one_trial_and_one_seed_has_a_point_and_no_band() -> None:
    root = drawn(by_trials(raced({"random": [[0.5]]})))
    (line,) = lines(root).values()
    assert line.attrib["d"] == "M 64.0 183.0"
    assert "trials" in texts(root)
    assert not list(root.iter(f"{SVG}polygon"))


@pytest.mark.parametrize(
    ("seconds", "words", "marks"),
    [
        (100.0, "seconds", ["0", "20", "40", "60", "80", "100"]),
        (599.0, "seconds", ["0", "100", "200", "300", "400", "500"]),
        (600.0, "minutes", ["0", "2", "4", "6", "8", "10"]),
        (7199.0, "minutes", ["0", "20", "40", "60", "80", "100"]),
        (7200.0, "hours", ["0", "0.5", "1", "1.5", "2"]),
    ],
)
def test_times_are_in_the_unit_that_suits_them(tmp_path: Path, seconds: float, words: str, marks: list[str]) -> None:
    study = member("random", 0, (), trials=2, metric="accuracy")
    trials = [
        Trial(number=n, config={}, status=DONE, value=v, seconds=s, history=((1, v),))
        for n, v, s in ((1, 0.4, seconds / 4), (2, 0.6, seconds * 3 / 4))
    ]
    with Store(tmp_path) as store:
        kept = stored(store, replace(study, trials=tuple(trials)))
        root = drawn(by_seconds(Comparison("race", (kept,)), StudyStore(store)))
    assert f"{words} of training, all trials of a search together" in texts(root)
    found = [mark for mark in root.iter(f"{SVG}text") if mark.get("y") == "322.0"]
    assert [mark.text for mark in found] == marks
    size = {"seconds": 1, "minutes": 60, "hours": 3600}[words]
    places = [64 + 632 * float(mark) * size / seconds for mark in marks]
    assert [float(mark.attrib["x"]) for mark in found] == pytest.approx(places, abs=0.06)
    (line,) = lines(root).values()
    assert re.findall(r"[MH] ([\d.]+)", line.attrib["d"]) == ["222.0", "696.0"]  # a quarter of the time, and the end


def test_searchers_differ_in_colour_and_dash_and_the_legend_says_which_is_which() -> None:
    names = [f"searcher-{letter}" for letter in "abcdefgh"]
    root = drawn(by_trials(raced({name: [[0.5, 0.6]] for name in names})))
    paths = list(root.iter(f"{SVG}path"))
    legend, curves = paths[:8], paths[8:]
    strokes = [(path.attrib["stroke"], path.get("stroke-dasharray", "")) for path in curves]
    assert strokes == [(COLOURS[number % 7], DASHES[number % 4]) for number in range(8)]
    assert len(set(strokes)) == 8
    assert [(path.attrib["stroke"], path.get("stroke-dasharray", "")) for path in legend] == strokes
    # Each takes 30 for its line, 6, 7.5 a letter and 18: 129 in all, so that five are in a row, and rows are 18 apart.
    assert [path.attrib["d"] for path in legend[:2]] == ["M 64.0 40.0 H 94.0", "M 193.0 40.0 H 223.0"]
    assert legend[5].attrib["d"] == "M 64.0 58.0 H 94.0"
    said = {mark.text: (mark.attrib["x"], mark.attrib["y"]) for mark in root.iter(f"{SVG}text")}
    assert (said["searcher-a"], said["searcher-b"], said["searcher-f"]) == (
        ("100.0", "44.0"), ("229.0", "44.0"), ("100.0", "62.0")
    )  # fmt: skip
    # Two rows: the values begin at y = 80. The best of 0.5 and 0.6 with room is 0.606.
    low, high = (304 - 224 * (value - 0.494) / 0.112 for value in (0.5, 0.6))
    assert curves[0].attrib["d"] == f"M 64.0 {low:.1f} H 696.0 V {high:.1f}"


def test_the_title_names_comparison_and_metric() -> None:
    root = drawn(by_trials(raced({"<r>": [[0.5]]}, name="a-b", metric="validation_loss")))
    assert "a-b: best validation loss so far" in texts(root)
    assert list(lines(root)) == ["<r>: 0.5000"]
    assert math.isclose(float(root.attrib["width"]), 720)
