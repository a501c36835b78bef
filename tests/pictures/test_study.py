"""The pictures of a study: valid SVG, everything within its frame and in its place."""

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from drawings import SVG, drawn, texts
from studies import study_of

from zoo.pictures.study import history, parallel
from zoo.store.study import Study

STUDY = study_of(("done",) * 6 + ("pruned", "failed", "timeout", "running", "interrupted") + ("done",) * 6)


def circles(root: ElementTree.Element) -> dict[str, tuple[float, float]]:
    """Trials by the start of their tooltip."""
    marks = {}
    for circle in root.iter(f"{SVG}circle"):
        if (title := circle.find(f"{SVG}title")) is not None and title.text:
            marks[title.text.partition(":")[0]] = (float(circle.attrib["cx"]), float(circle.attrib["cy"]))
    return marks


def test_history_marks_every_trial_that_ended() -> None:
    root = drawn(history(STUDY))
    assert "cnngru-optuna-0: validation macro recall" in texts(root)
    marks = circles(root)
    assert set(marks) == {f"trial {t.number}" for t in STUDY.trials if t.status in ("done", "pruned")}
    assert [t for t in texts(root, "title") if "failed" in t] == ["trial 8: failed RuntimeError: <no> such thing"]
    assert not [t for t in texts(root, "title") if "running" in t or "interrupted" in t]
    values = {t.number: t.value or 0.0 for t in STUDY.trials}
    by_value = sorted(marks, key=lambda mark: -values[int(mark.split()[1])])
    assert by_value == sorted(marks, key=lambda mark: marks[mark][1])  # higher on the picture is better
    assert sorted(marks, key=lambda mark: marks[mark][0]) == sorted(marks, key=lambda mark: int(mark.split()[1]))


@pytest.mark.parametrize("metric", ["macro_recall", "validation_loss"])
def test_the_best_line_ends_at_the_best_trial(metric: str) -> None:
    study = replace(STUDY, request={**STUDY.request, "metric": metric})
    root = drawn(history(study))
    (path,) = [element.attrib["d"] for element in root.iter(f"{SVG}path")]
    last = float(re.findall(r"[VM] (?:[\d.]+ )?([\d.]+)", path)[-1])
    assert study.best is not None
    assert last == circles(root)[f"trial {study.best.number}"][1]


def test_parallel_draws_a_line_for_each_trial_with_a_value_and_the_best_on_top() -> None:
    root = drawn(parallel(STUDY))
    lines = list(root.iter(f"{SVG}polyline"))
    ended = [t for t in STUDY.trials if t.status in ("done", "pruned")]
    assert len(lines) == len(ended)
    assert STUDY.best is not None
    assert (lines[-1].findtext(f"{SVG}title") or "").startswith(f"trial {STUDY.best.number}:")
    names = {*STUDY.space, "validation macro recall"}
    assert names <= set(texts(root))
    assert all(len(line.attrib["points"].split()) == len(names) for line in lines)
    ends = [float(line.attrib["points"].split()[-1].split(",")[1]) for line in lines]
    assert ends == sorted(ends, reverse=True)


def without(study: Study, **changes: Any) -> Study:
    return replace(study, **changes)


@pytest.mark.parametrize(
    "study",
    [
        study_of(()),
        study_of(("failed",)),
        study_of(("done",)),
        without(STUDY, trials=tuple(replace(trial, value=0.5) for trial in STUDY.trials[:3])),
        without(STUDY, name="<b>&"),
        without(STUDY, space={"hidden": {"kind": "int", "low": 8, "high": 8, "log": False}}),
        without(STUDY, space={"block": {"kind": "choice", "values": ["none"]}}),
        study_of(("done",) * 300),
    ],
    ids=["empty", "failed", "one", "equal", "escaped", "one-number", "alien", "many"],
)
def test_odd_studies_have_pictures_too(study: Study) -> None:
    drawn(history(study))
    drawn(parallel(study))


def test_long_names_are_cut_and_whole_in_the_tooltip() -> None:
    key = "block.squeeze-and-excitation.reduction"
    study = replace(STUDY, space={key: {"kind": "choice", "values": ["x" * 60]}})
    root = drawn(parallel(study))
    assert key in texts(root, "title")
    assert "block.squeeze-and-exci…" in texts(root)
