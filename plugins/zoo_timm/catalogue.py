"""The index of timm's models: what must be known about each before timm is imported.

`index.tsv` is written by `python -m zoo_timm.index`. Its first line names timm's version; then, after an empty line,
the papers (arXiv number, title) and, after another, the models, one a line:

    name    paper    size    needs    pretrained tags

paper  the arXiv number of the paper its architecture is from; empty where timm itself is the source
size   height and width of the smallest picture it takes of those tried from 64 on
needs  `rgb`: it takes three channels and no other number; `head`: it ends in features, not in logits
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

INDEX = Path(__file__).with_name("index.tsv")
TIMM = "Wightman 2019, PyTorch Image Models, doi:10.5281/zenodo.4414861"


class Entry(NamedTuple):
    """One of timm's models; `needs` is "", "rgb" or "head"."""

    name: str
    paper: str
    size: int
    needs: str
    tags: tuple[str, ...]


def version() -> str:
    """The version of timm that the index was written from."""
    with INDEX.open(encoding="utf-8") as lines:
        return next(lines).split()[-1]


@cache
def read_catalogue() -> dict[str, Entry]:
    """All entries by their names, in the order of the index."""
    _, papers, models = INDEX.read_text(encoding="utf-8").split("\n\n")
    cited = {"": TIMM}
    for line in papers.splitlines():
        number, title = line.split("\t")
        cited[number] = f"{title}, arXiv:{number}"
    entries = {}
    for line in models.splitlines():
        name, paper, size, needs, tags = line.split("\t")
        entries[name] = Entry(name, cited[paper], int(size), needs, tuple(tags.split()))
    return entries
