"""Plugins that break one promise each, on purpose, as modules in a folder: the check named for it says so."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from zoo.errors import UnknownName, UsageError
from zoo.registry import Registry, Source
from zoo.testing import NotConforming
from zoo.testing import plugins as kit
from zoo.testing.check import Check
from zoo.testing.collection import subjects

PLUGIN = """
import zoo

@zoo.hookimpl
def zoo_components():
    yield zoo.Architecture(name="{name}-net", factory="{name}_net:Net", summary="A net.")
    yield zoo.Architecture(name="{name}-other", factory="{name}_net:Net", summary="Another.")
"""
NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes):
        super().__init__()
        self.head = nn.Linear(n_channels, n_classes)

    def forward(self, x):
        return self.head(x.mean(-1))
"""
EMPTY = "import zoo\n\n@zoo.hookimpl\ndef zoo_components():\n    return []\n"
OBSERVER = "import zoo\n\n@zoo.hookimpl\ndef zoo_run_finished(run): ...\n"
CAUGHT = "import contextlib\nwith contextlib.suppress(OSError):\n    open('/no-such-folder/log', 'w')\n"
ALONE = "import sys\nif 'pytest' not in sys.modules:\n    import os\n    os._exit(3)\n"
# By the name of the plugin: its module, the check, and the words of its message.
BROKEN = {
    "raises": ("raise RuntimeError('no licence')\n" + PLUGIN, "loads", "^RuntimeError: no licence$"),
    "misnames": (PLUGIN.replace("{name}-net", "My Net"), "loads", "name 'My Net' is not made of lower-case"),
    "heavy": ("import numpy\n" + PLUGIN, "light_import", "^it imports numpy: move this import to the modules of"),
    "dies": (ALONE + PLUGIN, "light_import", "its import ends Python with exit code 3"),
    "empty": (EMPTY, "provides", "returns nothing, and it observes no runs"),
    "warns": ("import warnings\nwarnings.simplefilter('ignore')\n" + PLUGIN, "global_state", "warning filters"),
    "seeds": ("import random\nrandom.seed(0)\n" + PLUGIN, "global_state", "Python's random seed"),
    "writes": (CAUGHT + PLUGIN, "writes", "^its import writes /no-such-folder/log$"),
    "lists": ("CONFORMANCE = '{name}_net:NAMES'\n" + PLUGIN, "representatives", "contains absent, which it does not p"),
    "mislists": ("CONFORMANCE = 'no_module:NAMES'\n" + PLUGIN, "representatives", "not 'package.module:NAMES'"),
}
# What stands before the code of a network, and what is said of its import.
BROKEN_IMPORTS = {
    "sets-type": ("import torch\ntorch.set_default_dtype(torch.float64)\n", "global_state", "torch's default dtype"),
    "seeds-torch": ("import torch\ntorch.manual_seed(0)\n", "global_state", "torch's random state"),
    "warns-late": ("import warnings\nwarnings.simplefilter('ignore')\n", "global_state", "the warning filters"),
    "writes-late": (CAUGHT, "writes", "writes /no-such-folder/log"),
}
Loaded = Callable[..., Registry]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:
    """Writes plugins as modules, each with its network, and gives the registry of them: `load(name=(plugin, net))`."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def loaded(**plugins: tuple[str, str]) -> Registry:
        sources = []
        for name, (plugin, net) in plugins.items():
            module = name.replace("@", "_")
            (tmp_path / f"{module}.py").write_text(plugin.replace("{name}", module))
            (tmp_path / f"{module}_net.py").write_text(net)
            sources.append(Source(name, module, EntryPoint(name, module, "zoo").load))
        return Registry.load(sources)

    yield loaded
    torch.set_default_dtype(torch.float32)
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]


def check_of(registry: Registry, kind: str, word: str, name: str) -> Check:
    """The check of that name of the plugin or the component that a word stands for."""
    (found,) = (each for each in subjects(registry, [word]) if (each.kind, each.name) == (kind, word))
    return next(check for check in found.checks if check.name == name)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_caught_by_the_check_named_for_it(load: Loaded, name: str) -> None:
    plugin, wanted, words = BROKEN[name]
    own = f"plugin_{name}"
    registry = load(**{own: (plugin, NET + "\nNAMES = ['absent']\n")})
    with pytest.raises(NotConforming, match=words) as caught:
        check_of(registry, "plugin", own, wanted)()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", BROKEN_IMPORTS)
def test_what_the_import_of_a_network_does_is_seen(load: Loaded, name: str) -> None:
    first, wanted, words = BROKEN_IMPORTS[name]
    own = f"plugin_{name.replace('-', '_')}"
    registry = load(**{own: (PLUGIN, first + NET)})
    with pytest.raises(NotConforming, match=f"^the import of its factory .*{words}$"):
        check_of(registry, "architecture", f"{own}-net", wanted)()


def test_every_check_of_plugins_has_one_that_it_catches() -> None:
    caught = {wanted for _, wanted, _ in BROKEN.values()} | {"names", "parity", "references"}
    assert {check.__name__ for check in (*kit.CHECKS, kit.representatives, kit.parity, kit.references)} == caught


REFERENCE = """
[[reference]]
architecture = "plugin_refers-net"
dataset = "ECG200"
source = "its paper"
scores = { accuracy = 0.9 }
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (REFERENCE.replace("accuracy", "acuracy"), "no score named 'acuracy'. Did you mean accuracy"),
        (REFERENCE + 'preset = "papr"', "no preset of plugin_refers-net named 'papr'"),
        (REFERENCE + "set = { hiden = 3 }", "no parameter of plugin_refers-net named 'hiden'"),
        (REFERENCE + "set = { training.epoch_s = 3 }", "entry 1: no training setting named epoch_s"),
        (REFERENCE.replace("plugin_refers-net", "fcn"), "no architecture of this plugin named 'fcn'"),
        ("[[reference]", "plugin_refers.references.toml:1: "),
    ],
)
def test_a_wrong_reference_is_caught(load: Loaded, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "plugin_refers.references.toml").write_text(text)
    registry = load(plugin_refers=(PLUGIN, NET))
    with pytest.raises(NotConforming, match=words) as caught:
        check_of(registry, "plugin", "plugin_refers", "references")()
    assert "\n" not in str(caught.value)


