"""`zoo verify`: a network in a file with references beside it, on a tiny archive, and the forms of the answers."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import zoo
from zoo.cli.app import app
from zoo.cli.views.table import fits
from zoo.cli.views.verifications import COLUMNS, lines_of, markdown_lines
from zoo.references.file import read_references
from zoo.references.record import Answer, Reference
from zoo.store.runs import Store
from zoo.verification.result import Verifications, Verified
from zoo.verification.write import with_verifications

NET = '''
import torch
from torch import nn


class Means(nn.Module):
    """The nearest mean of a class."""

    needs_validation = False

    def __init__(self, *, n_channels, n_times, n_classes, shift: float = 0.0):
        super().__init__()
        self.shift = shift
        self.head = nn.Linear(n_channels * n_times, n_classes)

    def forward(self, x):
        return self.head(x.flatten(1)) + self.shift

    def fit(self, batches, *, generator):
        rows = [*batches]
        values, labels = torch.cat([each.values for each in rows]).flatten(1), torch.cat([each.labels for each in rows])
        means = torch.stack([values[labels == label].mean(0) for label in labels.unique()])
        with torch.no_grad():
            self.head.weight.copy_(means)
            self.head.bias.copy_(-means.square().sum(1) / 2)
'''
FILE = """# kept
[[reference]]
architecture = "Means"
protocol = "official"
set = { training.validation = 0 }
band = { around = "mean", margin = 0.015, rows = 2 }
runs = 5
source = "its author"
results = [
    { dataset = "Tiny", test_rows = 20, scores.accuracy = 0.95 },
    { dataset = "Mini", test_rows = 20, scores.accuracy = 0.95 },
    { dataset = "Gone", scores.accuracy = 0.90 },
]

