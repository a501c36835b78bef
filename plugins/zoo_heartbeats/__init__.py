"""Simulated five-class heartbeats: a data set without a download, with the format and imbalance of MIT-BIH."""

from collections.abc import Iterable

from zoo import Dataset, hookimpl


@hookimpl
def zoo_components() -> Iterable[Dataset]:
    return [
        Dataset(
            name="heartbeats",
            factory="zoo_heartbeats.dataset:heartbeats",
            summary="Simulated ECG beats, five imbalanced classes; no download.",
            paper="McSharry et al. 2003, IEEE Trans. Biomed. Eng. 50(3):289-294; format: Kachuee et al. 2018",
            generated=True,
            synthetic=True,
        )
    ]
