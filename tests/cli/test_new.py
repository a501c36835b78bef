"""`zoo new` before anything is installed: names, folders, and files that are in order as they are written.

`python tests/cli/test_new.py` writes the code in docs/plugins.md anew.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.errors import UsageError
from zoo.registry import Registry
from zoo.scaffold import LONGEST, NOBODY, Scaffold, check_name, write
from zoo.specs import KINDS

Zoo = Callable[..., subprocess.CompletedProcess[str]]

PAGE = Path(__file__).parents[2] / "docs/plugins.md"


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("architecture", "MyNet", "'MyNet' is not a valid name: .*, such as my-net$"),
        ("architecture", "2fast", "such as my-2fast$"),
        ("architecture", "a--b", "such as a-b$"),
        ("architecture", "net-", "such as net$"),
        ("architecture", "", "such as my-net$"),
        ("architecture", "n" * (LONGEST + 1), f"at most {LONGEST} lower-case letters"),
        (
            "architecture",
            "cnngru",
            "zoo-registry has the architecture cnngru. Choose a different name, such as my-cnngru$",
        ),
        ("architecture", "se", "zoo-registry has the block se"),
        ("block", "imbalance", "zoo-registry has a plugin with this name"),
        ("dataset", "class", "it is a keyword of Python"),
        ("dataset", "signal", "a Python module has this name"),
        ("objective", "blocks", "it is the name of a kind of component"),
        ("architecture", "layers", "the example code of the component uses this name"),
        ("dataset", "machines", "the example code of the component uses this name"),
    ],
)
def test_a_name_that_cannot_be_is_one_line_with_another_that_can(
    registry: Registry, kind: str, name: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        check_name(kind, name, registry)
    another = re.search(r"such as (\S+)$", str(caught.value))
    assert another
    check_name(kind, another[1], registry)


def test_a_name_that_a_known_distribution_has_is_taken(registry: Registry) -> None:
    known = Registry(registry.plugins, registry.manager, {("block", "gate"): "zoo-gates"})
    with pytest.raises(UsageError, match="zoo-gates has the block gate"):
        check_name("architecture", "gate", known)


@pytest.mark.parametrize("there", ["a file", "a folder"])
def test_what_is_there_is_not_overwritten(tmp_path: Path, there: str) -> None:
    place = tmp_path / "my-net"
    mine = place if there == "a file" else place / "README.md"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(UsageError, match=r"my-net is (a file|not empty): choose a different folder with --dir"):
        write({"README.md": "another's"}, place)
    assert mine.read_text() == "mine"


def test_the_command_says_what_it_wrote_and_what_to_do_next(zoo: Zoo, tmp_path: Path) -> None:
    done = zoo("new", "block", "my-gate", "--author", "Ada Lovelace")
    assert done.returncode == 0, done.stderr
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert header == ["path", "purpose"]
    assert rows[0] == ["src/zoo_my_gate/block.py", "the layer: start here"]
    written = {path.relative_to(tmp_path / "my-gate").as_posix() for path in (tmp_path / "my-gate").rglob("*.*")}
    assert {path for path, _ in rows} - {"LICENSE"} == {
        path for path in written if (tmp_path / "my-gate" / path).is_file()
    }
    steps = ["cd my-gate", "pip install -e '.[test]'", "zoo check my-gate", "zoo bench cnngru --block my-gate"]
    assert done.stderr == "\n".join(["Next:", *(f"  {step}" for step in steps)]) + "\n"
    again = zoo("new", "block", "my-gate")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "error: my-gate is not empty: choose a different folder with --dir\n"


def test_a_folder_of_ones_own_and_json(zoo: Zoo, tmp_path: Path) -> None:
    (tmp_path / "my data").mkdir()
    author = 'Ada "the first" L'
    said = json.loads(zoo("new", "dataset", "pumps", "--dir", "my data", "--author", author, "--json").stdout)
    assert (said["distribution"], said["package"], said["folder"]) == ("zoo-pumps", "zoo_pumps", "my data")
    assert said["next"][0] == "cd 'my data'"
    assert all((tmp_path / "my data" / file["path"]).is_file() for file in said["files"])
    project = tomllib.loads((tmp_path / "my data/pyproject.toml").read_text())["project"]
    assert project["authors"] == [{"name": author}]
    assert author in (tmp_path / "my data/LICENSE").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("architectur", "my-net"), "no kind named 'architectur'. Did you mean architecture"),
        (("block", "gate", "--author", "a\nb"), "must be one line of printable text"),
    ],
)
def test_a_wrong_word_is_one_line(zoo: Zoo, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = zoo("new", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"error: [^\n]*{said}[^\n]*\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_author_is_a_placeholder_that_the_readme_names() -> None:
    files = Scaffold("architecture", "my-net").files()
    assert f"replace `{NOBODY}` by your name in `LICENSE` and `pyproject.toml`" in files["README.md"]
    assert NOBODY in files["LICENSE"]
    assert NOBODY in files["pyproject.toml"]
    assert NOBODY not in "".join(Scaffold("architecture", "my-net", "Ada Lovelace").files().values())


def test_what_is_written_is_linted_and_formatted_whatever_it_is_called(tmp_path: Path) -> None:
    pytest.importorskip("ruff", reason="what the templates are linted with; install zoo-registry[test]")
    for kind in KINDS:
        for name in ("xy", f"{kind}-".ljust(LONGEST, "m")):
            write(Scaffold(kind, name).files(), tmp_path / kind / name)
    for words in (("check",), ("format", "--check", "--diff")):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
    assert not re.findall(r"\$\w|__package__", "".join(Scaffold("block", "xy").files().values()))


def with_code(page: str) -> tuple[str, list[str]]:
    """The tutorial with the code that its network is rendered to, and the paths it shows."""
    files = Scaffold("architecture", "my-net", "Ada Lovelace", 2026).files()
    block = re.compile(r"^`([\w./-]+)`:\n\n```(\w+)\n.*?^```$", re.MULTILINE | re.DOTALL)
    filled = block.sub(lambda found: f"`{found[1]}`:\n\n```{found[2]}\n{files[found[1]]}```", page)
    return filled, [found[1] for found in block.finditer(page)]


@pytest.mark.skipif(not PAGE.is_file(), reason="no docs beside the tests: not run from a checkout")
def test_the_tutorials_code_is_the_template() -> None:
    page = PAGE.read_text()
    filled, shown = with_code(page)
    assert page == filled, "run python tests/cli/test_new.py"
    wanted = [path for path in Scaffold("architecture", "my-net").paths() if path.endswith((".py", "pyproject.toml"))]
    assert shown == wanted


if __name__ == "__main__":
    PAGE.write_text(with_code(PAGE.read_text())[0])
