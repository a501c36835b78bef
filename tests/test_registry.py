"""Discovery with modules made here; real installed distributions are in tests/third_party."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from zoo import Architecture, Block, Preset, hookimpl
from zoo.errors import UnknownName
from zoo.hookspecs import API_VERSION
from zoo.registry import Registry, Source, is_pattern, matches, presets_of, source_of, split_reference


def plugin(name: str, components: Callable[[], Any], hook: str = "zoo_components") -> ModuleType:
    module = ModuleType(name)
    components.__name__ = hook
    setattr(module, hook, hookimpl(components))
    return module


def architecture(name: str, **more: Any) -> Architecture:
    return Architecture(name=name, factory="somewhere.net:Net", summary="A net.", **more)


def block(name: str) -> Block:
    return Block(name=name, factory="somewhere.block:Block", summary="A block.")


def registry_of(*modules: ModuleType, disabled: tuple[str, ...] = ()) -> Registry:
    return Registry.load([source_of(module.__name__, module) for module in modules], disabled)


def test_components_answer_to_their_names_by_kind() -> None:
    registry = registry_of(plugin("one", lambda: [architecture("net"), block("net")]))
    assert registry.get("architecture", "net").spec == architecture("net")
    assert registry.get("block", "net").spec == block("net")
    assert [entry.name for entry in registry.of_kind("block")] == ["net"]


def test_a_typo_is_answered_with_the_nearest_name() -> None:
    registry = registry_of(plugin("one", lambda: [architecture("cnngru"), architecture("cnn2d")]))
    with pytest.raises(UnknownName, match=r"no architecture named 'cnngur'. Did you mean cnngru\?"):
        registry.get("architecture", "cnngur")


def test_a_name_that_a_known_distribution_provides_is_answered_with_how_to_install_it() -> None:
    modules = [plugin("one", lambda: [architecture("net")]), plugin("two", lambda: [])]
    sources = [
        Source(module.__name__, "", lambda module=module: module, "zoo-" + module.__name__) for module in modules
    ]
    known = {("architecture", "pulse"): "zoo-pulse", ("block", "gate"): "zoo-two"}
    registry = Registry.load(sources, ["two"], known)
    way_out = "To install it: pip install zoo-pulse"
    with pytest.raises(UnknownName, match=rf"^no architecture named 'pulse' is installed\. {way_out}$"):
        registry.get("architecture", "pulse")
    with pytest.raises(UnknownName, match=r"^no block named 'gate': plugin 'two', which provides it, is disabled$"):
        registry.get("block", "gate")
    with pytest.raises(UnknownName, match=r"^no block named 'pulse'\.$"):
        registry.get("block", "pulse")
    older = {("block", "gate"): "zoo-one"}
    with pytest.raises(UnknownName, match=r"^no block named 'gate' is installed. To install it: pip install zoo-one$"):
        Registry.load(sources, known=older).get("block", "gate")
    broken = Source("two", "", lambda: ModuleType("two"), "zoo-two")
    told = r"^no block named 'gate': plugin 'two', which provides it, did not load; `zoo plugins` shows why$"
    with pytest.raises(UnknownName, match=told):
        Registry.load([sources[0], broken], known=known).get("block", "gate")


@pytest.mark.parametrize(
    ("needed", "error"),
    [
        (API_VERSION, ""),
        ("1.99", rf"^needs plugin API 1.99, but this zoo has {API_VERSION}: pip install -U zoo-registry$"),
        ("2.0", "^needs plugin API 2.0"),
        ("0.3", rf"^was written for plugin API 0.3, but this zoo has {API_VERSION}: update the plugin$"),
        (1.0, "^ZOO_API must be a plugin API version such as '1.0', not 1.0$"),
        ("1", "^ZOO_API must be a plugin API version such as '1.0', not '1'$"),
        ("1.0.1", "^ZOO_API must be a plugin API version such as"),
        ("10.0", "^needs plugin API 10.0"),
    ],
)
def test_a_plugin_for_another_zoo_says_so_in_one_line(needed: Any, error: str) -> None:
    module = plugin("one", lambda: [architecture("net")])
    module.ZOO_API = needed  # type: ignore[attr-defined]
    (found,) = registry_of(module).plugins
    assert re.search(error, found.error) if error else found.status == "ok"
    assert found.api == str(needed)


def test_two_of_one_name_both_stay_and_the_bare_name_lists_them() -> None:
    mine, yours = plugin("mine", lambda: [architecture("net")]), plugin("yours", lambda: [architecture("net")])
    registry = registry_of(mine, yours)
    assert [entry.name for entry in registry.entries] == ["mine:net", "yours:net"]
    assert registry.get("architecture", "yours:net").plugin.name == "yours"
    with pytest.raises(UnknownName, match="'net' is provided by more than one plugin: use mine:net or yours:net"):
        registry.get("architecture", "net")


def test_the_qualified_name_works_without_a_rival() -> None:
    registry = registry_of(plugin("mine", lambda: [architecture("net")]))
    assert registry.get("architecture", "mine:net").name == "net"


def test_presets_of_plugin_and_user_are_found_by_name() -> None:
    spec = architecture("net", presets={"big": Preset(params={"hidden": 64})})
    registry = registry_of(plugin("one", lambda: [spec]))
    extra = {"net.mine": Preset(params={"hidden": 8}), "other.x": Preset(), "network.y": Preset()}
    (entry,) = registry.entries
    assert registry.architecture("net", extra) == (entry, "", Preset())
    assert registry.architecture("net.big") == (entry, "big", Preset(params={"hidden": 64}))
    assert registry.architecture("one:net.mine", extra) == (entry, "mine", Preset(params={"hidden": 8}))
    assert registry.architecture("net.big", {"net.big": Preset(params={"hidden": 1})})[2].params == {"hidden": 1}
    assert presets_of("net", extra) == {"mine": Preset(params={"hidden": 8})}
    with pytest.raises(UnknownName, match=r"no preset of net named 'bigg'. Did you mean big\?"):
        registry.architecture("net.bigg", extra)


def test_patterns_match_and_an_idle_one_is_an_error() -> None:
    registry = registry_of(plugin("one", lambda: [architecture("cnn1d"), architecture("cnn2d"), architecture("gru")]))
    assert [entry.name for entry in registry.match("architecture", "cnn*")] == ["cnn1d", "cnn2d"]
    with pytest.raises(UnknownName, match="no architecture matches"):
        registry.match("architecture", "x*")


def _generator_that_breaks() -> Any:
    yield architecture("first")
    raise RuntimeError("half way")


@pytest.mark.parametrize(
    ("components", "hook", "error"),
    [
        (lambda: 1 / 0, "zoo_components", "ZeroDivisionError: division by zero"),
        (lambda: sys.exit(3), "zoo_components", r"sys.exit\(3\)"),
        (_generator_that_breaks, "zoo_components", "RuntimeError: half way"),
        (lambda: ["net"], "zoo_components", r"^zoo_components\(\) returned str, not a spec"),
        (lambda: [architecture("a"), architecture("a")], "zoo_components", "^provides architecture 'a' twice$"),
        (lambda: [architecture("Not A Name")], "zoo_components", "name 'Not A Name' is not made of lower-case"),
        (lambda: [], "zoo_component", "implements a hook that does not exist: .*zoo_component"),
        (lambda: None, "zoo_components", "TypeError"),
    ],
)
def test_a_broken_plugin_is_a_row_and_the_others_work(components: Any, hook: str, error: str) -> None:
    registry = registry_of(plugin("broken", components, hook), plugin("fine", lambda: [architecture("net")]))
    broken, fine = registry.plugins
    assert (broken.status, broken.components) == ("error", ())
    assert re.search(error, broken.error)
    assert fine.status == "ok"
    assert [entry.name for entry in registry.entries] == ["net"]


def test_a_module_without_hooks_is_told_so() -> None:
    assert registry_of(ModuleType("empty")).plugins[0].error.startswith("implements no hook: ")


def test_a_plugin_that_broke_observes_nothing() -> None:
    seen: list[str] = []
    module = plugin("broken", lambda: 1 / 0)
    module.zoo_run_started = hookimpl(lambda run: seen.append(run))  # type: ignore[attr-defined]
    module.zoo_run_started.__name__ = "zoo_run_started"
    registry = registry_of(module, plugin("fine", lambda run: seen.append(f"fine {run}"), "zoo_run_started"))
    assert [each.status for each in registry.plugins] == ["error", "ok"]
    assert (registry.notify("zoo_run_started", run="run"), seen) == ([], ["fine run"])


def test_plugins_load_in_the_order_of_their_names_and_entries_stand_by_kind_and_name() -> None:
    sources = [
        Source("b", "", lambda: plugin("b", lambda: []), "second"),
        Source("b", "", lambda: plugin("b", lambda: [block("z"), architecture("same"), architecture("z")]), "first"),
        Source("a", "", lambda: plugin("a", lambda: [block("a"), architecture("same"), architecture("a")])),
    ]
    registry = Registry.load(sources)
    assert [(each.name, each.distribution) for each in registry.plugins] == [("a", ""), ("b", "first"), ("b", "second")]
    entries = [(entry.kind, entry.name) for entry in registry.entries]
    names = ("a", "a:same", "b:same", "z")
    assert entries == [*(("architecture", name) for name in names), ("block", "a"), ("block", "z")]
    assert "already" in registry.plugins[2].error, "one name is one plugin's"


def test_a_name_means_the_component_of_the_distribution_that_it_was_written_in() -> None:
    both = {"mine": "zoo-mine", "yours": "zoo-yours", "twice": "zoo-twice", "more": "zoo-twice", "bare": ""}
    registry = Registry.load(
        [Source(name, "", lambda name=name: plugin(name, lambda: [block("gate")]), home) for name, home in both.items()]
    )
    assert registry.get("block", "gate", home="zoo-mine").name == "mine:gate"
    assert registry.get("block", "gate", home="zoo-yours").name == "yours:gate"
    assert registry.get("block", "mine:gate", home="zoo-yours").name == "mine:gate"
    names = "bare:gate or mine:gate or more:gate or twice:gate or yours:gate"
    rivals = f"^'gate' is provided by more than one plugin: use {names}, or set .plugins. prefer$"
    for home in ("", "zoo-other", "zoo-twice"):
        with pytest.raises(UnknownName, match=rivals):
            registry.get("block", "gate", home=home)


def test_the_preferred_distributions_decide_what_a_bare_name_means() -> None:
    both = {"mine": "zoo-mine", "yours": "zoo-yours", "twice": "zoo-twice", "more": "zoo-twice"}
    sources = [
        Source(name, "", lambda name=name: plugin(name, lambda: [block("gate")]), home) for name, home in both.items()
    ]
    for prefer, meant in (
        (["zoo-yours"], "yours:gate"),
        (["zoo-gone", "zoo-mine", "zoo-yours"], "mine:gate"),
        (["zoo-twice", "zoo-mine"], "mine:gate"),  # zoo-twice has two of the name
    ):
        registry = Registry.load(sources, prefer=prefer)
        assert registry.get("block", "gate").name == meant
        assert registry.get("block", "gate", home="zoo-mine").name == "mine:gate", "the author's own comes first"
        assert registry.get("block", "twice:gate").name == "twice:gate"
    with pytest.raises(UnknownName, match="more than one plugin"):
        Registry.load(sources, prefer=["zoo-twice"]).get("block", "gate")


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("cnn2d", "cnn*", True),
        ("cnn2d", "CNN*", False),
        ("cnn2d", "cnn?", False),
        ("cnn2d", "cnn[12]d", True),
        ("timm/resnet18", "*", False),
        ("timm/resnet18", "timm/*", True),
        ("timm/resnet18", "timm/vgg*", False),
        ("resnet18", "*/*", False),
    ],
)
def test_a_star_does_not_reach_over_the_slash_of_a_family(name: str, pattern: str, fits: bool) -> None:
    assert matches(name, pattern) == fits
    assert is_pattern(pattern)
    assert not is_pattern(name)
    assert not is_pattern("axis.x")


@pytest.mark.parametrize(
    ("reference", "name", "preset"),
    [
        ("net", "net", ""),
        ("net.big", "net", "big"),
        ("net.big.er", "net", "big.er"),
        ("plugin:net", "plugin:net", ""),
        ("my.plugin:net.big", "my.plugin:net", "big"),
        ("pulse@zoo-pulse:net", "pulse@zoo-pulse:net", ""),
    ],
)
def test_a_reference_is_a_name_and_a_preset(reference: str, name: str, preset: str) -> None:
    assert split_reference(reference) == (name, preset)


def installed(folder: Path, name: str, entry_points: str, module: str = "") -> None:
    """A distribution in a folder, as pip leaves one."""
    facts = folder / f"{name.replace('-', '_')}-1.5.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (facts / "entry_points.txt").write_text(entry_points)
    if module:
        (folder / f"{module}.py").write_text(MODULE.format(name=module.replace("_", "-")))


MODULE = """import sys
import zoo

