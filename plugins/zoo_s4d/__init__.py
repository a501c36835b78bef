"""`s4d`: diagonal state-space models as long convolutions."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "width": Choice(16, 24, 32, 48),
    "state": Choice(8, 16, 32),
    "num_layers": Int(1, 3),
    "dropout": Float(0.0, 0.2),
    "prenorm": Choice(True, False),
    "training.learning_rate": Float(3e-4, 5e-3, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="s4d",
            factory="zoo_s4d.network:S4D",
            summary="Small S4D: diagonal state-space models as convolutions.",
            paper="Gu, Goel, Gupta and Ré 2022, On the Parameterization and Initialization of Diagonal State Space "
            "Models, NeurIPS, arXiv:2206.11893",
            takes_lengths=True,
            spaces={"default": DEFAULT_SPACE},
            presets={
                # From configs/experiment/cifar/s4d-minimal-cifar.yaml in the authors' repository. There, all
                # parameters outside the state spaces have ten times this learning rate and weight decay 0.01. The
                # harness has one learning rate, so this preset uses the lower one.
                "paper": Preset(
                    summary="the authors' 200K-parameter network for sequential CIFAR-10",
                    params={
                        "width": 128,
                        "state": 64,
                        "num_layers": 4,
                        "dropout": 0.1,
                        "prenorm": False,
                        "dt_min": 0.001,
                        "dt_max": 0.1,
                    },
                    training={
                        "epochs": 100,
                        "batch_size": 50,
                        "optimiser": "adamw",
                        "learning_rate": 1e-3,
                        "weight_decay": 0.0,
                        "keep": "best",
                        "scheduler": "cosine",
                        "patience": 0,
                        "clip": 0.0,
                    },
                ),
            },
        )
    ]
