"""Delete stored runs with their files, except those that something still needs."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from zoo.errors import StoreError
from zoo.store.run import Run, RunStatus
from zoo.store.runs import RUN_ID, Store


def why_kept(store: Store, run: Run) -> str:
    """Return why a run must not be deleted, such as `belongs to study 'race'`; "" if it may be."""
    if run.status == RunStatus.RUNNING:
        return "is running"
    found = store.database.query("SELECT name FROM studies WHERE instr(CAST(record AS TEXT), ?)", (f'"{run.id}"',))
    return f"belongs to study {str(found[0][0])!r}" if found else ""


def delete(store: Store, runs: Sequence[Run]) -> list[Path]:
    """Delete runs and their files, and return the folders that could not be removed.

    Raises StoreError, and deletes nothing, if one of them is running or belongs to a study.
    """
    folders = [store.path(run) for run in runs if RUN_ID.fullmatch(run.id)]
    with store.database.transaction() as connection:
        present = {run.id: run for run in store.runs()}
        for run in runs:
            if reason := why_kept(store, present.get(run.id, run)):
                raise StoreError(f"run {run.id} {reason}: nothing was deleted")
            connection.execute("DELETE FROM artefacts WHERE run = ?", (run.id,))
            connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder for folder in folders if folder.exists()]


def size_of(store: Store, runs: Sequence[Run]) -> int:
    """Return the bytes that the files of runs take."""
    folders = [store.path(run) for run in runs if RUN_ID.fullmatch(run.id)]
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
