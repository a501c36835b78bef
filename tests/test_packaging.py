"""What is built and installed: wheel, sdist and editable install of a copy of the checkout, all without the network."""

import configparser
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
OFFLINE = ["--no-index", "--no-deps", "--no-build-isolation"]
SHIPPED = "from zoo.settings import Settings, shipped_path; print(shipped_path())"
EPOCHS = f"{SHIPPED}; print(Settings.load().shipped.get('training', 'epochs'))"


def run(*command: str | Path, cwd: Path | None = None, path: str = "") -> str:
    """What a command prints; PYTHONPATH is what is given, and nothing else."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ZOO_")}
    variables |= {"NO_COLOR": "1", "PYTHONPATH": path}
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env=variables, cwd=cwd, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that git tracks, as they are now."""
    pytest.importorskip("pip")
    pytest.importorskip("hatchling", reason="what the zoo is built with; install zoo-registry[test]")
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip(f"{ROOT} is no git checkout")
    copy = tmp_path_factory.mktemp("checkout")
    for name in run("git", "ls-files", "-z", cwd=ROOT).split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def project(checkout: Path) -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    return tables


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(checkout, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=checkout)
    return next(folder.glob("*.tar.gz"))


def built_wheel(source: Path, folder: Path) -> Path:
    run(*PIP, "wheel", *OFFLINE, "--wheel-dir", folder, source)
    return next(folder.glob("zoo_registry-*.whl"))


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by name, but the list of their hashes."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}


def components(python: Path | str, cwd: Path, path: str = "") -> set[tuple[str, str]]:
    """Kind and name of all that the first-party plugins provide, as `zoo list` says."""
    rows = [line.split("\t") for line in run(python, "-m", "zoo", "list", cwd=cwd, path=path).splitlines()]
    return {(kind, name) for kind, name, *_ in rows[1:]}


def test_the_wheel_has_every_file_of_the_zoo_and_its_plugins_and_no_other(wheel: Path, checkout: Path) -> None:
    tracked = {path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()}
    wanted = {name for name in tracked if name.startswith("zoo/")} | {"zoo/registry.toml"}
    wanted |= {name.removeprefix("plugins/") for name in tracked if name.startswith("plugins/")}
    found = {name for name in contents(wheel) if ".dist-info/" not in name}
    assert found == wanted
    assert {"zoo/py.typed", "zoo/sizes.json"} <= found
    assert not [name for name in found if "tests" in Path(name).parts and not name.startswith("zoo/template/")]


def test_the_wheel_has_registry_toml_as_it_is_at_the_root(wheel: Path, checkout: Path) -> None:
    assert contents(wheel)["zoo/registry.toml"] == (checkout / "registry.toml").read_bytes()


def test_the_wheel_says_its_entry_points_and_licence(wheel: Path, project: dict[str, Any]) -> None:
    files = {name.partition(".dist-info/")[2]: content for name, content in contents(wheel).items()}
    points = configparser.ConfigParser(delimiters="=")
    points.read_string(files["entry_points.txt"].decode())
    assert dict(points["zoo"]) == project["entry-points"]["zoo"]
    assert dict(points["console_scripts"]) == {"zoo": "zoo.__main__:main"}
    assert "licenses/LICENSE" in files


def test_every_plugin_folder_has_its_entry_point(checkout: Path, project: dict[str, Any]) -> None:
    folders = {path.parent.name for path in (checkout / "plugins").glob("*/__init__.py")}
    assert folders == set(project["entry-points"]["zoo"].values())


def test_an_installed_wheel_works_from_anywhere(
    wheel: Path, checkout: Path, project: dict[str, Any], tmp_path: Path
) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(*PIP, "install", "--no-index", "--no-deps", "--target", site, wheel)
    assert run(sys.executable, "-c", SHIPPED, cwd=elsewhere, path=str(site)).strip() == str(site / "zoo/registry.toml")
    found = components(sys.executable, elsewhere, str(site))
    assert ("architecture", "cnngru") in found
    rows = [line.split("\t") for line in run(sys.executable, "-m", "zoo", "plugins", path=str(site)).splitlines()]
    ours = {row[0]: row[1] for row in rows if "zoo-registry" in row}
    assert ours == dict.fromkeys(project["entry-points"]["zoo"], "ok")
    assert components(sys.executable, checkout, os.pathsep.join([str(checkout), str(checkout / "plugins")])) == found
    version = run(sys.executable, "-m", "zoo", "--version", cwd=elsewhere, path=str(site))
    assert version == f"zoo {project['version']}\n"
    assert list(elsewhere.iterdir()) == []


def test_the_sdist_has_what_it_takes_to_build_and_test(sdist: Path, checkout: Path) -> None:
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "hatch_build.py", "registry.toml", "constraints.txt", "README.md", "LICENSE"}
    assert wanted <= found
    tests = {path.relative_to(checkout).as_posix() for path in (checkout / "tests").rglob("*") if path.is_file()}
    assert tests <= found


def test_a_wheel_from_the_sdist_is_the_wheel_from_the_checkout(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    assert contents(built_wheel(sdist, tmp_path)) == contents(wheel)


def test_an_editable_install_reads_the_files_of_the_checkout(checkout: Path, tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    shutil.copytree(checkout, root)
    elsewhere.mkdir()
    python = editable_environment(root, tmp_path / "environment")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    assert [path.name for path in site.rglob("registry.toml")] == []
    assert run(python, "-c", EPOCHS, cwd=elsewhere).split()[0] == str(root / "registry.toml")
    settings = (root / "registry.toml").read_text()
    before = tomllib.loads(settings)["training"]["epochs"]
    (root / "registry.toml").write_text(settings.replace(f"epochs = {before}", f"epochs = {before + 41}", 1))
    assert run(python, "-c", EPOCHS, cwd=elsewhere).split()[1] == str(before + 41)
    assert ("architecture", "cnngru") in components(python, elsewhere)
    init = root / "plugins/zoo_cnngru/__init__.py"
    init.write_text(init.read_text().replace('name="cnngru"', 'name="cnngru-edited"', 1))
    assert ("architecture", "cnngru-edited") in components(python, elsewhere)


def editable_environment(root: Path, folder: Path) -> Path:
    """The python of a virtual environment with an editable install, which borrows libraries from the running one."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    run(*PIP, "install", *OFFLINE, "--target", site, "--editable", root)
    borrowed = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    (site / "zz_borrowed.pth").write_text(borrowed)  # .pth files are read in the order of their names
    return python
