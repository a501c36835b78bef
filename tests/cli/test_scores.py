"""Runs as rows of a table: what tells them apart is seen, and what has no room is left out, not cut."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.cli.bench import _notes
from zoo.cli.views.data import print_resampled
from zoo.cli.views.headings import class_heading
from zoo.cli.views.run import confusion, reason_lines, score_rows
from zoo.cli.views.runs import BY_CLASS, by_class_rows, class_columns, class_row, flat_columns, score_columns, score_row
from zoo.cli.views.table import Column, emit, fits, steps_column
from zoo.metrics import score
from zoo.store.run import Run, RunStatus


def run(loss: str, dataset: str = "waves.csv", seed: int = 0) -> Run:
    probabilities = np.full((8, 2), 0.5)
    names = {"architecture": "minirocket", "block": "none", "data": "original", "protocol": "holdout"}
    scores = score(probabilities, np.arange(8) % 2, ("a", "b"), None)
    return Run(
        id="1a2b3c4d", key="", loss=loss, dataset=dataset, seed=seed, scores=scores, status=RunStatus.DONE, **names
    )


@pytest.mark.parametrize(
    ("other", "title"),
    [(run("focal"), "loss"), (run("weighted", dataset="b.csv"), "dataset"), (run("weighted", seed=1), "seed")],
)
def test_recalls_by_class_say_which_run_they_are_of(other: Run, title: str) -> None:
    runs = [run("weighted"), other]
    assert title in [column.title for column in class_columns(runs)]
    one, two = (class_row(each) for each in runs)
    assert one[title] != two[title]


def test_the_reasons_for_no_interval_are_lines_with_the_scores_that_have_them() -> None:
    probabilities = np.eye(2)[np.arange(40) % 2]
    scores = score(probabilities, np.arange(40) % 2, ("a", "b"), np.arange(40) % 2 * 9 + np.arange(40) // 2 % 3)
    first, second, both, errors, calibration = reason_lines(score_rows(replace(run("focal"), scores=scores)))
    for name, line in (("a", first), ("b", second)):
        names = f"macro_recall, macro_f1, auroc, recall {name}, precision {name}, f1 {name}"
        assert line == f"no interval for {names}: class {name} has 3 groups, 3.0 effective: fewer than 5"
    assert both == "no interval for accuracy, mcc: 6 groups: fewer than 10"
    assert errors.startswith("no interval for log_loss: 0 of 40 rows are wrong")
    assert calibration.startswith("no interval for ece: the calibration error")
    some = [line.partition(":")[0] for line in reason_lines(score_rows(run("focal")))]
    assert "no interval for ece" in some
    assert not any("recall a" in line for line in some), "it has an interval"


def test_names_of_classes_with_tabs_do_not_collide_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("a\tb", "a b", "a\nb")
    found = score(np.full((9, 3), 1 / 3), np.arange(9) % 3, names, None)
    emit([Column("score", "name")], score_rows(replace(run("focal"), scores=found)))
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("recall ")]
    assert shown == ["recall a\\tb", "recall a b", "recall a\\nb"]


def test_notes_on_some_of_several_data_sets_name_them() -> None:
    one, other, third = (run("focal", dataset=name) for name in ("a.csv", "b.csv", "c.csv"))
    runs = [replace(one, notes=("all", "few")), replace(other, notes=("all", "few")), replace(third, notes=("all",))]
    assert _notes(runs) == ["all", "a.csv, b.csv: few"]
    assert _notes(runs[:2]) == ["all", "few"]


def test_scores_are_whole_on_a_terminal_sixty_wide() -> None:
    runs = [run("weighted"), run("focal")]
    kept = [column for column in score_columns(runs) if not column.drop]
    assert {"architecture", "loss", "macro recall"} < {column.title for column in kept}
    assert fits(kept, [score_row(each) for each in runs], 60)
    kept = [column for column in BY_CLASS if column.drop < 2]
    assert fits(kept, by_class_rows(runs[0]), 60)


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ((720, 720), False),
        ((720, 710), True),
        ((720, 0), False),  # a fitted network has none
        ((720, None), False),  # a run of an earlier version
        ((720, None, 0, 710), True),
        ((None, None), False),
    ],
)
def test_steps_are_shown_where_trained_networks_differ_in_them(steps: tuple[int | None, ...], shown: bool) -> None:
    runs = [replace(run("focal"), steps=each) for each in steps]
    assert ("steps" in [column.key for column in score_columns(runs)]) == shown
    assert [score_row(each)["steps"] for each in runs] == list(steps)


def test_steps_on_different_test_sets_are_not_compared() -> None:
    runs = [replace(run("focal"), steps=720), replace(run("focal", dataset="b.csv"), steps=90)]
    assert "steps" not in [column.key for column in score_columns(runs)]


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0, "-"), (96, "96"), (12345, "12,345"), ("980-1008", "980-1,008")]
)
def test_steps_and_their_range_on_a_terminal(value: int | str | None, text: str) -> None:
    assert steps_column(drop=1).plain(value) == text


AWKWARD = (
    *("noise", "noise_low", "noise_low_low", "noise_high", "(noise_low)", "((noise_low))", "_low", ""),
    *("[red]x", "[/]", ":bug:", "a\tb", "a\\tb", "('a\\tb')", "style", "resampler", "macro_recall"),
)


def awkward() -> Run:
    probabilities = np.eye(len(AWKWARD), dtype=np.float32)[np.arange(40) % len(AWKWARD)]
    scores = score(probabilities, np.arange(40) % len(AWKWARD), AWKWARD, None)
    return replace(run("focal"), scores=scores, parts={"classes": AWKWARD})  # type: ignore[arg-type]


def test_no_two_columns_have_one_heading_whatever_the_classes(capsys: pytest.CaptureFixture[str]) -> None:
    row = score_row(awkward())
    assert (row["recall_noise"], row["recall_(noise_low)"], row["recall_((noise_low))"]) == (1.0, 1.0, 1.0)
    assert row["recall_noise_low"] == awkward().scores.recall["noise"].low
    emit(flat_columns([row]), [row])
    heading, line = (text.split("\t") for text in capsys.readouterr().out.splitlines())
    plain = score_row(run("focal"))
    assert len(heading) == len(set(heading)) == len(line) == len(plain) - 1 + 3 * (len(AWKWARD) - 2)


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("N", "N"),
        ("noise", "noise"),
        ("low", "low"),
        ("noise_low", "(noise_low)"),
        ("style", "(style)"),
        ("(N)", "((N))"),
        ("a\tb", "('a\\tb')"),
    ],
)
def test_a_heading_that_could_be_mistaken_is_in_brackets(name: str, heading: str) -> None:
    assert class_heading(name, endings=("_low",), reserved=("style",)) == heading


def test_class_names_are_text_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "600")
    run = awkward()
    counts = dict.fromkeys(AWKWARD, 7)
    for show in (
        lambda: emit(BY_CLASS, by_class_rows(run)),
        lambda: emit(class_columns([run]), [class_row(run)]),
        lambda: emit(*confusion(run)),
        lambda: print_resampled("holdout", {"smote": counts, "adasyn": counts}),
    ):
        show()
        shown = capsys.readouterr().out
        assert all(name in shown for name in ("[red]x", "[/]", ":bug:", "a\\tb", "style", "resampler")), shown


def test_a_class_may_have_the_name_of_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    print_resampled("holdout", {"smote": {"resampler": 5, "style": 7, "b": 9}})
    assert capsys.readouterr().out == "resampler\t(resampler)\t(style)\tb\nsmote\t5\t7\t9\n"
