"""`fcn` and `resnet1d`: the baselines of Wang, Yan and Oates, with a block slot after each stage."""

from collections.abc import Iterable, Mapping

from zoo import Architecture, Choice, Float, Preset, Space, hookimpl

PAPER = (
    "Wang, Yan and Oates 2017, Time series classification from scratch with deep neural networks: a strong baseline, "
    "IJCNN, arXiv:1611.06455"
)

FCN_SPACE: Space = {"filters": Choice(16, 32, 64), "training.learning_rate": Float(1e-3, 3e-2, log=True)}
RESNET_SPACE: Space = {"filters": Choice(8, 16, 32), "training.learning_rate": Float(3e-4, 3e-3, log=True)}

# As in the authors' scripts: no early stopping, and the learning rate halves after 50 epochs without a better
# training loss, down to 1e-4 (here: without a lower balanced validation loss).
TRAINING: Mapping[str, int | float | str] = {
    "batch_size": 16,
    "optimiser": "adam",
    "learning_rate": 1e-3,
    "keep": "best",
    "scheduler": "plateau",
    "factor": 0.5,
    "scheduler_patience": 50,
    "min_lr": 1e-4,
    "patience": 0,
    "clip": 0.0,
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="fcn",
            factory="zoo_fcn.fcn:FCN",
            summary="Small FCN: three convolutions, then the mean over time.",
            paper=PAPER,
            block_dims=1,
            takes_lengths=True,
            learning_rate=1e-2,  # a quarter of the published filters in a tenth of the steps: see benchmarks/README.md
            spaces={"default": FCN_SPACE},
            presets={
                "paper": Preset(
                    summary="the published size, 128-256-128 filters",
                    params={"filters": 128},
                    training={**TRAINING, "epochs": 2000},
                )
            },
        ),
        Architecture(
            name="resnet1d",
            factory="zoo_fcn.resnet1d:ResNet1d",
            summary="Small 1-D ResNet: three stages, then the mean over time.",
            paper=PAPER,
            block_dims=1,
            takes_lengths=True,
            spaces={"default": RESNET_SPACE},
            presets={
                "paper": Preset(
                    summary="the published size, 64-128-128 filters",
                    params={"filters": 64},
                    training={**TRAINING, "epochs": 1000},
                )
            },
        ),
    ]
