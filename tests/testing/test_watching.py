"""What counts as a write of a component's own."""

from pathlib import Path

import pytest

from zoo.testing.watching import watched


@pytest.mark.parametrize(
    "name", ["/dev/null", "/proc/self/clear_refs", "__pycache__/wave.pyc", "net/__pycache__/a.pyc"]
)
def test_devices_and_the_cache_of_python_are_no_place_of_a_components_own(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    with watched() as seen:
        Path(name).write_text("5" if name.startswith("/") else "")
    assert seen.writes == []


@pytest.mark.parametrize("name", ["wave.pyc", "net/cache", "dev/null"])
def test_any_other_file_in_the_working_folder_is_one(name: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    with watched() as seen:
        Path(name).write_text("")
    assert [Path(path).resolve() for path in seen.writes] == [Path(name).resolve()]
