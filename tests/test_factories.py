import pytest

from zoo import Architecture
from zoo.assignments import parse_assignments, parse_value
from zoo.errors import PluginError, UnknownName, UsageError
from zoo.factories import complete, load_factory
from zoo.registry import Registry


def test_defaults_come_from_the_signature(registry: Registry) -> None:
    spec = registry.get("architecture", "cnngru").spec
    values = complete(spec, {"hidden": 8})
    assert values.items() >= {"hidden": 8, "num_blocks": 2, "gru_hidden": 64, "num_layers": 1, "dropout": 0.2}.items()
    assert list(values)[:2] == ["hidden", "num_blocks"]


def test_values_get_the_type_of_the_default(registry: Registry) -> None:
    spec = registry.get("architecture", "cnngru").spec
    values = complete(spec, {"dropout": 0, "hidden": 16.0})
    assert (values["dropout"], values["hidden"]) == (0.0, 16)
    assert (type(values["dropout"]), type(values["hidden"])) == (float, int)
    with pytest.raises(UsageError, match="cnngru's hidden must be a whole number, not 'many'"):
        complete(spec, {"hidden": "many"})
    with pytest.raises(UsageError, match="cnngru's hidden must be a whole number, not True"):
        complete(spec, {"hidden": True})


def test_what_the_harness_passes_cannot_be_set(registry: Registry) -> None:
    with pytest.raises(UnknownName, match="no parameter of cnngru named 'n_classes'"):
        complete(registry.get("architecture", "cnngru").spec, {"n_classes": 3})
    with pytest.raises(UnknownName, match="Did you mean hidden"):
        complete(registry.get("architecture", "cnngru").spec, {"hiden": 3})


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_such_module:Net", "cannot be imported: ModuleNotFoundError"),
        ("json:NoSuchName", "the module has no callable 'NoSuchName'"),
        ("json:__name__", "no callable"),
    ],
)
def test_a_factory_that_is_not_there_is_one_line(factory: str, message: str) -> None:
    spec = Architecture(name="ghost", factory=factory, summary="Not there.")
    with pytest.raises(PluginError, match=message) as error:
        load_factory(spec.factory)
    assert "\n" not in str(error.value)


def test_assignments_read_as_toml_and_fall_back_to_text() -> None:
    parsed = parse_assignments(["a=1", "b=0.5", "c=true", "d=smote", "e='1'", "f=1e-3", "g=a=b"])
    assert parsed == {"a": 1, "b": 0.5, "c": True, "d": "smote", "e": "1", "f": 0.001, "g": "a=b"}
    assert parse_value("[1, 2]") == "[1, 2]"
    for bad in ("lonely", "=3"):
        with pytest.raises(UsageError, match="is not key=value"):
            parse_assignments([bad])
