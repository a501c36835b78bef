"""`patchtst`: a transformer over patches of each channel."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Float, Int, Preset, Space, hookimpl

DEFAULT_SPACE: Space = {
    "patch_length": Choice(8, 16, 32),
    "stride": Choice(4, 8),
    "width": Choice(32, 64, 128),
    "heads": Choice(2, 4, 8),
    "num_layers": Int(1, 3),
    "dropout": Float(0.0, 0.3),
    "pool": Choice("mean", "max", "last"),
    "training.learning_rate": Float(1e-4, 3e-3, log=True),
}


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="patchtst",
            factory="zoo_patchtst.network:PatchTST",
            summary="Small transformer over patches of each channel separately.",
            paper="Nie, Nguyen, Sinthong and Kalagnanam 2023, A time series is worth 64 words: long-term forecasting "
            "with transformers, ICLR, arXiv:2211.14730",
            min_times=2,
            spaces={"default": DEFAULT_SPACE},
            presets={
                # From the authors' weather.sh. The authors also lower the learning rate by a tenth each epoch. The
                # harness does not have this schedule; this preset lowers it on a plateau.
                "paper": Preset(
                    summary="the authors' encoder, trained as on their larger data sets",
                    params={
                        "patch_length": 16,
                        "stride": 8,
                        "width": 128,
                        "heads": 16,
                        "num_layers": 3,
                        "feed_forward": 256,
                        "dropout": 0.2,
                    },
                    training={
                        "epochs": 100,
                        "batch_size": 128,
                        "optimiser": "adam",
                        "learning_rate": 1e-4,
                        "keep": "best",
                        "scheduler": "plateau",
                        "patience": 20,
                        "clip": 0.0,
                    },
                ),
            },
        )
    ]
