"""`zoo check --parity`: compare architectures with public code, one result for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zoo.errors import ZooError, describe
from zoo.harness.containment import contained
from zoo.registry import Entry, Plugin, Registry, is_pattern
from zoo.specs import Architecture
from zoo.surroundings.kept import kept
from zoo.testing.check import NotConforming
from zoo.testing.outputs import case_difference, check_names, key_of, parity_of
from zoo.testing.parity import FILE, Case, NotCompared
from zoo.testing.running import CheckStatus

NOTHING = f"its plugin has no {FILE} with outputs of public code"


@dataclass(frozen=True)
class Compared:
    """The comparison of one architecture, or of all that match a pattern, with public code.

    status      passed or failed; None if it was not compared
    difference  the largest difference of an output, of the case that is nearest to its tolerance; None without outputs
    cases       the number of configurations compared
    message     the error, or the reason why it was not compared
    note        what was compared, and what differs on purpose
    """

    name: str
    plugin: str
    status: CheckStatus | None
    difference: float | None = None
    tolerance: float | None = None
    cases: int = 0
    source: str = ""
    message: str = ""
    note: str = ""


def comparisons(
    registry: Registry, plugins: Sequence[Plugin], entries: Sequence[Entry[Architecture]]
) -> Iterator[Compared]:
    """Yield the comparison of each architecture; those that one pattern excludes are one comparison."""
    for plugin in plugins:
        own = [entry for entry in entries if entry.plugin.name == plugin.name]
        try:
            content = parity_of(plugin)
            check_names(plugin, content)
        except ZooError as error:
            yield from (Compared(entry.name, plugin.name, CheckStatus.FAILED, message=str(error)) for entry in own)
            continue
        seen: set[str] = set()
        for entry in own:
            key = key_of(content, entry.spec.name)
            name = key if key is not None and is_pattern(key) else entry.name
            if name not in seen:
                seen.add(name)
                yield _compared(registry, entry, name, None if key is None else content[key])


def _compared(
    registry: Registry, entry: Entry[Architecture], name: str, found: tuple[Case, ...] | NotCompared | None
) -> Compared:
    plugin = entry.plugin.name
    if not isinstance(found, tuple):
        return Compared(name, plugin, None, message=NOTHING if found is None else found.not_compared)
    worst: tuple[float, Case] | None = None
    for case in found:
        try:
            with contained(), kept(random=False):
                difference = case_difference(registry, entry, case)
        except (Exception, SystemExit) as error:
            message = str(error) if isinstance(error, NotConforming | ZooError) else describe(error)
            return Compared(name, plugin, CheckStatus.FAILED, None, case.tolerance, len(found), case.source, message)
        if worst is None or difference / case.tolerance > worst[0] / worst[1].tolerance:
            worst = (difference, case)
    assert worst is not None
    difference, case = worst
    status = CheckStatus.PASSED if difference <= case.tolerance else CheckStatus.FAILED
    notes = " ".join(dict.fromkeys(each.note for each in found if each.note))
    return Compared(name, plugin, status, difference, case.tolerance, len(found), case.source, note=notes)
