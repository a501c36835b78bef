"""Arrays through the whole bench: keyed by their content, with all that works with a file."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from conftest import waves

import zoo
from zoo.data.protocols import separate
from zoo.data.unread import Unread, unread
from zoo.errors import ZooError
from zoo.harness.reporter import SilentReporter
from zoo.store.run import Run, RunStatus
from zoo.training.loop import Epoch

SERIES = waves(120, 24)
X, GROUPS = np.asarray(SERIES.values)[:, 0], SERIES.groups
Y = np.array(SERIES.classes)[SERIES.labels]
FRAME = pandas.DataFrame(X, columns=[f"t{time}" for time in range(24)])


def bench(dataset: Any, **more: Any) -> list[Run]:
    runs = zoo.bench("minirocket", **{"dataset": dataset, "threads": 1, "results": "results", **more})
    assert [(run.status, run.error) for run in runs] == [(RunStatus.DONE, "")] * len(runs)
    return runs


def test_one_content_is_one_run() -> None:
    (first,) = bench((X, Y))
    assert (first.protocol, first.scale, first.served) == ("holdout", "none", False)
    again = [
        *bench((X.astype(np.float64), Y.tolist())),
        *bench((SERIES.values, Y)),
        *bench(FRAME.assign(kind=Y), target="kind"),
        *bench([(FRAME, Y), replace(SERIES, groups=None)]),
    ]
    assert [(run.id, run.dataset, run.served) for run in again] == [(first.id, first.dataset, True)] * 4
    (other,) = bench((X * 1.5, Y))
    assert not other.served
    assert other.dataset != first.dataset
    module = zoo.load(first.id, results="results")
    assert type(module).__name__ == "MiniRocket"


def test_a_file_and_arrays_with_the_same_content_have_the_same_scores(tmp_path: Path) -> None:
    np.savez("beats.npz", X=X, y=Y, groups=GROUPS)
    options: dict[str, Any] = {"rows": 60, "seeds": [1], "scale": "standard", "drop_class": "c", "data": "oversampled"}
    (file,) = bench(Path("beats.npz"), group="groups", **options)
    (arrays,) = bench((X, Y), group=GROUPS, **options)
    assert (file.dataset, file.protocol, arrays.protocol) == ("beats.npz", "inter-patient", "inter-patient")
    assert file.scores == arrays.scores
    assert file.parts == replace(arrays.parts, groups_by="groups")
    assert arrays.parts.by_group
    assert arrays.scores.resampled.endswith("groups")


def test_a_reused_run_has_the_notes_on_the_data_of_this_request(tmp_path: Path) -> None:
    shared = "in the test set are also in the training or validation set"
    (plain,) = bench((X, Y), protocol="holdout")
    assert not any(shared in note for note in plain.notes)
    np.savez("beats.npz", X=X, y=Y, groups=GROUPS)
    (grouped,) = bench("beats.npz", protocol="holdout")
    assert (grouped.id, grouped.served) == (plain.id, True)
    assert sum(shared in note for note in grouped.notes) == 1
    assert grouped.parts.shared_groups
    assert grouped.notes[-1] == f"the run was stored for {plain.dataset}, which has the same content as beats.npz"
    (again,) = bench((X, Y), protocol="holdout")
    assert (again.notes, again.parts) == (plain.notes, plain.parts)
    (first,) = bench("beats.npz", protocol="holdout", results="other")
    (other,) = bench((X, Y), protocol="holdout", results="other")
    assert (other.id, other.served) == (first.id, True)
    assert not any(shared in note or "groups" in note for note in other.notes), "these arrays have no groups"


def test_a_published_split_and_several_data_sets() -> None:
    split, whole = bench([(X[:90], Y[:90], X[90:], Y[90:]), (X, Y)])
    assert (split.protocol, split.parts.rows["test"], whole.protocol) == ("official", 30, "holdout")
    assert split.dataset.startswith("array-")
    assert split.dataset != whole.dataset


def test_units_far_from_1_are_scaled() -> None:
    (run,) = bench((X * 200 + 1024, Y))
    assert run.scale == "standard"
    assert "the samples are scaled" in " ".join(run.notes)


@pytest.mark.parametrize(
    ("dataset", "options", "line"),
    [
        ([X, Y], {}, "not a ndarray; a list has several data sets"),
        ({"X": X}, {}, "not a dict"),
        (Path("absent"), {}, "there is no file 'absent'"),
        ("heartbeats", {"group": GROUPS}, "group= takes a column of heartbeats, not a ndarray"),
        ((), {"group": GROUPS}, "group= takes a column of the default data set"),
        ((X, Y), {"set": {"dataset.header": True}}, "no parameter of arrays named 'header'"),
        ("array-0123abcd", {}, "array-0123abcd was passed as arrays from Python: pass them to zoo.bench again"),
    ],
)
def test_what_cannot_be_benched_is_refused_in_one_line(dataset: Any, options: dict[str, Any], line: str) -> None:
    with pytest.raises(ZooError) as caught:
        bench(dataset, **options)
    assert line in str(caught.value)


def test_large_parts_are_the_same_when_they_are_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = bench((X * 50, Y), seeds=[3])
    (small,) = zoo.bench("fcn", dataset=(X * 50, Y), threads=1, epochs=1, results="results")
    monkeypatch.setattr("zoo.data.unread.AT_ONCE", 0)
    (again,) = bench((X * 50, Y), seeds=[3], force=True)
    (later,) = zoo.bench("fcn", dataset=(X * 50, Y), threads=1, epochs=1, results="results", force=True)
    for one, other in ((run, again), (small, later)):
        assert (one.key, one.scores, one.parts) == (other.key, other.scores, other.parts)


def test_values_that_change_during_the_run_have_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.data.unread.AT_ONCE", 0)
    values = X.copy()

    class Writing(SilentReporter):
        def on_epoch(self, epoch: Epoch) -> None:
            values[:] = values[::-1].copy()

    (run,) = zoo.bench("minirocket", dataset=(values, Y), threads=1, results="results", reporter=Writing())
    assert (run.status, run.scores.macro_recall.value) == (RunStatus.FAILED, None)
    assert run.error.startswith(f"{run.dataset} was changed during the run: ")


def test_a_worker_receives_the_values_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.data.unread.AT_ONCE", 0)
    series = replace(SERIES, values=unread(np.asarray(SERIES.values)))
    rows = separate(series, "holdout", seed=0).scaled("standard-per-series").validation
    assert isinstance(rows.values, Unread)
    sent = pickle.loads(pickle.dumps(rows))
    assert isinstance(sent.values, np.ndarray)
    np.testing.assert_array_equal(sent.values, np.asarray(rows.values))
