"""Text of others, such as names, labels and values, made safe to show on a terminal and in messages."""

import re

LONGEST_VALUE = 120  # characters of a wrong value that a message repeats
LONGEST_WORD = 180  # such as a path
LONGEST_MESSAGE = 1_000

# Text in quotes, as `repr` writes it. An apostrophe after a letter or a digit begins none.
_QUOTED = re.compile(r"""(?<!\w)(['"])((?:\\.|(?!\1)[^\\])*+)\1""")


def visible(text: str) -> str:
    r"""Return the text with an escape, such as `\x1b` or `\u202e`, for each character that is not printable.

    These are the control characters and line ends, signs without width, signs that change the direction of writing,
    and bytes of a name that are not UTF-8. The escapes are those of `repr`.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8. A name or an argument with other bytes cannot."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def abridged(text: str, most: int) -> str:
    """Return the text, or the start and the end of a text of more than `most` characters."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]}…{text[-(most - most * 2 // 3 - 1) :]}"


def quoted(value: object) -> str:
    """Return a wrong value of any type for a message, as `repr` writes it, but in one line and not endless."""
    try:
        text = repr(value)
    except Exception:  # a number or a nesting that Python does not write, or a type that cannot write itself
        text = f"a value of the type {type(value).__name__}"
    return abridged(visible(text), LONGEST_VALUE)


def sentence(message: str) -> str:
    """Return a message as one printable line in which no quoted value and no word is endless."""
    text = visible(abridged(message, 10 * LONGEST_MESSAGE))
    short = _QUOTED.sub(lambda found: f"{found[1]}{abridged(found[2], LONGEST_VALUE)}{found[1]}", text)
    words = (abridged(word, LONGEST_WORD) for word in short.split(" "))
    return abridged(" ".join(words), LONGEST_MESSAGE)
