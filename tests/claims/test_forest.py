"""The figure of answers to hypotheses: its marks are at the values of the findings, in a panel for each metric."""

import pytest
from matplotlib.figure import Figure

from zoo.claims.answers import Answer
from zoo.claims.forest import LOOKS, drawable, forest
from zoo.claims.hypothesis import Direction, Kind
from zoo.claims.result import Finding, Hypotheses, HypothesisAnswer
from zoo.plots import file_bytes
from zoo.records import Interval

CONFIRMED, REFUTED, UNDECIDED = Answer.CONFIRMED, Answer.REFUTED, Answer.UNDECIDED
Ends = tuple[float | None, float | None, float | None]


def finding(
    name: str,
    ends: Ends,
    answer: Answer,
    direction: str = "higher",
    margin: float = 0.0,
    metric: str = "macro_recall",
    dataset: str = "beats",
    *,
    ratio: bool = False,
    kind: Kind = Kind.DIFFERENCE,
) -> Finding:
    return Finding(
        hypothesis=name,
        kind=kind,
        dataset=dataset,
        metric=metric,
        claim=f"claim {name}",
        direction=direction,
        margin=margin,
        ratio=ratio,
        first="a",
        second="b",
        answer=answer,
        difference=Interval(*ends),
    )


def answers(*findings: Finding) -> Hypotheses:
    return Hypotheses("f.toml", tuple(HypothesisAnswer(each.hypothesis, "", each.answer, (each,)) for each in findings))


def marks(figure: Figure, panel: int = 0) -> list[tuple[str, list[float]]]:
    """The marker and the values of each line of a panel that has a height of its own; dashes without one are ''."""
    lines = figure.axes[panel].get_lines()
    heights = set(figure.axes[panel].get_yticks())
    drawn = [line for line in lines if len(line.get_xdata()) and set(line.get_ydata()) <= heights]
    return [("" if line.get_marker() == "None" else line.get_marker(), list(line.get_xdata())) for line in drawn]


def bounds(figure: Figure, panel: int = 0) -> list[float]:
    lines = figure.axes[panel].get_lines()
    upright = [line for line in lines if len(line.get_xdata()) == 2 and len(set(line.get_ydata())) == 2]
    return [line.get_xdata()[0] for line in upright if line.get_color() != "#b0b0b0"]


@pytest.mark.parametrize("answer", list(Answer))
def test_a_finding_is_a_mark_on_its_interval_in_the_colour_of_its_answer(answer: Answer) -> None:
    figure = forest(answers(finding("1", (0.2, 0.1, 0.4), answer)))
    colour, marker = LOOKS[answer]
    assert marks(figure) == [("", [0.1, 0.4]), (marker, [0.2])]
    assert {line.get_color() for line in figure.axes[0].get_lines()} >= {colour}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [str(answer), "end of the claimed range"]


@pytest.mark.parametrize(
    ("direction", "margin", "ratio", "ends"),
    [
        (Direction.HIGHER, 0.02, False, [0.02]),
        (Direction.HIGHER, -0.02, False, [-0.02]),
        (Direction.LOWER, 0.02, False, [-0.02]),
        (Direction.EQUAL, 0.05, False, [0.05, -0.05]),
        (Direction.HIGHER, 1.5, True, [1.5]),
        (Direction.LOWER, 2.0, True, [0.5]),
        (Direction.EQUAL, 2.0, True, [2.0, 0.5]),
    ],
)
def test_the_claimed_range_has_its_ends(direction: str, margin: float, ratio: bool, ends: list[float]) -> None:
    found = finding("1", (1.0, 0.9, 1.1), UNDECIDED, direction, margin, ratio=ratio)
    assert bounds(forest(answers(found))) == ends


def test_an_open_interval_ends_in_an_arrow_and_one_without_ends_is_a_mark_alone() -> None:
    late, early = finding("1", (30.0, 10.0, None), CONFIRMED), finding("2", (-30.0, None, -10.0), REFUTED)
    alone = finding("3", (5.0, None, None), UNDECIDED)
    assert marks(forest(answers(late, early, alone))) == [
        ("", [10.0, 30.0]),
        (">", [30.0]),
        ("", [-30.0, -10.0]),
        ("<", [-30.0]),
        ("D", [5.0]),
    ]


def test_each_metric_and_its_ratios_have_a_panel() -> None:
    figure = forest(
        answers(
            finding("1", (0.2, 0.1, 0.3), CONFIRMED),
            finding("2", (3.0, 2.0, 4.0), CONFIRMED, metric="train_seconds"),
            finding("3", (0.1, 0.0, 0.2), CONFIRMED),
            finding("4", (1.5, 1.2, 1.9), CONFIRMED, margin=1.1, metric="train_seconds", ratio=True),
        )
    )
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "macro recall: first - second",
        "train seconds: first - second",
        "train seconds: first / second",
    ]
    labels = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    assert labels == [["1  claim 1", "3  claim 3"], ["2  claim 2"], ["4  claim 4"]]
    assert str(figure.get_label()).endswith("intervals, beats")


def test_the_data_set_is_named_where_there_are_several_and_texts_are_not_formulas() -> None:
    both = answers(
        finding("$a$", (0.2, 0.1, 0.3), CONFIRMED), finding("b", (0.2, 0.1, 0.3), CONFIRMED, dataset="<waves>")
    )
    svg = file_bytes(forest(both), ".svg").decode()
    assert "$a$  claim $a$ (beats)" in svg
    assert "b  claim b (&lt;waves&gt;)" in svg


def test_what_has_no_difference_is_left_out() -> None:
    missing = finding("1", (None, None, None), UNDECIDED)
    equal = finding("13", (0.016, None, None), CONFIRMED, kind=Kind.REPRODUCIBLE)
    assert not drawable(answers(missing, equal))
    assert list(drawable(answers(missing, finding("2", (0.2, 0.1, 0.3), CONFIRMED)))) == [("macro_recall", False)]
