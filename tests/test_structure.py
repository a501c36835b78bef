"""The rooms of the zoo: imports have no circle, views know no command, and the room map has a line for each room."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from conftest import LONGEST

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "zoo" / "template"
Graph = Mapping[str, set[str]]


@cache
def modules() -> dict[str, Path]:
    """The modules of the zoo by their names; a package stands for its `__init__.py`."""
    found = {}
    for path in (ROOT / "zoo").rglob("*.py"):
        if not path.is_relative_to(TEMPLATE):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """What a file imports of the zoo, wherever in the file: at its top, in a function, or for types alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and name not in known:
                name = name.rpartition(".")[0]
            if name:
                yield name


@cache
def imports() -> Graph:
    known = modules()
    return {name: {other for other in imported(path, known) if other != name} for name, path in known.items()}


def room_of(name: str) -> str:
    """The folder that a module stands in; one that stands in `zoo` itself is a room of its own."""
    path = modules()[name]
    return name if path.parent == ROOT / "zoo" else str(path.parent.relative_to(ROOT))


def between_rooms(graph: Graph) -> Graph:
    places = {name: room_of(name) for name in graph}
    found: dict[str, set[str]] = {place: set() for place in places.values()}
    for name, others in graph.items():
        found[places[name]] |= {places[other] for other in others} - {places[name]}
    return found


def circle(graph: Graph) -> list[str]:
    """The names along a circle of imports, the first one twice; none where there is no circle."""
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})[0] in ("a", "b", "c")
    assert not circle({"a": {"b"}, "b": {"c"}, "c": set(), "d": {"a"}})


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = imports()
    assert len(graph) > 120
    assert "zoo.training.loop" in graph["zoo.harness.training_run"]
    assert circle(graph) == []


def test_no_folder_imports_itself_by_way_of_others() -> None:
    assert circle(between_rooms(imports())) == []


def test_views_import_no_command_and_workers_nothing_of_the_harness() -> None:
    for name, others in imports().items():
        if name.startswith("zoo.cli.views"):
            assert not {other for other in others if re.match(r"zoo\.cli\.(?!views)", other)}, name
        if name.startswith("zoo.workers"):
            assert not {other for other in others if other.startswith("zoo.harness")}, name


def test_the_room_map_has_every_room_and_no_other() -> None:
    assert "docs/development.md" in (ROOT / "CONTRIBUTING.md").read_text()
    text = (ROOT / "docs" / "development.md").read_text()
    mapped = re.findall(r"^\| `(zoo/[\w./]*)` \|", text, re.MULTILINE)
    folders = {f"{path.parent.relative_to(ROOT)}/" for path in modules().values() if path.parent != ROOT / "zoo"}
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "zoo").glob("*.py") if not path.name.startswith("__")}
    assert sorted(mapped) == sorted({*folders, *files, "zoo/template/"})


def test_every_folder_of_tests_but_that_of_faults_is_part_of_a_plain_pytest() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    folders = {f"tests/{path.parent.name}" for path in (ROOT / "tests").glob("*/test_*.py")}
    assert sorted(listed) == sorted({*folders, "tests/test_*.py"} - {"tests/faults"})


def test_the_longest_test_files_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
