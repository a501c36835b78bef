"""Write what a verification found into the reference files of plugins: the text that states their status."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from zoo.errors import StoreError
from zoo.paths import why_not
from zoo.references.record import Answer
from zoo.shipped import FILE
from zoo.verification.result import Verifications, Verified

WORST = (Answer.BELOW, Answer.VERIFIED, Answer.ABOVE)  # of the metrics of a reference, the first of these counts


def write_verifications(found: Verifications) -> list[Path]:
    """Write the answers of references that plugins ship into their files; return the files that have changed.

    An answer replaces the earlier one for the same data set. Raises StoreError for a file that cannot be written.
    """
    by_file: dict[Path, list[Verified]] = defaultdict(list)
    for each in found.answers:
        path = Path(each.of.file)
        if each.answer != Answer.NOT_RUN and path.name.endswith(FILE):
            by_file[path].append(each)
    for path, answers in by_file.items():
        try:
            path.write_text(with_verifications(path.read_text(encoding="utf-8"), answers), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {why_not(error)}") from None
    return [*by_file]


def with_verifications(text: str, answers: Sequence[Verified]) -> str:
    """Return the text of a reference file with these answers in it; everything else stays."""
    import tomlkit

    document = tomlkit.parse(text)
    entries: Any = document["reference"]
    for number in dict.fromkeys(each.of.entry for each in answers):
        _add(entries[number], [each for each in answers if each.of.entry == number])
    return tomlkit.dumps(document).rstrip() + "\n"


def _add(entry: Any, answers: Sequence[Verified]) -> None:
    """Put the answers of one entry into its tables `verification`: one for each day, seeds and versions."""
    import tomlkit

    datasets = {each.dataset for each in answers}
    kept = [_without(table, datasets) for table in entry.get("verification", [])]
    tables: list[dict[str, Any]] = [table for table in kept if table["results"]]
    for each in answers:
        head = {"seeds": len(each.seeds), "date": date.fromisoformat(each.date), "versions": each.versions}
        table = next((one for one in tables if all(one.get(key) == value for key, value in head.items())), None)
        if table is None:
            tables.append(table := {**head, "results": []})
        row = next((one for one in table["results"] if one["dataset"] == each.dataset), None)
        if row is None:
            table["results"].append(row := {"dataset": each.dataset, "answer": str(each.answer), "scores": {}})
        row["answer"] = min((row["answer"], str(each.answer)), key=[*map(str, WORST)].index)
        row["scores"][each.metric] = round(each.measured or 0.0, 4)
    if "verification" in entry:
        del entry["verification"]
    found = tomlkit.aot()
    for table in tables:
        found.append(_table(table))
    entry.append("verification", found)


def _without(table: Any, datasets: set[str]) -> dict[str, Any]:
    plain = table.unwrap()
    return {**plain, "results": [row for row in plain["results"] if row["dataset"] not in datasets]}


def _table(values: dict[str, Any]) -> Any:
    import tomlkit

    table, rows = tomlkit.table(), tomlkit.array()
    for row in values["results"]:
        cell = tomlkit.inline_table()
        cell.update({**row, "scores": tomlkit.inline_table() | row["scores"]})
        rows.append(cell)
    for key, value in values.items():
        if key != "results" and value != "":
            table.add(key, value)
    table.add("results", rows.multiline(True))
    table.add(tomlkit.nl())
    return table
