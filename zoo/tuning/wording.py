"""What lines, tables, pictures and presets say alike of a study."""

from collections import Counter
from collections.abc import Iterable, Mapping

from zoo.space import Value
from zoo.store.study import SCORED, Study


def how_many(study: Study) -> str:
    """How many trials a winner is chosen from: `20 trials`, `1 trial`."""
    number = sum(trial.status in SCORED and trial.value is not None for trial in study.trials)
    return f"{number} trial{'' if number == 1 else 's'}"


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
