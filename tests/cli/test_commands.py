"""The commands as a user runs them, each in a process of its own."""

import csv
import io
import json
import re
import sys
from pathlib import Path

import pytest
from conftest import Zoo
from typer.testing import CliRunner

from zoo.cli.app import app
from zoo.registry import Registry
from zoo.specs import KINDS


def tsv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_list_names_everything(zoo: Zoo, registry: Registry) -> None:
    listed = json.loads(zoo("list", "--json").stdout)
    assert [(each["kind"], each["name"]) for each in listed] == [(e.kind, e.name) for e in registry.entries]
    names = {each["name"] for each in listed}
    assert {"cnngru", "cnn2d", "none", "resnet", "se", "dilated", "heartbeats", "mitbih"} <= names
    assert {"original", "smote", "oversampled", "undersampled", "cross-entropy", "weighted"} <= names


def test_list_by_kind_and_pattern(zoo: Zoo) -> None:
    assert {row["name"] for row in tsv(zoo("list", "architectures", "cnn[2g]*").stdout)} == {"cnn2d", "cnngru"}
    assert {row["kind"] for row in tsv(zoo("list", "block").stdout)} == {"block"}
    names = {row["name"] for row in tsv(zoo("list", "*o*e*").stdout)}
    assert names >= {"none", "oversampled"}
    assert not {"se", "cnn2d"} & names


def test_a_large_family_is_one_line_of_a_plain_list(zoo: Zoo) -> None:
    rows = {row["name"]: row for row in tsv(zoo("list").stdout)}
    assert rows["timm/*"]["summary"].startswith("1,371 components: ")
    assert sum(name.startswith("timm/") for name in rows) == 1
    resnets = [row["name"] for row in tsv(zoo("list", "timm/*resnet1[08]*").stdout)]
    assert {"timm/resnet18", "timm/resnet18d", "timm/resnet10t"} <= set(resnets)
    assert len(tsv(zoo("list", "timm").stdout)) == len(json.loads(zoo("list", "timm/*", "--json").stdout)) == 1371
    assert "architecture timm/* (1,371)" in zoo("plugins").stdout


def test_list_has_the_size_of_each_architecture_that_zoo_show_computes(zoo: Zoo) -> None:
    built = json.loads(zoo("show", "cnngru", "--json").stdout)["built"]
    listed = {row["name"]: row for row in json.loads(zoo("list", "--json").stdout)}
    assert (listed["cnngru"]["parameters"], listed["cnngru"]["macs"]) == (built["parameters"], built["macs"])
    assert (listed["smote"]["parameters"], listed["timm/resnet18"]["macs"]) == (None, None)
    rows = {row["name"]: row for row in tsv(zoo("list").stdout)}
    assert list(rows["cnngru"]) == ["kind", "name", "presets", "summary", "plugin", "parameters", "macs"]
    assert rows["cnngru"]["macs"] == str(built["macs"])
    assert [rows[name]["parameters"] for name in ("smote", "timm/*")] == ["", ""]


def test_list_has_no_size_for_a_third_party_architecture_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "zoo_pulse-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-pulse\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[zoo]\npulse = zoo_pulse\n")
    spec = "zoo.Architecture(name='cnngru', factory='zoo_pulse:Net', summary='Another network.')"
    (tmp_path / "zoo_pulse.py").write_text(f"import zoo\n@zoo.hookimpl\ndef zoo_components():\n    return [{spec}]\n")
    monkeypatch.syspath_prepend(tmp_path)
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)}
    assert rows["cnngru:cnngru"]["parameters"] == 37_221
    assert (rows["pulse:cnngru"]["parameters"], rows["pulse:cnngru"]["macs"]) == (None, None)


@pytest.mark.parametrize("width", [80, 120])
def test_list_on_a_terminal_is_a_table_for_each_kind(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_a_terminal(monkeypatch, width, "list")
    assert max(map(len, lines)) <= width
    titles = [f"{kind}s" for kind in KINDS]
    assert [line.strip() for line in lines if line.strip() in titles] == titles
    heads = [line for line in lines if line.startswith("name ")]
    assert ["params" in head for head in heads] == [kind == "architecture" for kind in KINDS]
    assert not any(line.startswith("architecture ") for line in lines)
    (row,) = [line for line in lines if line.startswith("cnngru ")]
    assert row.split()[-3:] == ["37,221", "4.1", "M"]
    one_kind = on_a_terminal(monkeypatch, width, "list", "block")
    assert one_kind[0].startswith("name ")


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, width: int, *words: str) -> list[str]:
    """The lines that a terminal of that width gets, without colours."""
    monkeypatch.setenv("COLUMNS", str(width))
    output = TerminalOutput()
    monkeypatch.setattr(sys, "stdout", output)
    app(list(words), standalone_mode=False)
    return re.sub(r"\x1b\[\d*m", "", output.getvalue()).splitlines()


