"""The command line on a terminal of its own, and what it showed there."""

import fcntl
import os
import pty
import re
import struct
import termios
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from warm import Warm

# What Rich itself writes: styles, movements of the cursor, and erased lines.
OF_RICH = re.compile(r"\x1b\[(?:[0-9;]*m|[0-9]*[AG]|\?25[hl]|2K|K)|\r")


def on_terminal(
    warm: Warm, words: Sequence[str], *, env: Mapping[str, str], cwd: Path, width: int = 240, timeout: float = 120
) -> tuple[int, str]:
    """The exit code of `zoo`, and all that reached the terminal, without the sequences of Rich."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.OPOST  # a line end stays a line end
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    chunks: list[bytes] = []
    reader = threading.Thread(target=_read, args=(master, chunks))
    reader.start()
    try:
        code = warm.code(words, env=env, cwd=cwd, timeout=timeout, streams=[os.ttyname(slave)] * 2)
    finally:
        os.close(slave)
        reader.join()
        os.close(master)
    return code, OF_RICH.sub("", b"".join(chunks).decode("utf-8", "surrogateescape"))


def _read(master: int, chunks: list[bytes]) -> None:
    with suppress(OSError):  # the last one has closed the terminal
        while chunk := os.read(master, 2**16):
            chunks.append(chunk)
