"""How much each hyperparameter mattered, by Optuna's default evaluator on the trials as they were recorded.

It asks which values the best trials have in common, so it says little of a few trials: nothing is said of fewer than
`FEWEST` that were trained to their end, and what is said of fewer than `ENOUGH` is called a hint. Trials that failed
or were pruned are left out: how far a pruned one came says when it was stopped, not how good it is.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo.space import Choice, Domain, Int, Space, Value
from zoo.store.study import Study, Trial, TrialStatus

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST = 8  # below, the true first parameter of a known function came second as often as not
ENOUGH = 20


@dataclass(frozen=True)
class Importance:
    """Shares by hyperparameter, greatest first, which sum to 1; none where `note` says why."""

    shares: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


def importance(study: Study) -> Importance:
    """The importance of every hyperparameter that had more than one value to take."""
    trials = [trial for trial in study.trials if trial.status == TrialStatus.DONE and trial.value is not None]
    varied = {name: domain for name, domain in study.space.items() if _varies(domain)}
    if len(trials) < FEWEST:
        return Importance(note=f"importance takes {FEWEST} trials trained to their end, and there are {len(trials)}")
    if not varied:
        return Importance(note="no hyperparameter had more than one value to take")
    if len({trial.value for trial in trials}) == 1:
        return Importance(note="all trials scored the same, so no hyperparameter is more important than another")
    shares = _shares(study.mode, varied, trials)
    if not shares:
        return Importance(note="the trials do not fit the space as it is recorded, so importance cannot be told")
    hint = f"a hint only: {len(trials)} trials trained to their end, and {ENOUGH} or more would tell"
    return Importance(shares, hint if len(trials) < ENOUGH else "")


def _shares(mode: str, space: Space, trials: list[Trial]) -> dict[str, float]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    domains = {name: _distribution(domain) for name, domain in space.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the evaluator being experimental
        study = optuna.create_study(direction="minimize" if mode == "min" else "maximize")
        for trial in trials:
            params = {name: _inside(space[name], trial.config[name]) for name in space if name in trial.config}
            try:
                study.add_trial(
                    optuna.trial.create_trial(
                        value=trial.value, params=params, distributions={name: domains[name] for name in params}
                    )
                )
            except ValueError:  # a value that its domain does not hold
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
    """A number within its bounds: a searcher that draws logarithms can miss an end by a rounding."""
    if isinstance(domain, Choice) or isinstance(value, str):
        return value
    return type(value)(min(max(value, domain.low), domain.high))


def _varies(domain: Domain) -> bool:
    return len(domain.values) > 1 if isinstance(domain, Choice) else domain.low != domain.high
