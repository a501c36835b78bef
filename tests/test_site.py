"""The documentation site: generated pages are as the code is, and what a page tells to type exists.

`python docs/generate.py` writes the generated pages anew.
"""

import ast
import fnmatch
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import typer

import zoo
from zoo import hookspecs
from zoo.cli.app import app
from zoo.data.files import is_path
from zoo.data.protocols import PROTOCOLS
from zoo.errors import UnknownName
from zoo.registry import Registry, source_of, split_reference
from zoo.specs import KINDS
from zoo.store.run import Run

generator = pytest.importorskip("generator", reason="not run from a checkout")

from generator.commands import commands  # noqa: E402 - after the skip
from generator.names import public_names  # noqa: E402

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
HOOKS = [name for name in vars(hookspecs) if name.startswith("zoo_")]
WRITE = "run python docs/generate.py"
# The kind of the components that a parameter of the command line names.
KIND_OF = {
    "architectures": "architecture",
    "architecture": "architecture",
    "block": "block",
    "data": "resampler",
    "loss": "objective",
    "dataset": "dataset",
    "search": "searcher",
    "compare": "searcher",
}
ANY_KIND = {
    "zoo show": "name",
    "zoo check": "names",
    "zoo verify": "names",
}  # by command, the parameter that names components


def prose_pages() -> list[Path]:
    """What people wrote or can read: the README, and all pages but the generated reference of commands."""
    pages = sorted(DOCS.rglob("*.md"))
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(page for page in pages if page.name != "cli.md")]


@pytest.fixture(scope="module")
def written(registry: Registry) -> dict[str, str]:
    return generator.pages(registry)


def test_the_generated_pages_are_as_the_code_is(written: dict[str, str]) -> None:
    stale = [name for name, text in written.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != text]
    assert stale == [], WRITE


def test_no_page_of_a_hook_is_left_behind(written: dict[str, str]) -> None:
    pages = {f"hooks/{path.name}" for path in (DOCS / "hooks").iterdir()}
    assert pages == {name for name in written if name.startswith("hooks/")}
    assert pages == {f"hooks/{name}.md" for name in ("index", *HOOKS, *KINDS)}


def test_every_page_is_in_the_navigation_and_there() -> None:
    listed = re.findall(r"^ +- (?:[^:\n]+: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


def test_every_command_and_option_is_documented(written: dict[str, str]) -> None:
    """As Typer reads them, the generator having read them from the signatures."""
    documented = {f"zoo {words}": section for words, section in sections(written["cli.md"], r"## zoo (.*)")}
    found = dict(walk(typer.main.get_command(app), "zoo"))
    assert set(documented) == set(found) - {"zoo"}
    for words, options in found.items():
        text = documented.get(words, written["cli.md"])
        assert [option for option in options if f"`{option}`" not in text] == [], words


def sections(text: str, heading: str) -> Iterator[tuple[str, str]]:
    parts = re.split(rf"^{heading}$", text, flags=re.MULTILINE)[1:]
    return zip(parts[::2], parts[1::2], strict=True)


def walk(command, words: str) -> Iterator[tuple[str, list[str]]]:
    """Every command below one, with the names of its options, except hidden ones and those of Typer."""
    typers = {"--help", "--install-completion", "--show-completion"}
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    names = (option for parameter in shown for option in (*parameter.opts, *parameter.secondary_opts))
    yield words, [name for name in names if name.startswith("-") and name not in typers]
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, f"{words} {name}")


def test_every_argument_is_named_in_the_usage_of_its_command() -> None:
    bench = next(command for command in commands(app) if command.words == "zoo bench")
    assert [argument.usage for argument in bench.arguments] == ["ARCH..."]
    assert {option.names: option.many for option in bench.options}[("--data",)]


def test_every_public_name_is_documented(written: dict[str, str]) -> None:
    names = public_names()
    headings = set(re.findall(r"^### (.*)$", written["python.md"], re.MULTILINE))
    expected = {f"{module}.{name}" for module, each in names.items() for name in each}
    shown_as_errors = {f"zoo.{name}" for name in names["zoo.errors"]}
    assert headings == expected - shown_as_errors
    assert set(zoo.__all__) == set(names["zoo"])
    api = (DOCS / "api.md").read_text()
    assert [module for module in names if f"`{module}" not in api] == []
    assert f'ZOO_API = "{hookspecs.API_VERSION}"' in api


def test_public_names_say_what_they_are(written: dict[str, str]) -> None:
    for name, text in sections(written["python.md"], r"### (.*)"):
        said = re.sub(r"```.*?```|^#.*$", "", text, flags=re.DOTALL | re.MULTILINE).strip()
        assert len(said.split()) >= 3, name
        # Without a docstring, a record has its signature for one, and another class begins with a method's.
        assert not re.match(rf"`[^`]+`: |{name.rpartition('.')[2]}\(", said), name


def test_plugins_that_come_with_the_zoo_use_public_names_alone() -> None:
    public = {module: set(names) for module, names in public_names().items()}
    used = {use for path in (ROOT / "plugins").rglob("*.py") for use in zoo_imports(path)}
    assert len(used) > 20
    assert {(module, name) for module, name in used if name not in public.get(module, set())} == set()


