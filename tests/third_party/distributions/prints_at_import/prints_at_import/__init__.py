from collections.abc import Iterable

from zoo import Architecture, hookimpl

print("thank you for choosing prints_at_import")  # noqa: T201 - what this plugin is for


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    print("components, coming up")  # noqa: T201
    return [Architecture(name="talkative", factory="prints_at_import.network:Net", summary="Prints, too.")]
