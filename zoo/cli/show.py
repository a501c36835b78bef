"""`zoo show`: the details of one component."""

import inspect
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo.cli import options
from zoo.cli.complete import names_of
from zoo.cli.session import Session, session_of
from zoo.cli.views.table import Column, Row, count, emit, millions, number, print_json, quiet_stdout, say
from zoo.errors import ModelError, StoreError, UnknownName, guarded, unknown_name
from zoo.scores import score_words
from zoo.specs import KINDS, Architecture, Block, Component, Dataset, Preset
from zoo.wording import count_text, with_article

if TYPE_CHECKING:
    from zoo.references.record import Reference
    from zoo.registry import Entry

PARAMETERS = (
    Column("parameter", "name"),
    Column("default", "default"),
    Column("searched over", "searched", optional=True, wraps=True),
)
PRESETS = (
    Column("preset", "name"),
    Column("summary", "summary"),
    Column("fixes", "fixes", wraps=True),
)
LAYERS = (
    Column("layer", "name"),
    Column("kind", "kind"),
    Column("output", "output"),
    Column("parameters", "parameters", count, numeric=True),
)
RESULTS = (
    Column("result", "status"),
    Column("of", "name", wraps=True),
    Column("dataset", "dataset"),
    Column("protocol", "protocol", drop=1),
    Column("macro recall", "macro_recall", number(4), numeric=True, optional=True),
    Column("accuracy", "accuracy", number(4), numeric=True, optional=True),
    Column("evidence", "evidence", optional=True, wraps=True, drop=2),
    Column("source", "source", optional=True, wraps=True),
)


_BUILD = "The network to build"  # the group of options in `--help`


def show_command(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A component, or a preset of an architecture as NAME.PRESET.",
            autocompletion=names_of(*KINDS, presets=True),
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help=f"Kind of the component, if several kinds share the name: {', '.join(KINDS)}.",
            metavar="KIND",
        ),
    ] = None,
    block: Annotated[
        str | None,
        typer.Option(
            help="Block for the slot of the network.",
            metavar="NAME",
            rich_help_panel=_BUILD,
            show_default="of the preset or the architecture",
        ),
    ] = None,
    channels: Annotated[int, options.number("--channels", "Number of channels.", least=1, panel=_BUILD)] = 1,
    times: Annotated[int, options.number("--times", "Number of samples of a series.", least=1, panel=_BUILD)] = 187,
    classes: Annotated[int, options.number("--classes", "Number of classes.", least=2, panel=_BUILD)] = 5,
    results: options.ResultsToRead = None,
    as_json: options.Json = False,
) -> None:
    """Show a component: paper, plugin, parameters, presets, layers, cost and results."""
    from zoo.cli.guesses import check_shown

    session = session_of(context)
    check_shown(session, name)
    entry, preset = _find(session, name, kind)
    with quiet_stdout():
        shown = _facts(entry) | {"parameters": _parameters(entry, preset)}
        if isinstance(entry.spec, Architecture):
            shape = {"n_channels": channels, "n_times": times, "n_classes": classes}
            shown |= _architecture(session, entry, entry.spec, name, block, shape)
            shown |= {"results": _results(session, entry, results)}
    if as_json:
        print_json(shown)
    else:
        _print(session, shown)


def _find(session: Session, name: str, kind: str | None) -> "tuple[Entry[Component], Preset]":
    """Return the component with this name, of any kind, and the requested preset."""
    from zoo.registry import split_reference

    registry = session.registry
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    kinds = [kind] if kind else list(KINDS)
    bare = split_reference(name)[0]
    found = [each for each in kinds if any(_answers(entry, bare) for entry in registry.of_kind(each))]
    if not found:
        names = {entry.name for entry in registry.entries if kind in (None, entry.kind)}
        raise unknown_name(kind or "component", name, names, "`zoo list` shows them all.")
    if len(found) > 1:
        raise UnknownName(f"{name!r} is the name of {' and '.join(map(with_article, found))}: choose one with --kind")
    if found[0] == "architecture":
        entry, _, preset = session.workspace.architecture(name)
        return entry, preset
    return registry.get(found[0], name), Preset()


