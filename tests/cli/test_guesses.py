"""Common wrong guesses: one line each, with the right way."""

import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner, Result

from zoo import Architecture, UnknownName, hookimpl
from zoo.cli.app import app
from zoo.cli.guesses import check_cell
from zoo.cli.session import Session
from zoo.registry import Registry, source_of
from zoo.settings import Settings
from zoo.workspace import Workspace

NETWORKS = """
import torch
from torch import nn

class Net(nn.Module):
    pass

class Deeper(Net):
    pass

class Settings:
    pass
"""


def zoo(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line))


@pytest.fixture(autouse=True)
def _files() -> None:
    """Files that guesses name: networks, data, a folder with data, and a Python file without networks."""
    Path("mynet.py").write_text(NETWORKS)
    Path("plain.py").write_text("x = 1\n")
    Path("broken.py").write_text("class Net(\n")
    Path("data.csv").write_text("a,b,kind\n1,2,x\n")
    Path("beats").mkdir()
    Path("beats/a.csv").write_text("a,b,kind\n1,2,x\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        # numbers
        ("bench cnngru --epochs abc", "--epochs must be a whole number of at least 1, not 'abc'"),
        ("bench cnngru --epochs 0", "--epochs must be a whole number of at least 1, not '0'"),
        ("bench cnngru --rows 1.5", "--rows must be a whole number of at least 1, not '1.5'"),
        ("bench cnngru --seeds 0,1", "--seeds must be a whole number of at least 1, not '0,1'"),
        ("bench cnngru --seed -1", "--seed must be a whole number of at least 0, not '-1'"),
        ("bench cnngru --threads many", "--threads must be a whole number of at least 0, not 'many'"),
        ("tune cnngru --jobs 0", "--jobs must be a whole number of at least 1, not '0'"),
        ("tune cnngru --gpus-per-trial nan", "--gpus-per-trial must be a finite number of at least 0, not 'nan'"),
        ("show cnngru --classes 1", "--classes must be a whole number of at least 2, not '1'"),
        # names in zoo list
        ("list archtecture", "no kind or component named 'archtecture'. Did you mean architecture?"),
        ("list cnngur", "no kind or component named 'cnngur'. Did you mean cnngru?"),
        ("list block sse", "no block named 'sse'. Did you mean se?"),
        ("list 'nothing*'", "no component matches 'nothing*'. `zoo list` shows them all."),
        ("list cnngru.study", "'cnngru.study' is a preset, not a component: zoo show cnngru.study"),
        # an architecture that is something else
        ("bench mynet.py", "name a network in the file: mynet.py:Net, mynet.py:Deeper"),
        ("bench plain.py", "'plain.py' defines no class that inherits nn.Module: name a network as plain.py:NAME"),
        ("bench broken.py", "'broken.py' is not valid Python: "),
        ("bench absent.py", "there is no file 'absent.py'"),
        ("bench data.csv", "'data.csv' is a data file, not an architecture: zoo bench ARCH --dataset data.csv"),
        ("bench beats", "'beats' is a folder, not an architecture; a network in a file is FILE.py:NET"),
        ("bench smote", "'smote' is a resampler, not an architecture: name one, and use --data smote"),
        ("bench cnngru heartbeats", "'heartbeats' is a dataset, not an architecture: name one, and use --data"),
        ("bench fcn,cnngru", "'fcn,cnngru': separate names by spaces: zoo bench fcn cnngru"),
        ("bench cnngru.studdy", "no preset of cnngru named 'studdy'. Did you mean study?"),
        ("bench fcn.study", "no preset of fcn named 'study'. Available: paper."),
        ("tune mynet.py", "zoo tune needs an installed architecture; `zoo new architecture NAME` creates one"),
        ("tune mynet.py:Net", "zoo tune needs an installed architecture; `zoo new architecture NAME` creates one"),
        ("tune fcn,cnngru", "zoo tune takes one architecture, not 'fcn,cnngru'"),
        ("tune fcn --data smote,original", "--data takes one name, not 'smote,original'; to search over several: "),
        ("tune data.csv", "'data.csv' is a data file, not an architecture: zoo tune ARCH --dataset data.csv"),
        # options with the value of another option
        ("bench fcn --dataset cnngru", "'cnngru' is an architecture, but --dataset takes a dataset: name it first"),
        ("bench fcn --dataset smote", "'smote' is a resampler, but --dataset takes a dataset: use --data smote"),
        ("bench fcn --dataset beats", "--dataset 'beats' is a folder: name a file in it, such as beats/a.csv, "),
        ("bench fcn --dataset data.csv", "data.csv: name the column of the labels with --target"),
        ("bench fcn --data data.csv", "'data.csv' is a data file, but --data takes a resampler: use --dataset"),
        ("bench fcn --data mitbih", "'mitbih' is a dataset, but --data takes a resampler: use --dataset mitbih"),
        ("bench fcn --data smote,original", "--data smote,original: separate names by spaces: --data smote original"),
        ("bench fcn --treatment weighted", "'weighted' is an objective, but --treatment takes RESAMPLER or RESAMPLER/"),
        ("bench fcn --treatment smote/original", "'original' is a resampler, but --treatment takes RESAMPLER or "),
        ("bench fcn --treatment original smote/focl", "no objective named 'focl'. Did you mean focal?"),
        ("bench fcn --treatment original/", "--treatment 'original/' must be RESAMPLER or RESAMPLER/OBJECTIVE, such"),
        ("bench fcn --treatment smote,original/focal", "--treatment smote,original/focal: separate treatments by "),
        ("bench fcn --treatment original --data smote", "--treatment names the resamplers and the losses: leave out"),
        ("bench fcn --block cnngru", "'cnngru' is an architecture, but --block takes a block: name it first"),
        ("bench fcn --block se+smote", "'smote' is a resampler, but --block takes a block: use --data smote"),
        ("tune cnngru --loss smote", "'smote' is a resampler, but --loss takes an objective: use --data smote"),
        ("tune cnngru --data optuna", "'optuna' is a searcher, but --data takes a resampler: use zoo tune"),
        ("bench fcn --data-dir data.csv", "--data-dir 'data.csv' is a file, not a folder: use --dataset data.csv"),
        # zoo show and zoo check
        ("show mynet.py:Net", "zoo show takes an installed component, not a network in a file: `zoo bench my"),
        ("show mynet.py", "zoo show takes an installed component, not a network in a file: `zoo bench mynet.py:NET`"),
        ("show data.csv", "zoo show takes a component, not a data file: `zoo bench cnngru --dataset data.csv` trains"),
        ("show architectures", "'architectures' is a kind of component: zoo list architectures"),
        ("show imbalance", "'imbalance' is a plugin: `zoo plugins` shows its components"),
        ("show se.study", "'se' is a block, and only architectures have presets: zoo show se"),
        ("show 1a2b3c4d", "'1a2b3c4d' looks like the id of a run: zoo results 1a2b3c4d"),
        ("check mynet.py:Net", "zoo check takes an installed component, not a network in a file: `zoo bench my"),
        ("check data.csv", "zoo check takes a component, not a data file: "),
        # other commands
        ("results cnngru", "'cnngru' is an architecture, not a run: zoo results --architecture cnngru"),
        ("studies race", "no such command 'race'. To show a study: zoo studies show race"),
        ("new my-net architecture", "the kind is the first argument: zoo new architecture my-net"),
        ("bench --epochs", "option '--epochs' requires an argument. `zoo bench --help` shows the usage."),
    ],
)  # fmt: skip
def test_a_wrong_guess_is_one_line_with_the_right_way(line: str, message: str) -> None:
    result = zoo(line)
    assert (result.exit_code, result.stdout) == (2, ""), result.stderr
    assert result.stderr.startswith(f"error: {message}"), result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("target", ["", " --target kind"])
def test_a_data_file_that_does_not_exist_is_reported_first(target: str) -> None:
    result = zoo(f"bench fcn --dataset absent.csv{target}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: there is no file 'absent.csv'; check its name and the folder you are in\n"


def test_the_classes_of_a_file_are_found_without_its_import() -> None:
    Path("mynet.py").write_text(f"raise RuntimeError\n{NETWORKS}")
    assert "mynet.py:Net, mynet.py:Deeper" in zoo("bench mynet.py").stderr
    assert "mynet" not in sys.modules


def test_an_architecture_without_presets_takes_none() -> None:
    module = ModuleType("bare")
    module.zoo_components = hookimpl(lambda: [Architecture(name="bare", factory="bare:Net", summary="A net.")])  # type: ignore[attr-defined]
    module.zoo_components.__name__ = "zoo_components"
    session = Session()
    session.workspace = Workspace(Registry.load([source_of("bare", module)]), Settings.load())
    check_cell(session, "bench", ["bare"], {})
    with pytest.raises(UnknownName, match=r"^bare has no presets: leave out \.study$"):
        check_cell(session, "bench", ["bare.study"], {})
