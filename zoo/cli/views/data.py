"""A data set as lines and tables: what it holds, the sets of each protocol, and a series of each class."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from shutil import get_terminal_size

from zoo.cli.views.headings import class_heading
from zoo.cli.views.sparkline import WIDEST, sparkline
from zoo.cli.views.table import Column, Row, count, emit, number, say
from zoo.data.groups import plural
from zoo.harness.data_summary import DataSummary, ProtocolSummary
from zoo.wording import count_text

SETS = ("train", "validation", "test")
COUNTS = tuple(Column(name, name, count, numeric=True) for name in SETS)
PROTOCOLS = (Column("protocol", "protocol"), Column("class", "class"), *COUNTS)
CHANNELS = (
    Column("channel", "channel", count, numeric=True),
    *[Column(name, name, number(4), numeric=True) for name in ("minimum", "maximum", "mean", "std")],
)
MOST_CHANNELS = 12  # in the table; --json has all
MOST_FOLDS = 20


def print_summary(summary: DataSummary) -> None:
    """Print a summary to stdout; the drawn series only on a terminal."""
    for line in _facts(summary):
        say(line)
    say("")
    emit(PROTOCOLS, list(_set_rows(summary)), title=("rows by protocol and class",))
    for name, protocol in summary.protocols.items():
        for line in (*([protocol.error] if protocol.error else []), *protocol.notes):
            say(line if line.startswith(f"{name}: ") else f"{name}: {line}")
    if summary.folds is None:
        say("cross-validation: --cv 5 shows its folds")
    else:
        _print_folds(summary, summary.folds)
    say("")
    emit(CHANNELS, list(_channel_rows(summary)), title=(f"samples outside the test set of {summary.protocol}",))
    if len(summary.channels) > MOST_CHANNELS:
        say(f"and {len(summary.channels) - MOST_CHANNELS} more channels: --json shows all")
    if summary.resampled is not None:
        say("")
        print_resampled(summary.protocol, summary.resampled)
    if sys.stdout.isatty():
        say("")
        for line in _drawn(summary):
            say(line)


def _print_folds(summary: DataSummary, folds: Sequence[ProtocolSummary]) -> None:
    """Print the test rows of each fold by class, and how many rows are in the other sets."""
    numbers = range(1, min(len(folds), MOST_FOLDS) + 1)
    columns = [
        Column("class", "class"),
        *[Column(title, title, count, numeric=True) for title in ("fewest", "most")],
        *[Column(f"fold {each}", f"fold_{each}", count, numeric=True, drop=each) for each in numbers],
    ]
    say("")
    emit(
        columns,
        list(_fold_rows(summary, folds)),
        title=(f"cross-validation: test rows of {len(folds)} folds by class",),
    )
    if len(folds) > MOST_FOLDS:
        say(f"and {len(folds) - MOST_FOLDS} more folds: --json shows all")
    others = {part: [fold.sets[part].rows for fold in folds] for part in ("train", "validation")}
    sizes = [f"{part} {_from_to(rows)}" for part, rows in others.items()]
    say(f"cross-validation: rows of the other sets of each fold: {', '.join(sizes)}")
    for note in dict.fromkeys(note for fold in folds for note in fold.notes):
        where = [str(number) for number, fold in enumerate(folds, start=1) if note in fold.notes]
        of = "" if len(where) == len(folds) else f", fold{'s' * (len(where) > 1)} {', '.join(where)}"
        say(f"cross-validation{of}: {note}")


def _fold_rows(summary: DataSummary, folds: Sequence[ProtocolSummary]) -> Iterator[Row]:
    """Yield the test rows of each class, of all classes, and the number of groups."""
    tests = [fold.sets["test"] for fold in folds]
    for name in tests[0].classes:
        yield _fold_row(name, [test.classes[name] for test in tests])
    yield _fold_row("all classes", [test.rows for test in tests])
    if summary.groups is not None:
        yield _fold_row(f"number of {plural(summary.group_noun)}", [len(test.groups or ()) for test in tests])


def _fold_row(name: str, numbers: Sequence[int]) -> Row:
    each = {f"fold_{number}": value for number, value in enumerate(numbers, start=1)}
    return {"class": name, "fewest": min(numbers), "most": max(numbers), **each}


def _from_to(numbers: Sequence[int]) -> str:
    return f"{min(numbers):,}" if min(numbers) == max(numbers) else f"{min(numbers):,} to {max(numbers):,}"


def _facts(summary: DataSummary) -> Iterator[str]:
    yield f"name: {summary.name}" + (" (synthetic)" if summary.synthetic else "")
    channels = count_text(summary.n_channels, "channel")
    yield f"size: {count_text(summary.rows, 'row')} of {channels} x {count_text(summary.n_times, 'sample')}"
    if lengths := summary.lengths:
        yield (
            f"lengths: {lengths['shortest']:g} to {lengths['longest']:g} samples, median {lengths['median']:g}; "
            "padded with zeros"
        )
    yield f"classes: {', '.join(f'{name} {rows}' for name, rows in summary.classes.items())}"
    if summary.groups is not None:
        fewest, most = min(summary.groups.values()), max(summary.groups.values())
        each = count_text(most, "row") if fewest == most else f"{fewest} to {most} rows"
        yield f"groups: {count_text(len(summary.groups), summary.group_noun)}, {each} each"
    if summary.read:
        yield summary.read
    if summary.constant:
        yield (
            f"constant rows: {summary.constant}, whose samples are all equal; zoo bench refuses those of a file: "
            "--set dataset.constant=drop leaves them out, keep keeps them"
        )
    yield f"default protocol: {summary.protocol}"
    if summary.scale:
        yield f"scale: {summary.scale}"
    for note in summary.notes:
        yield f"note: {note}"


def _set_rows(summary: DataSummary) -> Iterator[Row]:
    """Yield for each protocol the rows of each class, of all classes, and the number of groups."""
    for name, protocol in summary.protocols.items():
        if protocol.error:
            continue
        first = protocol.sets["train"]
        for each in first.classes:
            yield {"protocol": name, "class": each, **{part: protocol.sets[part].classes[each] for part in SETS}}
        yield {"protocol": name, "class": "all classes", **{part: protocol.sets[part].rows for part in SETS}}
        if first.groups is not None:
            groups = {part: len(protocol.sets[part].groups or ()) for part in SETS}
            yield {"protocol": name, "class": f"number of {plural(summary.group_noun)}", **groups}


def _channel_rows(summary: DataSummary) -> Iterator[Row]:
    for place, channel in enumerate(summary.channels[:MOST_CHANNELS], start=1):
        yield {"channel": place, **vars(channel)}


def print_resampled(protocol: str, resampled: Mapping[str, Mapping[str, int] | str]) -> None:
    """Print the training rows by class that each resampler makes for a protocol, or the reason why it fails."""
    tables = {name: counts for name, counts in resampled.items() if not isinstance(counts, str)}
    classes = next(iter(tables.values()), {})
    keys = {name: class_heading(name, reserved=("resampler", "style")) for name in classes}
    columns = [Column("resampler", "resampler"), *[Column(name, keys[name], count, numeric=True) for name in classes]]
    title = f"training rows by class after resampling, {protocol}"
    rows = [{"resampler": name} | {keys[each]: counts[each] for each in classes} for name, counts in tables.items()]
    emit(columns, rows, title=(title,))
    for name, reason in resampled.items():
        if isinstance(reason, str):
            say(f"{name}: {reason}")


def _drawn(summary: DataSummary) -> Iterator[str]:
    """Yield a series of each class, drawn in one line."""
    longest = max(map(len, summary.examples), default=0)
    width = max(8, min(WIDEST, get_terminal_size().columns - longest - 16))
    for name, example in summary.examples.items():
        yield f"{name.ljust(longest)}  {sparkline(example.values, width, sys.stdout.encoding)}  row {example.row}"
