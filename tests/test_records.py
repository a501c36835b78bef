"""Records are values: a dataclass is frozen, unless it holds what changes while something runs."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGING = {
    "Changes",
    "Learner",
    "Looking",
    "Progress",
    "Sampler",
    "Scoring",
    "Seen",
    "Session",
    "Task",
    "Training",
    "_Asking",
    "_AtWork",
    "_Tried",
    "_Work",
}


def dataclasses_of(path: Path) -> dict[str, bool]:
    """The dataclasses of a module, and whether each is frozen."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text())):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            called = decorator if isinstance(decorator, ast.Call) else ast.Call(decorator, [], [])
            if isinstance(called.func, ast.Name) and called.func.id == "dataclass":
                options = {word.arg: ast.literal_eval(word.value) for word in called.keywords}
                found[node.name] = bool(options.get("frozen", False))
    return found


def test_records_are_frozen_and_what_changes_is_listed() -> None:
    modules = [path for folder in ("zoo", "plugins") for path in (ROOT / folder).rglob("*.py")]
    found = [record for path in modules for record in dataclasses_of(path).items()]  # two may have one name
    assert len(found) > 70
    assert {name for name, frozen in found if not frozen} == CHANGING
