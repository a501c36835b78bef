"""Files of hypotheses: what they mean, and one line with the file and the key for each fault."""

import re
from pathlib import Path

import pytest

from zoo.claims.file import OF_HYPOTHESIS, read_hypotheses
from zoo.claims.findings import claim_text
from zoo.claims.hypothesis import Group, Kind
from zoo.errors import ZooError

START = '[[hypothesis]]\nid = "smote"\narchitecture = "cnn1d"\n'
CLAIM = 'direction = "higher"\nmargin = 0.02\n'
GROUPS = 'first = { data = "smote" }\nsecond = { data = "original" }\n'
WHOLE = START + CLAIM + GROUPS


def read(text: str) -> Path:
    path = Path("claims.toml")
    path.write_text(text)
    return path


def test_each_level_overrides_the_one_above_and_settings_add_up() -> None:
    found = read_hypotheses(
        read(
            '[common]\nrows = 1000\nseeds = [3, 5]\nmargin = 0.5\ntreatment = "smote"\n'
            'set = { training.batch_size = 32, "training.clip" = 0.5 }\n'
            '[[hypothesis]]\nid = 9\ntext = "SE\\n helps"\ndirection = "higher"\n'
            '[[hypothesis.part]]\narchitecture = "cnn1d"\ndata = ["original", "smote"]\nmargin = 0\n'
            'first = { block = "se", set = { training.clip = 1.0 } }\nsecond = { block = "none" }\n'
            '[[hypothesis.part]]\narchitecture = ["gru"]\ndirection = "equal"\nsteps = 100\nmetric = "recall:F"\n'
            'first = { preset = "layernorm" }\nsecond = {}\n'
        )
    )
    (hypothesis,) = found.hypotheses
    one, two = hypothesis.parts
    assert (hypothesis.id, hypothesis.text, hypothesis.label(1)) == ("9", "SE helps", "9.2")
    assert (one.margin, two.margin, one.seeds, one.rows) == (0, 0.5, (3, 5), 1000)
    assert one.common.values == {"architecture": ("cnn1d",), "data": ("original", "smote")}, "data replaces treatment"
    assert one.shared == ("architecture", "data")
    asked = one.request(one.first, "heartbeats")
    assert (asked.blocks, asked.data, asked.seeds) == (("se",), ("original", "smote"), (3, 5))
    assert asked.assignments == {"training.batch_size": 32, "training.clip": 1.0}
    steps = two.request(two.first, "heartbeats")
    assert steps.architectures == ("gru.layernorm",)
    assert (steps.epochs, steps.assignments["training.patience"]) == (4, 0), "100 steps, 32 for each 1,000 rows"


def test_epochs_replace_steps_and_a_search_frees_what_its_space_names() -> None:
    found = read_hypotheses(
        read(
            "[common]\nrows = 100\nsteps = 60\nset = { training.batch_size = 32, hidden = 8 }\nmargin = 0\n"
            '[[hypothesis]]\nid = 12\nkind = "tuned"\narchitecture = "cnn1d"\nepochs = 2\ntrials = 3\n'
            'direction = "higher"\nspace = ["training.batch_size=8,16"]\n'
        )
    )
    (part,) = found.hypotheses[0].parts
    request = part.tune_request("heartbeats", seed=3)
    assert (part.steps, request.cell.epochs, request.trials, request.seed) == (None, 2, 3, 3)
    assert request.cell.assignments == {"hidden": 8}


