"""Unique names of studies."""

from zoo.errors import UsageError
from zoo.store.studies import StudyStore
from zoo.tuning.request import TuneRequest, plain_name


def check_free(studies: StudyStore, name: str) -> None:
    """Raise UsageError if a study or a comparison already has this name."""
    if name and name in _taken(studies):
        raise UsageError(
            f"a study {name!r} already exists: resume it with --resume {name}, or choose a different --name"
        )


def free_name(studies: StudyStore, request: TuneRequest, word: str) -> str:
    """Return an unused name: the architecture, a word and the seed, with a number if that name is taken."""
    base = plain_name(f"{request.architecture}-{word}-{request.seed}")
    taken, name, number = _taken(studies), base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _taken(studies: StudyStore) -> set[str]:
    return studies.names() | {study.comparison for study in studies.studies() if study.comparison}
