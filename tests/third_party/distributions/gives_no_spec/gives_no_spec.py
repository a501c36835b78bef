from collections.abc import Iterable
from typing import Any

from zoo import hookimpl


@hookimpl
def zoo_components() -> Iterable[Any]:
    return [{"name": "net"}]
