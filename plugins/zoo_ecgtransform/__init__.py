"""`ecgtransform`: a convolutional front, recalibrated channels and a transformer that reads both ways."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "filters": Choice(8, 16),
    "num_blocks": Int(1, 3),
    "num_layers": Int(1, 3),
    "feed_forward": Choice(32, 64, 128),
    "dropout": Float(0.0, 0.4),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="ecgtransform",
            factory="zoo_ecgtransform.network:ECGTransForm",
            summary="Multi-scale convolutions, recalibrated channels, a two-way transformer.",
            paper="El-Ghaish and Eldele 2024, ECGTransForm: Empowering adaptive ECG arrhythmia classification "
            "framework with bidirectional transformer, Biomedical Signal Processing and Control 89:105714, "
            "doi:10.1016/j.bspc.2023.105714",
            spaces={"default": DEFAULT_SPACE},
            presets={
                # The authors' Adam has a second beta of 0.99; the harness's has 0.999.
                "paper": Preset(
                    summary="the authors' settings for heartbeats, their context-aware loss among them",
                    loss="context-aware",
                    params={
                        "filters": 32,
                        "num_blocks": 3,
                        "reduction": 4,
                        "heads": 5,
                        "num_layers": 3,
                        "feed_forward": 2048,
                        "dropout": 0.2,
                        "transformer_dropout": 0.1,
                    },
                    training={
                        "epochs": 60,
                        "batch_size": 128,
                        "optimiser": "adam",
                        "learning_rate": 1e-3,
                        "weight_decay": 1e-4,
                        "scheduler": "none",
                        "patience": 0,
                        "clip": 0.0,
                    },
                ),
            },
        )
    ]
