"""Start-up time of the command line, compared with a minimal Typer program that prints a Rich table.

    python benchmarks/startup.py [--rounds 15]

Every round runs each command once, in turn and on a pseudo-terminal, so a busy machine slows all commands equally.
The ratio is the median over the rounds. Goal: at most 2.
"""

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

BARE = """
import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()

@app.command()
def main() -> None:
    table = Table("kind", "name", "what it is")
    for number in range(14):
        table.add_row("architecture", f"net{number}", "A network of layers, one after the other.")
    Console().print(table)

app()
"""


def seconds(command: list[str]) -> float:
    """Return the wall time of a command whose output goes to a pseudo-terminal."""
    ours, theirs = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    try:
        while os.read(ours, 65536):
            pass
    except OSError:  # Linux raises it when the other side has closed
        pass
    if process.wait() != 0:
        raise SystemExit(f"{command} failed")
    elapsed = time.perf_counter() - started
    os.close(ours)
    return elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "bare Typer and Rich": [sys.executable, str(bare)],
            "zoo --help": [sys.executable, "-m", "zoo", "--help"],
            "zoo list": [sys.executable, "-m", "zoo", "list"],
        }
        for command in commands.values():
            seconds(command)  # warms the file cache
        times = {name: [0.0] * rounds for name in commands}
        for number in range(rounds):
            for name, command in commands.items():
                times[name][number] = seconds(command)
    base = times["bare Typer and Rich"]
    print(f"{'command':<22}{'median ms':>10}{'ratio':>8}")
    for name, found in times.items():
        ratio = median(one / other for one, other in zip(found, base, strict=True))
        print(f"{name:<22}{1000 * median(found):>10.0f}{ratio:>8.2f}")


if __name__ == "__main__":
    main()
