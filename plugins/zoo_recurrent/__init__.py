"""Recurrent networks on the samples themselves, with no convolution before them."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "hidden": Choice(32, 48, 64),
    "num_layers": Int(1, 2),
    "norm": Choice("none", "layer"),
    "pool": Choice("last", "gap"),
    "dropout": Float(0.0, 0.4),
    "training.learning_rate": Float(1e-3, 1e-2, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="gru",
            factory="zoo_recurrent.gru:GRU",
            summary="A plain GRU, one step for each sample.",
            paper="Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for statistical machine "
            "translation, EMNLP, arXiv:1406.1078",
            takes_lengths=True,
            recurrent=True,
            spaces={"default": DEFAULT_SPACE},
            # One thing differs from the defaults in each, so that variants compare at one size.
            presets={
                "layernorm": Preset(summary="layer normalisation of the output", params={"norm": "layer"}),
                "packed": Preset(summary="zeros at the end of a series are not read", params={"packed": True}),
                "gap": Preset(summary="the mean of all steps instead of the last", params={"pool": "gap"}),
            },
        )
    ]
