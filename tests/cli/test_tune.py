"""`zoo tune` and `zoo studies` as users run them."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from conftest import Zoo
from rich.console import Console
from studies import stored, study_of
from typer.testing import CliRunner

from zoo import ModelError, StoreError, UsageError
from zoo.cli.app import app
from zoo.cli.options import seconds_of
from zoo.cli.session import Session
from zoo.cli.tune import Ends, _run
from zoo.cli.views.pace import clock_text
from zoo.cli.views.study import outcome
from zoo.cli.views.trials import trial_line
from zoo.cli.views.tune_progress import PatientConsole, TuneDisplay, shown_trials, summary_lines
from zoo.interruption import Stopped
from zoo.settings import Settings
from zoo.store.run import Run
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Study, ranked, space_to_json

MIXED = ("done",) * 6 + ("pruned", "failed", "timeout") + ("done",) * 9
RUN = Run(id="1a2b3c4d", key="", architecture="cnngru", dataset="d", protocol="p", data="smote", loss="", seed=0)
SCORE = {"value": 0.8421, "low": 0.8281, "high": 0.8574}


def tsv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def keep(*studies: Study) -> list[Study]:
    with Store(Path("zoo-results")) as store:
        return [stored(store, study) for study in studies]


# the whole of it


def test_a_study_its_winner_as_a_preset_and_a_bench_of_that(zoo: Zoo, waves_csv: Path) -> None:
    data = ("--dataset", str(waves_csv), "--target", "kind", "--columns", "t*")
    fixed = [word for value in ("hidden=4", "num_blocks=1", "num_layers=1") for word in ("--set", value)]
    space = (
        "--tune",
        "gru_hidden=4..8",
        "--tune",
        "training.learning_rate=1e-3..1e-2:log",
        "--tune",
        "dropout=0.0,0.2",
    )
    done = zoo("tune", "cnngru", *data, *fixed, *space, "--epochs", "2", "--trials", "3", "--search", "optuna",
               "--save", "cnngru.mine", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    study = json.loads(done.stdout)
    assert (study["name"], study["status"], study["metric"]) == ("cnngru-optuna-0", "done", "macro_recall")
    assert [trial["status"] for trial in study["trials"]] == ["done"] * 3
    assert study["winner"] == study["best"]
    values = {trial["number"]: trial["value"] for trial in study["trials"]}
    assert values[study["winner"]] == max(values.values())
    assert done.stderr.count("trial 1/3 done: validation macro recall ") == 1
    sentence = f"chosen from 3 trials by validation macro recall {max(values.values()):.3f}; test macro recall "
    assert sentence in done.stderr
    assert f", run {study['run']}\n" in done.stderr

    (listed,) = json.loads(zoo("studies", "--json").stdout)
    assert listed == study
    assert "study cnngru-optuna-0, 3 trials" in (waves_csv.parent / "registry.toml").read_text()
    served = zoo("bench", "cnngru.mine", *data, "--json")
    (run,) = json.loads(served.stdout)
    assert (run["id"], run["served"]) == (study["run"], True)  # the preset makes the winner's very cell

    again = zoo("tune", "--resume", "cnngru-optuna-0")  # nothing left to do
    assert again.returncode == 0, again.stderr
    assert [row["value"] for row in tsv(again.stdout)] == [str(value) for value in values.values()]


# zoo studies


def test_the_list_of_studies(zoo: Zoo) -> None:
    keep(study_of(MIXED, scheduler="asha"), replace(study_of(("done", "interrupted"), name="b"), status="interrupted"))
    rows = tsv(zoo("studies").stdout)
    assert [(row["name"], row["status"], row["trials"]) for row in rows] == [
        ("cnngru-optuna-0", "done", "18/18"),
        ("b", "interrupted", "1/2"),
    ]
    assert rows[0]["searcher"] == "optuna"
    assert rows[0]["scheduler"] == "asha"


def test_without_studies_there_is_a_clean_line(zoo: Zoo) -> None:
    nothing = zoo("studies")
    assert nothing.returncode == 0
    assert nothing.stderr == "no studies yet: start one with `zoo tune cnngru`\n"
    assert json.loads(zoo("studies", "--json").stdout) == []
    Store(Path("zoo-results")).close()
    assert zoo("studies").stderr == nothing.stderr
    missing = zoo("studies", "show", "a", "--results", "elsewhere")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert not Path("elsewhere").exists()


def test_show_gives_the_trials_their_importance_and_pictures(zoo: Zoo) -> None:
    (study,) = keep(study_of(MIXED))
    shown = zoo("studies", "show", study.name, "--pictures", "pictures", MPLCONFIGDIR="fonts")  # none are known yet
    rows = tsv(shown.stdout)
    assert [row["number"] for row in rows] == [str(trial.number) for trial in study.trials]
    assert [row["config.block"] for row in rows] == [trial.config["block"] for trial in study.trials]
    assert rows[7]["reason"] == "RuntimeError: <no> such thing"
    assert sorted(path.name for path in Path("pictures").iterdir()) == ["history.svg", "parallel.svg"]
    assert shown.stderr.endswith("wrote pictures/history.svg\nwrote pictures/parallel.svg\n")
    assert len(shown.stderr.splitlines()) == 3

    one = json.loads(zoo("studies", "show", study.name, "--json").stdout)
    assert next(iter(one["importance"])) == "training.learning_rate"
    assert one["importance_note"].startswith("only a hint: 15 fully trained trials")
    assert one["test"] is None
    assert one["trials"][0]["history"] == [list(pair) for pair in study.trials[0].history]
    assert one["space"] == space_to_json(study.space)
    assert zoo("studies", "--results", "zoo-results", "--json", "show", study.name).stdout.startswith("{")


def test_show_saves_the_best_trial(zoo: Zoo) -> None:
    (study,) = keep(study_of(MIXED))
    Path("registry.toml").write_text("# mine\n[training]\npatience = 1\n")
    saved = zoo("studies", "show", study.name, "--save", "cnngru.mine")
    assert saved.returncode == 0, saved.stderr
    assert "is now the preset cnngru.mine in registry.toml. Use it with: zoo bench cnngru.mine" in saved.stderr
    assert Path("registry.toml").read_text().startswith("# mine\n[training]\npatience = 1\n\n[presets")
    preset = Settings.load().presets["cnngru.mine"]
    assert preset.summary.startswith("study cnngru-optuna-0, 16 trials, validation macro recall 0.")
    best = max(
        (trial for trial in study.trials if trial.status in ("done", "pruned")), key=lambda trial: trial.value or 0.0
    )
    assert best.number > 1
    assert {
        **preset.params,
        "block": preset.block,
        "training.learning_rate": preset.training["learning_rate"],
    } == best.config
    text = Path("registry.toml").read_text()
    twice = CliRunner().invoke(app, ["studies", "show", study.name, "--save", "cnngru.mine"])
    assert (twice.exit_code, twice.stdout) == (2, "")
    assert twice.stderr.startswith("error: a preset 'cnngru.mine' already exists")
    assert Path("registry.toml").read_text() == text


# wrong usage


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ("tune", 2, "error: name an architecture to tune, or a study to resume: --resume NAME"),
        ("tune cnngur", 2, "error: no architecture named 'cnngur'. Did you mean cnngru?"),
        ("tune cnngru.studdy", 2, "error: no preset of cnngru named 'studdy'. Did you mean study?"),
        ("tune cnn*", 2, "error: a study tunes one architecture"),
        ("tune cnngru --search optna", 2, "error: no searcher named 'optna'. Did you mean optuna?"),
        ("tune cnngru --scheduler ash", 2, "error: no scheduler named 'ash'. Did you mean asha?"),
        ("tune cnngru --metric recall", 2, "error: no metric to tune for named 'recall'. Did you mean macro_recall?"),
        (
            "tune cnngru --time-budget 5x",
            2,
            "error: --time-budget must be a time above 0, such as 90s, 30m or 2h, not '5x'",
        ),
        ("tune cnngru --trial-timeout 0", 2, "error: --trial-timeout must be a time above 0"),
        ("tune cnngru --trials 0", 2, "error: --trials must be a whole number of at least 1, not '0'"),
        ("tune cnngru --jobs 0", 2, "error: --jobs must be a whole number of at least 1, not '0'"),
        ("tune cnngru --seed -1", 2, "error: --seed must be a whole number of at least 0, not '-1'"),
        ("tune cnngru --set hidden", 2, "error: --set 'hidden' is not key=value"),
        ("tune cnngru --tune hidden", 2, "error: --tune 'hidden' is not key="),
        ("tune cnngru --tune hiden=1,2", 2, "error: no parameter of cnngru named 'hiden'. Did you mean hidden"),
        ("tune cnngru --block ses", 2, "error: no block named 'ses'. Did you mean se?"),
        ("tune cnngru --space studi", 2, "error: no search space of cnngru named 'studi'. Did you mean study?"),
        ("tune cnngru --space none.toml", 1, "error: none.toml: cannot be read"),
        ("tune cnngru --set search.x=1", 2, "error: no parameter of random named 'x'"),
        ("tune cnngru --save mine", 2, "error: --save takes a preset of cnngru, such as cnngru.mine, not 'mine'"),
        ("tune cnngru --save cnngru.study", 2, "error: a preset 'cnngru.study' already exists"),
        ("tune cnngru --name ../x", 2, "error: the name of a study may contain"),
        ("tune cnngru --resume a", 2, "error: --resume uses the stored options of the study: leave out ARCH"),
        ("tune --resume a --epochs 3", 2, "error: --resume uses the stored options of the study: leave out --epochs"),
        ("tune --resume a --set x=1", 2, "error: --resume uses the stored options of the study: leave out --set"),
        ("tune --resume a", 1, "error: no results in 'zoo-results'"),
        ("studies show", 2, "error: missing argument 'NAME'"),
        ("studies frob", 2, "error: no such command 'frob'"),
        ("studies show a", 1, "error: no results in 'zoo-results'"),
    ],
)
def test_bad_input_is_one_line_and_its_exit_code(words: str, code: int, line: str) -> None:
    result = CliRunner().invoke(app, words.split())
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert result.stderr.startswith(line), result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr


@pytest.mark.parametrize("words", ["tune --resume cnngru-optnua-0", "studies show cnngru-optnua-0"])
def test_a_study_that_is_not_there_is_said_with_the_nearest(words: str) -> None:
    keep(study_of())
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 2
    assert result.stderr == "error: no study named 'cnngru-optnua-0'. Did you mean cnngru-optuna-0?\n"


def test_a_broken_registry_is_one_line_before_any_trial_and_stays() -> None:
    Path("registry.toml").write_text("[training\n")
    result = CliRunner().invoke(app, ["tune", "cnngru", "--save", "cnngru.mine"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: registry.toml:1: ")
    assert len(result.stderr.splitlines()) == 1
    assert Path("registry.toml").read_text() == "[training\n"
    assert not Path("zoo-results").exists()


# what is said


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5h", 5400), ("0.5", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of("--time-budget", text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0m", "-5", "5x", "h", "1e3", "1h30m", "nan", "inf", "٣m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="such as 90s, 30m or 2h"):
        seconds_of("--time-budget", text)


def test_the_outcome_says_from_how_many_the_choice_was_made() -> None:
    study = replace(study_of(MIXED), winner=14, run="1a2b3c4d")
    scored = replace(RUN, status="done", scores={"macro_recall": SCORE, "accuracy": {**SCORE, "value": 0.9}})
    choice = f"chosen from 16 trials by validation macro recall {study.trials[13].value:.3f}; "
    assert outcome(study, scored) == choice + "test macro recall 0.842 (0.828-0.857), run 1a2b3c4d"
    assert outcome(study, replace(scored, synthetic=True)).endswith("run 1a2b3c4d, on d (synthetic)")
    by_loss = replace(study, request={**study.request, "metric": "validation_loss"})
    assert " by validation loss 0." in outcome(by_loss, scored)
    assert "; test macro recall 0.842 " in outcome(by_loss, scored)
    by_accuracy = replace(study, request={**study.request, "metric": "accuracy"})
    assert "; test accuracy 0.900 (" in outcome(by_accuracy, scored)
    failed = replace(RUN, status="diverged", error="the loss is NaN")
    assert outcome(study, failed).endswith("its run 1a2b3c4d on the test set: diverged. the loss is NaN")
    assert outcome(study_of(("done", "interrupted")), None).endswith("trial 1; the test set was not used")
    assert outcome(study_of(("failed", "timeout")), None).startswith("no winner: none of the 2 finished trials")


def test_the_best_trials_come_first_and_those_that_failed_last() -> None:
    study = study_of((*MIXED, "running"))
    order = ranked(study.trials, study.mode)
    assert order[0] == study.best
    assert [trial.status for trial in order[-3:]] == ["failed", "timeout", "running"]
    by_loss = replace(study, request={**study.request, "metric": "validation_loss"})
    lowest = ranked(by_loss.trials, by_loss.mode)
    assert lowest[:16] == order[15::-1]


def test_a_line_for_each_trial_that_ended() -> None:
    study = study_of(("done", "failed"))
    done, failed = (trial_line(study, trial) for trial in study.trials)
    assert done.startswith("trial 1/2 done: validation macro recall 0.")
    assert failed.startswith("trial 2/2 failed (RuntimeError: <no> such thing): 0 epochs, 3.0 s, hidden=")
    assert "2 epochs, 1.5 s, " in done
    assert done.endswith(", hidden=16 num_blocks=1 training.learning_rate=0.00488 block=se")


# the live table


def console(width: int = 100, height: int = 30, terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, height=height, highlight=False)


def steps(study: Study) -> list[Study]:
    """The study as it grows, the next trial under way each time."""
    running = [replace(trial, status="running", value=None) for trial in study.trials]
    return [replace(study, trials=(*study.trials[:n], *running[n : n + 1])) for n in range(len(study.trials) + 1)]


def test_without_a_terminal_each_trial_that_ends_is_one_line_once() -> None:
    study, place = study_of(MIXED), console(terminal=False)
    with TuneDisplay(place) as display:
        display.on_study(replace(study, trials=study.trials[:2]))
        for step in steps(study):
            display.on_trials(step, None)
            display.on_trials(step, 5.0)
    lines = place.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "study cnngru-optuna-0: cnngru, optuna, 18 trials, 2 already finished"
    assert [line.split()[1] for line in lines[1:]] == [f"{number}/18" for number in range(3, 19)]


@pytest.mark.parametrize(("width", "height"), [(200, 50), (80, 24), (40, 12), (20, 5), (1, 1)])
def test_the_table_keeps_to_the_terminal(width: int, height: int) -> None:
    study, place = study_of(MIXED, scheduler="asha"), console(width, height)
    with TuneDisplay(place) as display:
        display.on_study(study)
        display.on_trials(steps(study)[9], 3725.0)
        lines = place.render_lines(display._renderable(), pad=False)
    texts = ["".join(segment.text for segment in line).rstrip() for line in lines]
    assert max(map(len, texts)) <= width
    if width >= 80:
        assert texts[0] == "cnngru-optuna-0: 9 of 18 ended, 1:02:05 left, 1 running, 1 pruned, 2 failed"
        assert texts[1].startswith("best validation macro recall: 0.847 (trial 3: hidden=8 ")
        assert texts[2].split() == ["trial", "status", "macro", "recall", "epochs", "seconds", "configuration"]
        assert texts[10].split()[:3] == ["10", "running", "-"]
        assert len(texts) <= height


def test_those_under_way_are_shown_before_those_that_ended() -> None:
    study = study_of(("done",) * 10 + ("running",) * 3)
    assert [trial.number for trial in shown_trials(study, 5)] == [9, 10, 11, 12, 13]
    assert [trial.number for trial in shown_trials(study, 2)] == [12, 13]
    assert [trial.number for trial in shown_trials(study, 50)] == list(range(1, 14))
    assert shown_trials(study_of(()), 5) == []


def test_a_study_without_results_has_a_summary() -> None:
    assert summary_lines(study_of((), trials=20), None) == [
        "cnngru-optuna-0: 0 of 20 ended",
        "best validation macro recall: -",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65.4, "1:05"), (7200, "2:00:00"), (-1, "0:00")])
def test_clocks(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


class Torn(io.StringIO):
    """A stream that cannot be written any more, once it is `torn`."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error
        self.torn = False

    def write(self, text: str) -> int:
        if self.torn:
            raise self.error
        return len(text)


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")])
def test_the_display_never_raises(terminal: bool, error: OSError) -> None:
    stream = Torn(error)
    display = TuneDisplay(PatientConsole(file=stream, force_terminal=terminal))
    display._live.auto_refresh = False  # it is drawn here, and not by a thread of Rich's
    study = study_of(MIXED)
    calls: list[Callable[[], None]] = [
        lambda: display.on_study(study),
        lambda: display.on_trials(steps(study)[5], 3.0),
        lambda: display.on_trials(replace(study, request={}), 3.0),
        lambda: display.on_note("a note"),
        lambda: display.on_phase("scoring"),
        display.stop,
    ]
    with display:
        stream.torn = True
        for call in calls:
            call()


