"""`convtran`: convolutions, then attention with position encodings for time series."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "width": Choice(8, 16, 32),
    "heads": Choice(1, 2, 4),
    "feed_forward": Choice(64, 128, 256),
    "kernel_size": Choice(8, 16),
    "dropout": Float(0.0, 0.3),
    "training.learning_rate": Float(3e-4, 3e-3, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="convtran",
            factory="zoo_convtran.network:ConvTran",
            summary="Small CNN, then attention with positions for time series.",
            paper="Foumani, Tan, Webb and Salehi 2024, Improving position encoding of transformers for multivariate "
            "time series classification, Data Mining and Knowledge Discovery 38, arXiv:2305.16642",
            spaces={"default": DEFAULT_SPACE},
            presets={
                # The authors train with RAdam. The harness does not have it; this preset uses Adam.
                "paper": Preset(
                    summary="the authors' settings: eight heads, batches of 16",
                    params={"width": 16, "heads": 8, "feed_forward": 256, "kernel_size": 8, "dropout": 0.01},
                    training={
                        "epochs": 100,
                        "batch_size": 16,
                        "optimiser": "adam",
                        "learning_rate": 1e-3,
                        "weight_decay": 0.0,
                        "keep": "best",
                        "scheduler": "none",
                        "patience": 0,
                        "clip": 4.0,
                    },
                ),
            },
        )
    ]
