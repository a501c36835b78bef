"""The process of a study is killed: the study continues in another process and repeats no finished trial or epoch."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from studies import session_of

from zoo.store.runs import Store
from zoo.store.studies import StudyStore

HERE = Path(__file__).parents[1]

DRIVER = """
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from zoo.registry import Registry, Source, source_of
from zoo.store.runs import Store
from zoo.settings import Settings
from studies import tune_request
from zoo.tuning.run_study import resume_study, run_study
from zoo.tuning.reporter import SilentTuneReporter
from zoo.workspace import Workspace
installed = [Source(point.name, point.value, point.load) for point in entry_points(group="zoo")]
registry = Registry.load([*installed, source_of("faulty", import_module("faulty"))])
workspace = Workspace(registry, Settings.load())
request = tune_request(
    architecture="steady", dataset="waves.csv", target="kind", columns="t*", rows=60, epochs=3,
    search="optuna", trials=4, name="mine", assignments={"log": str(Path("epochs.log").absolute())},
    overrides=("training.learning_rate=1e-3..1e-1", "width=2..8"),
)
with Store(Path("results")) as store:
    if sys.argv[2] == "resume":
        resume_study(workspace, "mine", store, SilentTuneReporter())
    else:
        run_study(workspace, request, store, SilentTuneReporter())
"""


def drive(folder: Path, word: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", DRIVER, str(HERE), word]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes)


def in_mid_study(folder: Path, driver: subprocess.Popen[str]) -> None:
    """Waits until two trials have ended and an epoch of the third is done."""
    for _ in range(1200):
        time.sleep(0.1)
        assert driver.poll() is None, driver.communicate()[1]
        if Store.exists(folder / "results"):
            with Store(folder / "results", create=False) as store:
                for study in StudyStore(store).studies():
                    if len(study.trials) >= 3 and study.trials[2].epochs:
                        return
    raise AssertionError("the study did not come so far")


def test_a_study_whose_driver_was_killed_goes_on_to_its_full_number(tmp_path, waves_csv) -> None:
    driver = drive(tmp_path, "run")
    in_mid_study(tmp_path, driver)
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    with Store(tmp_path / "results", create=False) as store:
        broken = StudyStore(store).get("mine")
    left_behind = session_of(driver.pid)
    assert left_behind is not None
    assert broken.status == "interrupted"
    ended = [trial for trial in broken.trials if trial.status == "done"]
    assert 2 <= len(ended) < 4
    again = drive(tmp_path, "resume")
    out, err = again.communicate(timeout=240)
    assert (again.returncode, out, err) == (0, "", "")
    with Store(tmp_path / "results", create=False) as store:
        study = StudyStore(store).get("mine")
        starts = [StudyStore(store).starts("mine", trial.number) for trial in study.trials]
    assert not left_behind.exists()
    assert (study.status, len(study.trials)) == ("done", 4)
    assert [trial.status for trial in study.trials] == ["done"] * 4
    assert study.trials[: len(ended)] == tuple(ended)
    assert starts[: len(ended)] == [1] * len(ended), "no finished trial is run twice"
    # The epochs of the trials and of the winner's run; one that the kill broke off was begun twice.
    begun = len((tmp_path / "epochs.log").read_text().splitlines())
    assert begun - 3 * (4 + 1) in (0, 1), "no finished epoch is run twice"
    assert [len(trial.history) for trial in study.trials] == [3] * 4
