"""`cnn2d`: a 2-D CNN with a block slot, on the signal folded into a picture."""

from collections.abc import Iterable, Mapping

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "hidden": Choice(16, 32),
    "num_layers": Int(1, 2),
    "num_blocks": Int(1, 2),
    "dropout": Float(0.0, 0.4),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}

# The search space exactly as in the study's table.
STUDY_SPACE: Space = {
    "hidden": Int(62, 256),
    "num_layers": Choice(2, 3, 4),
    "num_blocks": Int(1, 7),
    "dropout": Float(0.1, 0.4),
    "training.batch_size": Choice(16, 32, 48),
    "training.scheduler": Choice("plateau"),  # the factor is that of the plateau
    "training.factor": Float(0.1, 0.4),
}

# As the study trained its best configurations: 30 epochs over all rows that SMOTE makes, the learning rate reduced on a
# plateau, no early end, and the best epoch kept: it reports its 28th and 30th.
TRAINING: Mapping[str, int | float | str] = {
    "epochs": 30,
    "epoch": "resampled",
    "keep": "best",
    "scheduler": "plateau",
    "factor": 0.2,
    "patience": 0,
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
            name="cnn2d",
            factory="zoo_cnn2d.network:CNN2D",
            summary="Small 2-D CNN with residual blocks, on the folded signal.",
            paper="The 2DCNN of the study of five-class heartbeats that the zoo grew from; residual block: "
            "He et al. 2016, CVPR, arXiv:1512.03385",
            block_dims=2,
            block="resnet",
            min_times=13,
            spaces={"default": DEFAULT_SPACE, "study": STUDY_SPACE},
            presets={
                "study": Preset(
                    summary="the study's best configuration",
                    params={"hidden": 128, "num_layers": 3, "num_blocks": 1, "dropout": 0.3},
                    data="smote",
                    training={**TRAINING, "batch_size": 16},
                ),
                **VARIANTS,
            },
        )
    ]
