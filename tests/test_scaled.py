"""A network behind the scaling of its run: its rows are those of the training, bit by bit."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.data.scaling import Scaling
from zoo.errors import UnknownName
from zoo.scaled import Scaled, behind
from zoo.specs import SCALES


class Same(nn.Module):
    """Returns what it receives."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return x


def rows(padded: bool) -> Rows:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=(64, 3, 20)) * [[200], [2e-5], [0]] + [[1024], [0], [7]]).astype(np.float32)
    lengths = rng.integers(1, 21, size=64) if padded else None
    if lengths is not None:
        values[np.broadcast_to(np.arange(20) >= lengths[:, None, None], values.shape)] = 0
    count = np.arange(64)
    return Rows(values, count, count, None, lengths)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("scale", SCALES)
def test_it_scales_as_the_rows_of_the_training_were_scaled(scale: str, padded: bool) -> None:
    data = rows(padded)
    scaling = Scaling.learnt(scale, data)
    lengths = None if data.lengths is None else torch.from_numpy(data.lengths)
    there = behind(scaling, Same())(torch.from_numpy(data.values), lengths).numpy()
    np.testing.assert_array_max_ulp(there, scaling.applied(data).values, maxulp=0 if scale == "standard" else 1)
    assert there.dtype == np.float32


def test_what_it_scales_with_is_stored_with_the_network() -> None:
    scaling = Scaling.learnt("standard", rows(padded=True))
    stored = behind(scaling, nn.Linear(2, 2)).state_dict()
    assert [*stored] == ["mean", "std", "network.weight", "network.bias"]
    assert scaling.mean is not None
    assert stored["mean"].tolist() == scaling.mean.tolist()
    loaded = Scaled(nn.Linear(2, 2), "standard", 3)
    loaded.load_state_dict(stored)
    assert loaded.std.equal(stored["std"])
    assert [*behind(Scaling("minmax-per-series"), nn.Linear(2, 2)).state_dict()] == ["network.weight", "network.bias"]


def test_whole_numbers_are_scaled_to_float32() -> None:
    counts = torch.tensor([[[100, 200, 300]]], dtype=torch.int16)
    assert Scaled(Same(), "minmax-per-series", 1)(counts).tolist() == [[[0, 0.5, 1]]]
    assert Scaled(Same(), "standard", 1)(counts).dtype == torch.float32


def test_no_scale_is_the_network_itself_and_an_unknown_one_an_error() -> None:
    network = Same()
    assert behind(Scaling(), network) is network
    with pytest.raises(UnknownName, match="no scale named 'z'"):
        Scaled(network, "z", 1)
