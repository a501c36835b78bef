"""The index of timm's models: the facts about each that are needed before timm is imported.

`python -m zoo_timm.index` writes `index.tsv`. Its first line is timm's version. After an empty line come the papers
(arXiv number, title). After another empty line come the models, one per line:

    name    paper    size    needs    pretrained tags

paper  the arXiv number of the paper of the architecture; empty if timm itself is the source
size   height and width of the smallest picture that the model accepts, of the sizes tried from 64 on
needs  `rgb`: the model accepts three channels only; `head`: the model returns features, not logits
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
    """Return the version of timm that the index was written with."""
    with INDEX.open(encoding="utf-8") as lines:
        return next(lines).split()[-1]


@cache
def read_catalogue() -> dict[str, Entry]:
    """Return all entries by name, in the order of the index."""
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