# interruption


@pytest.mark.parametrize(
    ("signal_", "code"), [(KeyboardInterrupt(), 130), (Stopped(signal.SIGINT), 130), (Stopped(signal.SIGTERM), 143)]
)
def test_what_had_ended_is_shown_before_the_way_to_go_on(
    capsys: pytest.CaptureFixture[str], signal_: KeyboardInterrupt, code: int
) -> None:
    stopped = replace(study_of(("done", "failed", "interrupted")), status="interrupted")

    def start(store: Store, display: TuneDisplay) -> str:
        display.on_study(stored(store, stopped))
        raise signal_

    ends = Ends(results=Path("my results"), folder=Path("my results"), save=None, as_json=False)
    with pytest.raises(typer.Exit) as exit_:
        _run(Session(Path("my.toml")), start, ends)
    assert exit_.value.exit_code == code
    said = capsys.readouterr()
    assert [row["status"] for row in tsv(said.out)] == ["done", "failed", "interrupted"]
    assert said.err.splitlines()[-3:] == [
        "best so far of 1 trial by validation macro recall 0.705, trial 1; the test set was not used",
        "interrupted; the finished trials are stored. Resume with:",
        "zoo tune --resume cnngru-optuna-0 --results 'my results' --config my.toml",
    ]


def test_an_interruption_before_the_study_has_no_way_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def start(store: Store, display: TuneDisplay) -> str:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as exit_:
        _run(Session(), start, Ends(None, Path("zoo-results"), None, as_json=True))
    assert exit_.value.exit_code == 130
    assert capsys.readouterr() == ("", "interrupted before the first trial\n")


