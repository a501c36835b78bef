"""A running Ray cluster on this machine: what it refuses, what it stores, and a study that loses one of its nodes."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

import zoo
from zoo.errors import UsageError
from zoo.store.runs import Store
from zoo.store.studies import StudyStore
from zoo.store.study import TrialStatus
from zoo.tuning.reporter import SilentTuneReporter
from zoo.tuning.run_study import run_study
from zoo.workers.nodes import _look, _problem
from zoo.workers.session import Workers

NODE: dict[str, Any] = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head with two cores: a second node would only take longer to start."""
    with started(num_cpus=2) as made:
        yield made


@pytest.fixture
def two_nodes() -> Iterator[Cluster]:
    """A head and one more node, with a core each."""
    with started(further=1) as made:
        yield made


@contextmanager
def started(further: int = 0, **head: Any) -> Iterator[Cluster]:
    folder = tempfile.mkdtemp(prefix="zc-", dir="/tmp")  # the paths of Ray's sockets have to be short
    os.makedirs("/tmp/ray", exist_ok=True)  # where Cluster leaves its address, whatever folder it is given
    options = {**NODE, **head, "include_dashboard": False, "temp_dir": folder}
    made = Cluster(initialize_head=True, head_node_args=options)
    for _ in range(further):
        made.add_node(**NODE, temp_dir=folder)
    yield made
    made.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


class Losing(SilentTuneReporter):
    """Takes a node away, once, when the trials that run on both have come as far as their second epoch."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.lost = cluster, False

    def on_trials(self, study: Any, seconds_left: float | None) -> None:
        running = [trial for trial in study.trials if trial.status == TrialStatus.RUNNING]
        if not self.lost and sum(len(trial.history) >= 2 for trial in running) >= 2:
            self.lost = True
            (node,) = self.cluster.worker_nodes
            self.cluster.remove_node(node, allow_graceful=False)


@pytest.mark.slow
def test_a_study_goes_on_when_its_cluster_loses_a_node(two_nodes, with_faulty, asked, tmp_path) -> None:
    log = tmp_path / "epochs.log"
    request = asked(
        architecture="steady",
        assignments={"log": str(log), "pause": 0.6, "training.patience": 0},
        overrides=("width=2..16",),
        trials=4,
        epochs=10,  # long enough that trials run on both nodes at once, also on a busy machine
        jobs=2,
        address=two_nodes.address,
    )
    reporter = Losing(two_nodes)
    with Store(tmp_path / "results") as store:
        study = run_study(with_faulty, request, store, reporter)
        starts = [StudyStore(store).starts(study.name, trial.number) for trial in study.trials]
        assert store.get(study.run).status == "done"
    assert reporter.lost
    assert [(trial.status, len(trial.history)) for trial in study.trials] == [("done", 10)] * 4
    assert max(starts) == 2, "the trial of the lost node went on at the other"
    assert not ray.is_initialized()
    assert not (tmp_path / "results/studies").exists()


def test_what_a_cluster_cannot_do_is_one_line_before_any_work(cluster, tmp_path) -> None:
    greedy = Workers(1, gpus_each=0.5, address=cluster.address)
    with greedy, pytest.raises(UsageError, match="is more than any node of the cluster has: 0"):
        greedy.start(tmp_path)
    with Workers(1, address=cluster.address) as workers:
        workers.start(tmp_path)
        elsewhere = ray.put(("0.0.1", True))
        assert _problem(elsewhere, tmp_path) == "has zoo-registry 0.0.1, but this machine has 0.1.0"
        blind = ray.remote(_look).remote(str(tmp_path / "not there"))
        ray.wait([blind])
        assert "on a file system that all nodes share" in _problem(blind, tmp_path)
    assert not ray.is_initialized()


def test_no_cluster_at_an_address_is_one_line(tmp_path) -> None:
    with Workers(1, address="127.0.0.1:1") as workers, pytest.raises(UsageError, match="no Ray cluster to join at"):
        workers.start(tmp_path)


def test_a_bench_on_a_cluster_stores_what_one_here_would(cluster, registry, waves_csv, tmp_path) -> None:
    asked: dict[str, Any] = {
        "dataset": str(waves_csv),
        "target": "kind",
        "columns": "t*",
        "rows": 60,
        "epochs": 2,
        "seeds": 2,
    }
    small = {"hidden": 4, "num_blocks": 1, "gru_hidden": 4, "num_layers": 1}
    there = zoo.bench("cnngru", **asked, set=small, jobs=2, address=cluster.address, results=tmp_path / "there")
    here = zoo.bench("cnngru", **asked, set=small, threads=1, results=tmp_path / "here")
    assert [run.status for run in there] == ["done", "done"]
    assert [run.scores for run in there] == [run.scores for run in here]
    assert [run.fingerprint for run in there] == [run.fingerprint for run in here]
    assert not ray.is_initialized()
