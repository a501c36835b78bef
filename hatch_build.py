"""Build hook: ships the root's registry.toml inside the wheel as zoo/registry.toml.

An editable install gets no copy (it would go stale in site-packages) and reads the root's file instead.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RegistryFile(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["registry.toml"] = "zoo/registry.toml"