def _answers(entry: "Entry[Component]", name: str) -> bool:
    return name in (entry.name, entry.spec.name, f"{entry.plugin.name}:{entry.spec.name}")


def _facts(entry: "Entry[Component]") -> Row:
    spec = entry.spec
    facts: Row = {
        "name": entry.name,
        "kind": entry.kind,
        "summary": spec.summary,
        "paper": spec.paper,
        "plugin": entry.plugin.name,
        "distribution": f"{entry.plugin.distribution} {entry.plugin.version}".strip(),
    }
    if isinstance(spec, Block):
        facts |= {"dimensions": list(spec.dims), "keeps_padding_out": spec.masked}
    if isinstance(spec, Dataset):
        facts |= {"synthetic": spec.synthetic, "scale": spec.scale, "homepage": spec.homepage}
    if isinstance(spec, Architecture):
        facts |= {
            "block_slot": f"{spec.block_dims}-D, {spec.block} by default" if spec.block_dims else "none",
            "takes_lengths": spec.takes_lengths,
            "shortest_series": spec.min_times,
            "learning_rate": spec.learning_rate,
        }
    return facts


def _parameters(entry: "Entry[Component]", preset: Preset) -> list[Row]:
    from zoo.factories import parameters

    spec = entry.spec
    spaces = spec.spaces if isinstance(spec, Architecture) else {}
    if isinstance(spec, Block):
        spaces = {"default": spec.space}
    rows = []
    for name, parameter in parameters(spec).items():
        ranges = {space: str(domains[name]) for space, domains in spaces.items() if name in domains}
        default = preset.params.get(name, parameter.default)
        rows.append(
            {
                "name": name,
                "default": None if default is inspect.Parameter.empty else default,
                "searched": "; ".join(f"{text} ({space})" for space, text in ranges.items()),
            }
        )
    return rows


def _architecture(
    session: Session,
    entry: "Entry[Component]",
    spec: Architecture,
    reference: str,
    block: str | None,
    shape: dict[str, int],
) -> Row:
    """Build the network on the meta device, and return its layers, parameters and multiply-accumulates."""
    from zoo.inspection import count_macs, count_parameters, layers_of, on_meta
    from zoo.networks import Network
    from zoo.registry import presets_of

    network = Network.resolve(session.registry, reference, block=block, presets=session.settings.presets)
    model = on_meta(lambda: network.build(**shape))
    series = {name: shape[name] for name in ("n_channels", "n_times")}
    with guarded(
        ModelError, f"{network.reference} does not accept a row of {shape['n_channels']} x {shape['n_times']}"
    ):
        macs, layers = count_macs(model, **series), layers_of(model, **series)
    presets = {**spec.presets, **presets_of(entry.name, session.settings.presets)}
    return {
        "presets": [_preset(name, preset) for name, preset in presets.items()],
        "spaces": {name: {key: str(domain) for key, domain in space.items()} for name, space in spec.spaces.items()},
        "built": {
            "block": network.block,
            **shape,
            "parameters": count_parameters(model),
            "macs": macs,
            "members": _members(presets.get(network.preset)),
        },
        "layers": [asdict(layer) for layer in layers],
    }


def _members(preset: Preset | None) -> int:
    """Return the number of networks that a preset trains."""
    return 1 if preset is None else int(preset.training.get("members", 1))


def _preset(name: str, preset: Preset) -> Row:
    fixed: Row = {**preset.params, **preset.training}
    for key in ("block", "data", "loss"):
        if value := getattr(preset, key):
            fixed[key] = value
        fixed |= {f"{key}.{name}": value for name, value in getattr(preset, f"{key}_params").items()}
    return {"name": name, "summary": preset.summary, "fixes": fixed}


