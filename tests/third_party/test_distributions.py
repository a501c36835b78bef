"""Real little distributions of third parties, installed with pip: the good work, the bad harm nobody else.

Each is installed into a folder of its own; being on PYTHONPATH is being installed, and off it uninstalled.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

Finished = subprocess.CompletedProcess[str]
Run = Callable[..., Finished]

DISTRIBUTIONS = Path(__file__).parent / "distributions"
BROKEN = {
    "asks_for_arguments": r"hook 'zoo_components'.*\{'settings'\}",
    "breaks_half_way": r"^OSError: the disk went away$",
    "exits_at_import": r"^sys\.exit\(3\)$",
    "gives_a_bad_name": r"architecture name 'My Net' is not made of lower-case",
    "gives_no_spec": r"^zoo_components\(\) returned dict, not a spec",
    "gives_one_twice": r"^provides architecture 'twin' twice$",
    "marks_nothing": r"^implements no hook: mark a function with @zoo\.hookimpl$",
    "misspells_a_hook": r"^implements a hook that does not exist: .*'zoo_component'",
    "needs_a_module": r"^ModuleNotFoundError: .*'a_module_that_nobody_has'$",
    "raises_at_import": r"^RuntimeError: no licence found$",
    "raises_in_its_hook": r"^LookupError: no components today$",
    "ships_no_module": r"^ModuleNotFoundError: .*'ships_another'$",
}
SMALL = ("--set", "hidden=8", "--set", "num_blocks=1", "--set", "gru_hidden=8")  # fast on the whole test set
UNBUILDABLE = {
    "lacks-module": "No module named 'lacks_its_factories.network'",
    "lacks-class": "the module has no callable 'Net'",
    "lacks-library": "needs the library 'a_library_that_nobody_has', which is not installed",
    "exits-late": "sys.exit('this network needs a licence')",
}


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of a distribution; one pip installs them all, without the network."""
    pytest.importorskip("pip")
    pytest.importorskip("hatchling", reason="what the distributions are built with; install zoo-registry[test]")
    together, shelf = tmp_path_factory.mktemp("together"), tmp_path_factory.mktemp("site")
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    sources = [str(path) for path in DISTRIBUTIONS.iterdir() if (path / "pyproject.toml").exists()]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(together), *sources]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    for distribution in metadata.distributions(path=[str(together)]):
        folder = shelf / distribution.name.replace("-", "_")
        folder.mkdir()
        for place in {file.parts[0] for file in distribution.files or () if file.parts[0] != "__pycache__"}:
            (together / place).rename(folder / place)
    return lambda name: shelf / name


@pytest.fixture
def zoo_with(zoo: Run, folder_of: Callable[[str], Path]) -> Run:
    """Runs the command line where the named distributions are installed: `zoo_with(["pulse"], "list")`."""

    def run(distributions: Iterable[str], *words: str, **environment: str) -> Finished:
        places = [str(folder_of(name)) for name in distributions]
        path = os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])
        return zoo(*words, PYTHONPATH=path, **environment)

    return run


def objects(done: Finished) -> list[dict[str, Any]]:
    """What `--json` printed: nothing but JSON."""
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def plugin_rows(done: Finished) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in objects(done)}


def listed(done: Finished) -> dict[str, dict[str, Any]]:
    return {f"{row['kind']} {row['name']}": row for row in objects(done)}


