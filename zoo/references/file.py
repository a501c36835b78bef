"""Read references: the tables [[reference]] of a plugin's file and of registry.toml."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from zoo.assignments import settings_of_table
from zoo.errors import SettingsError, UsageError, unknown_name
from zoo.references.record import Answer, Around, Band, Reference, Verification
from zoo.scores import MACRO_SCORES
from zoo.tomls import Table, parsed_file, read_text
from zoo.visible import quoted

TEXTS = {
    *("architecture", "preset", "dataset", "protocol", "status", "source", "block", "data", "loss", "scale"),
    *("versions", "note", "stays_reported"),
}
WHOLE = {"rows", "epochs", "test_rows", "runs", "seeds"}
OF_RESULT = {"dataset", "scores", "range", "test_rows", "runs", "note"}
OF_REFERENCE = {*TEXTS, *WHOLE, "date", "sources", "set", "scores", "range", "band", "results", "verification"}
OF_VERIFICATION = {"seeds", "date", "versions", "results"}
OF_VERIFIED = {"dataset", "answer", "scores"}
OF_BAND = {"around", "margin", "rows"}
PLAIN = ("architecture", "preset", "dataset", "protocol", "block", "data", "loss", "scale", "versions", "note")


class Fault(Exception):
    """Raised for an entry that is not valid. It has the reason, the key, and the place of the entry in the file."""

    def __init__(self, key: str, message: str, place: str = "") -> None:
        super().__init__(message)
        self.key, self.place = key, place


def read_references(path: Path) -> list[Reference]:
    """Read the references of a file. Raises SettingsError, in one line with the file, the entry and the key."""
    tables = parsed_file(path, read_text(path))
    try:
        for key in tables:
            _known("", key, {"reference"})
        return references_in(tables.get("reference", []), str(path))
    except Fault as fault:
        place = f"{fault.place}: " if fault.place else ""
        raise SettingsError(f"{path}: {place}{fault}") from None


def references_in(content: Any, file: str) -> list[Reference]:
    """Return the references of the tables [[reference]] of a file. Raises Fault."""
    if not isinstance(content, list):
        raise Fault("reference", "reference must be an array of tables: write [[reference]]")
    found: list[Reference] = []
    for number, table in enumerate(content):
        name = table.get("architecture") if isinstance(table, dict) else None
        place = f"entry {number + 1}" + (f" ({name})" if isinstance(name, str) else "")
        try:
            found += [replace(each, file=file, entry=number) for each in _entry(table)]
        except Fault as fault:
            raise Fault(fault.key, str(fault), f"{place}{f', {fault.place}' if fault.place else ''}") from None
        except UsageError as error:
            raise Fault("set", str(error), place) from None
    return found


def _entry(table: Any) -> Iterator[Reference]:
    """Yield the references of one table: one, or one for each row of its `results`."""
    _check(table, OF_REFERENCE)
    rows = _tables(table, "results")
    for number, row in enumerate(rows, start=1):
        _placed(f"result {number}", row, OF_RESULT)
    wanted = {"architecture"} if rows else {"architecture", "dataset", "scores"}
    lacking = wanted - set(table) | ({"source"} if not {"source", "sources"} & set(table) else set())
    if lacking:
        raise Fault("reference", f"a [[reference]] lacks {', '.join(sorted(lacking))}")
    verified = dict(_verifications(table))
    for number, row in enumerate(rows or [{}], start=1):
        merged = {**table, **row}
        if lacking := {"dataset", "scores"} - set(merged):
            raise Fault("results", f"a result lacks {', '.join(sorted(lacking))}", f"result {number}")
        yield replace(_reference(merged), verification=verified.get(merged["dataset"]))


def _reference(table: Table) -> Reference:
    sources = [table["source"]] if "source" in table else []
    return Reference(
        **{name: table[name] for name in PLAIN if name in table},
        **{name: table[name] for name in WHOLE if name in table},
        source="; ".join([*sources, *table.get("sources", [])]),
        stated=table.get("status", "reported"),
        scores={name: float(value) for name, value in table["scores"].items()},
        ranges={name: (float(low), float(high)) for name, (low, high) in table.get("range", {}).items()},
        settings=settings_of_table(table.get("set", {})),
        band=_band(table.get("band", {})),
        date=str(table.get("date", "")),
        stays_reported=table.get("stays_reported", ""),
    )


def _band(table: Any) -> Band:
    if not isinstance(table, dict):
        raise Fault("band", f"reference.band must be a table, such as {{ margin = 0.02 }}, not {quoted(table)}")
    for key, value in table.items():
        _known("band.", key, OF_BAND)
        if key == "around" and value not in tuple(Around):
            raise Fault(key, f"reference.band.around must be {' or '.join(Around)}, not {quoted(value)}")
        if key != "around" and not (_is_number(value) and value >= 0):
            raise Fault(key, f"reference.band.{key} must be a number of at least 0, not {quoted(value)}")
    return Band(**{**table, "around": Around(table.get("around", Around.RANGE))})


def _verifications(table: Table) -> Iterator[tuple[str, Verification]]:
    """Yield what verifications found, by data set; a later one replaces an earlier one."""
    for number, each in enumerate(_tables(table, "verification"), start=1):
        place = f"verification {number}"
        _placed(place, each, OF_VERIFICATION)
        if lacking := {"seeds", "results"} - set(each):
            raise Fault("verification", f"a verification lacks {', '.join(sorted(lacking))}", place)
        for row in _tables(each, "results"):
            _placed(place, row, OF_VERIFIED)
            if lacking := OF_VERIFIED - set(row):
                raise Fault("verification", f"a result of a verification lacks {', '.join(sorted(lacking))}", place)
            answers = [answer for answer in Answer if answer != Answer.NOT_RUN]
            if row["answer"] not in answers:
                raise Fault("answer", f"answer must be one of {', '.join(answers)}, not {quoted(row['answer'])}", place)
            when = str(each.get("date", ""))
            found = Verification(Answer(row["answer"]), row["scores"], each["seeds"], when, each.get("versions", ""))
            yield row["dataset"], found


def _tables(table: Table, key: str) -> list[Table]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Fault(key, f"reference.{key} must be a list of tables, not {quoted(found)}")
    return found


def _placed(place: str, table: Any, known: set[str]) -> None:
    try:
        _check(table, known)
    except Fault as fault:
        raise Fault(fault.key, str(fault), place) from None


def _check(table: Any, known: set[str]) -> None:
    """Raise Fault for an unknown key, or for a value of a wrong type."""
    if not isinstance(table, dict):
        raise Fault("reference", f"reference must be a table, not {quoted(table)}")
    for key, value in table.items():
        _known("", key, known)
        if key in TEXTS and not isinstance(value, str):
            raise Fault(key, f"reference.{key} must be text, not {quoted(value)}")
        if key in WHOLE and not (type(value) is int and value >= 1):
            raise Fault(key, f"reference.{key} must be a whole number of at least 1, not {quoted(value)}")
        if key == "date" and not (isinstance(value, str) or type(value) is date):
            raise Fault(key, f"reference.date must be a date or text, not {quoted(value)}")
        if key == "sources" and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            raise Fault(key, f"reference.sources must be a list of texts, not {quoted(value)}")
        if key in ("scores", "range"):
            _check_scores(key, value)


def _check_scores(key: str, value: Any) -> None:
    if not isinstance(value, dict) or (key == "scores" and not value):
        raise Fault(key, f"reference.{key} must be a table, such as {{ accuracy = 0.9 }}, not {quoted(value)}")
    for name, score in value.items():
        if name not in MACRO_SCORES:
            raise Fault(name, str(unknown_name("score", name, MACRO_SCORES)))
        if key == "scores" and not _is_number(score):
            raise Fault("scores", f"reference scores.{name} must be a finite number, not {quoted(score)}")
        if key == "range" and not _is_range(score):
            raise Fault("range", f"reference range.{name} must be [lowest, highest], not {quoted(score)}")


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _known(before: str, key: str, known: set[str]) -> None:
    if key not in known:
        noun = f"key in [reference.{before.rstrip('.')}]" if before else "key in [reference]"
        raise Fault(key, str(unknown_name(noun, key, known, f"Known keys: {', '.join(sorted(known))}.")))