def _reference(reference: "Reference") -> Row:
    """Return a reference as a row of the results, with the evidence of its status."""
    found = reference.verification
    known = found or reference
    return {
        "status": reference.status,
        "name": reference.name,
        "dataset": reference.dataset,
        "protocol": reference.protocol,
        **{name: reference.scores.get(name) for name in ("macro_recall", "accuracy")},
        "source": reference.source,
        "scores": dict(reference.scores),
        "settings": reference.configuration,
        "bands": {metric: list(reference.limits(metric)) for metric in reference.scores},
        "verified": None if found is None else {"answer": str(found.answer), "scores": dict(found.scores)},
        "evidence": _evidence(reference),
        "seeds": known.seeds,
        "date": known.date,
        "versions": known.versions,
        "why": " ".join((reference.stays_reported or reference.note).split()),
    }


def _evidence(reference: "Reference") -> str:
    """Return what a status rests on: `accuracy 0.9200, 3 seeds, 2026-11-28, zoo-registry 0.1.0`."""
    found = reference.verification
    scores = {} if found is None else found.scores
    return ", ".join(
        filter(None, (*(f"{score_words(name)} {x:.4f}" for name, x in scores.items()), reference.evidence))
    )


def _results(session: Session, entry: "Entry[Component]", folder: Path | None) -> list[Row]:
    """Return the published results, and the stored results averaged over seeds."""
    from zoo.store.leaderboard import boards

    found = [_reference(reference) for reference in session.references if reference.architecture == entry.name]
    try:
        runs, _ = session.pooled_runs(folder, entry.name)
    except StoreError as error:  # the rest is still shown
        session.say(f"warning: {error}")
        runs = []
    for board in boards(runs, "macro_recall"):
        for standing in board.standings:
            run = standing.runs[0]
            cell = " ".join(word for word in (f"data={run.data}", f"block={run.block}", standing.settings) if word)
            found.append(
                {
                    "status": "measured",
                    "name": run.reference,
                    "dataset": board.dataset,
                    "protocol": board.protocol,
                    **{name: standing.mean(name) for name in ("macro_recall", "accuracy")},
                    "source": f"{cell}, {count_text(len(standing.runs), 'seed')}",
                }
            )
    return found


def _print(session: Session, shown: Row) -> None:
    tables = ("parameters", "presets", "spaces", "built", "layers", "results")
    for key, value in shown.items():
        if key not in tables and value not in ("", None):
            text = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
            say(f"{key.replace('_', ' ')}: {', '.join(map(str, text)) if isinstance(text, list) else text}")
    if built := shown.get("built"):
        size = f"{built['n_channels']} channel(s) x {built['n_times']} samples, {built['n_classes']} classes"
        each = f", each of {built['members']} members" if built["members"] > 1 else ""
        say(f"built for {size}: {count(built['parameters'])} parameters, {millions(built['macs'])} MACs{each}")
    texts = [preset | {"fixes": _assignments(preset["fixes"])} for preset in shown.get("presets", [])]
    shown = shown | {"presets": texts}
    for key, columns in (("presets", PRESETS), ("parameters", PARAMETERS), ("layers", LAYERS), ("results", RESULTS)):
        if shown.get(key):
            say("")
            emit(columns, _for_table(shown[key]) if key == "results" else shown[key])
    for line in _explained(shown.get("results", [])):
        say(line)


def _for_table(rows: list[Row]) -> list[Row]:
    """Return results with the settings in the name; on a terminal, a line below has the source of several rows."""
    named = [row | {"name": _named(row)} for row in rows]
    return [row | {"source": "" if _is_shared(row, rows) else row["source"]} for row in named]


def _explained(rows: list[Row]) -> list[str]:
    """Return a line for each source of several results, and for each result that must be explained."""
    sources = dict.fromkeys((_named(row), row["source"]) for row in rows if _is_shared(row, rows))
    reasons = dict.fromkeys((row["name"], row["why"]) for row in rows if row.get("why"))
    return [f"{name}: {text}" for name, text in (*sources, *reasons)]


def _named(row: Row) -> str:
    return " ".join(filter(None, (row["name"], row.get("settings", "").replace("training.", ""))))


def _is_shared(row: Row, rows: list[Row]) -> bool:
    return sys.stdout.isatty() and sum(other["source"] == row["source"] for other in rows) > 1


def _assignments(values: Row) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())
