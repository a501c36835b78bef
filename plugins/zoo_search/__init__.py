"""Searchers: Ray Tune's own, each made so that one seed proposes the same configurations."""

from collections.abc import Iterable

from zoo import Searcher, hookimpl


@hookimpl
def zoo_components() -> Iterable[Searcher]:
    return [
        Searcher(
            name="random",
            factory="zoo_search.searchers:random",
            summary="Every configuration drawn by itself, whatever came of the others.",
            paper="Bergstra and Bengio 2012, Random search for hyper-parameter optimization, JMLR 13",
            libraries=("ray",),
        ),
        Searcher(
            name="hyperopt",
            factory="zoo_search.searchers:hyperopt",
            summary="Tree-structured Parzen estimators, each hyperparameter by itself, as HyperOpt has them.",
            paper="Bergstra, Bardenet, Bengio and Kegl 2011, Algorithms for hyper-parameter optimization, NIPS; "
            "Bergstra, Yamins and Cox 2013, Making a science of model search, ICML, arXiv:1209.5111",
            libraries=("ray", "hyperopt"),
        ),
        Searcher(
            name="optuna",
            factory="zoo_search.searchers:optuna",
            summary="Tree-structured Parzen estimators, hyperparameters together, as Optuna has them.",
            paper="Akiba, Sano, Yanase, Ohta and Koyama 2019, Optuna: a next-generation hyperparameter optimization "
            "framework, KDD, arXiv:1907.10902; its estimator: Watanabe 2023, arXiv:2304.11127",
            libraries=("ray", "optuna"),
        ),
    ]
