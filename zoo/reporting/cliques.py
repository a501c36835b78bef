"""The bars of a critical-difference diagram: the largest groups of configurations without a significant difference."""

from collections.abc import Iterator, Mapping, Set

from zoo.versus.result import DatasetComparison, Verdict


def cliques_of(found: DatasetComparison) -> tuple[tuple[str, ...], ...]:
    """Return the groups of at least two, each in the order of the mean ranks, from a comparison of all pairs."""
    names = list(found.mean_ranks)
    apart = {frozenset((pair.configuration, pair.baseline)) for pair in found.pairs if _differs(pair.verdict)}
    alike = {one: {other for other in names if other != one and frozenset((one, other)) not in apart} for one in names}
    groups = (sorted(each, key=names.index) for each in _largest(set(), set(names), set(), alike))
    return tuple(sorted((tuple(each) for each in groups if len(each) > 1), key=lambda each: names.index(each[0])))


def _differs(verdict: Verdict) -> bool:
    return verdict in (Verdict.BETTER, Verdict.WORSE)


def _largest(
    group: Set[str], candidates: set[str], done: set[str], alike: Mapping[str, Set[str]]
) -> Iterator[Set[str]]:
    """Yield the maximal cliques, as Bron and Kerbosch 1973 find them with a pivot."""
    if not candidates and not done:
        yield group
        return
    pivot = max(candidates | done, key=lambda name: len(alike[name] & candidates))
    for name in sorted(candidates - alike[pivot]):
        yield from _largest(group | {name}, candidates & alike[name], done & alike[name], alike)
        candidates = candidates - {name}
        done = done | {name}
