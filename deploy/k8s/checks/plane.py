"""What controllers and nodes make of the manifests: rollouts, budgets, autoscaling, and what they complain of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

from deploy.k8s.checks.code import HTTP_PORT
from deploy.k8s.checks.kubectl import Cluster, Refused, TooLate, moved
from deploy.k8s.checks.objects import Objects, selects, title
from deploy.k8s.checks.render import Thing

DEADLINE_S: Final = 240.0
_CORE: Final = frozenset({"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"})
_IMAGE: Final = "python:3.13-slim"
_ANSWERS: Final = f"""
import http.server
class Yes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.ThreadingHTTPServer(("", {HTTP_PORT}), Yes).serve_forever()
"""
_AS_AT_DRAIN: Final = "disruption budget"


def hollow(things: Sequence[Thing], namespace: str) -> list[Thing]:
    """Return the objects that every cluster knows, in a namespace, their containers replaced by ones that only answer.

    Of what an operator would do, its replicas are there: the least that KEDA would keep.
    """
    kept = [thing for thing in moved(things, namespace) if thing["apiVersion"] in _CORE]
    least = {
        thing["spec"]["scaleTargetRef"]["name"]: thing["spec"]["minReplicaCount"]
        for thing in Objects(things).of("ScaledObject")
    }
    for thing in kept:
        if thing["kind"] in ("Deployment", "Job"):
            for container in thing["spec"]["template"]["spec"]["containers"]:
                container["image"] = os.environ.get("IMAGE") or _IMAGE
                container["command"] = ["python", "-c", _ANSWERS if thing["kind"] == "Deployment" else "pass"]
                container.pop("args", None)
                # Small, so that a small cluster has room for all of it.
                container["resources"]["requests"] = {"cpu": "10m", "memory": "32Mi"}
            if thing["metadata"]["name"] in least:
                thing["spec"]["replicas"] = least[thing["metadata"]["name"]]
    return kept


def secrets_of(things: Sequence[Thing], namespace: str) -> list[Thing]:
    """Return a Secret for each that the pods mount, with every key that they want."""
    wanted: dict[str, set[str]] = {}
    for workload in Objects(things).workloads():
        for volume in workload.pod.get("volumes", ()):
            sources = [{**volume["secret"], "name": volume["secret"]["secretName"]}] if "secret" in volume else []
            sources += [each["secret"] for each in volume.get("projected", {}).get("sources", ()) if "secret" in each]
            for source in sources:
                wanted.setdefault(source["name"], set()).update(item["key"] for item in source.get("items", ()))
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "stringData": dict.fromkeys(sorted(keys), "made up"),
        }
        for name, keys in wanted.items()
    ]


def rolled_out(cluster: Cluster, namespace: str) -> None:
    """Wait until every Deployment is as it should be and every Job is done. Raises `TooLate`."""
    cluster.until("the rollout", lambda: _unfinished(cluster, namespace), DEADLINE_S)


def _unfinished(cluster: Cluster, namespace: str) -> str | None:
    waits = []
    for thing in cluster.get("deployments,jobs", "-n", namespace)["items"]:
        status = thing.get("status", {})
        if thing["kind"] == "Job":
            done = status.get("succeeded", 0) >= 1
        else:
            wanted, generation = thing["spec"]["replicas"], thing["metadata"]["generation"]
            counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
            done = status.get("observedGeneration") == generation and counts == [wanted] * 3
        if not done:
            waits.append(title(thing))
    if not waits:
        return None
    return f"waits for {', '.join(waits)}. {'; '.join(complaints(cluster, namespace))}"


def scaled_by_hpa(cluster: Cluster, namespace: str) -> None:
    """Wait until the autoscaler has found its target and brought it to its least number. Raises `TooLate`."""

    def told() -> str | None:
        for scaler in cluster.get("hpa", "-n", namespace)["items"]:
            target, least = scaler["spec"]["scaleTargetRef"]["name"], scaler["spec"]["minReplicas"]
            there = cluster.get("deployment", target, "-n", namespace).get("status", {}).get("availableReplicas", 0)
            if there < least:
                return f"{target} has {there} pods of {least}; {'; '.join(_scalers(cluster, namespace))}"
        return None

    cluster.until("autoscaling", told, DEADLINE_S)


def never_less_in_a_rollout(cluster: Cluster, things: Sequence[Thing], namespace: str) -> str | None:
    """Change every pod, and return what was short of pods on the way; None: nothing."""
    changed = deepcopy(list(Objects(things).of("Deployment")))
    rolling = {}
    for thing in changed:
        thing["spec"]["template"]["metadata"].setdefault("annotations", {})["tandem/check"] = "again"
        if thing["spec"].get("strategy", {}).get("type") == "RollingUpdate":
            rolling[thing["metadata"]["name"]] = 1
    for thing in cluster.get("deployments", "-n", namespace)["items"]:
        if thing["metadata"]["name"] in rolling:
            rolling[thing["metadata"]["name"]] = thing["spec"]["replicas"]
    cluster.apply(changed)
    short: set[str] = set()

    def told() -> str | None:
        for thing in cluster.get("deployments", "-n", namespace)["items"]:
            name, there = thing["metadata"]["name"], thing.get("status", {}).get("availableReplicas", 0)
            if there < rolling.get(name, 0):
                short.add(f"{name} had {there} of {rolling[name]} pods")
        return _unfinished(cluster, namespace)

    cluster.until("a change of every pod", told, DEADLINE_S)
    return "; ".join(sorted(short)) or None


def budgets_hold(cluster: Cluster, namespace: str) -> Iterator[tuple[str, str | None]]:
    """Drain what each budget guards as a node's drain would, and yield its name and what did not hold: one pod may go,
    the next has to wait until the first is back.
    """
    # Meanwhile none comes back: how fast that is must not decide.
    with cluster.holding([_no_new_pods(namespace)]):
        for budget in cluster.get("pdb", "-n", namespace)["items"]:
            yield budget["metadata"]["name"], _one_after_the_other(cluster, namespace, budget)


def _no_new_pods(namespace: str) -> Thing:
    metadata = {"name": "no-new-pods", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"pods": "0"}}}


def _one_after_the_other(cluster: Cluster, namespace: str, budget: Any) -> str | None:
    pods = [pod for pod in _pods(cluster, namespace) if selects(budget["spec"]["selector"], pod["metadata"]["labels"])]
    if len(pods) < 2:
        return f"it guards {len(pods)} pods"
    first, second = (pod["metadata"]["name"] for pod in pods[:2])
    try:
        cluster.until("an eviction", lambda: cluster.evict(namespace, first), 30.0)
        cluster.evict(namespace, second)
    except TooLate as error:
        return str(error)
    except Refused as error:
        return None if _AS_AT_DRAIN in str(error) else str(error)
    return f"{first} and {second} could be taken away at the same time"


def complaints(cluster: Cluster, namespace: str) -> list[str]:
    """Return everything in a namespace that does not work, in the cluster's own words."""
    found = [*_waiting(cluster, namespace), *_scalers(cluster, namespace), *_without_pods(cluster, namespace)]
    for thing in cluster.get("deployments", "-n", namespace)["items"]:
        conditions = thing.get("status", {}).get("conditions", ())
        found += [f"{title(thing)}: {each['message']}" for each in conditions if each["type"] == "ReplicaFailure"]
    return [*found, *_undrainable(cluster, namespace)]


