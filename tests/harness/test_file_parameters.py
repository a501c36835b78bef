"""Parameters that are files: their content is in the key, and a trained network does not need them again."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

import zoo
import zoo_imbalance
from zoo import Architecture, hookimpl
from zoo.errors import PluginError, UsageError
from zoo.networks import Network
from zoo.registry import Registry, Source, source_of
from zoo.store.run import Run

NETWORK = """
import torch
from safetensors.torch import load_file
from torch import nn


class Net(nn.Module):
    def __init__(self, *, n_channels, n_times, n_classes, start=None):
        super().__init__()
        self.head = nn.Linear(n_times, n_classes)
        if start is not None:
            nn.init.constant_(self.head.weight, float(load_file(start)["value"]))

    def forward(self, x):
        return self.head(x[:, 0])
"""
SHAPE = {"n_channels": 1, "n_times": 8, "n_classes": 3}


def weights(path: Path, value: float) -> str:
    save_file({"value": torch.tensor(value)}, path)
    return str(path)


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    (tmp_path / "starting_net.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)

    class Plugin:
        @hookimpl
        def zoo_components(self) -> list[Any]:
            spec = {"factory": "starting_net:Net", "summary": "Mine."}
            wrong = Architecture(name="wrong", files=("weights",), **spec)  # type: ignore[arg-type]
            return [Architecture(name="starting", files=("start",), **spec), wrong]  # type: ignore[arg-type]

    return Registry.load([source_of("imbalance", zoo_imbalance), Source("mine", __name__, Plugin)])


def test_the_key_has_the_content_of_a_file_not_its_path(starting: Registry, waves_csv: Path, tmp_path: Path) -> None:
    def bench(start: str | None, **more: Any) -> Run:
        given = {} if start is None else {"start": start}
        data = {"dataset": str(waves_csv), "target": "kind", "columns": "t*", "results": tmp_path / "results"}
        (run,) = zoo.bench("starting", epochs=1, set=given, registry=starting, **data, **more)
        assert run.status == "done", run.error
        return run

    path = tmp_path / "start.safetensors"
    first = bench(weights(path, 1.0))
    assert first.config["params"]["start"] == str(path)
    assert len(first.config["files"]["params.start"]) == 64
    copied = bench(weights(tmp_path / "copy.safetensors", 1.0))
    assert (copied.served, copied.id) == (True, first.id)
    replaced = bench(weights(path, 3.0))
    assert not replaced.served
    assert replaced.key != first.key
    forced = bench(str(path), force=True)
    assert forced.fingerprint == replaced.fingerprint != first.fingerprint
    assert bench(None).key not in (first.key, replaced.key)

    found = CliRunner().invoke(_app(), ["leaderboard", "--results", str(tmp_path / "results"), "--json"])
    settings = {each["settings"].partition("@")[0] for each in json.loads(found.stdout)[0]["standings"]}
    assert settings == {"start=start.safetensors", ""}

    path.unlink()
    model = zoo.load(forced.id, results=tmp_path / "results", registry=starting)
    assert model.head.weight.mean() > 1.5  # type: ignore[union-attr,operator]


def _app() -> Any:
    from zoo.cli.app import app

    return app


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("{folder}/none.safetensors", "starting's start: there is no file '{folder}/none.safetensors'"),
        ("{folder}", "starting's start: '{folder}' cannot be read: it is a folder; name a file in it"),
        (3, "starting's start must be the path of a file, not 3"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(starting: Registry, tmp_path: Path, start: Any, message: str) -> None:
    given = start.format(folder=tmp_path) if isinstance(start, str) else start
    with pytest.raises(UsageError) as caught:
        Network.resolve(starting, "starting", params={"start": given})
    assert str(caught.value) == message.format(folder=tmp_path)


def test_a_path_is_that_of_the_folder_where_it_was_typed(starting, tmp_path, monkeypatch) -> None:
    weights(tmp_path / "here.safetensors", 2.0)
    monkeypatch.chdir(tmp_path)
    network = Network.resolve(starting, "starting", params={"start": "here.safetensors"})
    assert network.params == {"start": f"{tmp_path}/here.safetensors"}
    monkeypatch.chdir("/")
    assert float(network.build(**SHAPE).head.weight.detach()[0, 0]) == 2.0  # type: ignore[union-attr,index,arg-type]
    assert network.without_files().params == {"start": None}
    with pytest.raises(PluginError, match="wrong: files has 'weights', which is no parameter of its factory"):
        Network.resolve(starting, "wrong")


def test_the_weights_of_timm_are_a_file(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"timm/resnet18's weights: there is no file 'none\.bin'"):
        Network.resolve(registry, "timm/resnet18", params={"weights": "none.bin"})
