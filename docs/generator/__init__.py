"""The generated pages: their paths and their texts, from the code."""

from generator.collection import collection
from generator.commands import commands_page
from generator.hooks import hook_pages
from generator.names import names_page
from zoo.registry import Registry


def pages(registry: Registry) -> dict[str, str]:
    """Return the text of every generated page, by its path in docs/."""
    return {
        "collection.md": collection(registry),
        "cli.md": commands_page(),
        "python.md": names_page(),
        **hook_pages(),
    }
