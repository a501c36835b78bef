"""Five-class heartbeats, simulated: a data set that is always at hand, with the real one's format and imbalance."""

from collections.abc import Iterable

from zoo import Dataset, hookimpl


@hookimpl
def zoo_components() -> Iterable[Dataset]:
    """Give the one data set of this plugin."""
    return [
        Dataset(
            name="heartbeats",
            factory="zoo_heartbeats.dataset:heartbeats",
            summary="Simulated ECG beats in five AAMI classes with MIT-BIH's imbalance and format; no download.",
            paper="McSharry et al. 2003, IEEE Trans. Biomed. Eng. 50(3):289-294; format: Kachuee et al. 2018",
            generated=True,
            synthetic=True,
        )
    ]
