"""Write the generated pages from the installed components: `python docs/generate.py`. tests/test_site.py compares."""

from pathlib import Path

from generator import pages

from zoo.registry import Registry

FOLDER = Path(__file__).parent


def main() -> None:
    for name, text in pages(Registry.discover()).items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
