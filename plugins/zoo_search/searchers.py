"""Ray Tune's searchers. The harness passes the random state and the number of random proposals."""

import optuna as optuna_library
from ray.tune.search.basic_variant import BasicVariantGenerator
from ray.tune.search.hyperopt import HyperOptSearch
from ray.tune.search.optuna import OptunaSearch

from zoo import UsageError


def random(*, seed: int, startup: int) -> BasicVariantGenerator:
    """Return random search. One generator draws all trials in order, so more trials do not change the first ones.

    All proposals are random: `startup` has no effect.
    """
    return BasicVariantGenerator(random_state=seed)


def hyperopt(*, seed: int, startup: int, gamma: float = 0.25) -> HyperOptSearch:
    """Return HyperOpt's TPE; `gamma` sets how many of the best trials count as good (default: HyperOpt's)."""
    if not 0 < gamma < 1:
        raise UsageError(f"hyperopt's gamma must be between 0 and 1, not {gamma!r}")
    return HyperOptSearch(random_state_seed=seed, n_initial_points=startup, gamma=gamma)


def optuna(*, seed: int, startup: int, multivariate: bool = True) -> OptunaSearch:
    """Return Optuna's TPE; `multivariate` models the hyperparameters jointly."""
    optuna_library.logging.set_verbosity(optuna_library.logging.ERROR)
    sampler = optuna_library.samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=multivariate)
    return OptunaSearch(sampler=sampler)