def error_line(done: Finished, code: int) -> str:
    """The one line a user's error is, with nothing on stdout."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert re.fullmatch(r"error: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def warnings(done: Finished) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("warning: ")]


# A distribution as it should be.


def test_a_good_distribution_is_listed_with_where_it_came_from(zoo: Run, zoo_with: Run) -> None:
    found = listed(zoo_with(["pulse"], "list", "--json"))
    assert {"architecture pulse-net", "block gain", "dataset pulses"} <= set(found)
    net = found["architecture pulse-net"]
    assert (net["plugin"], net["distribution"], net["version"]) == ("pulse", "pulse", "1.2.3")
    assert net["presets"] == ["wide"]
    table = zoo_with(["pulse"], "list", "architecture")
    assert "architecture\tpulse-net\twide\tOne convolution, a block and a mean.\tpulse\t\t\n" in table.stdout
    assert table.stderr == ""
    row = plugin_rows(zoo_with(["pulse"], "plugins", "--json"))["pulse"]
    assert (row["status"], row["module"], row["error"]) == ("ok", "pulse", "")
    assert {"kind": "block", "name": "gain"} in row["provides"]
    without = listed(zoo("list", "--json"))
    assert {name for name in found if name not in without} == {"architecture pulse-net", "block gain", "dataset pulses"}


def test_a_good_distribution_is_shown(zoo_with: Run) -> None:
    shown = json.loads(zoo_with(["pulse"], "show", "pulse-net.wide", "--json").stdout)
    assert shown["parameters"] == [{"name": "hidden", "default": 8, "searched": "2 to 8 (default)"}]
    assert shown["built"]["parameters"] == (8 * 3 + 8) + 8 + (8 * 5 + 5)
    assert [layer["name"] for layer in shown["layers"]] == ["convolution", "block", "head"]
    assert shown["distribution"] == "pulse 1.2.3"


def test_a_good_distribution_is_benched_and_its_runs_outlive_it(zoo: Run, zoo_with: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = ("bench", "pulse-net", "--rows", "300", "--epochs", "2", "--json")
    done = zoo_with(["pulse"], *words, PULSE_LOG=str(log))
    assert done.returncode == 0, done.stderr
    (run,) = objects(done)
    assert (run["architecture"], run["block"], run["dataset"], run["status"]) == (
        "pulse-net",
        "gain",
        "heartbeats",
        "done",
    )
    assert (run["config"]["params"], run["config"]["block_params"]) == ({"hidden": 4}, {"start": 1.0})
    scores = "accuracy balanced_loss learning_rate macro_f1 macro_recall train_loss validation_loss"
    assert log.read_text().splitlines() == [
        "imported",
        "started pulse-net gain running",
        f"epoch 1 pulse-net {scores}",
        f"epoch 2 pulse-net {scores}",
        "finished pulse-net gain done",
    ]
    assert [stored["id"] for stored in objects(zoo("results", "--json"))] == [run["id"]]
    alone = json.loads(zoo("results", run["id"], "--json").stdout)
    assert alone["scores"] == run["scores"]


@pytest.mark.parametrize("how", ["variable", "file"])
def test_what_is_disabled_is_not_imported(zoo_with: Run, tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    environment = {"PULSE_LOG": str(log)}
    names = ["pulse", "raises_at_import"]
    if how == "variable":
        environment["ZOO_DISABLE_PLUGINS"] = ",".join(names)
    else:
        (tmp_path / "registry.toml").write_text(f"[plugins]\ndisabled = {json.dumps(names)}\n")
    done = zoo_with(names, "plugins", "--json", **environment)
    rows = plugin_rows(done)
    assert [(rows[name]["status"], rows[name]["provides"], rows[name]["error"]) for name in names] == [
        ("disabled", [], "")
    ] * 2
    assert done.stderr == ""
    assert not log.exists()
    assert "architecture pulse-net" not in listed(zoo_with(names, "list", "--json", **environment))
    zoo_with(["pulse"], "--config", os.devnull, "list", PULSE_LOG=str(log))
    assert log.read_text() == "imported\n"


# Distributions that break while they load.


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_distribution_is_one_warning_and_a_row_that_says_why(zoo_with: Run, name: str) -> None:
    done = zoo_with([name], "list", "--json")
    assert done.returncode == 0
    assert "architecture cnngru" in listed(done)
    owner = name.replace("_", "-")
    assert done.stderr == f"warning: plugin {name!r} ({owner}) did not load; `zoo plugins` shows why\n"
    row = plugin_rows(zoo_with([name], "plugins", "--json"))[name]
    assert (row["status"], row["distribution"], row["version"], row["provides"]) == ("error", owner, "1.2.3", [])
    assert re.search(BROKEN[name], row["error"]), row["error"]
    assert "\n" not in row["error"]


def test_what_a_plugin_prints_goes_to_stderr(zoo_with: Run) -> None:
    done = zoo_with(["prints_at_import"], "list", "--json")
    assert "architecture talkative" in listed(done)
    assert done.stderr == "thank you for choosing prints_at_import\ncomponents, coming up\n"
    shown = zoo_with(["prints_at_import"], "show", "talkative", "--json")
    assert json.loads(shown.stdout)["built"]["parameters"] == 187 * 5 + 5
    assert "its network was called\n" in shown.stderr


def test_with_all_broken_ones_at_once_the_rest_works(zoo_with: Run) -> None:
    everything = sorted(path.name for path in DISTRIBUTIONS.iterdir() if (path / "pyproject.toml").is_file())
    rows = plugin_rows(zoo_with(everything, "plugins", "--json"))
    assert {name for name, row in rows.items() if row["error"]} == set(BROKEN)
    done = zoo_with(everything, "bench", "cnngru", "--rows", "300", "--epochs", "1", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    assert [(run["architecture"], run["status"]) for run in objects(done)] == [("cnngru", "done")]
    assert len(warnings(done)) == len(BROKEN)
    said = [line for line in done.stderr.splitlines() if "raises_while_observing" in line]
    assert said == [
        "plugin 'raises_while_observing': zoo_run_started raised ConnectionError: the tracker is down",
        "plugin 'raises_while_observing': zoo_epoch_finished raised KeyError: 'recall'",
        "plugin 'raises_while_observing': zoo_run_finished raised sys.exit('the tracker said goodbye')",
    ]
    assert "tracking cnngru\n" in done.stderr


# Distributions whose names are taken.


def test_components_of_one_name_both_stay_and_the_bare_name_lists_them(zoo_with: Run) -> None:
    done = zoo_with(["rival_names"], "list", "--json")
    found = listed(done)
    both = {"architecture cnn2d:cnn2d", "architecture rival.names:cnn2d", "block blocks:se", "block rival.names:se"}
    assert both <= set(found)
    assert not {"architecture cnn2d", "block se"} & set(found)
    assert done.stderr == ""
    for words, ways_out in (
        (("show", "cnn2d"), "'cnn2d' is provided by more than one plugin: use cnn2d:cnn2d or rival.names:cnn2d"),
        (("bench", "cnn2d"), "'cnn2d' is provided by more than one plugin: use cnn2d:cnn2d or rival.names:cnn2d"),
        (("show", "se"), "'se' is provided by more than one plugin: use blocks:se or rival.names:se"),
    ):
        assert ways_out in error_line(zoo_with(["rival_names"], *words), 2)


def test_a_name_that_the_zoo_uses_by_default_can_be_taken_and_changes_nothing(zoo_with: Run) -> None:
    done = zoo_with(["rival_defaults"], "bench", "cnngru", "--rows", "300", "--epochs", "1", *SMALL, "--json")
    assert done.returncode == 0, done.stderr
    (run,) = objects(done)
    assert (run["block"], run["dataset"], run["data"]) == (
        "blocks:resnet",
        "heartbeats:heartbeats",
        "imbalance:original",
    )
    assert "built for" in zoo_with(["rival_defaults"], "show", "cnngru.study").stdout
    wrong = zoo_with(["rival_defaults"], "bench", "cnngru", "--block", "resnet")
    rivals = "'resnet' is provided by more than one plugin: use blocks:resnet or rival_defaults:resnet"
    assert rivals in error_line(wrong, 2)


def test_a_preset_of_a_qualified_name_is_found(zoo_with: Run) -> None:
    shown = json.loads(zoo_with(["rival_names"], "show", "cnn2d:cnn2d.study", "--json").stdout)
    assert {"name": "hidden", "default": 128, "searched": "16, 32 (default); 62 to 256 (study)"} in shown["parameters"]


def test_a_taken_entry_point_name_leaves_both_plugins(zoo_with: Run) -> None:
    done = zoo_with(["rival_entry_point"], "list", "--json")
    found = listed(done)
    assert found["architecture cnngru"]["distribution"] == "zoo-registry"
    assert found["architecture newcomer"]["plugin"] == "cnngru@rival-entry-point"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("disabled", "left"),
    [
        ("cnngru@rival-entry-point", {"architecture cnngru"}),
        ("cnngru@zoo-registry", {"architecture newcomer"}),
        ("cnngru", set()),
    ],
)
def test_plugins_of_one_name_are_disabled_together_or_one_by_one(zoo_with: Run, disabled: str, left: set[str]) -> None:
    found = listed(zoo_with(["rival_entry_point"], "list", "--json", ZOO_DISABLE_PLUGINS=disabled))
    assert {"architecture cnngru", "architecture newcomer"} & set(found) == left


# Distributions that load, and whose components break.


@pytest.mark.parametrize("name", UNBUILDABLE)
def test_a_factory_that_is_not_there_is_listed_and_shows_one_line(zoo_with: Run, name: str) -> None:
    listing = zoo_with(["lacks_its_factories"], "list", name)
    assert (listing.returncode, listing.stderr) == (0, "")
    assert f"architecture\t{name}\t" in listing.stdout
    assert UNBUILDABLE[name] in error_line(zoo_with(["lacks_its_factories"], "show", name), 1)


def test_a_factory_that_is_not_there_cannot_be_benched(zoo_with: Run) -> None:
    line = error_line(zoo_with(["lacks_its_factories"], "bench", "lacks-library"), 1)
    assert UNBUILDABLE["lacks-library"] in line


def test_a_mistyped_parameter_is_one_line_with_the_nearest_name(zoo_with: Run) -> None:
    done = zoo_with(["bad_networks"], "bench", "bad-shape", "--set", "scal=2")
    assert error_line(done, 2) == "error: no parameter of bad-shape named 'scal'. Did you mean scale?\n"


def test_a_network_that_cannot_be_called_shows_one_line(zoo_with: Run) -> None:
    line = error_line(zoo_with(["bad_networks"], "show", "bad-forward"), 1)
    assert "ValueError: forward is not implemented" in line


def test_bad_networks_fail_alone_and_the_other_cells_finish(zoo_with: Run) -> None:
    distributions = ["bad_networks", "prints_at_import", "rival_names", "pulse"]
    ends = {
        "bad-build": ("failed", "bad-build cannot be built: ValueError: weights are sold separately"),
        "bad-shape": ("failed", "bad-shape returned (2, 1), not logits of shape (2, 2)"),
        "bad-forward": ("failed", "ValueError: forward is not implemented"),
        "bad-exit": ("failed", "sys.exit('forward has gone home')"),
        "bad-logits": ("diverged", "the training loss became nan"),
        "talkative": ("done", ""),
        "rival.names:cnn2d": ("done", ""),
        "pulse-net": ("done", ""),
    }
    done = zoo_with(distributions, "bench", *ends, "--dataset", "pulses", "--epochs", "1", "--json")
    assert done.returncode == 1, done.stderr
    runs = {run["architecture"]: run for run in objects(done)}
    assert list(runs) == list(ends)
    for name, (status, error) in ends.items():
        assert runs[name]["status"] == status
        assert runs[name]["error"].startswith(error)
        assert bool(runs[name]["scores"]) == (status == "done")
        assert len(re.findall(rf"^{status}: {name} .*$", done.stderr, re.MULTILINE)) == 1
    assert "Traceback" not in done.stderr
    stored = objects(zoo_with(distributions, "results", "--json"))
    assert {run["architecture"]: run["status"] for run in stored} == {name: end[0] for name, end in ends.items()}


def test_bad_parts_fail_alone_and_the_other_cells_finish(zoo_with: Run) -> None:
    losses = ("--loss", "bad-loss", "no-loss", "cross-entropy")
    data = ("--data", "bad-resampler", "no-resampler", "original")
    words = ("bench", "cnngru", "--dataset", "pulses", "--block", "bad-block", "gain", *losses, *data)
    done = zoo_with(["bad_parts", "pulse"], *words, "--epochs", "1", "--json")
    runs = {(run["block"], run["loss"], run["data"]): run for run in objects(done)}
    assert done.returncode == 1, done.stderr
    assert len(runs) == 2 * 3 * 3
    assert {cell for cell, run in runs.items() if run["status"] == "done"} == {("gain", "cross-entropy", "original")}
    errors = {
        ("gain", "cross-entropy", "bad-resampler"): "bad-resampler failed: RuntimeError: out of neighbours",
        ("gain", "cross-entropy", "no-resampler"): "no-resampler cannot be built: LookupError: nobody is at home",
        ("gain", "bad-loss", "original"): "RuntimeError: grad can be implicitly created only for scalar outputs",
        ("gain", "no-loss", "original"): "LookupError: nobody is at home",
    }
    assert {cell: runs[cell]["error"] for cell in errors} == errors
    assert "RuntimeError: " in runs["bad-block", "cross-entropy", "original"]["error"]
    assert "Traceback" not in done.stderr


def test_a_data_set_that_raises_is_one_line(zoo_with: Run) -> None:
    line = error_line(zoo_with(["bad_parts", "pulse"], "bench", "pulse-net", "--dataset", "bad-dataset"), 1)
    assert line == "error: data set bad-dataset cannot be loaded: LookupError: nobody is at home\n"
