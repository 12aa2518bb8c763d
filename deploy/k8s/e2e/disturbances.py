"""What happens to pods in the life of an installation, each done to all of Tandem while people work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from deploy.k8s.checks.kubectl import Refused, TooLate
from deploy.k8s.e2e.installation import DEPLOYMENTS, Installation

_SCALED: Final = tuple(name for name in DEPLOYMENTS if name != "tandem-reconciler")
"""There is one reconciler at a time."""
_MANY: Final = 3
_EVICTED_S: Final = 120.0
_AGAIN_S: Final = 1.0


def _rollout(installation: Installation) -> str:
    installation.restart()
    installation.rolled_out()
    return f"{len(DEPLOYMENTS)} Deployments rolled"


def _killed(installation: Installation) -> str:
    killed = 0
    for deployment in DEPLOYMENTS:
        for pod in installation.pods(deployment):
            installation.kill(pod)
            killed += 1
        installation.rolled_out()
    return f"{killed} pods killed, one after the other"


def _scaled(installation: Installation) -> str:
    for deployment in _SCALED:
        for replicas in (_MANY, 1):
            installation.scale(deployment, replicas)
            installation.rolled_out()
    return f"{len(_SCALED)} Deployments, 1 to {_MANY} to 1"


def _drained(installation: Installation) -> str:
    """Evict every pod by the API that a drain uses; with more than one node, each node is closed meanwhile, too."""
    cluster = installation.cluster
    nodes = [
        node["metadata"]["name"]
        for node in cluster.get("nodes")["items"]
        if not node["spec"].get("unschedulable") and not node["spec"].get("taints")
    ]
    if len(nodes) == 1:
        count = sum(_evicted(installation, pod) for name in DEPLOYMENTS for pod in installation.pods(name))
        return f"{count} pods evicted from the only node"
    for node in nodes:
        cluster.run("cordon", node)
        try:
            here = cluster.get("pods", "-n", installation.namespace, f"--field-selector=spec.nodeName={node}")["items"]
            own = {pod["metadata"]["name"] for pod in here}
            for name in DEPLOYMENTS:
                for pod in own.intersection(installation.pods(name)):
                    _evicted(installation, pod)
        finally:
            cluster.run("uncordon", node)
    return f"{len(nodes)} nodes drained, one after the other"


def _evicted(installation: Installation, pod: str) -> int:
    """Evict a pod as soon as its budget lets it go, and wait for its successor. Raises `TooLate`."""
    end = time.monotonic() + _EVICTED_S
    while True:
        try:
            installation.cluster.evict(installation.namespace, pod)
        except Refused as error:
            if time.monotonic() > end:
                raise TooLate(f"{pod} cannot be evicted: {error}") from None
            time.sleep(_AGAIN_S)
            continue
        installation.rolled_out()
        return 1


DISTURBANCES: Final[tuple[tuple[str, Callable[[Installation], str]], ...]] = (
    ("killed", _killed),
    ("rolling restart", _rollout),
    ("scaled", _scaled),
    ("drained", _drained),
)
