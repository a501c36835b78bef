"""The command line of a simulation with several parts, each of which prints a table."""

import argparse
from collections.abc import Callable, Mapping

import numpy as np


def run_parts(
    description: str | None, parts: Mapping[str, Callable[[int, np.random.Generator], None]], repeats: int
) -> None:
    """Run the part that `--only` names, or all. Each part has random numbers of its own, from the same seed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=parts)
    options = parser.parse_args()
    for name, part in parts.items():
        if options.only in (None, name):
            part(options.repeats, np.random.default_rng(options.seed))