def zoo_imports(path: Path) -> Iterator[tuple[str, str]]:
    """The modules of the zoo that a file imports from, with the names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "zoo":
            yield from ((str(node.module), alias.name) for alias in node.names)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "zoo":
            yield "zoo", node.attr


def test_the_plugin_of_the_hooks_pages_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("tracker", DOCS / "examples" / "tracker.py")
    assert spec is not None
    tracker = module_from_spec(spec)
    spec.loader.exec_module(tracker)  # type: ignore[union-attr]
    registry = Registry.load([source_of("tracker", tracker)])
    assert [plugin.error for plugin in registry.plugins] == [""]
    monkeypatch.setenv("TRACKER_FILE", str(tmp_path / "epochs.jsonl"))
    run = Run(id="1a2b", key="k", architecture="a", dataset="d", protocol="holdout", data="original", loss="", seed=0)
    assert registry.notify("zoo_epoch_finished", run=run, epoch=1, scores={"macro_recall": 0.5}) == []
    assert registry.notify("zoo_run_finished", run=run) == []
    lines = [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text().splitlines()]
    assert lines[0] == {"run": "1a2b", "epoch": 1, "macro_recall": 0.5}
    assert lines[1]["macro_recall"] is None


def test_what_pages_tell_to_type_exists(registry: Registry) -> None:
    made, lines = made_names(), [(page, line) for page in prose_pages() for line in command_lines(page.read_text())]
    wrong = [
        f"{page.relative_to(ROOT)}: {line}: {why}" for page, line in lines for why in problems(line, registry, made)
    ]
    assert wrong == []
    assert len(lines) > 40


def test_every_command_has_two_examples_that_exist(registry: Registry) -> None:
    made = made_names()
    for command in list(commands(app))[1:]:
        assert len(command.examples) == 2, command.words
        for line in command.examples:
            assert line.startswith(command.words)
            assert list(problems(line.removeprefix("zoo "), registry, made)) == [], line


def test_the_readme_shows_every_command() -> None:
    found = {name.split()[1] for name, _ in walk(typer.main.get_command(app), "zoo") if " " in name}
    assert found <= set(re.findall(r"\bzoo ([a-z]+)", (ROOT / "README.md").read_text()))


def made_names() -> set[str]:
    """Names that pages tell to make: plugins by `zoo new` or an entry point, presets by `--save`."""
    text = "\n".join(page.read_text() for page in prose_pages())
    begun = re.findall(r"zoo new [a-z]+ ([a-z][a-z0-9-]*)", text)
    named = re.findall(r'^([a-z][a-z0-9-]*) = "zoo_\w+"$', text, re.MULTILINE)
    return {*begun, *named, *re.findall(r"--save ([a-z0-9.]+)", text)}


def command_lines(text: str) -> Iterator[str]:
    """The lines of code blocks that begin with `zoo …`, at a prompt or not, whatever folder it is said to be in."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            for part in re.split(r" && | \| ", line):
                if found := re.match(r"(?:\$ )?(?:\S*/bin/)?zoo ((?:[a-z]|--).*)", part.strip()):
                    yield found[1]


def problems(line: str, registry: Registry, made: set[str]) -> Iterator[str]:
    words = shlex.split(line.partition(" > ")[0].partition(" 2> ")[0], comments=True)
    group = typer.main.get_command(app)
    everywhere = {option for parameter in group.params for option in parameter.opts} | {"--help", "-h"}
    words = [word for word in words if word not in everywhere]
    command, path = group, "zoo"
    while words and words[0] in getattr(command, "commands", {}):
        path = f"{path} {words[0]}"
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands") and words and not words[0].startswith("-"):
        yield f"there is no command `{path} {words[0]}`"
    elif command is not group:
        try:
            given = command.make_context(path, words).params
        except Exception as error:
            yield f"{error or type(error).__name__}"
        else:
            yield from unknown(given, registry, made)
            yield from nowhere(each(given.get(ANY_KIND.get(path, ""))), registry, made)


def nowhere(names: Iterable[str], registry: Registry, made: set[str]) -> Iterator[str]:
    """What is no component of any kind, no plugin, no network in a file, and was not made before."""
    there = {entry.name for entry in registry.entries} | {plugin.name for plugin in registry.plugins} | made
    for name in names:
        known = fnmatch.filter(there, name) or split_reference(name)[0] in there
        if not known and re.search("[a-z]", name) and ":" not in name:
            yield f"nothing is named {name!r}"


def unknown(given: dict[str, object], registry: Registry, made: set[str]) -> Iterator[str]:
    for parameter, kind in KIND_OF.items():
        for value in each(given.get(parameter)):
            try:
                find(kind, value, registry, made)
            except UnknownName as error:
                yield str(error)
    for value in each(given.get("protocol")):
        if value not in PROTOCOLS:
            yield f"no protocol {value!r}"


def each(value: object) -> Iterable[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return (part for item in values if item for part in re.split(r"[+,]", str(item)))


def find(kind: str, value: str, registry: Registry, made: set[str]) -> None:
    """Raises UnknownName for a name that is neither registered, nor made before, nor a word for one, nor a file."""
    if value in made or split_reference(value)[0] in made or not re.search("[a-z]", value):
        return
    if ":" in value or (kind == "dataset" and (value.startswith("~") or is_path(value))):
        return
    if kind == "architecture" and not re.search(r"[*?\[]", value):
        registry.architecture(value)
    else:
        registry.match(kind, value)