print("loaded")

@zoo.hookimpl
def zoo_components():
    print("asked")
    return [zoo.Block(name="{name}", factory="{name}:made".replace("-", "_"), summary="A block.")]
"""


def test_what_is_installed_is_found_and_taken_names_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        installed(tmp_path, f"pulse-{name}", f"[zoo]\nwave = wave_{name}\n[other]\nleft = out\n", f"wave_{name}")
    installed(tmp_path, "pulse-three", "[zoo]\nthird = wave_three\n", "wave_three")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry.discover(disabled=["third"], known={("block", "x"): "zoo-x"})
    found = {each.name: each for each in registry.plugins if each.distribution.startswith("pulse-")}
    assert list(found) == ["third", "wave@pulse-one", "wave@pulse-two"]
    assert [each.status for each in found.values()] == ["disabled", "ok", "ok"]
    one = found["wave@pulse-one"]
    assert (one.module, one.distribution, one.version, one.api) == ("wave_one", "pulse-one", "1.5", "")
    assert [spec.name for spec in one.components] == ["wave-one"]
    assert "wave_three" not in sys.modules
    assert registry.get("block", "wave-two").plugin is found["wave@pulse-two"]
    with pytest.raises(UnknownName, match="pip install zoo-x"):
        registry.get("block", "x")
    assert capsys.readouterr() == ("", "loaded\nasked\n" * 2), "what a plugin prints goes to stderr"
    off = Registry.discover(disabled=["wave", "third"])
    assert {each.status for each in off.plugins if each.distribution.startswith("pulse-")} == {"disabled"}
    one_off = Registry.discover(disabled=["wave@pulse-one"])
    assert {each.name for each in one_off.plugins if each.disabled} == {"wave@pulse-one"}


def test_a_damaged_distribution_is_a_warning_and_the_others_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [each.name for each in Registry.discover().plugins]
    installed(tmp_path, "pulse-damaged", "[zoo]\nno equals sign\n")
    installed(tmp_path, "pulse-four", "[zoo]\nfourth = wave_four\n[console_scripts]\nleft = out:main\n", "wave_four")
    monkeypatch.syspath_prepend(tmp_path)
    found = [each.name for each in Registry.discover().plugins]
    assert found == sorted([*before, "fourth"])
    out, err = capsys.readouterr()
    warning = "warning: the entry points of pulse-damaged cannot be read: "
    assert (out, [line.startswith(warning) for line in err.splitlines()]) == ("", [True, False, False])


def test_an_interruption_in_an_observer_is_not_swallowed_and_its_prints_go_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(run: Any) -> None:
        raise KeyboardInterrupt

    loud, slow = (
        plugin("loud", lambda run: print("seen"), "zoo_run_started"),  # noqa: T201
        plugin("slow", interrupted, "zoo_run_finished"),
    )
    registry = registry_of(loud, slow)
    assert registry.notify("zoo_run_started", run=1) == []
    assert capsys.readouterr() == ("", "seen\n")
    with pytest.raises(KeyboardInterrupt):
        registry.notify("zoo_run_finished", run=1)


def test_an_interruption_while_loading_is_not_swallowed() -> None:
    def interrupted() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Registry.load([Source("slow", "slow", interrupted)])


def test_a_disabled_plugin_is_not_imported() -> None:
    imported: list[str] = []  # what a source raises would be its plugin's error, and fail no test

    def load() -> ModuleType:
        imported.append("off")
        return plugin("off", lambda: [block("gate")])

    registry = Registry.load([Source("off", "off", load)], disabled=["off"])
    assert (registry.plugins[0].status, registry.plugins[0].components, imported) == ("disabled", (), [])


def test_an_observer_that_raises_is_reported_and_the_rest_are_called() -> None:
    seen: list[int] = []

    def breaks(run: Any) -> None:
        raise ValueError("no tracker")

    registry = registry_of(
        plugin("a", breaks, "zoo_run_started"),
        plugin("b", lambda run: seen.append(run), "zoo_run_started"),
    )
    assert registry.notify("zoo_run_started", run=7) == ["plugin 'a': zoo_run_started raised ValueError: no tracker"]
    assert seen == [7]
