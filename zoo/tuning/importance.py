"""The importance of each hyperparameter, by Optuna's default evaluator on the recorded trials.

The evaluator looks for values that the best trials share, so it is unreliable for few trials. With fewer than `FEWEST`
fully trained trials there is no result; with fewer than `ENOUGH` the result is called a hint. Failed and pruned trials
are excluded: the value of a pruned trial depends on when it was stopped.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo.space import Choice, Domain, Int, Space, Value
from zoo.store.study import Study, Trial, TrialStatus

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST = 8  # with fewer, the true first parameter of a known function came second in about half of all cases
ENOUGH = 20


@dataclass(frozen=True)
class Importance:
    """Shares by hyperparameter, largest first, with sum 1; if empty, `note` gives the reason."""

    shares: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def importance(study: Study) -> Importance:
    """Return the importance of every hyperparameter with more than one possible value."""
    trials = [trial for trial in study.trials if trial.status == TrialStatus.DONE and trial.value is not None]
    varied = {name: domain for name, domain in study.space.items() if _varies(domain)}
    if len(trials) < FEWEST:
        return Importance(note=f"importance needs {FEWEST} fully trained trials; this study has {len(trials)}")
    if not varied:
        return Importance(note="no hyperparameter had more than one possible value")
    if len({trial.value for trial in trials}) == 1:
        return Importance(note="all trials have the same score, so all hyperparameters are equally important")
    shares = _shares(study.mode, varied, trials)
    if not shares:
        return Importance(note="the trials do not fit the recorded space, so importance cannot be computed")
    hint = f"only a hint: {len(trials)} fully trained trials, but a reliable result needs {ENOUGH}"
    return Importance(shares, hint if len(trials) < ENOUGH else "")


def _shares(mode: str, space: Space, trials: list[Trial]) -> dict[str, float]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    domains = {name: _distribution(domain) for name, domain in space.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the evaluator is experimental
        study = optuna.create_study(direction="minimize" if mode == "min" else "maximize")
        for trial in trials:
            params = {name: _inside(space[name], trial.config[name]) for name in space if name in trial.config}
            try:
                study.add_trial(
                    optuna.trial.create_trial(
                        value=trial.value, params=params, distributions={name: domains[name] for name in params}
                    )
                )
            except ValueError:  # a value outside its domain
                continue
        if len(study.trials) < FEWEST:
            return {}
        found = optuna.importance.get_param_importances(study)
    return {name: float(share) for name, share in found.items()}


def _distribution(domain: Domain) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.values)
    if isinstance(domain, Int):
        return IntDistribution(domain.low, domain.high, log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


def _inside(domain: Domain, value: Value) -> Value:
    """Clip a number to its bounds: rounding can move a draw on a log scale slightly outside."""
    if isinstance(domain, Choice) or isinstance(value, str):
        return value
    return type(value)(min(max(value, domain.low), domain.high))


def _varies(domain: Domain) -> bool:
    return len(domain.values) > 1 if isinstance(domain, Choice) else domain.low != domain.high
