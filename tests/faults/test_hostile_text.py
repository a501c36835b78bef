"""Text of others on the terminal: control characters, changes of direction, markup. Each case is a real terminal."""

import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from studies import study_of
from terminal import OF_RICH, on_terminal
from warm import Warm

from zoo.cli.views.table import Column, emit, print_json
from zoo.cli.views.tune_progress import TuneDisplay
from zoo.errors import ZooError
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import Trial

# Terminal commands, the eight-bit form of one, controls, overrides and isolates of direction, signs without width,
# line ends, a byte that is no UTF-8, markup and an emoji code.
HOSTILE = (
    "x\x1b]0;t\x07\x1b[2J\x9b2J\x7f\x08\t\u202e\u2066\u061c\u200b\ufeff\u2028\u2029\r\n\x85\udcff[/][red]r[/red]:bug:"
)
STORED = HOSTILE.replace("\udcff", "")
IN_FILES = "".join(sign for sign in HOSTILE if sign not in "\r\n\udcff")
IN_NAMES = IN_FILES.replace("/", "")

NETWORKS = """
import torch
from torch import nn

class Small(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes, text={stored!r}):
        super().__init__()
        self.linear = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x):
        return self.linear(x.flatten(1))

class Broken(Small):
    def forward(self, x):
        raise ValueError({hostile!r})
"""

PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    words = {{"summary": {hostile!r}, "paper": {hostile!r}}}
    presets = {{"mine": zoo.Preset(summary={hostile!r}, params={{"text": {stored!r}}})}}
    spaces = {{"default": {{"text": zoo.Choice({hostile!r}, "b")}}}}
    return [
        zoo.Architecture(name="small", factory="networks:Small", presets=presets, spaces=spaces, **words),
        zoo.Architecture(name="broken", factory="networks:Broken", **words),
        zoo.Dataset(name="nothing", factory="networks:Small", homepage={hostile!r}, **words),
    ]
"""

Show = Callable[..., str]


def write_plugin(folder: Path, name: str, source: str) -> None:
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0 \x1b[2J\u202e\n")
    (info / "entry_points.txt").write_text(f"[zoo]\n{name}\x1b[2J = {name}\n")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with plugins, a registry.toml and a data file full of hostile text."""
    (tmp_path / "networks.py").write_text(NETWORKS.format(hostile=HOSTILE, stored=STORED))
    write_plugin(tmp_path, "pulse_hostile", PLUGIN.format(hostile=HOSTILE, stored=STORED))
    write_plugin(tmp_path, "pulse_raises", f"raise ValueError({HOSTILE!r})\n")
    text = json.dumps(STORED)
    (tmp_path / "registry.toml").write_text(
        f'[presets."small.yours"]\nsummary = {text}\n\n[plugins]\ndisabled = [{text}]\n\n[[reference]]\n'
        f'architecture = "small"\ndataset = {text}\nprotocol = {text}\nstatus = {text}\nsource = {text}\n'
        "scores = { macro_recall = 0.5 }\n"
    )
    values = np.random.default_rng(0).normal(size=(90, 4))
    rows = [f"{','.join(map(str, row))},{'abc'[place % 3]}{IN_FILES},{place % 10}" for place, row in enumerate(values)]
    heading = f"t0{IN_FILES},t1,t2,t3,kind{IN_FILES},who{IN_FILES}"
    (tmp_path / f"waves{IN_NAMES}.csv").write_text("\n".join([heading, *rows]) + "\n")
    return tmp_path


@pytest.fixture
def show(hostile: Path, warm: Warm) -> Show:
    """Runs a command on a terminal, and returns what it showed; nothing there is a control character."""

    def run(*words: str, code: int = 0, width: int = 400) -> str:
        env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        found, shown = on_terminal(
            warm, words, env={**env, "TERM": "xterm", "OMP_NUM_THREADS": "1"}, cwd=hostile, width=width
        )
        assert found == code, shown
        assert "Traceback" not in shown or "--debug" in words
        check_plain(shown)
        return shown

    return run


def json_of(shown: str) -> Any:
    """The JSON among the warnings, which a terminal shows beside it."""
    return json.loads("\n".join(line for line in shown.splitlines() if not line.startswith("warning: ")))


def check_plain(shown: str) -> None:
    wrong = {sign for sign in shown if not sign.isprintable() and sign != "\n"}
    assert not wrong, (sorted(map(ascii, wrong)), ascii(shown)[:2000])


BENCH = ("--dataset", f"waves{IN_NAMES}.csv", "--target", f"kind{IN_FILES}", "--group", f"who{IN_FILES}")


def test_components_plugins_and_settings(show: Show, record_property: Callable[[str, object], None]) -> None:
    record_property("faults", 8)
    listed = show("list", "architecture")
    assert r"x\x1b]0;t\x07\x1b[2J\x9b2J\x7f" in listed
    assert "[/][red]r[/red]:bug:" in listed
    assert r"no plugin named 'x\x1b]0;t" in listed
    plugins = show("plugins", "--verbose")
    assert r"pulse_raises\x1b[2J" in plugins
    assert r"1.0 \x1b[2J\u202e" in plugins
    assert r"ValueError: x\x1b]0;t" in plugins
    shown = show("show", "small.mine", "--results", "none")
    assert shown.count("[/][red]") >= 8  # summary, paper, presets, parameters, spaces, a published result
    show("show", "nothing")
    assert r"ValueError: x\x1b]0;t" in show("--debug", "check", "broken", code=1)
    assert r"UnknownName: no component named 'x\x1b]0;t" in show("--debug", "show", HOSTILE, code=2)
    for words in (("list",), ("plugins",), ("show", "small")):
        found = json_of(show(*words, "--json"))
        assert {HOSTILE, STORED}.intersection(_texts(found)) or words[0] == "plugins"


