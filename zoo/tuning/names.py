"""Names of studies that no other has."""

from zoo.errors import UsageError
from zoo.store.studies import StudyStore
from zoo.tuning.request import TuneRequest, plain_name


def check_free(studies: StudyStore, name: str) -> None:
    """Raise UsageError where a study, or a comparison of studies, has that name."""
    if name and name in _taken(studies):
        raise UsageError(f"there is a study {name!r}: go on with it by --resume, or choose another --name")


def free_name(studies: StudyStore, request: TuneRequest, word: str) -> str:
    """A name that no study has: the architecture, a word, the seed, and a number where that is taken."""
    base = plain_name(f"{request.architecture}-{word}-{request.seed}")
    taken, name, number = _taken(studies), base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _taken(studies: StudyStore) -> set[str]:
    return studies.names() | {study.comparison for study in studies.studies() if study.comparison}
