"""Checks of every searcher (the contract: `zoo.specs.Searcher`)."""

from tempfile import TemporaryDirectory
from typing import Any

from zoo.registry import Entry, Registry
from zoo.space import Choice, Float, Int, Space
from zoo.specs import Searcher
from zoo.testing.check import NotConforming, expect

SPACE: Space = {
    "width": Choice(8, 16, 32),
    "kind": Choice("a", "b"),
    "layers": Int(1, 3),
    "units": Int(4, 64, log=True),
    "rate": Float(0.0, 0.5),
    "training.learning_rate": Float(1e-4, 1e-2, log=True),
}
STARTUP = 3
PROPOSALS = 8
FAILING = 2


def inside(registry: Registry, entry: Entry[Searcher]) -> None:
    """Every proposal has a value for each key, of its type and within its bounds, for both modes, `max` and `min`."""
    for proposal in (*_proposals(entry, seed=0), *_proposals(entry, seed=0, mode="min")):
        expect(proposal.keys() == SPACE.keys(), f"it proposes values for {sorted(proposal)}, not for {sorted(SPACE)}")
        for key, domain in SPACE.items():
            value = proposal[key]
            if isinstance(domain, Choice):
                expect(value in domain.values, f"it proposes {key}={value!r}, not one of {domain}")
                continue
            wanted = int if isinstance(domain, Int) else float
            expect(type(value) is wanted, f"it proposes {key}={value!r}, which is not {wanted.__name__}")
            expect(domain.low <= value <= domain.high, f"it proposes {key}={value!r}, not {domain}")


def repeatable(registry: Registry, entry: Entry[Searcher]) -> None:
    """With one trial at a time, the same seed proposes the same configurations; a different seed, different ones."""
    first = _proposals(entry, seed=1)
    expect(_proposals(entry, seed=1) == first, "the same seed proposes different configurations")
    expect(_proposals(entry, seed=2) != first, "different seeds propose the same configurations")


CHECKS = (inside, repeatable)


def use(registry: Registry, entry: Entry[Searcher]) -> None:
    """Request proposals and report their results."""
    _proposals(entry, seed=0)


def _proposals(entry: Entry[Searcher], seed: int, mode: str = "max") -> list[dict[str, Any]]:
    """Return its proposals; after each, report a result that is best at one end of `rate`.

    The second trial has the worst result, and the third fails.
    """
    from ray.tune import Trainable
    from ray.tune.experiment import Experiment

    from zoo.tuning.ray_search import make_searcher, to_tune

    space = to_tune(SPACE)
    algorithm = make_searcher(entry, {}, seed=seed, startup=STARTUP)
    algorithm.set_search_properties("score", mode, space)
    with TemporaryDirectory() as folder:  # Tune creates a folder for every experiment
        asked = Experiment("check", Trainable, config=space, num_samples=PROPOSALS, storage_path=folder)
        algorithm.add_configurations([asked])
    found = []
    for number in range(PROPOSALS):
        trial = algorithm.next_trial()
        if trial is None:
            raise NotConforming(f"it proposes nothing after {number} trials")
        found.append(dict(trial.config))
        score = 0.0 if number == 1 else 1 - trial.config["rate"]
        result = {"score": score, "training_iteration": 1}
        if number == FAILING:
            algorithm.on_trial_complete(trial.trial_id, error=True)
            continue
        algorithm.on_trial_result(trial.trial_id, result)
        algorithm.on_trial_complete(trial.trial_id, result=result)
    return found