def test_paths_start_at_the_folder_of_the_file() -> None:
    Path("inner").mkdir()
    Path("inner/beats.csv").write_text("")
    path = Path("inner/claims.toml")
    path.write_text(f'results = "published"\n{START}dataset = ["heartbeats", "beats.csv"]\n{CLAIM}{GROUPS}')
    found = read_hypotheses(path)
    assert found.hypotheses[0].parts[0].datasets == ("heartbeats", "inner/beats.csv")
    assert found.results == (Path("inner/published"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one table [[hypothesis]]"),
        ("hypothesis = 3", "at least one table [[hypothesis]]"),
        ("[[hypotheses]]", "no key named 'hypotheses'. Did you mean hypothesis?"),
        ("[[hypothesis]]\nid = ", "claims.toml, at its end: invalid value"),
        ("[[hypothesis]]\n" + CLAIM, 'hypothesis 1: id must be a text or a number, such as id = "smote"'),
        (WHOLE + WHOLE, "hypothesis smote: id = 'smote' is used twice"),
        (WHOLE + "metrc = 3", "hypothesis smote: no key named 'metrc'. Did you mean metric?"),
        (WHOLE.replace("data = ", "dta = "), "hypothesis smote: first: no key named 'dta'. Did you mean data?"),
        (WHOLE.replace("data = ", "resampler = "), "first: no key named 'resampler'. Did you mean data?"),
        (START + GROUPS + 'direction = "higher"', "hypothesis smote: there is no margin: margin = 0.0 claims any"),
        (START + GROUPS + "margin = 0", "hypothesis smote: there is no direction: higher, lower, equal"),
        (START + CLAIM + 'first = { data = "smote" }', "hypothesis smote: there is no group second"),
        (START + CLAIM, "hypothesis smote: there is no group first"),
        (START + CLAIM + 'first = "smote"\nsecond = {}', "first must be a table, not 'smote'"),
        (START + CLAIM + "first = {}\nsecond = {}", "first and second are the same group"),
        (WHOLE.replace('architecture = "cnn1d"\n', ""), "first has no architecture: name one"),
        (WHOLE + "dataset = []", "hypothesis smote: dataset is an empty list: name at least one data set"),
        (WHOLE + "dataset = 3", "dataset must be text or a list of texts, not 3"),
        (WHOLE + 'metric = "macro_recal"', "no metric named 'macro_recal'. Did you mean macro_recall"),
        (WHOLE + 'metric = "recall"', "no metric named 'recall': write recall with a class, such as recall:F"),
        (WHOLE + 'metric = "ece"', "ece cannot be compared"),
        (
            WHOLE + 'metric = "steps_to:2"',
            "metric 'steps_to:2' must be steps_to: and a validation macro recall above 0",
        ),
        (WHOLE.replace('"higher"', '"hihger"'), "no direction named 'hihger'. Did you mean higher?"),
        (WHOLE.replace('"higher"', '"better"'), "no direction named 'better'. Available: equal, higher, lower."),
        (WHOLE.replace("0.02", '"0.02"'), "hypothesis smote: margin must be a finite number, not '0.02'"),
        (WHOLE.replace("0.02", "nan"), "margin must be a finite number, not nan"),
        (
            WHOLE.replace('"higher"', '"equal"').replace("0.02", "0"),
            'direction = "equal" needs a margin above 0, not 0',
        ),
        (WHOLE + "ratio = true", "ratio = true is for costs and steps, not for macro_recall"),
        (WHOLE.replace("0.02", "-1") + 'ratio = true\nmetric = "macs"', "the margin is a factor, such as 1.5, not -1"),
        (WHOLE + "seeds = 0", "seeds must be a number of seeds, or a list of different seeds, not 0"),
        (WHOLE + "seeds = [1, 1]", "seeds must be a number of seeds, or a list of different seeds, not [1, 1]"),
        (WHOLE + "seeds = true", "seeds must be a number of seeds"),
        (WHOLE + "rows = 1.5", "rows must be a whole number of at least 1, not 1.5"),
        (WHOLE + "steps = 60", "steps needs rows and a batch size"),
        (WHOLE + "epochs = 3\nsteps = 60", "steps determines the number of epochs: leave out epochs"),
        (WHOLE + "set = 3", "set must be a table"),
        (WHOLE + "set = { hidden = [1] }", "set.hidden must be a number, text, true or false, not [1]"),
        (WHOLE + 'treatment = "a"\nloss = "b"', "treatment names the resampler and the loss"),
        (WHOLE + 'kind = "tund"', "no kind named 'tund'. Did you mean tuned?"),
        (WHOLE + "trials = 3", 'trials is for kind = "tuned"'),
        (WHOLE + "part = 3", "part must be tables: write [[hypothesis.part]]"),
        (WHOLE + 'kind = "reproducible"', 'kind = "reproducible" compares runs with themselves: leave out first'),
        (START + 'kind = "reproducible"\nseeds = 1', "seeds must be at least two"),
        (START + CLAIM + 'kind = "tuned"', 'kind = "tuned" needs the number of trials, such as trials = 12'),
        ("[common]\nseed = 3\n" + WHOLE, "common: no key named 'seed'. Did you mean seeds"),
        ("[common]\nmargin = true\n" + WHOLE, "common: margin must be a finite number, not True"),
        (
            START + "[[hypothesis.part]]\n" + CLAIM + GROUPS + "[[hypothesis.part]]\nrows = 0",
            "hypothesis smote, part 2: rows must be a whole number of at least 1, not 0",
        ),
    ],
)
def test_a_fault_is_one_line_with_the_file_and_the_key(text: str, reason: str) -> None:
    with pytest.raises(ZooError) as error:
        read_hypotheses(read(text))
    message = str(error.value)
    assert message.startswith("claims.toml")
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("", "macro recall of smote > original + 0.02"),
        ('first = { name = "SMOTE", data = "smote" }', "macro recall of SMOTE > original + 0.02"),
        ('direction = "lower"\nmargin = 0', "macro recall of smote < original"),
        ("margin = -0.02", "macro recall of smote > original - 0.02"),
        ('direction = "lower"', "macro recall of smote < original - 0.02"),
        ('direction = "equal"', "macro recall of smote = original, within 0.02"),
        ('metric = "train_seconds"\nratio = true\nmargin = 1.5', "train seconds of smote > original x 1.5"),
        (
            'metric = "steps_to:0.5"\nratio = true\nmargin = 1.5\ndirection = "lower"',
            "steps to 0.5 of smote < original / 1.5",
        ),
    ],
)
def test_a_claim_in_words(more: str, text: str) -> None:
    own = {line.partition(" = ")[0]: line for line in (CLAIM + GROUPS + more).splitlines()}
    (hypothesis,) = read_hypotheses(read(START + "\n".join(own.values()))).hypotheses
    assert claim_text(hypothesis.parts[0]) == f"cnn1d: {text}"


def test_the_examples_of_the_page_are_valid() -> None:
    page = Path(__file__).parents[2] / "docs" / "hypotheses.md"
    if not page.is_file():
        pytest.skip("not run from a checkout")
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    found = [read_hypotheses(read(block)) for block in blocks if "[[hypothesis]]" in block]
    assert [each.id for file in found for each in file.hypotheses] == ["smote", "blocks", "seeds", "tuning"]
    table = re.findall(r"^\| (`[^|]*) \|", page.read_text(), re.MULTILINE)
    documented = {name for cell in table for name in re.findall(r"`(\w+)", cell)}
    assert OF_HYPOTHESIS - {"part", "search", "trials", "space"} <= documented


def test_a_group_hides_the_treatment_that_it_replaces() -> None:
    common = Group({"treatment": ("smote",), "block": ("se",)}, {"hidden": 8})
    assert Group({"loss": ("focal",)}).over(common).values == {"block": ("se",), "loss": ("focal",)}
    assert str(Group({}, {"training.clip": 1})) == "clip=1"
    assert Kind("tuned") == Kind.TUNED