class TerminalOutput(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_show_an_architecture(zoo: Zoo) -> None:
    own = "block = 'se'\nblock_params = { reduction = 4 }\nloss = 'focal'\nloss_params = { gamma = 1.5 }\n"
    Path("registry.toml").write_text(f"[presets.'cnngru.mine']\n{own}")
    shown = json.loads(zoo("show", "cnngru.study", "--json").stdout)
    assert shown["built"]["parameters"] == 838_469
    assert round(shown["built"]["macs"] / 1e6, 1) == 82.9
    assert sum(layer["parameters"] for layer in shown["layers"]) == 838_469
    assert {key: shown["parameters"][2][key] for key in ("name", "default")} == {"name": "gru_hidden", "default": 256}
    assert "32, 64, 128, 256, 512 (study)" in shown["parameters"][2]["searched"]
    fixes = {preset["name"]: preset["fixes"] for preset in shown["presets"]}
    assert {"study", "table", "se", "dilated"} <= fixes.keys()
    assert fixes["mine"] == {"block": "se", "block.reduction": 4, "loss": "focal", "loss.gamma": 1.5}
    assert shown["results"][0]["macro_recall"] == 0.9593
    assert shown["results"][0]["status"] == "reported"
    assert "arXiv" in shown["paper"]


def test_show_builds_for_the_shape_and_block_asked_for(zoo: Zoo) -> None:
    words = ("show", "cnn2d", "--block", "se", "--channels", "3", "--times", "50", "--classes", "2", "--json")
    shown = json.loads(zoo(*words).stdout)
    assert (shown["built"]["block"], shown["layers"][0]["output"]) == ("se", "32 x 5 x 12")


@pytest.mark.parametrize("name", ["se", "smote", "heartbeats", "weighted"])
def test_show_what_is_no_architecture(zoo: Zoo, name: str) -> None:
    shown = zoo("show", name)
    assert shown.returncode == 0
    assert f"name: {name}" in shown.stdout


def test_bench_a_file_then_results_leaderboard_and_show(zoo: Zoo, waves_csv: Path) -> None:
    bench = (
        "bench",
        "cnngru",
        "cnn2d",
        "--data",
        "original",
        "smote",
        "--dataset",
        str(waves_csv),
        "--target",
        "kind",
        "--columns",
        "t*",
    )
    quick = ("--epochs", "2", "--set", "training.batch_size=16", "--threads", "1")
    options = ("--group", "patient", "--seeds", "2", *quick)
    done = zoo(*bench, *options, "--json")
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    assert len(runs) == 8
    assert set(runs[0]["scores"]["macro_recall"]) - {"reason"} == {"value", "low", "high"}
    assert done.stderr.count("done: ") == 8

    rows = tsv(zoo("results").stdout)
    assert {row["id"] for row in rows} == {run["id"] for run in runs}
    one = json.loads(zoo("results", runs[0]["id"], "--json").stdout)
    assert one["scores"] == runs[0]["scores"]

    (board,) = json.loads(zoo("leaderboard", "--json").stdout)
    assert board["configurations_scored"] == 4
    assert {standing["seeds"] for standing in board["standings"]} == {2}
    means = [standing["score"]["mean"] for standing in board["standings"]]
    assert means == sorted(means, reverse=True)
    mine = [r["scores"]["macro_recall"]["value"] for r in runs if r["architecture"] == "cnn2d" and r["data"] == "smote"]
    assert any(mean == pytest.approx(sum(mine) / 2) for mean in means)

    shown = json.loads(zoo("show", "cnn2d", "--json").stdout)
    assert [each["status"] for each in shown["results"] if each["dataset"] == "waves.csv"] == ["measured"] * 2

    served = zoo(*bench, *options)
    assert served.stderr.count("reused from the store") == 8
    assert [row["served"] for row in tsv(served.stdout)] == ["True"] * 8


def test_a_run_without_a_loss_has_a_dash_for_it(zoo: Zoo, waves_csv: Path) -> None:
    options = ("--dataset", str(waves_csv), "--target", "kind", "--columns", "t*", "--threads", "1", "--json")
    (run,) = json.loads(zoo("bench", "minirocket", *options).stdout)
    heading = zoo("results", run["id"]).stderr
    assert " loss=- seed=0\n" in heading
    assert f", test {run['parts']['rows']['test']:,} rows\n" in heading
    assert f" macs {run['cost']['macs']:,}, " in heading
    assert f"\nplugins: zoo-registry {run['plugins']['zoo-registry']}\n" in heading


def test_a_synthetic_set_is_called_so(zoo: Zoo) -> None:
    done = zoo("bench", "cnn2d", "--rows", "200", "--epochs", "1", "--threads", "1", "--set", "hidden=8")
    assert done.returncode == 0, done.stderr
    assert tsv(done.stdout)[0]["dataset"] == "heartbeats (synthetic)"
    assert "synthetic" in done.stderr
    assert tsv(zoo("results").stdout)[0]["dataset"] == "heartbeats (synthetic)"
    assert tsv(zoo("leaderboard").stdout)[0]["dataset"] == "heartbeats (synthetic)"


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("bench", "cnngur"), 2, "error: no architecture named 'cnngur'. Did you mean cnngru?"),
        (("bench", "cnngru.studdy"), 2, "error: no preset of cnngru named 'studdy'. Did you mean study?"),
        (("bench", "cnngru", "--block", "ses"), 2, "error: no block named 'ses'. Did you mean se?"),
        (("bench", "cnngru", "--data", "smot"), 2, "error: no resampler named 'smot'. Did you mean smote?"),
        (("bench", "cnngru", "--loss", "focl"), 2, "error: no objective named 'focl'."),
        (("bench", "cnngru", "--dataset", "heart"), 2, "error: no dataset named 'heart'. Did you mean heartbeats?"),
        (("bench", "cnngru", "--protocol", "holdot"), 2, "error: no protocol named 'holdot'. Did you mean holdout?"),
        (
            ("bench", "cnngru", "--set", "hiden=3"),
            2,
            "error: no parameter of cnngru named 'hiden'. Did you mean hidden",
        ),
        (("bench", "cnngru", "--set", "hidden"), 2, "error: --set 'hidden' is not key=value"),
        (("bench", "cnngru", "--rows", "abc"), 2, "error: --rows must be a whole number of at least 1, not 'abc'"),
        (("bench", "cnngru", "--rows", "3"), 1, "error: heartbeats cannot simulate 3 training rows"),
        (("bench", "cnngru", "--device", "gpu"), 2, "error: hardware.device must be auto"),
        (("bench", "cnngru", "--force", "--resume"), 2, "error: --force trains again"),
        (("bench", "cnngru", "--set", "training.optimiser=sgd"), 2, "error: training.optimiser must be one of"),
        (("bench", "cnngru", "--dataset", "absent.csv", "--target", "x"), 1, "error: there is no file 'absent.csv'"),
        (("bench", "cnngru", "--dataset", "mitbih"), 1, "error: mitbih needs its files"),
        (("bench",), 2, "error: missing argument 'ARCH'"),
        (("frob",), 2, "error: no such command 'frob'."),
        (("show", "nope"), 2, "error: no component named 'nope'"),
        (("results", "nope"), 1, "error: no results in 'zoo-results'"),
        (("list", "nope"), 2, "error: no kind or component named 'nope'"),
        (("leaderboard", "--metric", "recal"), 2, "error: no metric named 'recal'"),
        (("list", "--config", "absent.toml"), 1, "error: absent.toml: cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_its_exit_code(words: tuple[str, ...], code: int, line: str) -> None:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.stderr
    assert result.stderr.startswith(line)
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_results_folder_that_cannot_be_used_is_said_before_training(zoo: Zoo, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    result = zoo("bench", "cnngru", "--results", "taken/results")
    assert result.returncode == 1
    assert result.stderr.startswith("error: results folder 'taken/results' cannot be used")
    assert len(result.stderr.splitlines()) == 1


def test_debug_shows_the_traceback(zoo: Zoo) -> None:
    assert "Traceback" in zoo("bench", "cnngur", "--debug").stderr


def test_version_and_help(zoo: Zoo) -> None:
    assert zoo("--version").stdout.startswith("zoo 0.")
    assert "bench" in zoo("--help").stdout
    assert zoo().returncode == 2


@pytest.mark.parametrize("old", ["--registry", "ZOO_REGISTRY"])
def test_the_old_names_of_the_settings_file_work_and_print_one_warning(zoo: Zoo, old: str) -> None:
    Path("my.toml").write_text("[plugins]\ndisabled = ['timm']\n")
    words = ("--registry", "my.toml") if old == "--registry" else ()
    done = zoo("plugins", *words, **({} if words else {old: "my.toml"}))
    new = {"--registry": "--config", "ZOO_REGISTRY": "ZOO_CONFIG"}[old]
    assert done.stderr == f"warning: {old} is now {new}; release 0.3 removes the old name\n"
    assert {row["name"]: row["status"] for row in tsv(done.stdout)}["timm"] == "disabled"
    assert zoo("plugins", "--config", "my.toml", ZOO_REGISTRY="other.toml").stdout == done.stdout


@pytest.mark.parametrize(
    ("words", "variables", "line"),
    [
        (
            ("--config", "a.toml", "--registry", "b.toml"),
            {},
            "--config is 'a.toml' and --registry is 'b.toml': leave out --registry",
        ),
        (
            (),
            {"ZOO_CONFIG": "a.toml", "ZOO_REGISTRY": "b.toml"},
            "ZOO_CONFIG is 'a.toml' and ZOO_REGISTRY is 'b.toml': leave out ZOO_REGISTRY",
        ),
    ],
)
def test_two_settings_files_are_a_usage_error(
    zoo: Zoo, words: tuple[str, ...], variables: dict[str, str], line: str
) -> None:
    refused = zoo("list", *words, **variables)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == f"error: {line}"
