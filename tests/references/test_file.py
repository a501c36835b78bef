"""References are read from files of plugins and from registry.toml, with one line for each fault."""

from pathlib import Path

import pytest

from zoo.errors import SettingsError
from zoo.references.file import read_references
from zoo.references.record import Answer, Around, Band, Reference, Status
from zoo.settings import Settings

FILE = """
[[reference]]
architecture = "minirocket"
preset = "paper"
protocol = "official"
set = { training.validation = 0 }
band = { around = "mean", margin = 0.015, rows = 2 }
runs = 5
sources = ["one@1a2b", "two@3c4d"]
results = [
    { dataset = "ECG200", test_rows = 100, scores.accuracy = 0.91, range.accuracy = [0.90, 0.92] },
    { dataset = "Beef", test_rows = 30, scores = { accuracy = 0.85 }, note = "few rows" },
]

[[reference.verification]]
seeds = 3
date = 2026-11-28
versions = "zoo-registry 0.1.0"
results = [{ dataset = "ECG200", answer = "below", scores = { accuracy = 0.80 } }]

[[reference]]
architecture = "fcn"
dataset = "mitbih"
status = "measured"
source = "this project"
seeds = 2
date = 2026-11-24
scores = { accuracy = 0.98, macro_recall = 0.9 }
"""


def read(text: str) -> list[Reference]:
    Path("references.toml").write_text(text)
    return read_references(Path("references.toml"))


def test_a_table_is_one_reference_or_one_for_each_of_its_results() -> None:
    ecg, beef, fcn = read(FILE)
    assert (ecg.name, ecg.dataset, ecg.source, ecg.runs) == ("minirocket.paper", "ECG200", "one@1a2b; two@3c4d", 5)
    assert ecg.settings == {"training.validation": 0}
    assert (ecg.words, ecg.configuration) == ("minirocket.paper validation=0", "training.validation=0")
    assert (ecg.ranges, beef.ranges) == ({"accuracy": (0.90, 0.92)}, {})
    assert (beef.note, beef.entry, fcn.entry) == ("few rows", 0, 1)
    assert [each.status for each in (ecg, beef, fcn)] == [Status.NOT_REPRODUCED, Status.REPORTED, Status.MEASURED]
    assert [each.evidence for each in (ecg, beef, fcn)] == [
        "3 seeds, 2026-11-28, zoo-registry 0.1.0",
        "",
        "2 seeds, 2026-11-24",
    ]


