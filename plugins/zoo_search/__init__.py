"""Searchers of Ray Tune, seeded so that one seed always proposes the same configurations."""

from collections.abc import Iterable

from zoo import Searcher, hookimpl


@hookimpl
def zoo_components() -> Iterable[Searcher]:
    return [
        Searcher(
            name="random",
            factory="zoo_search.searchers:random",
            summary="Random search: draws each configuration independently.",
            paper="Bergstra and Bengio 2012, Random search for hyper-parameter optimization, JMLR 13",
            libraries=("ray",),
        ),
        Searcher(
            name="hyperopt",
            factory="zoo_search.searchers:hyperopt",
            summary="Parzen estimators (TPE) for each hyperparameter separately.",
            paper="Bergstra, Bardenet, Bengio and Kegl 2011, Algorithms for hyper-parameter optimization, NIPS; "
            "Bergstra, Yamins and Cox 2013, Making a science of model search, ICML, arXiv:1209.5111",
            libraries=("ray", "hyperopt"),
        ),
        Searcher(
            name="optuna",
            factory="zoo_search.searchers:optuna",
            summary="Parzen estimators (TPE) for all hyperparameters jointly.",
            paper="Akiba, Sano, Yanase, Ohta and Koyama 2019, Optuna: a next-generation hyperparameter optimization "
            "framework, KDD, arXiv:1907.10902; its estimator: Watanabe 2023, arXiv:2304.11127",
            libraries=("ray", "optuna"),
        ),
    ]
