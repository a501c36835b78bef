"""`minirocket`, `multirocket` and `hydra`: fixed convolutions and a ridge head, solved in closed form."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Preset, Space, hookimpl

MINIROCKET_SPACE: Space = {"num_features": Choice(504, 1_008, 2_016), "balanced": Choice(False, True)}
MULTIROCKET_SPACE: Space = {"num_features": Choice(672, 1_344, 2_016), "balanced": Choice(False, True)}
HYDRA_SPACE: Space = {"groups": Choice(8, 16), "kernels": Choice(4, 8), "balanced": Choice(False, True)}

BALANCED = Preset(summary="all classes have the same weight in the ridge head", params={"balanced": True})


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="minirocket",
            factory="zoo_rocket.minirocket:MiniRocket",
            summary="Small MiniRocket: 84 fixed kernels, then ridge regression.",
            paper="Dempster, Schmidt and Webb 2021, MiniRocket: a very fast (almost) deterministic transform for time "
            "series classification, KDD, arXiv:2012.08791",
            min_times=9,
            needs_validation=False,
            spaces={"default": MINIROCKET_SPACE},
            presets={
                "balanced": BALANCED,
                "paper": Preset(
                    summary="the published size, 9,996 features; needs up to 3 GB, and minutes for the head",
                    params={"num_features": 10_000},
                ),
            },
        ),
        Architecture(
            name="multirocket",
            factory="zoo_rocket.multirocket:MultiRocket",
            summary="Small MultiRocket: four features per kernel, then ridge.",
            paper="Tan, Dempster, Bergmeir and Webb 2022, MultiRocket: multiple pooling operators and transformations "
            "for fast and effective time series classification, DMKD, arXiv:2102.00457",
            min_times=10,
            needs_validation=False,
            spaces={"default": MULTIROCKET_SPACE},
            presets={
                "balanced": BALANCED,
                "paper": Preset(
                    summary="the published size, 49,728 features; for a few thousand rows, at 1.2 MB per row",
                    params={"num_features": 50_000},
                ),
            },
        ),
        Architecture(
            name="hydra",
            factory="zoo_rocket.hydra:Hydra",
            summary="Small Hydra: groups of competing kernels, then ridge.",
            paper="Dempster, Schmidt and Webb 2023, Hydra: competing convolutional kernels for fast and accurate time "
            "series classification, DMKD, arXiv:2203.13652",
            min_times=9,
            needs_validation=False,
            spaces={"default": HYDRA_SPACE},
            presets={
                "balanced": BALANCED,
                "paper": Preset(summary="the published size, 64 groups", params={"groups": 64}),
            },
        ),
    ]
