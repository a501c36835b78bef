"""Parts of the kind `tuned`: the defaults, compared with the winners of searches, one search for each seed.

Each search is a study of a comparison as `zoo tune --compare` makes it. Its name has a hash of the request, so that a
changed request is another comparison.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from zoo.claims.findings import Seen, blank_finding, compared
from zoo.claims.hypothesis import Part
from zoo.claims.measures import Seeds
from zoo.claims.plan import Scope
from zoo.missing.shelf import Shelf, Stored
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study
from zoo.tuning.request import plain_name


def tuned(shelf: Shelf, scope: Scope, label: str) -> Seen:
    """Return the finding of a part of this kind, from the studies of its comparisons."""
    part = scope.part
    found = {int(study.request["seed"]): pair for study, pair in studies_of(shelf, scope)}
    seeds = tuple(seed for seed in part.seeds if seed in found)
    blank = replace(blank_finding(scope, label), missing=(len(part.seeds) - len(seeds)) * runs_of_search(part))
    pairs: list[Seeds] = [[found[seed] for seed in seeds]] if seeds else []
    return compared(part, blank, pairs, seeds, ())


def runs_of_search(part: Part) -> int:
    """Return the number of trainings for one seed: the trials, the winner and the defaults."""
    return part.trials + 2


def comparison_name(scope: Scope, seed: int) -> str:
    """Return the name of the comparison that holds the search of a seed."""
    asked = scope.part.tune_request(scope.dataset).to_json()
    kept = {name: value for name, value in asked.items() if name not in ("seed", "data_dir")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    return f"{plain_name(f'hypothesis-{scope.part.common}')[:60]}-{digest[:8]}-{seed}"


def studies_of(shelf: Shelf, scope: Scope) -> Iterator[tuple[Study, tuple[Stored, Stored]]]:
    """Yield the finished searches, each with the runs of the defaults and of the winner; the user's come last."""
    names = {comparison_name(scope, seed) for seed in scope.part.seeds}
    for store, _ in reversed(shelf.stores):
        for study in StudyStore(store).studies():
            plain, winner = (_done(store, identifier) for identifier in (study.defaults, study.run))
            if study.comparison in names and plain is not None and winner is not None:
                yield study, (Stored(plain, store), Stored(winner, store))


def _done(store: Store, identifier: str) -> Run | None:
    run = store.find(identifier)
    return run if run is not None and run.status == RunStatus.DONE else None
