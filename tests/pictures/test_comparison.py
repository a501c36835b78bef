"""The pictures of a comparison: valid SVG within its frame, a line for each searcher, a band where there are seeds."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from comparing import compared, member
from drawings import SVG, drawn, texts
from studies import stored

from zoo.comparison.comparison import Comparison, comparison_of
from zoo.comparison.curve import trial_band
from zoo.pictures.comparison import by_seconds, by_trials
from zoo.store.runs import Store
from zoo.store.studies import StudyStore


def lines(root: ElementTree.Element) -> dict[str, list[tuple[float, float]]]:
    """The corners of each searcher's line, by its name."""
    found = {}
    for path in root.iter(f"{SVG}path"):
        if title := path.findtext(f"{SVG}title"):
            start, *steps = re.findall(r"[MH] ([\d.]+) (?:V )?([\d.]+)", path.attrib["d"])
            found[title.partition(":")[0]] = [(float(x), float(y)) for x, y in (start, *steps)]
    return found


def test_a_line_for_each_searcher_and_a_band_of_its_seeds(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        comparison = compared(store, {"random": 0.6, "optuna": 0.7, "hyperopt": 0.7})
        pictures = [drawn(by_trials(comparison)), drawn(by_seconds(comparison, StudyStore(store)))]
    for root in pictures:
        found = lines(root)
        assert list(found) == ["random", "optuna", "hyperopt"]
        assert {"random", "optuna", "hyperopt", "race: best validation macro recall so far"} <= set(texts(root))
        assert len(list(root.iter(f"{SVG}polygon"))) == 3
        strokes = {path.attrib["stroke"] for path in root.iter(f"{SVG}path")}
        dashes = {path.get("stroke-dasharray") for path in root.iter(f"{SVG}path")}
        assert len(strokes) == len(dashes) == 3, "told apart without colours too"
        for corners in found.values():
            assert [y for _, y in corners] == sorted((y for _, y in corners), reverse=True)  # it only gets better
            assert [x for x, _ in corners] == sorted(x for x, _ in corners)
    ends = {searcher: trial_band(comparison, searcher).points[-1].mean for searcher in comparison.searchers}
    heights = {searcher: corners[-1][1] for searcher, corners in lines(pictures[0]).items()}
    assert sorted(ends, key=ends.__getitem__) == sorted(heights, key=lambda searcher: -heights[searcher])
    assert any(text.endswith("; mean and range of 3 seeds") for text in texts(pictures[0]))


def test_the_band_is_from_the_lowest_to_the_highest_seed(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        root = drawn(by_trials(compared(store, {"random": 0.6})))
    (polygon,) = root.iter(f"{SVG}polygon")
    heights: dict[float, list[float]] = {}
    for x, y in (map(float, point.split(",")) for point in polygon.attrib["points"].split()):
        heights.setdefault(x, []).append(y)
    for x, y in lines(root)["random"]:
        assert min(heights[x]) <= y <= max(heights[x])


@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
@pytest.mark.parametrize("odd", ["nothing", "one seed", "one trial", "failed", "hours", "many"])
def test_odd_comparisons_have_pictures_too(tmp_path: Path, odd: str, metric: str) -> None:
    with Store(tmp_path) as store:
        statuses = {"one trial": ("done",), "failed": ("failed",) * 3, "nothing": ()}.get(odd, ("done",) * 4)
        names = [f"<searcher-{number}>" for number in range(12 if odd == "many" else 1)]
        for name in names:
            study = member(name, 0, statuses, metric=metric)
            slow = [replace(trial, seconds=9000.0) for trial in study.trials] if odd == "hours" else study.trials
            stored(store, replace(study, trials=tuple(slow)))
        comparison = comparison_of(StudyStore(store), "race")
        pictures = [drawn(by_trials(comparison)), drawn(by_seconds(comparison, StudyStore(store)))]
    assert [len(lines(root)) for root in pictures] == [0 if odd in ("nothing", "failed") else len(names)] * 2
    assert not list(pictures[0].iter(f"{SVG}polygon"))
    unit = "hours" if odd == "hours" else "seconds"
    assert any(text.startswith(f"{unit} of training") for text in texts(pictures[1]))


def test_a_comparison_of_nothing_yet_is_named(tmp_path: Path) -> None:
    waiting = Comparison("race", (replace(member("random", 0, ()), status="waiting"),))
    assert "race: best validation macro recall so far" in texts(drawn(by_trials(waiting)))
