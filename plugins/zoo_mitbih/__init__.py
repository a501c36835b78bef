"""The five-class heartbeats of the MIT-BIH Arrhythmia Database, from any form in which people hold them."""

from zoo import Dataset, hookimpl


@hookimpl
def zoo_components() -> list[Dataset]:
    return [
        Dataset(
            name="mitbih",
            factory="zoo_mitbih.dataset:mitbih",
            summary="109,446 heartbeats of 47 patients, 187 samples each, in five classes; 83 % are normal.",
            paper=(
                "Moody & Mark 2001, The impact of the MIT-BIH Arrhythmia Database; "
                "Kachuee, Fazeli & Sarrafzadeh 2018, ECG Heartbeat Classification (arXiv 1805.00794); "
                "Goldberger et al. 2000, PhysioBank, PhysioToolkit, and PhysioNet"
            ),
            from_files=True,
            homepage="https://physionet.org/content/mitdb/1.0.0/",
        )
    ]
