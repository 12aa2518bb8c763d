"""Mistakes that people make, one each: planted on purpose, to prove that the layer to which each belongs finds it.

`QUICK` ones are judged in the tests, without a cluster; the others in `make k8s-check`. A layer that lets its mistake
pass is broken, whatever it says of the manifests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from deploy.k8s.checks.objects import Objects
from deploy.k8s.checks.render import Thing


class Layer(StrEnum):
    """Where a mistake shows first."""

    QUICK = "quick"
    """Rendering and the rules against the code, without a cluster: `make check`."""
    SERVER = "server"
    """An API server that is asked whether it would take it: types, references within an object, our admission rules."""
    PLANE = "plane"
    """Controllers and nodes: it is taken, and then does not come up."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `words`: what the layer has to say, or a part of it."""

    name: str
    layer: Layer
    plant: Callable[[Objects], object]
    words: str
    composition: str = "production"


def _thing(objects: Objects, kind: str, name: str) -> Thing:
    found = objects.named(kind, name)
    if found is None:
        raise LookupError(f"{kind} {name} is not there to be spoilt")
    return found


def _config(objects: Objects) -> dict[str, str]:
    """Return the settings of the services: there are ConfigMaps of dashboards, too."""
    every: list[dict[str, str]] = [each["data"] for each in objects.of("ConfigMap")]
    return next(data for data in every if "TANDEM_LOG_LEVEL" in data)


def _pod(objects: Objects, component: str) -> Any:
    return _thing(objects, "Deployment", f"tandem-{component}")["spec"]["template"]["spec"]


def _container(objects: Objects, component: str) -> Any:
    return _pod(objects, component)["containers"][0]


def _spec(objects: Objects, kind: str, name: str) -> Any:
    return _thing(objects, kind, name)["spec"]


def _vendors_for_the_mapper(objects: Objects) -> None:
    _spec(objects, "NetworkPolicy", "tandem-vendors")["podSelector"]["matchExpressions"][0]["values"].append("mapper")


def _misspelt_topic(objects: Objects) -> None:
    _thing(objects, "KafkaTopic", "tandem.outcomes.v1")["metadata"]["name"] = "tandem.outcome.v1"


def _misspelt_setting(objects: Objects) -> None:
    _config(objects)["TANDEM_TOPIC_PREFX"] = "tandem."


