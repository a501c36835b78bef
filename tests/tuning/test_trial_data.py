"""The data of a study: separated as the bench separates them, resampled once for each name in the space."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studies import tune_request

from zoo.errors import ResamplingError
from zoo.harness.bench import run_bench
from zoo.harness.reporter import SilentReporter
from zoo.store.runs import Store
from zoo.tuning.request import TuneRequest
from zoo.tuning.spaces import resolve_space
from zoo.tuning.trial_cell import bench_request
from zoo.tuning.trial_data import StudyData, prepare
from zoo.workspace import Workspace


class Phases(SilentReporter):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_phase(self, text: str) -> None:
        self.heard.append(text)


def prepared(workspace: Workspace, request: TuneRequest, reporter: Any = None) -> StudyData:
    space, _ = resolve_space(workspace, request)
    return prepare(workspace, request, space, reporter or SilentReporter())


@pytest.mark.parametrize("given", [{"seed": 3}, {"group": "patient", "seed": 1, "rows": None}])
def test_a_study_learns_from_the_rows_that_the_bench_would(workspace, asked, tmp_path, given) -> None:
    request = asked(epochs=1, **given)
    data = prepared(workspace, request)
    with Store(tmp_path / "results") as store:
        (run,) = run_bench(workspace, bench_request(workspace.registry, request, {}), store, SilentReporter())
    assert data.parts.summary["fingerprints"] == run.parts["fingerprints"]
    assert data.parts.classes == tuple(run.parts["classes"])
    assert data.parts.summary == run.parts
    assert (data.parts.train.groups is None) == ("group" not in given)


def test_what_is_set_of_the_data_set_reaches_it(with_faulty) -> None:
    def fingerprints(**given: Any) -> Any:
        request = tune_request(architecture="steady", dataset="levels", overrides=("width=2..8",), **given)
        return prepared(with_faulty, request).parts.summary["fingerprints"]

    assert fingerprints() == fingerprints(assignments={"dataset.level": 1.0})
    assert fingerprints() != fingerprints(assignments={"dataset.level": 2.0})


def test_each_resampler_of_the_space_is_run_once_before_the_trials(workspace, asked) -> None:
    reporter = Phases()
    request = asked(overrides=("data=original,oversampled,undersampled,original", "loss=focal,weighted"))
    data = prepared(workspace, request, reporter)
    assert reporter.heard == [
        f"loading {request.cell.datasets[0]}",
        "resampling: original",
        "resampling: oversampled",
        "resampling: undersampled",
    ]
    train = data.parts.train
    rows = {name: variant for (name, _), variant in data.variants.items()}
    counts = {name: np.bincount(variant.labels).tolist() for name, variant in rows.items()}  # type: ignore[union-attr]
    most, least = int(np.bincount(train.labels).max()), int(np.bincount(train.labels).min())
    assert counts == {
        "original": np.bincount(train.labels).tolist(),
        "oversampled": [most] * 3,
        "undersampled": [least] * 3,
    }


@pytest.mark.parametrize(
    ("given", "name", "params"),
    [
        ({"data": "smote", "overrides": ("dropout=0.1,0.2",)}, "smote", {"k_neighbors": 5}),
        ({"data": "smote", "assignments": {"data.k_neighbors": 2}}, "smote", {"k_neighbors": 2}),
        ({"overrides": ("dropout=0.1,0.2",)}, "original", {}),
    ],
)
def test_a_space_that_names_no_resampler_has_the_one_of_the_request(workspace, asked, given, name, params) -> None:
    data = prepared(workspace, asked(**given))
    (((found, with_params), variant),) = data.variants.items()
    assert (found, dict(with_params)) == (name, {**dict(with_params), **params})
    assert not isinstance(variant, str)


def test_a_resampler_whose_own_parameters_are_searched_is_left_to_the_trials(workspace, asked) -> None:
    reporter = Phases()
    request = asked(overrides=("data=smote,original", "data.k_neighbors=1..3"))
    assert prepared(workspace, request, reporter).variants == {}
    assert reporter.heard == [f"loading {request.cell.datasets[0]}"]


def test_a_resampler_that_cannot_do_its_work_is_kept_with_the_reason_and_refused_where_none_can(
    workspace, asked
) -> None:
    few = {"rows": 12}
    data = prepared(workspace, asked(overrides=("data=smote,original",), **few))
    reason, rows = data.variants.values()
    assert isinstance(reason, str)
    assert reason.startswith("smote needs at least two training rows of each class")
    assert not isinstance(rows, str)
    with pytest.raises(ResamplingError, match="smote needs at least two training rows"):
        prepared(workspace, asked(overrides=("data=smote,adasyn",), **few))


def test_the_size_of_what_trials_share_counts_each_array_once(workspace, asked) -> None:
    def size(*parts: Any) -> int:
        arrays = [(part.values, part.labels, part.index, part.groups, part.lengths) for part in parts]
        return sum(array.nbytes for each in arrays for array in each if array is not None)

    data = prepared(workspace, asked(overrides=("data=original,oversampled",)))
    original, oversampled = data.variants.values()
    assert original is data.parts.train
    assert data.nbytes == size(data.parts.train, data.parts.validation, oversampled)
    refused = prepared(workspace, asked(overrides=("data=original,smote",), rows=12))
    assert refused.nbytes == size(refused.parts.train, refused.parts.validation)
    assert Path(asked().cell.datasets[0]).exists()
