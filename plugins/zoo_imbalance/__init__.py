"""What to do about imbalance: resamplers of the training part, and training losses."""

from collections.abc import Iterable

from zoo import Objective, Resampler, hookimpl


@hookimpl
def zoo_components() -> Iterable[Resampler | Objective]:
    return [
        Resampler(
            name="original",
            factory="zoo_imbalance.resamplers:original",
            summary="The rows as they are.",
        ),
        Resampler(
            name="oversampled",
            factory="zoo_imbalance.resamplers:oversampled",
            summary="Every class up to the largest, by repeating rows.",
            paper="imbalanced-learn: Lemaitre, Nogueira and Aridas 2017, JMLR 18(17)",
        ),
        Resampler(
            name="undersampled",
            factory="zoo_imbalance.resamplers:undersampled",
            summary="Every class down to the smallest, by leaving rows out.",
            paper="imbalanced-learn: Lemaitre, Nogueira and Aridas 2017, JMLR 18(17)",
        ),
        Resampler(
            name="smote",
            factory="zoo_imbalance.resamplers:smote",
            summary="Every class up to the largest, by rows made between neighbours.",
            paper="Chawla et al. 2002, SMOTE: synthetic minority over-sampling technique, JAIR 16, arXiv:1106.1813",
            interpolates=True,
        ),
        Objective(
            name="cross-entropy",
            factory="zoo_imbalance.objectives:cross_entropy",
            summary="The cross entropy of the softmax, every row alike.",
        ),
        Objective(
            name="weighted",
            factory="zoo_imbalance.objectives:weighted",
            summary="Cross entropy, each class weighted by the inverse of its share.",
            paper="King and Zeng 2001, Logistic regression in rare events data, Political Analysis 9(2)",
        ),
    ]