[[reference]]
architecture = "Means"
dataset = "Tiny"
source = "another one"
scores = { accuracy = 0.9, macro_recall = 0.9 }
stays_reported = "it was chosen with the test rows"
"""


@pytest.fixture(autouse=True)
def archive() -> None:
    """Two data sets of an archive: of one, the classes are far apart; the other is noise."""
    draws = np.random.default_rng(0)
    for name, distance in (("Tiny", 3.0), ("Mini", 0.0)):
        Path("archive", name).mkdir(parents=True)
        for part in ("TRAIN", "TEST"):
            labels = np.tile([1, 2], 10)
            rows = draws.normal(size=(20, 8)) + distance * (labels == 2)[:, None]
            cells = [[str(label), *map(str, row.round(4))] for label, row in zip(labels, rows, strict=True)]
            Path("archive", name, f"{name}_{part}.tsv").write_text("\n".join(map("\t".join, cells)))
    Path("net.py").write_text(NET)
    Path("net.references.toml").write_text(FILE)


def output(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, ["verify", "net.py:Means", "--data-dir", "archive", "--threads", "1", *words])
    assert found.exit_code == code, found.output
    return found.stdout


def answers(*words: str, code: int = 0) -> dict[tuple[str, str], dict[str, object]]:
    found = json.loads(output("--json", *words, code=code))
    return {(each["dataset"], each["source"]): each for each in found["references"] if each["metric"] == "accuracy"}


TINY, MINI, GONE, OTHER = (
    ("Tiny", "its author"),
    ("Mini", "its author"),
    ("Gone", "its author"),
    ("Tiny", "another one"),
)


def test_references_are_repeated_answered_and_written() -> None:
    before = answers("--no-run")
    assert {key: (each["answer"], each["missing"]) for key, each in before.items()} == {
        TINY: ("not run", 3),
        MINI: ("not run", 3),
        GONE: ("not run", 0),
        OTHER: ("not run", 0),
    }
    assert "Gone_TRAIN" in str(before[GONE]["reason"])
    assert before[OTHER]["reason"] == "stays reported: it was chosen with the test rows"
    assert not Path("zoo-results").exists(), "a plan creates nothing"

    found = answers(code=1)
    assert {key: each["answer"] for key, each in found.items()} == {
        TINY: "verified",
        MINI: "below",
        GONE: "not run",
        OTHER: "not run",
    }
    assert found[TINY]["seeds"] == [0, 1, 2]
    assert found[TINY]["low"] == pytest.approx(0.85), "two of twenty rows are more than 1.5 points"
    with Store(Path("zoo-results"), create=False) as store:
        runs = store.runs()
    assert len(runs) == 6
    assert {run.config["training"]["validation"] for run in runs} == {0}
    assert {run.protocol for run in runs} == {"official"}
    assert answers(code=1) == found, "the stored runs are reused"

    output("--write", code=1)
    text = Path("net.references.toml").read_text()
    assert text.startswith("# kept\n")
    written = read_references(Path("net.references.toml"))
    assert [each.status for each in written] == ["verified", "not reproduced", "reported", "reported"]
    assert re.fullmatch(r"3 seeds, \d{4}-\d\d-\d\d, .*torch .*", written[0].evidence)
    output("--write")  # what is known as not reproduced is no news
    assert Path("net.references.toml").read_text() == text
    with Store(Path("zoo-results"), create=False) as store:
        assert len(store.runs()) == 6, "a reference file is not in the keys of runs"

    markdown = output("--markdown").splitlines()
    assert markdown[0].startswith("| reference | data set | metric |")
    assert "| net.py:Means validation=0 | Tiny | accuracy | 0.9500 | 0.8500 to 1.0000 |" in markdown[2]
    assert "4 references" not in markdown[-1]
    heading, *lines = (line.split("\t") for line in output().splitlines())
    assert [line[heading.index("answer")] for line in lines][:2] == ["verified", "below"]
    python = zoo.verify("net.py:Means", data_dir="archive", run=False)
    assert python.to_json() == json.loads(output("--json", "--no-run"))
    assert python.to_frame()["answer"].tolist()[:2] == ["verified", "below"]
    assert python.passed


def test_other_data_than_the_published_ones_are_not_compared() -> None:
    lines = Path("archive/Tiny/Tiny_TEST.tsv").read_text().splitlines()
    Path("archive/Tiny/Tiny_TEST.tsv").write_text("\n".join(lines[:-2]))
    found = answers("--dataset", "Tiny", code=1)
    assert "the test set has 18 rows, not 20" in str(found[TINY]["reason"])
    assert not Path("zoo-results", "runs").is_dir() or not list(Path("zoo-results", "runs").iterdir())


def test_a_failed_run_and_a_wrong_reference_are_answers_and_fail_the_command() -> None:
    Path("net.py").write_text(NET.replace("rows = [*batches]", "raise ValueError('no rows')"))
    found = answers("--dataset", "Tiny", "--seeds", "1", code=1)
    assert "no rows" in str(found[TINY]["reason"])
    Path("net.references.toml").write_text(FILE.replace("training.validation = 0", "shft = 1"))
    found = answers("--dataset", "Tiny", "--no-run", code=1)
    assert "shft" in str(found[TINY]["reason"])


def test_a_time_budget_that_is_too_short_leaves_runs_out() -> None:
    found = CliRunner().invoke(
        app, ["verify", "net.py:Means", "--data-dir", "archive", "--threads", "1", "--time-budget", "1s", "--json"]
    )
    assert found.exit_code == 1
    assert "error: nothing was verified" in found.stderr
    assert json.loads(found.stdout)["missing"] == 6
    assert "note: the time budget has ended" in found.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "name an architecture to verify: `zoo verify NAME`, or use `zoo verify --all`"),
        (["fcn", "--all"], "name an architecture to verify"),
        (["fnc"], "no architecture with references named 'fnc'. Did you mean fcn"),
        (["cnn1d"], "cnn1d has no references to verify. Architectures with references: cnn2d, cnngru, fcn"),
        (["fcn", "--dataset", "ECG20"], "no data set of these references named 'ECG20'. Did you mean ECG200"),
        (["fcn", "--data-dir", "nowhere"], "--data-dir must be a folder, not 'nowhere'"),
        (["fcn", "--json", "--markdown"], "--json and --markdown are two formats"),
        (["fcn", "--no-run", "--time-budget", "20m"], "--time-budget is for training: leave out --no-run"),
        (["fcn", "--seeds", "0"], "--seeds must be a whole number of at least 1"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line(words: list[str], reason: str) -> None:
    found = CliRunner().invoke(app, ["verify", *words])
    assert (found.exit_code, found.stdout) == (2, "")
    assert reason in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["inception"], 37),  # a plugin: inceptiontime with five members and with one, and lite
        (["inceptiontime", "lite.paper"], 37),
        (["inception*"], 24),
        (["lite", "--dataset", "ECG200", "--dataset", "Beef"], 2),
        (["minirocket.paper", "minirocket"], 11),
    ],
)
def test_names_choose_references_once(words: list[str], number: int) -> None:
    found = CliRunner().invoke(app, ["verify", *words, "--no-run", "--json"])
    assert found.exit_code == 0
    references = json.loads(found.stdout)["references"]
    assert len(references) == number
    assert {each["reason"] for each in references} == {"name the folder of the archive: --data-dir DIR"}


def answer(**changes: object) -> Verified:
    values: dict = {
        "reference": "minirocket.paper",
        "dataset": "SonyAIBORobotSurface1",
        "metric": "accuracy",
        "published": 0.8885,
        "low": 0.8735,
        "high": 0.9035,
        "of": Reference(architecture="minirocket", dataset="y", source="z", scores={"accuracy": 0.8885}),
        **changes,
    }
    return Verified(**values)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Verifications((answer(),), 3, None, 3), "not run: 3 runs, of unknown time; the same"),
        (Verifications((answer(),), 3, 1200.0), "not run: 3 runs, about 20 min of training; the same"),
        (Verifications((answer(),), 3, 60.0, 1), "about 60 s of training, and 1 of them of unknown time"),
        (Verifications((answer(seeds=(0, 1, 2), published_runs=5),)), "fewer seeds .*: minirocket .3 of 5."),
        (Verifications((answer(answer=Answer.ABOVE),)), "1 reference: 0 verified, 1 above, 0 below, 0 not run"),
    ],
)
def test_lines_tell_what_is_missing(found: Verifications, words: str) -> None:
    assert any(re.search(words, line) for line in lines_of(found, trained=True))
    assert len([*markdown_lines(found, trained=False)]) >= 5


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"answer": Answer.ABOVE}, True),
        ({"answer": Answer.BELOW}, False),
        ({"answer": Answer.BELOW, "status": "not reproduced"}, True),
        ({"failed": True}, False),
    ],
)
def test_news_fail_the_command(changes: dict, passed: bool) -> None:
    assert Verifications((answer(), answer(**changes))).passed == passed


def test_a_later_verification_replaces_the_earlier_one_of_the_same_data_set() -> None:
    path = Path("net.references.toml")
    first = read_references(path)
    what = {"seeds": (0, 1, 2), "date": "2026-11-27", "versions": "zoo 1", "measured": 0.9}
    both = [answer(of=each, dataset=each.dataset, answer=Answer.VERIFIED, **what) for each in first if each.entry == 0]
    path.write_text(with_verifications(path.read_text(), both))
    again = answer(of=first[0], dataset="Tiny", answer=Answer.BELOW, **{**what, "date": "2026-11-28", "measured": 0.5})
    path.write_text(with_verifications(path.read_text(), [again]))
    found = read_references(path)
    assert [each.status for each in found[:3]] == ["not reproduced", "verified", "verified"]
    assert [each.evidence for each in found[:2]] == ["3 seeds, 2026-11-28, zoo 1", "3 seeds, 2026-11-27, zoo 1"]
    assert path.read_text().count("[[reference.verification]]") == 2
    pairs = (("accuracy", Answer.ABOVE), ("macro_recall", Answer.BELOW))
    two = [answer(of=first[3], dataset="Tiny", metric=name, answer=one, **what) for name, one in pairs]
    path.write_text(with_verifications(path.read_text(), two))
    assert read_references(path)[3].verification.answer == Answer.BELOW, "the worst metric counts"  # type: ignore[union-attr]


@pytest.mark.parametrize(("width", "number"), [(80, 5), (120, 8)])
def test_columns_fit_their_widths(width: int, number: int) -> None:
    row = {
        "name": "minirocket.paper validation=0",
        "dataset": "SonyAIBORobotSurface1",
        "published": 0.8885,
        "band": "0.8735 to 0.9035",
        "measured": 0.8885,
        "seeds": "3",
        "answer": "verified",
        "reason": "",
    }
    shown = list(COLUMNS)
    while not fits(shown, [row], width):
        shown.remove(max(shown, key=lambda column: column.drop))
    assert len(shown) >= number
    assert {"name", "answer", "published", "measured"} <= {column.key for column in shown}