def test_a_plugin_without_references_has_no_check_of_them(load: Loaded, tmp_path: Path) -> None:
    registry = load(plugin_refers=(PLUGIN, NET))
    (plain,) = (each for each in subjects(registry, ["plugin_refers"]) if each.kind == "plugin")
    assert "references" not in {check.name for check in plain.checks}
    (tmp_path / "plugin_refers.references.toml").write_text(REFERENCE)
    check_of(registry, "plugin", "plugin_refers", "references")()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[other-net]\nnot_compared = "no code"', "parity.toml: other-net: plugin 'plugin_own' has no architecture of"),
        ("[plugin_own-net]", r"plugin_own-net: write \[\[plugin_own-net\]\] for outputs"),
        ("x = ", r"parity.toml:1: invalid value|parity.toml, at its end: "),
    ],
)
def test_a_file_of_expected_outputs_that_is_not_valid_is_caught(
    load: Loaded, tmp_path: Path, content: str, words: str
) -> None:
    registry = load(plugin_own=(PLUGIN, NET))
    (tmp_path / "parity.toml").write_text(content)
    with pytest.raises(NotConforming, match=words) as caught:
        check_of(registry, "plugin", "plugin_own", "parity")()
    assert "\n" not in str(caught.value)


def test_a_taken_name_is_caught_with_whose_it_is(load: Loaded) -> None:
    taken = PLUGIN.replace("{name}-net", "taken")
    registry = load(plugin_one=(taken, NET), plugin_two=(taken, NET))
    with pytest.raises(NotConforming, match=r"^architecture 'taken' is also provided by plugin_one$"):
        check_of(registry, "plugin", "plugin_two", "names")()
    assert len([each for each in subjects(registry, ["taken"]) if each.entry]) == 2


def test_a_taken_entry_point_is_caught(load: Loaded) -> None:
    registry = load(**{"plugin_same@one": (PLUGIN, NET), "plugin_same@two": (PLUGIN, NET)})
    with pytest.raises(NotConforming, match=r"^another installed plugin has the same name, 'plugin_same'$"):
        check_of(registry, "plugin", "plugin_same@two", "names")()


def test_a_plugin_that_observes_provides_something(load: Loaded) -> None:
    check_of(load(plugin_observer=(OBSERVER, NET)), "plugin", "plugin_observer", "provides")()


def test_what_stands_for_a_family_is_checked_in_its_place_unless_others_are_named(load: Loaded) -> None:
    listed = "CONFORMANCE = '{name}_net:NAMES'\n" + PLUGIN
    registry = load(plugin_large=(listed, NET + "\nNAMES = ('plugin_large-other',)\n"))

    def named(*words: str) -> list[str]:
        return [f"{each.kind} {each.name}" for each in subjects(registry, words or None)]

    assert named() == named("plugin_large") == ["plugin plugin_large", "architecture plugin_large-other"]
    assert named("plugin_large:plugin_large-net") == ["plugin plugin_large", "architecture plugin_large-net"]
    assert named("plugin_*") == [
        "plugin plugin_large",
        "architecture plugin_large-net",
        "architecture plugin_large-other",
    ]


def test_a_name_of_nothing_or_of_what_is_disabled_is_one_line(load: Loaded) -> None:
    load(plugin_off=(PLUGIN, NET))
    registry = Registry.load([Source("plugin_off", "plugin_off", lambda: None)], disabled=["plugin_off"])
    with pytest.raises(UsageError, match=r"^plugin 'plugin_off' is disabled, so it cannot be checked$"):
        subjects(registry, ["plugin_off"])
    with pytest.raises(UnknownName, match=r"^no component or plugin named 'plugin_of'\. Did you mean plugin_off\?$"):
        subjects(registry, ["plugin_of"])
