"""What components write to the standard output, in any way, does not reach the results."""

import csv
import io
import json
from pathlib import Path

import pytest
from conftest import WAVES, Zoo

PLUGIN = """
import ctypes, os, sys
import zoo

def write(what):
    os.write(1, f"raw {what}\\n".encode())
    print("print", what)
    sys.__stdout__.write(f"under {what}\\n")
    sys.__stdout__.flush()
    library = ctypes.CDLL(None)
    library.printf(f"printf {what}\\n".encode())
    library.fflush(None)
    os.system(f"echo child {what}")

write("import")

@zoo.hookimpl
def zoo_components():
    write("components")
    yield zoo.Architecture(name="loud", factory="loud_net:Net", summary="Loud.", spaces={"default": SPACE})

SPACE = {"width": zoo.Choice(2, 3)}

@zoo.hookimpl
def zoo_run_started(run):
    write("started")
"""
NET = """
import atexit, threading, time
from torch import nn
from loud_plugin import write

write("factory")

def forever():
    while True:
        write("thread")
        time.sleep(0.002)

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes, width=2):
        super().__init__()
        write("init")
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(n_channels * n_times, width), nn.Linear(width, n_classes))

    def forward(self, x):
        global atexit
        if atexit:
            atexit.register(write, "end")
            threading.Thread(target=forever).start()  # not a daemon: it is left behind at the end
            atexit = None
        write("forward")
        return self.layers(x)
"""


@pytest.fixture(autouse=True)
def _loud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "loud-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[zoo]\nloud = loud_plugin\n")
    (tmp_path / "loud_plugin.py").write_text(PLUGIN)
    (tmp_path / "loud_net.py").write_text(NET)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")


ON = (
    *WAVES,
    "--rows",
    "60",
    "--epochs",
    "1",
    "--set",
    "training.batch_size=20",
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "architecture"), "components"),
        (("show", "loud"), "init"),
        (("check", "loud:loud"), "forward"),
        (("bench", "loud", *ON), "forward"),
        (("bench", "loud_net.py:Net", *ON), "forward"),
        pytest.param(("bench", "loud", *ON, "--jobs", "2"), "init", marks=pytest.mark.slow),
        pytest.param(("tune", "loud", *ON, "--trials", "2", "--name", "mine"), "forward", marks=pytest.mark.slow),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_json_is_json_whatever_components_write(zoo: Zoo, waves_csv: Path, words: tuple[str, ...], said: str) -> None:
    ended = zoo(*words, "--json")
    assert json.loads(ended.stdout), ended.stderr[-2000:]
    ways = ("raw", "print", "under", "printf", "child")
    assert all(f"{way} {said}\n" in ended.stderr for way in ways), ended.stderr[-2000:]


def test_the_rows_of_a_pipe_are_rows(zoo: Zoo, waves_csv: Path) -> None:
    ended = zoo("bench", "loud", *ON)
    (row,) = csv.DictReader(io.StringIO(ended.stdout), delimiter="\t")
    assert (row["architecture"], row["status"]) == ("loud", "done")
    assert ended.returncode == 0
