"""Recurrent networks on the raw samples, without convolutions."""

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
            summary="Plain GRU, one step for each sample.",
            paper="Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for statistical machine "
            "translation, EMNLP, arXiv:1406.1078",
            takes_lengths=True,
            recurrent=True,
            spaces={"default": DEFAULT_SPACE},
            # Each variant changes one setting of the defaults, so that variants compare at the same size.
            presets={
                "layernorm": Preset(summary="layer normalisation of the output", params={"norm": "layer"}),
                "packed": Preset(summary="zeros at the end of a series are padding", params={"packed": True}),
                "gap": Preset(summary="the mean over all steps instead of the last step", params={"pool": "gap"}),
            },
        )
    ]
