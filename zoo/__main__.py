"""The command `zoo`, also as `python -m zoo`."""

import io
import sys


def main() -> None:
    """Run the command line."""
    from zoo.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 still gets its numbers

    app(prog_name="zoo")


if __name__ == "__main__":
    main()
