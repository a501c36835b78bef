"""The five-class heartbeats of the MIT-BIH Arrhythmia Database, from any of the published file formats."""

from zoo import Dataset, hookimpl


@hookimpl
def zoo_components() -> list[Dataset]:
    return [
        Dataset(
            name="mitbih",
            factory="zoo_mitbih.dataset:mitbih",
            summary="109,446 ECG beats of 47 patients, five classes, 83 % normal.",
            paper=(
                "Moody & Mark 2001, The impact of the MIT-BIH Arrhythmia Database; "
                "Kachuee, Fazeli & Sarrafzadeh 2018, ECG Heartbeat Classification (arXiv 1805.00794); "
                "Goldberger et al. 2000, PhysioBank, PhysioToolkit, and PhysioNet"
            ),
            from_files=True,
            homepage="https://physionet.org/content/mitdb/1.0.0/",
        )
    ]
