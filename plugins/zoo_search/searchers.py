"""Ray Tune's searchers, their random state and the number of random proposals set by the harness."""

import optuna as optuna_library
from ray.tune.search.basic_variant import BasicVariantGenerator
from ray.tune.search.hyperopt import HyperOptSearch
from ray.tune.search.optuna import OptunaSearch

from zoo import UsageError


def random(*, seed: int, startup: int) -> BasicVariantGenerator:
    """All draws come in order from one generator, so that more trials keep the first ones; all are random."""
    return BasicVariantGenerator(random_state=seed)


def hyperopt(*, seed: int, startup: int, gamma: float = 0.25) -> HyperOptSearch:
    """HyperOpt's estimators; `gamma` sets how many of the best trials are the good ones (its own default)."""
    if not 0 < gamma < 1:
        raise UsageError(f"hyperopt's gamma is between 0 and 1, not {gamma!r}")
    return HyperOptSearch(random_state_seed=seed, n_initial_points=startup, gamma=gamma)


def optuna(*, seed: int, startup: int, multivariate: bool = True) -> OptunaSearch:
    """Optuna's estimators; `multivariate` lets them see how hyperparameters go together."""
    optuna_library.logging.set_verbosity(optuna_library.logging.ERROR)
    sampler = optuna_library.samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=multivariate)
    return OptunaSearch(sampler=sampler)
