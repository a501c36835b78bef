"""Translate search spaces and searchers of the zoo into those of Ray Tune."""

from collections.abc import Mapping
from typing import Any

from ray import tune
from ray.tune import search
from ray.tune.search import SearchAlgorithm, SearchGenerator

from zoo.errors import PluginError, UsageError, guarded
from zoo.factories import complete, load_factory, located
from zoo.registry import Entry
from zoo.space import Choice, Domain, Int, Space, Value
from zoo.specs import Searcher


def to_tune(space: Space) -> dict[str, object]:
    """Return Ray Tune's domains, upper ends included; a domain of one value becomes the value, for HyperOpt."""
    return {key: _domain(domain) for key, domain in space.items()}


def _domain(domain: Domain) -> Any:
    if isinstance(domain, Choice):
        return tune.choice(list(domain.values)) if len(domain.values) > 1 else domain.values[0]
    if domain.low == domain.high:
        return domain.low
    if isinstance(domain, Int):
        kind, high = (tune.lograndint if domain.log else tune.randint), domain.high + 1  # Tune excludes the upper end
        return kind(domain.low, high)
    return (tune.loguniform if domain.log else tune.uniform)(domain.low, domain.high)


def make_searcher(entry: Entry[Searcher], params: Mapping[str, Value], *, seed: int, startup: int) -> SearchAlgorithm:
    """Build the search algorithm of a component. Raises PluginError if it is no searcher of Ray Tune."""
    values = located(entry.spec, complete(entry.spec, params))
    with guarded(UsageError, f"searcher {entry.name} cannot be built"):
        made = load_factory(entry.spec.factory)(seed=seed, startup=startup, **values)
    if isinstance(made, search.Searcher):
        return SearchGenerator(made)
    if isinstance(made, SearchAlgorithm):
        return made
    raise PluginError(f"searcher {entry.name}: its factory returned {type(made).__name__}, not a Ray Tune searcher")