ONE = '[[reference]]\narchitecture = "x"\ndataset = "y"\nsource = "z"\nscores = { accuracy = 0.5 }\n'
RESULTS = '[[reference]]\narchitecture = "x"\nsource = "z"\nresults = [{}]\n'
VERIFIED = ONE + "[[reference.verification]]\nseeds = 1\nresults = [{}]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[reference]\n", r"references.toml: reference must be an array of tables: write \[\[reference\]\]$"),
        ("[training]\nepochs = 3\n", r"references.toml: no key in \[reference\] named 'training'"),
        ('[[reference]]\nsource = "z"\n', r"entry 1: a \[\[reference\]\] lacks architecture, dataset, scores$"),
        (ONE.replace('source = "z"\n', ""), r"entry 1 \(x\): a \[\[reference\]\] lacks source$"),
        (ONE + ONE + "runs = 0\n", r"entry 2 \(x\): reference.runs must be a whole number of at least 1, not 0$"),
        (ONE + "runs = true\n", "reference.runs must be a whole number of at least 1, not True"),
        (ONE + "sores = 3\n", r"no key in \[reference\] named 'sores'. Did you mean scores"),
        (ONE + "preset = 3\n", "reference.preset must be text, not 3"),
        (ONE + "sources = 'a'\n", "reference.sources must be a list of texts, not 'a'"),
        (ONE + "set = 3\n", r"entry 1 \(x\): set must be a table"),
        (ONE + "set = { training.rates = [1] }\n", "set.training.rates must be a number, text, true or false"),
        (ONE + "band = 3\n", "reference.band must be a table"),
        (ONE + "band = { margn = 0.1 }\n", r"no key in \[reference.band\] named 'margn'. Did you mean margin"),
        (ONE + "band = { margin = -0.1 }\n", "reference.band.margin must be a number of at least 0, not -0.1"),
        (ONE + "band = { around = 'median' }\n", "reference.band.around must be mean or range, not 'median'"),
        (ONE + "range = { accuracy = [0.6, 0.4] }\n", r"reference range.accuracy must be \[lowest, highest\]"),
        (ONE + "range = { accuracy = 0.4 }\n", r"reference range.accuracy must be \[lowest, highest\], not 0.4"),
        (ONE.replace("0.5", "nan"), "reference scores.accuracy must be a finite number, not nan"),
        (ONE.replace("accuracy", "acuracy"), "no score named 'acuracy'. Did you mean accuracy"),
        (ONE.replace("{ accuracy = 0.5 }", "{}"), "reference.scores must be a table, such as"),
        (ONE + "date = 3\n", "reference.date must be a date or text, not 3"),
        (ONE + "results = 3\n", "reference.results must be a list of tables, not 3"),
        (RESULTS, r"entry 1 \(x\), result 1: a result lacks dataset, scores$"),
        (RESULTS.replace("{}", "{ rows = 3 }"), r"result 1: no key in \[reference\] named 'rows'"),
        (VERIFIED, r"entry 1 \(x\), verification 1: a result of a verification lacks answer, dataset, scores$"),
        (VERIFIED.replace("seeds = 1\n", ""), "verification 1: a verification lacks seeds"),
        (
            VERIFIED.replace("{}", "{ dataset = 'y', answer = 'not run', scores.accuracy = 1 }"),
            "verification 1: answer must be one of verified, above, below, not 'not run'",
        ),
        ("x = [1\n", r"^references\.toml, at its end: unclosed array$"),
    ],
)
def test_a_fault_is_one_line_with_file_entry_and_key(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        read(text)
    assert str(caught.value).startswith("references.toml")
    assert "\n" not in str(caught.value)


def test_an_earlier_registry_toml_is_read_as_before() -> None:
    old = ONE.replace('source = "z"', 'source = "z"\nstatus = "a colleague"\npreset = "study"\nprotocol = "official"')
    Path("registry.toml").write_text(old)
    (found,) = Settings.load().references
    assert (found.name, found.status, found.scores) == ("x.study", "a colleague", {"accuracy": 0.5})


@pytest.mark.parametrize(
    ("band", "published", "rows", "limits"),
    [
        (Band(Around.MEAN, 0.015, 2), (0.88, 0.94), 601, (0.895, 0.925)),
        (Band(Around.MEAN, 0.015, 2), None, 30, (0.91 - 2 / 30, 0.91 + 2 / 30)),
        (Band(Around.MEAN, 0.015, 2), None, None, (0.895, 0.925)),
        (Band(Around.RANGE, 0.02), (0.88, 0.94), 100, (0.86, 0.96)),
        (Band(Around.RANGE, 0.02), None, 100, (0.89, 0.93)),
        (Band(), (0.9, 0.91), None, (0.88, 0.93)),
        (Band(margin=0.5), None, None, (0.41, 1.0)),
    ],
)
def test_a_band_is_around_the_mean_or_the_range(
    band: Band, published: tuple[float, float] | None, rows: int | None, limits: tuple[float, float]
) -> None:
    ranges = {} if published is None else {"accuracy": published}
    found = Reference(
        architecture="x", dataset="y", source="z", scores={"accuracy": 0.91}, ranges=ranges, band=band, test_rows=rows
    )
    assert found.limits("accuracy") == pytest.approx(limits)


@pytest.mark.parametrize(
    ("metric", "score", "answer"),
    [
        ("accuracy", 0.5, Answer.VERIFIED),
        ("accuracy", 0.48, Answer.VERIFIED),  # the end of the band belongs to it, whatever the rounding
        ("accuracy", 0.47, Answer.BELOW),
        ("accuracy", 0.53, Answer.ABOVE),
        ("log_loss", 0.53, Answer.BELOW),
        ("log_loss", 0.47, Answer.ABOVE),
        ("mcc", -0.9, Answer.BELOW),
    ],
)
def test_an_answer_is_the_side_of_the_band(metric: str, score: float, answer: Answer) -> None:
    found = Reference(architecture="x", dataset="y", source="z", scores={metric: 0.5})
    assert found.answer(metric, score) == answer
