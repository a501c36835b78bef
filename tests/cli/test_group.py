"""How words on the command line are read."""

import pytest

from zoo.cli.group import _global_first, _spread


@pytest.mark.parametrize(
    ("words", "spread"),
    [
        ("cnngru --data original smote --rows 5", "cnngru --data original --data smote --rows 5"),
        ("cnngru --block none se --data smote", "cnngru --block none --block se --data smote"),
        ("--data smote cnngru cnn2d", "--data smote cnngru cnn2d"),
        ("--rows 5 cnngru --data a b", "--rows 5 cnngru --data a --data b"),
        ("cnngru --json --data a b --json", "cnngru --json --data a --data b --json"),
        ("cnngru --data=a b --rows 3", "cnngru --data=a --data b --rows 3"),
        ("--force cnngru --data a b", "--force cnngru --data a --data b"),
        ("cnngru --rows -1 --data a", "cnngru --rows -1 --data a"),
        ("cnngru cnn2d", "cnngru cnn2d"),
    ],
)
def test_an_axis_takes_several_values_once_an_architecture_is_named(words: str, spread: str) -> None:
    assert _spread(words.split(), {"--json", "--force"}) == spread.split()


def test_global_options_may_stand_anywhere() -> None:
    assert _global_first(["bench", "x", "--config", "f", "--debug"]) == ["--config", "f", "--debug", "bench", "x"]
    assert _global_first(["list", "--config=f.toml"]) == ["--config=f.toml", "list"]
    assert _global_first(["list", "--registry=f.toml"]) == ["--registry=f.toml", "list"]
