"""Transformers with a block slot: on patches of the series, and on 2-D convolutions of the folded series."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

PAPER = "Vaswani et al. 2017, Attention is all you need, NeurIPS, arXiv:1706.03762"

SPACE: Space = {
    "width": Choice(16, 32),
    "num_layers": Int(1, 2),
    "heads": Choice(2, 4),
    "dropout": Float(0.0, 0.3),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}

# Each variant changes one setting of the defaults, so that variants compare at the same size.
VARIANTS = {
    "plain": Preset(summary="without blocks", block="none"),
    "resnet": Preset(summary="residual blocks", block="resnet"),
    "se": Preset(summary="squeeze-and-excitation blocks", block="se"),
    "se-resnet": Preset(summary="residual blocks with squeeze-and-excitation", block="se-resnet"),
    "dilated": Preset(summary="dilated residual blocks", block="dilated"),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="transformer1d",
            factory="zoo_transformer.transformer1d:Transformer1D",
            summary="Small transformer encoder on patches of the series.",
            paper=PAPER,
            block_dims=1,
            takes_lengths=True,
            spaces={"default": {**SPACE, "patch_length": Choice(4, 8)}},
            presets=VARIANTS,
        ),
        Architecture(
            name="transformer2d",
            factory="zoo_transformer.transformer2d:Transformer2D",
            summary="Small 2-D CNN on the folded signal, then a transformer.",
            paper=PAPER,
            block_dims=2,
            min_times=13,
            spaces={"default": {**SPACE, "num_convolutions": Int(1, 2)}},
            presets=VARIANTS,
        ),
    ]
