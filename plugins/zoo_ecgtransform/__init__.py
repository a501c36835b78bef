"""`ecgtransform`: multi-scale convolutions, channel recalibration and a bidirectional transformer."""

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
            summary="Small multi-scale CNN, then a bidirectional transformer.",
            paper="El-Ghaish and Eldele 2024, ECGTransForm: Empowering adaptive ECG arrhythmia classification "
            "framework with bidirectional transformer, Biomedical Signal Processing and Control 89:105714, "
            "doi:10.1016/j.bspc.2023.105714",
            spaces={"default": DEFAULT_SPACE},
            presets={
                # The authors set the second beta of Adam to 0.99; the harness uses 0.999.
                "paper": Preset(
                    summary="the authors' settings for heartbeats, with their context-aware loss",
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
                        "keep": "best",
                        "scheduler": "none",
                        "patience": 0,
                        "clip": 0.0,
                    },
                ),
            },
        )
    ]
