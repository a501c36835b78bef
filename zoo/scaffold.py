"""What `zoo new` writes: a whole distribution for a component of any kind, rendered from `zoo/template/`.

Files are `string.Template`s: those in `common/`, and those of the kind. In their paths `__package__` stands for the
import package.
"""

import json
import keyword
import re
import sys
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from string import Template

from zoo.errors import UsageError, describe
from zoo.hookspecs import API_VERSION
from zoo.registry import Registry
from zoo.specs import KINDS
from zoo.version import VERSION

TEMPLATES = Path(__file__).parent / "template"
SUFFIX = ".tmpl"
NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 30  # so that no line of the templates becomes too long
NOBODY = "Your Name"
KNOWN_MODULES = {"imblearn", "numpy", "pandas", "pyarrow", "ray", "scipy", "sklearn", "torch", "zoo"}

# A first command that uses a component, by its kind.
USES: Mapping[str, str] = {
    "architecture": "zoo bench {}",
    "block": "zoo bench cnngru --block {}",
    "dataset": "zoo bench cnngru --dataset {}",
    "resampler": "zoo bench cnngru --data {}",
    "objective": "zoo bench cnngru --loss {}",
    "searcher": "zoo tune cnngru --search {} --trials 8",
}
PURPOSES: Mapping[str, str] = {
    "network.py": "the network: begin here",
    "block.py": "the layer: begin here",
    "data.py": "the rows: begin here",
    "resampler.py": "what balances the rows: begin here",
    "objective.py": "the loss: begin here",
    "searcher.py": "what proposes configurations: begin here",
    "__init__.py": "what the zoo sees: name, summary, paper",
    "test_conformance.py": "the zoo's conformance kit, a test for each promise",
    "README.md": "how it is installed, used and published",
    "LICENSE": "the MIT licence",
    "pyproject.toml": "what pip needs to know, and the entry point by which the zoo finds it",
    "ci.yml": "tests and lint on GitHub, at each push",
    ".gitignore": "what git leaves alone",
}
TESTS = "tests of what is special about it"


@dataclass(frozen=True)
class Scaffold:
    """A component that is to be, and all that its distribution is called."""

    kind: str
    name: str
    author: str = ""
    year: int = field(default_factory=lambda: date.today().year)

    @property
    def distribution(self) -> str:
        return f"zoo-{self.name.replace('_', '-')}"

    @property
    def function(self) -> str:
        return self.name.replace("-", "_")

    @property
    def package(self) -> str:
        return f"zoo_{self.function}"

    @property
    def class_name(self) -> str:
        return "".join(part.capitalize() for part in re.split("[-_]", self.name))

    @property
    def use(self) -> str:
        """A first command that uses it."""
        return USES[self.kind].format(self.name)

    def files(self) -> dict[str, str]:
        """Path to text, in the order in which one wants to read them."""
        values = {
            "api": API_VERSION,
            "author": self.author or NOBODY,
            "class_name": self.class_name,
            "distribution": self.distribution,
            "function": self.function,
            "kind": self.kind,
            "name": self.name,
            "package": self.package,
            "quoted_author": json.dumps(self.author or NOBODY, ensure_ascii=False),
            "table": "\n".join(f"| `{path}` | {purpose(path)} |" for path in self.paths() if path != "README.md"),
            "unnamed": "" if self.author else _UNNAMED,
            "use": self.use,
            "year": str(self.year),
            "zoo": ".".join(VERSION.split(".")[:2]),
        }
        return {path: Template(place.read_text("utf-8")).substitute(values) for path, place in self.paths().items()}

    def paths(self) -> dict[str, Path]:
        """The path of each file, and where its template is."""
        found = {}
        for folder in (TEMPLATES / self.kind, TEMPLATES / "common"):
            for place in folder.rglob(f"*{SUFFIX}"):
                path = place.relative_to(folder).as_posix().removesuffix(SUFFIX)
                found[path.replace("__package__", self.package)] = place
        return dict(sorted(found.items(), key=lambda item: _rank(item[0])))


_UNNAMED = f"\nThe licence has no holder yet: write your name over `{NOBODY}` in `LICENSE` and `pyproject.toml`.\n"


def purpose(path: str) -> str:
    """What a file of a scaffold is for."""
    return PURPOSES.get(path.rpartition("/")[2], TESTS)


def check_name(kind: str, name: str, registry: Registry) -> None:
    """Raise UsageError, with the way out, for a name that cannot be, would clash, or is taken."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{name!r} is no name: it has up to {LONGEST} lower-case letters and digits, the first a letter, in words "
            f"parted by '-' or '_', such as {_as_name(name)}"
        )
    if reason := _clash(Scaffold(kind, name)) or _owner(name, registry):
        raise UsageError(f"{name!r} is taken: {reason}. Choose another name, such as {_another(name)}")


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the files into a folder that is empty or not there. Raises UsageError, and writes nothing, for another."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            state = "is not empty" if folder.is_dir() else "is a file"
            raise UsageError(f"{folder} {state}: say another folder with --dir")
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or describe(error)}") from error


def _rank(path: str) -> tuple[bool, bool, bool, str]:
    """The package first, its `__init__.py` last, then the tests, then the rest."""
    folder, _, name = path.rpartition("/")
    return (not folder.startswith("src"), not folder.startswith("tests"), name == "__init__.py", path)


def _clash(scaffold: Scaffold) -> str:
    """What else has the name that its factory would have; "" where nothing has."""
    word = scaffold.function
    if keyword.iskeyword(word):
        return "it is a word of Python's own"
    if word in sys.stdlib_module_names or word in KNOWN_MODULES:
        return "there is a Python module of that name"
    if word.removesuffix("s") in KINDS:
        return "it is what a kind of component is called"
    if {scaffold.function, scaffold.class_name} & _words(scaffold.kind):
        return "the example that the component begins with uses the name itself"
    return ""


def _words(kind: str) -> set[str]:
    """The names in the code of a kind's template that do not come from the component's own."""
    stranger = Scaffold(kind, "stranger")
    texts = [text for path, text in stranger.files().items() if path.endswith(".py")]
    tokens = [each for text in texts for each in tokenize.generate_tokens(StringIO(text).readline)]
    words = {each.string for each in tokens if each.type == tokenize.NAME}
    return words - {stranger.function, stranger.class_name, stranger.package}


def _owner(name: str, registry: Registry) -> str:
    """Who has the name among what is installed; "" where nobody has."""
    for entry in registry.entries:
        if entry.spec.name == name:
            return f"{entry.plugin.distribution or entry.plugin.name} has the {entry.kind} {entry.name}"
    for plugin in registry.plugins:
        if name in plugin.names:
            return f"{plugin.distribution or plugin.module} has a plugin of that name"
    for (kind, known), distribution in registry.known.items():
        if known == name:
            return f"{distribution} has the {kind} {known}"
    package = Scaffold("", name).package
    return f"a package {package} is installed" if find_spec(package) else ""


def _as_name(text: str) -> str:
    """The nearest name that can be."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower()
    name = re.sub(r"[^a-z0-9]+", "-", parted)[:LONGEST].strip("-")
    if name and not name[0].isalpha():
        name = f"my-{name}"[:LONGEST].strip("-")
    return name or "my-net"


def _another(name: str) -> str:
    """A name near to one that is taken."""
    return f"{name}-2" if name.startswith("my") else f"my-{name}"
