"""`tcn`: causal dilated convolutions; the last step is classified."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "hidden": Choice(16, 24, 32),
    "levels": Int(4, 6),
    "kernel_size": Choice(3, 5, 7),
    "dropout": Float(0.0, 0.2),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="tcn",
            factory="zoo_tcn.network:TCN",
            summary="Small TCN: causal dilated convolutions, uses the last step.",
            paper="Bai, Kolter and Koltun 2018, An empirical evaluation of generic convolutional and recurrent "
            "networks for sequence modeling, arXiv:1803.01271",
            block_dims=1,
            takes_lengths=True,
            spaces={"default": DEFAULT_SPACE},
            presets={
                # From the authors' script for (permuted) sequential MNIST, github.com/locuslab/TCN. The script also
                # divides the learning rate by 10 after every ten epochs; this preset does not.
                "paper": Preset(
                    summary="the published size for sequential MNIST",
                    params={"hidden": 25, "levels": 8, "kernel_size": 7, "dropout": 0.05},
                    training={
                        "epochs": 20,
                        "batch_size": 64,
                        "optimiser": "adam",
                        "learning_rate": 2e-3,
                        "keep": "best",
                        "scheduler": "none",
                        "patience": 0,
                        "clip": 0.0,
                    },
                )
            },
        )
    ]
