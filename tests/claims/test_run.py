"""Which missing runs are trained first: those nearest to a decision, within the time budget."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparing import CLASSES, guesses

from zoo.claims.file import read_hypotheses
from zoo.claims.plan import ClaimPlan, make_claim_plan, plan_with_stored
from zoo.claims.run import Round, Session
from zoo.harness.reporter import SilentReporter
from zoo.missing.overall import Overall
from zoo.missing.shelf import Shelf
from zoo.missing.training import Options
from zoo.store.run import Run, RunStatus
from zoo.store.runs import Store
from zoo.workspace import Workspace

FILE = """
[common]
dataset = "waves.csv"
target = "kind"
epochs = 1
seeds = 6
direction = "higher"
margin = 0.0
[[hypothesis]]
id = "unclear"
architecture = "fcn"
first = { data = "oversampled" }
second = { data = "original" }
[[hypothesis]]
id = "clear"
architecture = "lite"
first = { data = "oversampled" }
second = { data = "original" }
[[hypothesis]]
id = "new"
architecture = "tcn"
first = { data = "oversampled" }
second = { data = "original" }
"""


@pytest.fixture
def plan() -> ClaimPlan:
    kinds = np.repeat(["calm", "wild"], [40, 20])
    values = np.random.default_rng(0).normal(size=(60, 8))
    lines = [",".join([*(f"t{n}" for n in range(8)), "kind"])]
    lines += [",".join([*map(str, row), kind]) for row, kind in zip(values, kinds, strict=True)]
    Path("waves.csv").write_text("\n".join(lines))
    Path("claims.toml").write_text(FILE)
    return make_claim_plan(Workspace.load(), read_hypotheses(Path("claims.toml")))


def keep(
    store: Store, plan: ClaimPlan, identifier: str, shares: tuple[float, float], seconds: float, seeds: int
) -> None:
    """Store runs of the first seeds of a hypothesis, with these shares of right predictions."""
    number = [each.id for each in plan.file.hypotheses].index(identifier)
    for need in plan.scopes[number].needs:
        if need.seed >= seeds:
            continue
        found = guesses(shares[need.side], need.seed + 10 * need.side)
        cell, key = need.cell, need.wanted.keys[0]
        what = {"architecture": cell.network.entry.name, "data": cell.resampler.entry.name, "loss": "cross-entropy"}
        run = Run(id="", key=key, dataset="waves.csv", protocol="holdout", seed=need.seed, rows=cell.rows, **what)
        parts = {"classes": list(CLASSES), "fingerprints": {"test": "t"}}
        ended = replace(store.begin(run), status=RunStatus.DONE, parts=parts, cost={"train_seconds": seconds})
        store.finish(ended, {"predictions.parquet": found.to_parquet()})


def order(session: Session) -> list[str]:
    """The hypotheses of the rounds, in their order, and as if each round had been tried."""
    found = []
    while batch := session.next_rounds():
        for each in batch:
            found.append(session.plan.file.hypotheses[each.scope.place[0]].id)
            session.tried |= {attempt for need in each.needs for attempt in [(need.wanted.keys, 1)]}
    return found


def test_the_clear_one_comes_first_and_a_decided_one_last(plan: ClaimPlan) -> None:
    with Store(Path("results")) as store:
        keep(store, plan, "unclear", (0.8, 0.8), 10.0, seeds=4)
        keep(store, plan, "clear", (0.95, 0.6), 10.0, seeds=4)
        session = Session(plan, store, (), Overall(SilentReporter(), 0), Options())
        assert order(session) == ["clear"] * 2 + ["new"] * 6 + ["unclear"] * 2
        keep(store, plan, "clear", (0.95, 0.6), 10.0, seeds=5)
        again = Session(plan, store, (), Overall(SilentReporter(), 0), Options())
        assert order(again)[-1] == "clear", "it has an answer, from five of six seeds"


def test_a_round_that_would_end_too_late_does_not_start(plan: ClaimPlan) -> None:
    with Store(Path("results")) as store:
        keep(store, plan, "clear", (0.95, 0.6), 500.0, seeds=4)
        keep(store, plan, "unclear", (0.8, 0.8), 1.0, seeds=4)
        session = Session(plan, store, (), Overall(SilentReporter(), 0), Options(time_budget=60.0))
        assert "clear" not in order(session)
        assert any("time budget" in note for note in session.notes)


def test_several_jobs_get_several_rounds(plan: ClaimPlan) -> None:
    with Store(Path("results")) as store:
        session = Session(plan, store, (), Overall(SilentReporter(), 0), Options(jobs=4))
        batch: list[Round] = session.next_rounds()
        assert len({each.scope.place for each in batch}) == len(batch) == 3
        needs = [need for scope in plan_with_stored(plan, Shelf(store)).scopes for need in scope.needs]
        assert sum(need.missing for need in needs) == 36