_OPERATORS: Final = "base with all operators"
MISTAKES: Final = (
    Mistake(
        "a setting misspelt", Layer.QUICK, _misspelt_setting, "nothing reads TANDEM_TOPIC_PREFX; TANDEM_TOPIC_PREFIX"
    ),
    Mistake(
        "a value that the service refuses",
        Layer.QUICK,
        lambda all_: _config(all_).update(TANDEM_KAFKA_SASL_MECHANISM="SCRAM-SHA-1"),
        "TANDEM_KAFKA_SASL_MECHANISM 'SCRAM-SHA-1'",
    ),
    Mistake(
        "a property misspelt",
        Layer.QUICK,
        lambda all_: _container(all_, "mapper").update(imagePullPolice="Always"),
        "'imagePullPolice' was unexpected",
    ),
    Mistake(
        "a command that runs nothing",
        Layer.QUICK,
        lambda all_: _container(all_, "jira-writer").update(command=["python", "-m", "services.jira_wirter"]),
        "runs nothing",
    ),
    Mistake(
        "a probe on a port that is not there",
        Layer.QUICK,
        lambda all_: _container(all_, "console")["readinessProbe"]["httpGet"].update(port="web"),
        "readinessProbe asks port web",
    ),
    Mistake(
        "liveness that asks Kafka",
        Layer.QUICK,
        lambda all_: _container(all_, "mapper")["livenessProbe"]["httpGet"].update(path="/readyz"),
        "livenessProbe asks /readyz; that is not what it means",
    ),
    Mistake(
        "too little time to end",
        Layer.QUICK,
        lambda all_: _pod(all_, "webhook-gateway").update(terminationGracePeriodSeconds=20),
        "terminationGracePeriodSeconds is 20, and it takes up to 35",
    ),
    Mistake(
        "an image that moves",
        Layer.QUICK,
        lambda all_: _container(all_, "craft-writer").update(image="registry.example/tandem:latest"),
        "is not pinned",
    ),
    Mistake(
        "a secret in the manifest",
        Layer.QUICK,
        lambda all_: _container(all_, "console")["env"].append({"name": "TANDEM_CONSOLE_TOKEN", "value": "x" * 32}),
        "TANDEM_CONSOLE_TOKEN is a secret",
    ),
    Mistake(
        "a policy that lets too much out",
        Layer.QUICK,
        _vendors_for_the_mapper,
        "mapper to a vendor on TCP 443 is allowed, and nothing needs it",
    ),
    Mistake(
        "a policy for another port than Kafka's",
        Layer.QUICK,
        lambda all_: _spec(all_, "NetworkPolicy", "tandem-kafka")["egress"][0]["ports"][0].update(port=9092),
        "mapper to Kafka on TCP 9093 is needed, and no policy allows it",
    ),
    Mistake("a topic misspelt", Layer.QUICK, _misspelt_topic, "there is no KafkaTopic tandem.outcomes.v1", _OPERATORS),
    Mistake(
        "a consumer group that nobody reads in",
        Layer.QUICK,
        lambda all_: _spec(all_, "ScaledObject", "tandem-mapper")["triggers"][0]["metadata"].update(
            consumerGroup="tandem-mapper"
        ),
        "nothing reads in the consumer group tandem-mapper",
    ),
    Mistake(
        "a selector that is not its pods'",
        Layer.SERVER,
        lambda all_: _spec(all_, "Deployment", "tandem-mapper")["selector"]["matchLabels"].update(release="blue"),
        "`selector` does not match template `labels`",
    ),
    Mistake(
        "more memory asked for than allowed",
        Layer.SERVER,
        lambda all_: _container(all_, "console")["resources"]["requests"].update(memory="2Gi"),
        "must be less than or equal to memory limit",
    ),
    Mistake(
        "a listener without a certificate",
        Layer.SERVER,
        lambda all_: _spec(all_, "Gateway", "tandem")["listeners"][0]["tls"].pop("certificateRefs"),
        "certificateRefs or options must be specified when mode is Terminate",
    ),
    Mistake(
        "a root file system made writable by hand",
        Layer.SERVER,
        lambda all_: _container(all_, "mapper")["securityContext"].update(readOnlyRootFilesystem=False),
        "the root file system must be read-only",
    ),
    Mistake(
        "a second reconciler",
        Layer.SERVER,
        lambda all_: _spec(all_, "Deployment", "tandem-reconciler").update(replicas=2),
        "there is one reconciler at a time",
    ),
    Mistake(
        "a ConfigMap that is not there",
        Layer.PLANE,
        lambda all_: _container(all_, "mapper").update(envFrom=[{"configMapRef": {"name": "tandem-of-old"}}]),
        'configmap "tandem-of-old" not found',
    ),
    Mistake(
        "a container that runs as root",
        Layer.PLANE,
        lambda all_: _container(all_, "console")["securityContext"].update(runAsNonRoot=False, runAsUser=0),
        "violates PodSecurity",
    ),
    Mistake(
        "an autoscaler of what is not there",
        Layer.PLANE,
        lambda all_: _spec(all_, "HorizontalPodAutoscaler", "tandem-webhook-gateway")["scaleTargetRef"].update(
            name="tandem-gateway"
        ),
        '"tandem-gateway" not found',
    ),
    Mistake(
        "a Service that selects nobody",
        Layer.PLANE,
        lambda all_: _spec(all_, "Service", "tandem-webhook-gateway")["selector"].update(
            {"app.kubernetes.io/name": "tandm"}
        ),
        "tandem-webhook-gateway leads to no pod",
    ),
    Mistake(
        "a budget that forbids every drain",
        Layer.PLANE,
        lambda all_: _thing(all_, "PodDisruptionBudget", "tandem-craft-writer").update(
            spec={
                "minAvailable": "100%",
                "selector": _spec(all_, "PodDisruptionBudget", "tandem-craft-writer")["selector"],
            }
        ),
        "violate the pod's disruption budget",
    ),
)
"""Each is about another object than the others of the plane, so that these can be planted together."""


def of_layer(layer: Layer) -> tuple[Mistake, ...]:
    """Return the mistakes of one layer."""
    return tuple(mistake for mistake in MISTAKES if mistake.layer is layer)