def test_a_study_that_an_error_interrupted_can_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def start(store: Store, display: TuneDisplay) -> str:
        display.on_study(stored(store, replace(study_of(("interrupted",)), status="interrupted")))
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        _run(Session(), start, Ends(None, Path("zoo-results"), None, as_json=False))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-2:] == [
        "stopped by an error; the finished trials are stored. Resume with:",
        "zoo tune --resume cnngru-optuna-0",
    ]


def test_the_trials_of_a_study_without_a_winner_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def start(store: Store, display: TuneDisplay) -> str:
        display.on_study(stored(store, study_of(("failed", "diverged"))))
        raise ModelError("none of its 2 trials finished")

    with pytest.raises(ModelError):
        _run(Session(), start, Ends(None, Path("zoo-results"), None, as_json=True))
    said = capsys.readouterr()
    assert [trial["status"] for trial in json.loads(said.out)["trials"]] == ["failed", "diverged"]
    assert said.err.endswith("no winner: none of the 2 finished trials has a validation score\n")


def _listen() -> None:
    """Undo what a shell does to the jobs it starts in the background: they ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for_trials(process: subprocess.Popen[str], ended: int) -> None:
    """Until that many trials of the study have ended and the next has begun, or the process has."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
        if Store.exists(Path("results")):
            with contextlib.suppress(StoreError), Store(Path("results"), create=False) as store:
                trials = [trial for study in StudyStore(store).studies() for trial in study.trials]
                if sum(trial.status == "done" for trial in trials) >= ended and len(trials) > ended:
                    return


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_among_the_trials_ends_the_study_with_the_way_to_go_on(
    zoo: Zoo, waves_csv: Path, number: int, code: int
) -> None:
    words = [
        "tune",
        "cnngru",
        "--dataset",
        str(waves_csv),
        "--target",
        "kind",
        "--columns",
        "t*",
        "--epochs",
        "30",
        "--trials",
        "4",
    ]
    words += ["--set", "training.batch_size=4", "--set", "training.patience=0", "--results", "results"]
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"},
        preexec_fn=_listen,
    )
    wait_for_trials(process, 1)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1] == "zoo tune --resume cnngru-random-0 --results results"
    before = {row["number"]: row for row in tsv(stdout)}
    assert before["1"]["status"] == "done"

    resumed = zoo("tune", "--resume", "cnngru-random-0", "--results", "results")
    assert resumed.returncode == 0, resumed.stderr
    after = {row["number"]: row for row in tsv(resumed.stdout)}
    assert [row["status"] for row in after.values()] == ["done"] * 4
    assert after["1"] == before["1"]
    assert "trial 1/4" not in resumed.stderr
    assert "chosen from 4 trials by validation macro recall" in resumed.stderr
