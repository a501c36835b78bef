"""Names of studies: what they are made of, and which are taken."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from studies import stored, study_of, tune_request

from zoo.errors import UsageError
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.tuning.names import check_free, free_name
from zoo.tuning.request import plain_name


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "results") as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("timm/resnet18-random-0", "timm-resnet18-random-0"),
        ("a b//c", "a-b-c"),
        ("--_.cnngru.study_1", "cnngru.study_1"),
        ("é1", "1"),
    ],
)
def test_a_name_is_made_of_what_names_may_have(text: str, name: str) -> None:
    assert plain_name(text) == name


def test_a_free_name_is_of_architecture_searcher_and_seed_and_has_a_number_where_that_is_taken(store: Store) -> None:
    studies, request = StudyStore(store), tune_request(architecture="cnngru.study", seed=7)
    found = []
    for _ in range(3):
        found.append(free_name(studies, request, "random"))
        studies.create(study_of((), name=found[-1]))
    assert found == ["cnngru.study-random-7", "cnngru.study-random-7-2", "cnngru.study-random-7-3"]
    studies.create(study_of((), name="race.random.0", comparison="cnngru.study-comparison-7"))
    assert free_name(studies, request, "comparison") == "cnngru.study-comparison-7-2"


def test_a_name_that_a_study_or_a_comparison_has_is_refused(store: Store) -> None:
    studies = StudyStore(store)
    for name in ("", "mine"):
        check_free(studies, name)
    stored(store, study_of((), name="mine"))
    stored(store, study_of((), name="race.random.0", comparison="race"))
    for name in ("mine", "race", "race.random.0"):
        with pytest.raises(UsageError, match=f"a study '{re.escape(name)}' already exists: resume it with --resume"):
            check_free(studies, name)
    check_free(studies, "")
    check_free(studies, "other")
