"""The words that lines, tables, pictures and presets share."""

import pytest

from zoo.scores import metric_words
from zoo.wording import config_text, short_keys, value_text


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("macro_recall", "validation macro recall"),
        ("accuracy", "validation accuracy"),
        ("validation_loss", "validation loss"),
    ],
)
def test_a_metric_is_said_to_be_of_validation(metric: str, words: str) -> None:
    assert metric_words(metric) == words


def test_a_configuration_is_one_line_with_its_scopes_or_without() -> None:
    config = {"hidden": 32, "training.learning_rate": 0.0013217, "block": "se", "block.size": 2, "data.size": 3}
    assert config_text(config) == "hidden=32 training.learning_rate=0.00132 block=se block.size=2 data.size=3"
    assert config_text(config, short=True) == "hidden=32 learning_rate=0.00132 block=se block.size=2 data.size=3"
    assert short_keys(["a.b.c", "d", "e.d"]) == {"a.b.c": "c", "d": "d", "e.d": "e.d"}
    assert [value_text(value) for value in (1234567, 0.5, 1234567.0, True, "x")] == [
        "1234567", "0.5", "1.23e+06", "True", "x"
    ]  # fmt: skip
