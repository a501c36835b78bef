"""Discovery with modules made here; real installed distributions are in tests/third_party."""

import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from zoo import Architecture, Block, Preset, hookimpl
from zoo.errors import UnknownName
from zoo.hookspecs import API_VERSION
from zoo.registry import Registry, Source, source_of


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
    with pytest.raises(UnknownName, match=r"^no architecture named 'pulse' is installed. To have it: pip install zoo"):
        registry.get("architecture", "pulse")
    with pytest.raises(UnknownName, match=r"^no block named 'gate': plugin 'two', which provides it, is disabled$"):
        registry.get("block", "gate")
    with pytest.raises(UnknownName, match="no block named 'pulse'"):
        registry.get("block", "pulse")


@pytest.mark.parametrize(
    ("needed", "error"),
    [
        (API_VERSION, ""),
        ("1.99", rf"^needs plugin API 1.99, and this zoo offers {API_VERSION}: pip install -U zoo-registry$"),
        ("2.0", "^needs plugin API 2.0"),
        ("0.3", rf"^was written for plugin API 0.3, and this zoo offers {API_VERSION}: is there a newer one"),
        (1.0, "^ZOO_API is the version it was written for, such as '1.0', not 1.0$"),
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
    with pytest.raises(UnknownName, match="'net' is provided more than once: say mine:net or yours:net"):
        registry.get("architecture", "net")


def test_the_qualified_name_works_without_a_rival() -> None:
    registry = registry_of(plugin("mine", lambda: [architecture("net")]))
    assert registry.get("architecture", "mine:net").name == "net"


def test_presets_of_plugin_and_user_are_found_by_name() -> None:
    spec = architecture("net", presets={"big": Preset(params={"hidden": 64})})
    registry = registry_of(plugin("one", lambda: [spec]))
    extra = {"net.mine": Preset(params={"hidden": 8}), "other.x": Preset()}
    assert registry.architecture("net.big")[2].params == {"hidden": 64}
    assert registry.architecture("net.mine", extra)[2].params == {"hidden": 8}
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
        (lambda: ["net"], "zoo_components", r"gave str, not a spec"),
        (lambda: [architecture("a"), architecture("a")], "zoo_components", "provides architecture 'a' twice"),
        (lambda: [architecture("Not A Name")], "zoo_components", "name 'Not A Name' is not lower-case"),
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
    assert "implements no hook" in registry_of(ModuleType("empty")).plugins[0].error


def test_an_interruption_while_loading_is_not_swallowed() -> None:
    def interrupted() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Registry.load([Source("slow", "slow", interrupted)])


def test_a_disabled_plugin_is_not_imported() -> None:
    def load() -> Any:
        raise AssertionError("imported")

    registry = Registry.load([Source("off", "off", load)], disabled=["off"])
    assert registry.plugins[0].status == "disabled"


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
