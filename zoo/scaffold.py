"""The files of `zoo new`: a complete distribution for a component of any kind, rendered from `zoo/template/`.

Each file is a `string.Template`, in `common/` or in the folder of the kind. `__package__` in a path becomes the name of
the import package.
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
from typing import TYPE_CHECKING

from zoo.errors import UsageError
from zoo.hookspecs import API_VERSION
from zoo.paths import why_not
from zoo.specs import KINDS
from zoo.version import VERSION

if TYPE_CHECKING:
    from zoo.registry import Registry

TEMPLATES = Path(__file__).parent / "template"
SUFFIX = ".tmpl"
NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 30  # longer names would make lines of the templates too long
NOBODY = "Your Name"
KNOWN_MODULES = {"imblearn", "numpy", "pandas", "pyarrow", "ray", "scipy", "sklearn", "torch", "zoo"}

# The first command that uses a component, by kind.
USES: Mapping[str, str] = {
    "architecture": "zoo bench {}",
    "block": "zoo bench cnngru --block {}",
    "dataset": "zoo bench cnngru --dataset {}",
    "resampler": "zoo bench cnngru --data {}",
    "objective": "zoo bench cnngru --loss {}",
    "searcher": "zoo tune cnngru --search {} --trials 8",
}
PURPOSES: Mapping[str, str] = {
    "network.py": "the network: start here",
    "block.py": "the layer: start here",
    "data.py": "the rows: start here",
    "resampler.py": "the resampler: start here",
    "objective.py": "the loss: start here",
    "searcher.py": "the searcher: start here",
    "__init__.py": "the registration: name, summary, paper",
    "test_conformance.py": "the conformance checks of the zoo",
    "README.md": "how to install, use and publish it",
    "LICENSE": "the MIT licence",
    "pyproject.toml": "the settings for pip, and the entry point of the plugin",
    "ci.yml": "tests and lint on GitHub, after each push",
    ".gitignore": "the files that git ignores",
}
TESTS = "further tests of the component"


@dataclass(frozen=True)
class Scaffold:
    """A new component, and the names of its distribution, package and class."""

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
        """The first command that uses the component."""
        return USES[self.kind].format(self.name)

    def files(self) -> dict[str, str]:
        """Return the text of each file by path, in reading order."""
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
        """Return the template of each file by path, in reading order."""
        found = {}
        for folder in (TEMPLATES / self.kind, TEMPLATES / "common"):
            for place in folder.rglob(f"*{SUFFIX}"):
                path = place.relative_to(folder).as_posix().removesuffix(SUFFIX)
                found[path.replace("__package__", self.package)] = place
        return dict(sorted(found.items(), key=lambda item: _rank(item[0])))


_UNNAMED = f"\nThe licence has no holder yet: replace `{NOBODY}` by your name in `LICENSE` and `pyproject.toml`.\n"


def purpose(path: str) -> str:
    """Return the purpose of a file."""
    return PURPOSES.get(path.rpartition("/")[2], TESTS)


def check_name(kind: str, name: str, registry: "Registry") -> None:
    """Raise UsageError, with another name, for a name that is invalid, clashes or is taken."""
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{name!r} is not a valid name: use at most {LONGEST} lower-case letters and digits, a letter first, with "
            f"'-' or '_' between words, such as {_as_name(name)}"
        )
    if reason := _clash(Scaffold(kind, name)) or _owner(name, registry):
        raise UsageError(f"{name!r} is taken: {reason}. Choose a different name, such as {_another(name)}")


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the files into a new or empty folder. Raises UsageError, and writes nothing, for any other folder."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            state = "is not empty" if folder.is_dir() else "is a file"
            raise UsageError(f"{folder} {state}: choose a different folder with --dir")
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} cannot be written: {why_not(error)}") from error


def _rank(path: str) -> tuple[bool, bool, bool, str]:
    """Return the key of the reading order: the package, its `__init__.py`, the tests, the rest."""
    folder, _, name = path.rpartition("/")
    return (not folder.startswith("src"), not folder.startswith("tests"), name == "__init__.py", path)


def _clash(scaffold: Scaffold) -> str:
    """Return why the name clashes in Python or in the template; "" if it does not."""
    word = scaffold.function
    if keyword.iskeyword(word):
        return "it is a keyword of Python"
    if word in sys.stdlib_module_names or word in KNOWN_MODULES:
        return "a Python module has this name"
    if word.removesuffix("s") in KINDS:
        return "it is the name of a kind of component"
    if {scaffold.function, scaffold.class_name} & _words(scaffold.kind):
        return "the example code of the component uses this name"
    return ""


def _words(kind: str) -> set[str]:
    """Return the names in the template code of a kind that are independent of the component's name."""
    stranger = Scaffold(kind, "stranger")
    texts = [text for path, text in stranger.files().items() if path.endswith(".py")]
    tokens = [each for text in texts for each in tokenize.generate_tokens(StringIO(text).readline)]
    words = {each.string for each in tokens if each.type == tokenize.NAME}
    return words - {stranger.function, stranger.class_name, stranger.package}


def _owner(name: str, registry: "Registry") -> str:
    """Return which installed or known distribution has the name already; "" if none has."""
    for entry in registry.entries:
        if entry.spec.name == name:
            return f"{entry.plugin.distribution or entry.plugin.name} has the {entry.kind} {entry.name}"
    for plugin in registry.plugins:
        if name in plugin.names:
            return f"{plugin.distribution or plugin.module} has a plugin with this name"
    for (kind, known), distribution in registry.known.items():
        if known == name:
            return f"{distribution} has the {kind} {known}"
    package = Scaffold("", name).package
    return f"a package {package} is installed" if find_spec(package) else ""


def _as_name(text: str) -> str:
    """Return the closest valid name."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower()
    name = re.sub(r"[^a-z0-9]+", "-", parted)[:LONGEST].strip("-")
    if name and not name[0].isalpha():
        name = f"my-{name}"[:LONGEST].strip("-")
    return name or "my-net"


def _another(name: str) -> str:
    """Return a name similar to a taken one."""
    return f"{name}-2" if name.startswith("my") else f"my-{name}"
