"""Methods for class imbalance: resamplers of the training set, class-balanced batches, and training losses."""

from collections.abc import Iterable

from zoo import Objective, Resampler, hookimpl


@hookimpl
def zoo_components() -> Iterable[Resampler | Objective]:
    return [
        Resampler(
            name="original",
            factory="zoo_imbalance.resamplers:original",
            summary="The training rows, unchanged.",
        ),
        Resampler(
            name="oversampled",
            factory="zoo_imbalance.resamplers:oversampled",
            summary="Repeats rows until all classes are as large as the largest.",
            paper="imbalanced-learn: Lemaitre, Nogueira and Aridas 2017, JMLR 18(17)",
        ),
        Resampler(
            name="undersampled",
            factory="zoo_imbalance.resamplers:undersampled",
            summary="Drops rows until all classes are as small as the smallest.",
            paper="imbalanced-learn: Lemaitre, Nogueira and Aridas 2017, JMLR 18(17)",
        ),
        Resampler(
            name="smote",
            factory="zoo_imbalance.resamplers:smote",
            summary="Like oversampled, with new rows between neighbours.",
            paper="Chawla et al. 2002, SMOTE: synthetic minority over-sampling technique, JAIR 16, arXiv:1106.1813",
            interpolates=True,
        ),
        Resampler(
            name="adasyn",
            factory="zoo_imbalance.resamplers:adasyn",
            summary="Like smote, with more new rows near other classes.",
            paper="He, Bai, Garcia and Li 2008, ADASYN: adaptive synthetic sampling approach for imbalanced learning, "
            "IJCNN, doi:10.1109/IJCNN.2008.4633969",
            interpolates=True,
            exact=False,
        ),
        Resampler(
            name="borderline-smote",
            factory="zoo_imbalance.resamplers:borderline_smote",
            summary="Like smote, only from rows on the border to other classes.",
            paper="Han, Wang and Mao 2005, Borderline-SMOTE: a new over-sampling method in imbalanced data sets "
            "learning, ICIC, doi:10.1007/11538059_91",
            interpolates=True,
        ),
        Resampler(
            name="smote-tomek",
            factory="zoo_imbalance.resamplers:smote_tomek",
            summary="Like smote, then removes close pairs of different classes.",
            paper="Batista, Prati and Monard 2004, A study of the behavior of several methods for balancing machine "
            "learning training data, SIGKDD Explorations 6(1), doi:10.1145/1007730.1007735",
            interpolates=True,
            exact=False,
        ),
        Resampler(
            name="balanced-batches",
            factory="zoo_imbalance.resamplers:balanced_batches",
            summary="Rows unchanged; batches draw every class equally often.",
            paper="Class-balanced sampling, as in Kang et al. 2020, Decoupling representation and classifier for "
            "long-tailed recognition, ICLR, arXiv:1910.09217",
        ),
        Objective(
            name="cross-entropy",
            factory="zoo_imbalance.objectives:cross_entropy",
            summary="Cross entropy of the softmax; every row counts the same.",
        ),
        Objective(
            name="weighted",
            factory="zoo_imbalance.objectives:weighted",
            summary="Cross entropy; each class weighted by its inverse frequency.",
            paper="King and Zeng 2001, Logistic regression in rare events data, Political Analysis 9(2)",
        ),
        Objective(
            name="focal",
            factory="zoo_imbalance.objectives:focal",
            summary="Cross entropy with less weight on well-classified rows.",
            paper="Lin, Goyal, Girshick, He and Dollar 2017, Focal loss for dense object detection, ICCV, "
            "arXiv:1708.02002",
        ),
        Objective(
            name="class-balanced",
            factory="zoo_imbalance.objectives:class_balanced",
            summary="Cross entropy; weights by the effective number of rows.",
            paper="Cui, Jia, Lin, Song and Belongie 2019, Class-balanced loss based on effective number of samples, "
            "CVPR, arXiv:1901.05555",
        ),
        Objective(
            name="logit-adjusted",
            factory="zoo_imbalance.objectives:logit_adjusted",
            summary="Cross entropy; adds the log share of a class to its logit.",
            paper="Menon, Jayasumana, Rawat, Jain, Veit and Kumar 2021, Long-tail learning via logit adjustment, ICLR, "
            "arXiv:2007.07314",
        ),
        Objective(
            name="context-aware",
            factory="zoo_imbalance.objectives:context_aware",
            summary="Cross entropy; each class weighted by the log of its rarity.",
            paper="El-Ghaish and Eldele 2024, ECGTransForm: empowering adaptive ECG arrhythmia classification "
            "framework with bidirectional transformer, Biomedical Signal Processing and Control 89, "
            "doi:10.1016/j.bspc.2023.105714",
        ),
    ]
