"""The nodes of a cluster, checked before any work is sent to them."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, TaskUnschedulableError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from zoo.errors import UsageError, describe
from zoo.version import VERSION

PATIENCE_SECONDS = 120.0  # the first process of a node must start, and a busy cluster may delay it


def check_nodes(folder: Path, gpus_each: float) -> None:
    """Check every node. Raises UsageError if a node lacks the zoo, has a different version, or cannot access `folder`.

    Also raises it if no node has the `gpus_each` GPUs that each worker takes.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    most = max((float(node["Resources"].get("GPU", 0)) for node in nodes), default=0.0)
    if gpus_each > most:
        raise UsageError(f"--gpus-per-trial {gpus_each:g} is more than any node of the cluster has: {most:g}")
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".seen-{secrets.token_hex(4)}"
    token.write_text("")
    try:
        asked = [(node, _ask(node, token)) for node in nodes]
        ray.wait([answer for _, answer in asked], num_returns=len(asked), timeout=PATIENCE_SECONDS)
        for node, answer in asked:
            if problem := _problem(answer, folder):
                raise UsageError(f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']}): {problem}")
    finally:
        token.unlink(missing_ok=True)


def _ask(node: Mapping[str, str], token: Path) -> Any:
    where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(num_cpus=0, max_retries=0)(_look).options(scheduling_strategy=where).remote(str(token.absolute()))


def _problem(answer: Any, folder: Path) -> str:
    try:
        version, seen = ray.get(answer, timeout=0)
    except GetTimeoutError:
        return f"no answer within {PATIENCE_SECONDS:g} s"
    except TaskUnschedulableError:
        return ""  # the node has left the cluster
    except (RayError, ModuleNotFoundError) as error:
        return f"cannot be checked: is zoo-registry installed there? {' '.join(describe(error).split())[-200:]}"
    if version != VERSION:
        return f"has zoo-registry {version}, but this machine has {VERSION}"
    if not seen:
        return f"cannot access {str(folder)!r}: put --results on a file system that all nodes share"
    return ""


def _look(token: str) -> tuple[str, bool]:
    """Run on a node: return its version of the zoo, and whether it can access a file of the driver."""
    return VERSION, Path(token).exists()
