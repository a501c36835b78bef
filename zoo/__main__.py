"""The command `zoo`, also as `python -m zoo`."""

import io
import sys

from zoo.interruption import exit_code, heed_signals


def main() -> None:
    """Run the command line."""
    try:
        heed_signals()
        from zoo.cli.app import app

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 still shows the numbers

        app(prog_name="zoo")
    except (KeyboardInterrupt, RuntimeError) as error:
        stopped = error if isinstance(error, KeyboardInterrupt) else error.__cause__  # Python 3.11 may wrap it
        if not isinstance(stopped, KeyboardInterrupt):
            raise
        print("interrupted", file=sys.stderr)  # noqa: T201 - Rich may not be imported yet
        sys.exit(exit_code(stopped))


if __name__ == "__main__":
    main()
