"""`minirocket`, `multirocket` and `hydra`: fixed convolutions and a ridge head that is solved, not trained."""

from collections.abc import Iterable

from zoo import Architecture, Choice, Preset, Space, hookimpl

MINIROCKET_SPACE: Space = {"num_features": Choice(504, 1_008, 2_016), "balanced": Choice(False, True)}
MULTIROCKET_SPACE: Space = {"num_features": Choice(672, 1_344, 2_016), "balanced": Choice(False, True)}
HYDRA_SPACE: Space = {"groups": Choice(8, 16), "kernels": Choice(4, 8), "balanced": Choice(False, True)}

BALANCED = Preset(summary="every class counts alike in the ridge", params={"balanced": True})


@hookimpl
def zoo_components() -> Iterable[Architecture]:
    return [
        Architecture(
            name="minirocket",
            factory="zoo_rocket.minirocket:MiniRocket",
            summary="84 fixed kernels at several dilations, how often each is above a bias; ridge.",
            paper="Dempster, Schmidt and Webb 2021, MiniRocket: a very fast (almost) deterministic transform for time "
            "series classification, KDD, arXiv:2012.08791",
            min_times=9,
            spaces={"default": MINIROCKET_SPACE},
            presets={
                "balanced": BALANCED,
                "paper": Preset(
                    summary="the published size, 9,996 features: up to 3 GB, and minutes for the head",
                    params={"num_features": 10_000},
                ),
            },
        ),
        Architecture(
            name="multirocket",
            factory="zoo_rocket.multirocket:MultiRocket",
            summary="MiniRocket's kernels on the series and its difference, four numbers each; ridge.",
            paper="Tan, Dempster, Bergmeir and Webb 2022, MultiRocket: multiple pooling operators and transformations "
            "for fast and effective time series classification, DMKD, arXiv:2102.00457",
            min_times=10,
            spaces={"default": MULTIROCKET_SPACE},
            presets={
                "balanced": BALANCED,
                "paper": Preset(
                    summary="the published size, 49,728 features: for some thousand rows, at 1.2 MB a row",
                    params={"num_features": 50_000},
                ),
            },
        ),
        Architecture(
            name="hydra",
            factory="zoo_rocket.hydra:Hydra",
            summary="Groups of random kernels compete at each time; who wins is counted; ridge.",
            paper="Dempster, Schmidt and Webb 2023, Hydra: competing convolutional kernels for fast and accurate time "
            "series classification, DMKD, arXiv:2203.13652",
            min_times=9,
            spaces={"default": HYDRA_SPACE},
            presets={
                "balanced": BALANCED,
                "paper": Preset(summary="the published size, 64 groups", params={"groups": 64}),
            },
        ),
    ]
