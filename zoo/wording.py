"""Counts, values and configurations as text, the same in lines, tables, figures and presets."""

from collections import Counter
from collections.abc import Iterable, Mapping

from zoo.space import Value


def count_text(number: int, noun: str) -> str:
    """Return a number with its noun: `1 trial`, `24 trials`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def config_text(config: Mapping[str, Value], *, short: bool = False) -> str:
    """Return a configuration in one line: `hidden=32 training.learning_rate=0.00132`; `short` leaves out the scopes."""
    names = short_keys(config) if short else {key: key for key in config}
    return " ".join(f"{names[key]}={value_text(value)}" for key, value in config.items())


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Return keys without their scope, `learning_rate` for `training.learning_rate`, where this is unambiguous."""
    last = {key: key.rpartition(".")[2] for key in keys}
    count = Counter(last.values())
    return {key: name if count[name] == 1 else key for key, name in last.items()}


def value_text(value: Value) -> str:
    """Return a hyperparameter's value as text, a float with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def with_article(noun: str) -> str:
    """`a block`, `an architecture`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
