"""Write the generated pages, and `zoo/sizes.json`, from the installed components: `python docs/generate.py`.

tests/test_site.py compares the pages, and tests/test_sizes.py the sizes.
"""

from pathlib import Path

from generator import pages
from generator.sizes import sizes

from zoo.registry import Registry

FOLDER = Path(__file__).parent


def main() -> None:
    registry = Registry.discover()
    for name, text in pages(registry).items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (FOLDER.parent / "zoo" / "sizes.json").write_text(sizes(registry))


if __name__ == "__main__":
    main()