def test_runs_their_data_and_their_errors(
    show: Show, hostile: Path, record_property: Callable[[str, object], None]
) -> None:
    record_property("faults", 7)
    _, file, *columns = BENCH
    assert r"x\x1b]0;t" in show("data", file, *columns)
    assert any(text.startswith(f"a{IN_FILES}") for text in _texts(json_of(show("data", file, *columns, "--json"))))
    words = ("networks.py:Small", "networks.py:Broken", *BENCH, "--epochs", "1", "--threads", "1")
    shown = show("bench", *words, code=1)
    assert "[/][red]r[/red]:bug:" in shown
    assert r"ValueError: x\x1b]0;t" in shown
    assert rf"recall a{IN_FILES[0]}\x1b]0;t" in show(
        "bench", "networks.py:Small", *BENCH, "--epochs", "1", "--threads", "1", "--seeds", "2", width=3000
    )
    found = json_of(show("results", "--json"))
    assert f"a{IN_FILES}" in found[0]["scores"]["support"]
    identifier = next(run["id"] for run in found if run["status"] == "done")
    with sqlite3.connect(hostile / "zoo-results" / "zoo.db") as connection:
        for name in ("error", "protocol", "block", "data", "dataset"):
            connection.execute(f"UPDATE runs SET record = json_set(record, '$.{name}', ?)", (IN_FILES,))
        connection.execute("UPDATE runs SET record = json_set(record, '$.notes', json_array(?))", (f"{IN_FILES}\n!",))
    connection.close()
    assert r"x\x1b]0;t" in show("results")
    assert r"note: x\x1b]0;t" in show("results", identifier)
    assert "[/][red]" in show("leaderboard")


def test_studies_and_their_trials(show: Show, hostile: Path, record_property: Callable[[str, object], None]) -> None:
    record_property("faults", 3)
    study = replace(study_of(), name="mine", notes=(IN_FILES,))
    study = replace(study, trials=tuple(_hostile_trial(trial) for trial in study.trials))
    with Store(hostile / "zoo-results") as store:
        studies = StudyStore(store)
        studies.create(study)
        for trial in study.trials:
            studies.propose(study.name, trial.number, dict(trial.config))
            studies.end(study.name, trial, trial.value or 0.0)
        studies.update(study)
        studies.create(replace(study_of(), name="theirs"))
        with store.database.transaction() as connection:
            connection.execute("UPDATE studies SET name = ?, record = ? WHERE name = 'theirs'", (IN_FILES, IN_FILES))
    assert r"x\x1b]0;t" in show("studies")
    assert show("studies", "show", "mine").count(r"x\x1b]0;t") > 4
    assert r"x\x1b]0;t" in show("studies", "show", IN_FILES, code=1)
    stream = StringIO()
    with TuneDisplay(Console(file=stream, force_terminal=True, width=200, height=40)) as display:
        display.on_study(study)
        display.on_trials(study, 30.0)
        display.on_phase(HOSTILE)
    check_plain(OF_RICH.sub("", stream.getvalue()))


def _hostile_trial(trial: Trial) -> Trial:
    return replace(trial, config={**trial.config, "block": IN_FILES}, reason=IN_FILES)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list", HOSTILE), 2),
        (("list", f"--{HOSTILE}"), 2),
        (("show", HOSTILE), 2),
        (("results", HOSTILE), 1),
        (("studies", "show", HOSTILE), 1),
        (("bench", HOSTILE), 2),
        (("bench", f"{HOSTILE}.py:Net"), 2),
        (("bench", "cnn1d", "--dataset", f"{HOSTILE}.csv"), 1),
        (("tune", "cnn1d", "--space", f"{HOSTILE}.toml"), 1),
        (("new", "block", HOSTILE), 2),
        (("--config", HOSTILE, "list"), 1),
    ],
)
def test_words_that_were_typed(show: Show, words: tuple[str, ...], code: int) -> None:
    shown = show(*words, code=code)
    assert "error: " in shown
    assert len(shown.splitlines()) <= 6  # with the warnings of the plugins


def test_a_folder_for_a_new_plugin(show: Show, hostile: Path) -> None:
    show("new", "block", "my-gate", "--dir", f"gate{IN_NAMES}")
    assert (hostile / f"gate{IN_NAMES}" / "pyproject.toml").is_file()


def test_headings_and_titles_are_no_markup(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    emit([Column("[/]", "a"), Column("[red]", "b")], [{"a": "[/]", "b": ":bug:"}], title=("[/]", "[bold]"))
    shown = OF_RICH.sub("", capsys.readouterr().out)
    assert shown.split() == ["[/]", "[bold]", "[/]", "[red]", "[/]", ":bug:"]


def test_json_keeps_the_true_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({HOSTILE: [HOSTILE, "心室 é \U000e0041 \U0001f980"]})
    text = capsys.readouterr().out
    check_plain(text)
    assert json.loads(text) == {HOSTILE: [HOSTILE, "心室 é \U000e0041 \U0001f980"]}
    assert "心室 é" in text


def test_an_error_is_one_printable_line() -> None:
    text = str(ZooError(f"no {HOSTILE} in {HOSTILE!r}"))
    assert text.isprintable()
    assert text.count(r"\x1b]0;t") == 2


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in [*value, *value.values()] for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