def _pods(cluster: Cluster, namespace: str) -> list[Any]:
    pods: list[Any] = cluster.get("pods", "-n", namespace)["items"]
    return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]


def _waiting(cluster: Cluster, namespace: str) -> Iterable[str]:
    for pod in _pods(cluster, namespace):
        for status in pod.get("status", {}).get("containerStatuses", ()):
            waiting = status["state"].get("waiting", {})
            if "message" in waiting:
                yield f"{pod['metadata']['name']}: {waiting['reason']}: {waiting['message']}"
        for condition in pod.get("status", {}).get("conditions", ()):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                yield f"{pod['metadata']['name']}: {condition.get('message', 'no node takes it')}"


def _scalers(cluster: Cluster, namespace: str) -> Iterable[str]:
    for scaler in cluster.get("hpa", "-n", namespace)["items"]:
        for condition in scaler.get("status", {}).get("conditions", ()):
            # Without a metrics server it cannot measure; that is the cluster's own affair.
            if condition["type"] == "AbleToScale" and condition["status"] == "False":
                yield f"{title(scaler)}: {condition['message']}"


def _without_pods(cluster: Cluster, namespace: str) -> Iterable[str]:
    led: dict[str, int] = {}
    for piece in cluster.get("endpointslices", "-n", namespace)["items"]:
        name = piece["metadata"]["labels"]["kubernetes.io/service-name"]
        ready = [each for each in piece.get("endpoints") or () if each.get("conditions", {}).get("ready")]
        led[name] = led.get(name, 0) + len(ready)
    for service in cluster.get("services", "-n", namespace)["items"]:
        if not led.get(service["metadata"]["name"]):
            yield f"Service {service['metadata']['name']} leads to no pod"


def _undrainable(cluster: Cluster, namespace: str) -> Iterable[str]:
    for budget in cluster.get("pdb", "-n", namespace)["items"]:
        status = budget.get("status", {})
        healthy, expected = status.get("currentHealthy", 0), status.get("expectedPods", 0)
        if not expected or healthy < expected or status.get("disruptionsAllowed", 0):
            continue
        # All are well, and none may go.
        for pod in _pods(cluster, namespace):
            if selects(budget["spec"]["selector"], pod["metadata"]["labels"]):
                try:
                    cluster.evict(namespace, pod["metadata"]["name"])
                except Refused as error:
                    yield f"{title(budget)}: {error}"
                break
