"""Random damage to files: bytes that are flipped, cut off, dropped, inserted, moved, repeated or overwritten."""

from hypothesis import strategies as st

# Words and signs from which texts are made that look nearly like a file.
SIGNS = (
    *",:;.\n\r\t \"'[]{}=#@-+_\\\x00\x1b",
    "\r\n",
    "\ufeff",
    "٣",
    "é",
    "\udcff",
    "1",
    "0",
    "-2.5",
    "1e400",
    "nan",
    "inf",
)
WORDS = ("@data", "@classLabel true a b", "@dimensions 2", "@timeStamps", "a", "b", "true", "[training]", "epochs = 3")
TEXTS = st.lists(st.sampled_from(SIGNS + WORDS), max_size=60).map(lambda parts: "".join(parts))

PLACES = st.integers(0, 2**32)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "flip", "cut", "drop", "insert", "move", "copy", "fill"]),
        PLACES,
        PLACES,
        st.binary(min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def changed(content: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    """The content after bits were flipped, and pieces cut off, dropped, inserted, moved, repeated or overwritten."""
    for kind, first, second, some in changes:
        place, other = first % (len(content) + 1), second % (len(content) + 1)
        low, high = min(place, other), max(place, other)
        piece = content[low : min(high, low + 400)]
        if kind == "flip" and content:
            at = place % len(content)
            content = content[:at] + bytes([content[at] ^ 1 << second % 8]) + content[at + 1 :]
        elif kind == "cut":
            content = content[:place]
        elif kind == "drop":
            content = content[:low] + content[low + len(piece) :]
        elif kind == "insert":
            content = content[:place] + some + content[place:]
        elif kind == "move":
            content = content[:low] + content[low + len(piece) :] + piece
        elif kind == "copy":
            content = content[:other] + piece + content[other:]
        elif kind == "fill":
            content = content[:place] + some * 8 + content[place + 8 * len(some) :]
    return content
