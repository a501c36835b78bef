"""`cnn1d`: a plain 1-D CNN with a block slot."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "hidden": Choice(16, 32, 48),
    "num_layers": Int(1, 3),
    "num_blocks": Int(1, 3),
    "pool": Choice("max", "gap"),
    "dropout": Float(0.0, 0.4),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}

# Each variant changes one setting of the defaults, so that variants compare at the same size.
VARIANTS = {
    "plain": Preset(summary="without blocks", block="none"),
    "se": Preset(summary="squeeze-and-excitation blocks", block="se"),
    "se-resnet": Preset(summary="residual blocks with squeeze-and-excitation", block="se-resnet"),
    "dilated": Preset(summary="dilated residual blocks", block="dilated"),
    "gap": Preset(summary="global average pooling instead of max pooling", params={"pool": "gap"}),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="cnn1d",
            factory="zoo_cnn1d.network:CNN1D",
            summary="Plain 1-D CNN with residual blocks.",
            paper="The plain 1-D CNN of the study of five-class heartbeats that the zoo grew from; residual block: "
            "He et al. 2016, CVPR, arXiv:1512.03385",
            block_dims=1,
            block="resnet",
            takes_lengths=True,
            min_times=2,
            spaces={"default": DEFAULT_SPACE},
            presets=VARIANTS,
        )
    ]
