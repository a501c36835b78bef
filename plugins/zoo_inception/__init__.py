"""`inceptiontime` and `lite`: parallel convolutions of several lengths."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, Value, hookimpl

INCEPTION_SPACE: Space = {
    "filters": Choice(4, 8),
    "depth": Int(2, 4),
    "kernel_size": Choice(20, 40),
    "bottleneck": Choice(4, 8),
    "residual": Choice(True, False),
    "training.learning_rate": Float(3e-4, 1e-2, log=True),
}

LITE_SPACE: Space = {
    "filters": Choice(8, 16, 32),
    "kernel_size": Choice(20, 40),
    "training.learning_rate": Float(3e-4, 1e-2, log=True),
}

# Both papers train in the same way: Adam at 1e-3, batches of 64, 1500 epochs, no early stopping. The learning rate
# halves after 50 epochs without a lower training loss, down to 1e-4 (here: without a lower balanced validation loss).
ENSEMBLE: dict[str, Value] = {
    "members": 5,
    "epochs": 1500,
    "batch_size": 64,
    "optimiser": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "keep": "best",
    "scheduler": "plateau",
    "factor": 0.5,
    "scheduler_patience": 50,
    "min_lr": 1e-4,
    "patience": 0,
    "clip": 0.0,
}

PUBLISHED: dict[str, Value] = {"filters": 32, "depth": 6, "kernel_size": 40, "bottleneck": 32, "residual": True}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="inceptiontime",
            factory="zoo_inception.inceptiontime:InceptionTime",
            summary="Small Inception network: parallel convolutions and pooling.",
            paper="Ismail Fawaz et al. 2020, InceptionTime: finding AlexNet for time series classification, Data "
            "Mining and Knowledge Discovery 34, arXiv:1909.04939",
            block_dims=1,
            takes_lengths=True,
            spaces={"default": INCEPTION_SPACE},
            presets={
                "network": Preset(summary="one network of the published size", params=PUBLISHED),
                "paper": Preset(summary="the published ensemble of five networks", params=PUBLISHED, training=ENSEMBLE),
            },
        ),
        Architecture(
            name="lite",
            factory="zoo_inception.lite:LITE",
            summary="LITE: learned and fixed filters, separable convolutions.",
            paper="Ismail-Fawaz et al. 2023, LITE: Light Inception with boosTing tEchniques for Time Series "
            "Classification, DSAA, doi:10.1109/DSAA60987.2023.10302569; for several channels LITEMV of Ismail-Fawaz "
            "et al. 2024, Look Into the LITE in Deep Learning for Time Series Classification, arXiv:2409.02869",
            takes_lengths=True,
            spaces={"default": LITE_SPACE},
            presets={
                "paper": Preset(
                    summary="LITETime: an ensemble of five networks of the published size",
                    params={"filters": 32, "kernel_size": 40},
                    training=ENSEMBLE,
                ),
            },
        ),
    ]
