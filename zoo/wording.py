"""Counts, values and configurations as text: lines, tables, pictures and presets write them alike."""

from collections import Counter
from collections.abc import Iterable, Mapping

from zoo.space import Value


def count_text(number: int, noun: str) -> str:
    """`1 trial`, `24 trials`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def config_text(config: Mapping[str, Value], *, short: bool = False) -> str:
    """A configuration in one line: `hidden=32 training.learning_rate=0.00132`; keys without their scope if `short`."""
    names = short_keys(config) if short else {key: key for key in config}
    return " ".join(f"{names[key]}={value_text(value)}" for key, value in config.items())


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Keys without their scope, `learning_rate` for `training.learning_rate`, where no other is called so."""
    last = {key: key.rpartition(".")[2] for key in keys}
    count = Counter(last.values())
    return {key: name if count[name] == 1 else key for key, name in last.items()}


def value_text(value: Value) -> str:
    """A hyperparameter's value, three digits of a number that is not whole."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def with_article(noun: str) -> str:
    """`a block`, `an architecture`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
