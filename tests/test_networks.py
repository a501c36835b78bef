"""Networks as the study has them, and what does not go together; tests/test_conformance.py has what all promise."""

import pickle

import pytest
import torch

from zoo import Architecture, build
from zoo.errors import ModelError, UnknownName, UsageError
from zoo.inspection import count_macs, count_parameters, on_meta
from zoo.networks import Composition, Incompatible, Network
from zoo.registry import Entry, Plugin, Registry

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


@pytest.mark.parametrize(
    ("reference", "parameters", "mega_macs"),
    [("cnngru.study", 838_469, 82.9), ("cnn2d.study", 1_380_101, 114.3), ("cnngru", 37_221, None)],
)
def test_sizes_are_those_of_the_study(
    registry: Registry, reference: str, parameters: int, mega_macs: float | None
) -> None:
    network = Network.resolve(registry, reference)
    model = on_meta(lambda: network.build(**BEAT))
    assert count_parameters(model) == parameters
    if mega_macs:
        assert round(count_macs(model, n_channels=1, n_times=187) / 1e6, 1) == mega_macs


@pytest.mark.parametrize("block", ["none", "resnet", "se", "dilated", "resnet+se", "se+dilated+resnet"])
@pytest.mark.parametrize("architecture", ["cnngru", "cnn2d"])
@pytest.mark.parametrize(("channels", "times", "classes"), [(1, 187, 5), (3, 50, 2), (12, 13, 9)])
def test_every_block_fits_every_slot(architecture: str, block: str, channels: int, times: int, classes: int) -> None:
    model = build(architecture, block=block, n_channels=channels, n_times=times, n_classes=classes)
    logits = model(torch.randn(4, channels, times))
    assert logits.shape == (4, classes)
    assert torch.isfinite(logits).all()
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_same_seed_same_weights_and_other_seed_others(registry: Registry) -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([parameter.flatten() for parameter in build("cnngru", **BEAT).parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_networks_can_be_pickled() -> None:
    model = build("cnngru", block="resnet+se", **BEAT).eval()
    again = pickle.loads(pickle.dumps(model))
    rows = torch.randn(2, 1, 187)
    assert torch.equal(model(rows), again(rows))


def test_block_parameters_go_to_their_block(registry: Registry) -> None:
    alone = Network.resolve(registry, "cnngru", block="se", block_params={"reduction": 8})
    assert alone.block_params == {"reduction": 8}
    both = Network.resolve(registry, "cnngru", block="resnet+se", block_params={"se.reduction": 4})
    assert both.block_params == {"resnet.kernel_size": 3, "se.reduction": 4}
    built = both._block(16)
    assert isinstance(built, Composition)
    assert built.blocks[1].gate[0].out_features == 16 // 4
    with pytest.raises(UsageError, match=r"'reduction' needs the name of its block: block.resnet.reduction"):
        Network.resolve(registry, "cnngru", block="resnet+se", block_params={"reduction": 4})
    with pytest.raises(UnknownName, match="no block in this composition named 'eca'"):
        Network.resolve(registry, "cnngru", block="resnet+se", block_params={"eca.reduction": 4})


def test_too_short_a_series_is_incompatible_not_a_crash(registry: Registry) -> None:
    with pytest.raises(Incompatible, match="cnn2d takes series of at least 13 samples, not 12"):
        Network.resolve(registry, "cnn2d").build(n_channels=1, n_times=12, n_classes=2)


def test_unequal_lengths_need_an_architecture_that_takes_them(registry: Registry) -> None:
    Network.resolve(registry, "cnngru").check(n_times=50, lengths=True)
    with pytest.raises(Incompatible, match="cnn2d takes no lengths"):
        Network.resolve(registry, "cnn2d").check(n_times=50, lengths=True)


@pytest.mark.parametrize("block", ["none", "resnet", "se", "dilated", "resnet+se"])
def test_more_padding_does_not_change_the_logits(block: str) -> None:
    torch.manual_seed(0)
    model = build("cnngru", block=block, n_channels=2, n_times=60, n_classes=3)
    lengths = torch.tensor([60, 31, 8, 45])
    rows = torch.randn(4, 2, 60) * (torch.arange(60) < lengths[:, None])[:, None]
    model(rows, lengths)  # batch normalisation has seen something
    model.eval()
    padded = torch.nn.functional.pad(rows, (0, 25))
    torch.testing.assert_close(model(padded, lengths), model(rows, lengths), rtol=1e-4, atol=1e-5)
    for row, length in zip(rows, lengths, strict=True):
        alone = model(row[None, :, :length], length[None])
        torch.testing.assert_close(alone, model(row[None], length[None]), rtol=1e-4, atol=1e-5)


def test_batch_norm_in_training_counts_valid_positions_only() -> None:
    from zoo.layers import MaskedBatchNorm1d, valid_mask

    rows, lengths = torch.randn(3, 4, 20), torch.tensor([20, 5, 11])
    mask = valid_mask(lengths, 20)
    masked = MaskedBatchNorm1d(4)(rows, mask)
    valid = torch.cat([row[:, :length].T for row, length in zip(rows, lengths, strict=True)])
    expected = torch.nn.BatchNorm1d(4)(valid)
    torch.testing.assert_close(masked.transpose(1, 2)[mask[:, 0]], expected)
    assert (masked * ~mask == 0).all()


def minirocket(**size: int) -> torch.nn.Module:
    return build("minirocket", **size)


def test_a_function_that_makes_a_fitted_network_is_refused_and_not_trained() -> None:
    spec = Architecture(name="made", factory=f"{__name__}:minirocket", summary="Made by a function.")
    network = Network(Entry("made", spec, Plugin("here", __name__)), "", {}, ())
    with pytest.raises(ModelError, match=r"^made: MiniRocket defines fit\(\), so the factory must be the class"):
        network.build(**BEAT)
