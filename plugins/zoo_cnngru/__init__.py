"""`cnngru`: a 1-D CNN with a block slot, then a GRU."""

from collections.abc import Iterable, Mapping

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "hidden": Choice(16, 32),
    "num_blocks": Int(1, 3),
    "gru_hidden": Choice(32, 64),
    "num_layers": Int(1, 2),
    "dropout": Float(0.0, 0.4),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}

# The search space exactly as in the study's table. The table does not vary the filters: the preset `study` has 64.
STUDY_SPACE: Space = {
    "gru_hidden": Choice(32, 64, 128, 256, 512),
    "num_layers": Choice(2, 3, 4),
    "num_blocks": Int(1, 5),
    "dropout": Choice(0.2, 0.3, 0.4),
    "training.batch_size": Choice(16, 32, 48, 60),
    "training.optimiser": Choice("adam", "adamw"),
    "training.scheduler": Choice("plateau"),  # the factor is that of the plateau
    "training.factor": Float(0.1, 0.4),
    "data": Choice("smote", "oversampled"),
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
    "layernorm": Preset(summary="layer normalisation around the GRU", params={"norm": "layer"}),
    "packed": Preset(summary="zeros at the end of a series are padding", params={"packed": True}),
    "gap": Preset(summary="the mean over all steps, without max pooling", params={"pool": "gap"}),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="cnngru",
            factory="zoo_cnngru.network:CNNGRU",
            summary="Small 1-D CNN with residual blocks, then a GRU.",
            paper="The 1DCNNGRU of the study of five-class heartbeats that the zoo grew from; GRU: "
            "Cho et al. 2014, EMNLP, arXiv:1406.1078",
            block_dims=1,
            block="resnet",
            takes_lengths=True,
            recurrent=True,
            min_times=2,
            spaces={"default": DEFAULT_SPACE, "study": STUDY_SPACE},
            presets={
                "study": Preset(
                    summary="the study's best configuration",
                    params={
                        "hidden": 64,
                        "num_blocks": 5,
                        "gru_hidden": 256,
                        "num_layers": 2,
                        "dropout": 0.4,
                    },
                    data="smote",
                    training={**TRAINING, "batch_size": 32},
                ),
                "table": Preset(
                    summary="the layer sizes of the study's table",
                    params={
                        "hidden": 128,
                        "num_blocks": 1,
                        "gru_hidden": 128,
                        "num_layers": 5,
                        "dropout": 0.2,
                    },
                    data="smote",
                    training={**TRAINING, "batch_size": 32},
                ),
                **VARIANTS,
            },
        )
    ]
