"""Shell completion of registered names. It reads only specs, so that the Tab key imports nothing heavy."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from zoo.cli.families import large_families
from zoo.settings import Settings
from zoo.specs import Architecture, Component

if TYPE_CHECKING:
    from zoo.registry import Entry

Completer = Callable[[typer.Context, list[str], str], list[str]]


def names_of(*kinds: str, presets: bool = False) -> Completer:
    """Return a completer for the names of these kinds; with `presets`, also for `name.preset` after a typed dot."""

    def complete(context: typer.Context, arguments: list[str], incomplete: str) -> list[str]:
        from zoo.workspace import Workspace

        try:
            workspace = Workspace.load()
        except Exception:  # the command itself reports a broken registry.toml; a message here would spoil the prompt
            return []
        entries = [entry for kind in kinds for entry in workspace.registry.of_kind(kind)]
        if presets and "." in incomplete:
            return _starting(incomplete, _presets(entries, workspace.settings))
        return _starting(incomplete, _folded(entries, incomplete))

    return complete


def composed(kind: str) -> Completer:
    """Return a completer as `names_of` does, for a value that holds several names: `resnet+se`, `random,optuna`."""
    plain = names_of(kind)

    def complete(context: typer.Context, arguments: list[str], incomplete: str) -> list[str]:
        place = max(incomplete.rfind("+"), incomplete.rfind(",")) + 1
        before, last = incomplete[:place], incomplete[place:]
        return [before + name for name in plain(context, arguments, last)]

    return complete


def treatments(context: typer.Context, arguments: list[str], incomplete: str) -> list[str]:
    """Return the resamplers that start so, and after `smote/` the objectives with this resampler before them."""
    resamplers = names_of("resampler")
    places = [place for place, sign in enumerate(incomplete) if sign == "/"]
    found = resamplers(context, arguments, incomplete)
    for place in places:
        before, after = incomplete[:place], incomplete[place + 1 :]
        if before in resamplers(context, arguments, before):
            found += [f"{before}/{name}" for name in names_of("objective")(context, arguments, after)]
    return found


def _presets(entries: "Iterable[Entry[Component]]", settings: Settings) -> Iterator[str]:
    from zoo.registry import presets_of

    for entry in entries:
        own = entry.spec.presets if isinstance(entry.spec, Architecture) else {}
        for preset in (*own, *presets_of(entry.name, settings.presets)):
            yield f"{entry.name}.{preset}"


def _folded(entries: "Iterable[Entry[Component]]", incomplete: str) -> Iterator[str]:
    """Yield the names, and only `timm/` for a large family until its slash is typed."""
    names = [entry.name for entry in entries]
    large = large_families(names)
    for name in names:
        family, slash, _ = name.partition("/")
        yield f"{family}/" if slash and family in large and "/" not in incomplete else name


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    """Return the names that start so. One with control characters, of a preset, would reach the terminal raw."""
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete) and name.isprintable()]
