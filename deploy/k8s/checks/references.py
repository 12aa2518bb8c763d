"""Rules about what points to what: Services, autoscalers, budgets, routes and monitors find what they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.k8s.checks import code
from deploy.k8s.checks.objects import COMPONENT_LABEL, NAME_LABEL, TANDEM, Objects, selects, title
from deploy.k8s.checks.render import Thing

_KEDA_KAFKA: Final = frozenset(
    {
        "bootstrapServersFromEnv",
        "consumerGroup",
        "topic",
        "partitionLimitation",
        "lagThreshold",
        "activationLagThreshold",
        "offsetResetPolicy",
        "allowIdleConsumers",
        "excludePersistentLag",
        "limitToPartitionsWithLag",
        "ensureEvenDistributionOfPartitions",
        "version",
        "tls",
        "sasl",
    }
)
"""Of what the Kafka scaler of KEDA 2.20 reads, what an installation may want. KEDA ignores what it does not know."""


def findings(objects: Objects) -> Iterator[str]:
    """Yield every reference that leads nowhere."""
    for rule in (_names, _services, _budgets, _scalers, _keda, _routes, _monitors, _config):
        yield from rule(objects)


def _names(objects: Objects) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for thing in objects.things:
        key = (thing["kind"], thing["metadata"]["name"])
        if key in seen:
            yield f"{title(thing)} is there twice"
        seen.add(key)


def _pods(objects: Objects) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    """Yield labels and specification of the pods of every workload, the stand-ins' too."""
    for thing in objects.of("Deployment", "Job"):
        template = thing["spec"]["template"]
        yield template["metadata"]["labels"], template["spec"]


def _services(objects: Objects) -> Iterator[str]:
    for service in objects.of("Service"):
        wanted = {"matchLabels": service["spec"]["selector"]}
        found = [pod for labels, pod in _pods(objects) if selects(wanted, labels)]
        if len(found) != 1:
            yield f"{title(service)} selects the pods of {len(found)} workloads, not of one"
            continue
        ports = {port["name"] for port in found[0]["containers"][0].get("ports", ())}
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in ports:
                yield f"{title(service)} leads to port {port['targetPort']}, and the container has {', '.join(ports)}"


def _budgets(objects: Objects) -> Iterator[str]:
    for budget in objects.of("PodDisruptionBudget"):
        found = [labels for labels, _ in _pods(objects) if selects(budget["spec"]["selector"], labels)]
        if len(found) != 1:
            yield f"{title(budget)} is about the pods of {len(found)} workloads, not of one"
        if not budget["spec"].get("maxUnavailable"):
            yield f"{title(budget)} may forbid every eviction: say maxUnavailable, at least 1"
    guarded = {budget["metadata"]["name"] for budget in objects.of("PodDisruptionBudget")}
    for workload in objects.workloads():
        alone = workload.thing["kind"] == "Job" or workload.service == "reconciler"
        if not alone and workload.thing["metadata"]["name"] not in guarded:
            yield f"{workload.name} has no PodDisruptionBudget: a drain may take all of it"


def _scalers(objects: Objects) -> Iterator[str]:
    for scaler in objects.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        found = objects.named(target.get("kind", "Deployment"), target["name"])
        if found is None:
            yield f"{title(scaler)} scales {target['name']}, which is not there"


def _keda(objects: Objects) -> Iterator[str]:
    for scaler in objects.of("ScaledObject"):
        name = title(scaler)
        for trigger in scaler["spec"]["triggers"]:
            if objects.named("TriggerAuthentication", trigger["authenticationRef"]["name"]) is None:
                yield f"{name} asks as {trigger['authenticationRef']['name']}, which is not there"
            for key in sorted(trigger["metadata"].keys() - _KEDA_KAFKA):
                yield f"{name}: KEDA's Kafka trigger knows no {key}"
            group = trigger["metadata"].get("consumerGroup", "")
            if group not in code.GROUPS:
                yield f"{name}: nothing reads in the consumer group {group}"
            elif scaler["spec"]["maxReplicaCount"] > code.PARTITIONS[group]:
                yield f"{name}: more than the {code.PARTITIONS[group]} partitions that {group} reads at most"
        deployment = objects.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        if deployment is not None and deployment["spec"].get("replicas") not in (None, 1):
            yield f"{name}: its Deployment says replicas, and every apply would undo what was scaled"


def _routes(objects: Objects) -> Iterator[str]:
    for route in objects.of("HTTPRoute"):
        for parent in route["spec"]["parentRefs"]:
            gateway = objects.named("Gateway", parent["name"])
            listeners = {each["name"] for each in gateway["spec"]["listeners"]} if gateway else set()
            if parent["sectionName"] not in listeners:
                yield f"{title(route)} hangs on listener {parent['sectionName']}, which is not there"
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                yield from _backend(objects, title(route), backend["name"], backend["port"])
            yield from _published(title(route), [match["path"]["value"] for match in rule["matches"]])
    for policy in objects.of("SecurityPolicy"):
        for target in policy["spec"]["targetRefs"]:
            if objects.named(target["kind"], target["name"]) is None:
                yield f"{title(policy)} is about {target['kind']} {target['name']}, which is not there"
    for ingress in objects.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield from _backend(objects, title(ingress), service["name"], service["port"]["name"])
                yield from _published(title(ingress), [path["path"]])


def _backend(objects: Objects, who: str, name: str, port: str | int) -> Iterator[str]:
    service = objects.named("Service", name)
    ports = {each[key] for each in service["spec"]["ports"] for key in ("name", "port")} if service else set()
    if port not in ports:
        yield f"{who} leads to Service {name}, port {port}, which is not there"


def _published(who: str, paths: list[str]) -> Iterator[str]:
    inner = sorted(path for path in code.http_paths() for each in paths if path.startswith(each))
    if inner:
        yield f"{who} publishes {', '.join(inner)}, which need no login and are nobody's business outside"


def _monitors(objects: Objects) -> Iterator[str]:
    for monitor in objects.of("PodMonitor"):
        spec = monitor["spec"]
        found = {each.service for each in objects.workloads() if selects(spec["selector"], each.labels)}
        if found != set(code.SERVICES):
            yield f"{title(monitor)} is about {sorted(found)}, not about all services"
        for endpoint in spec["podMetricsEndpoints"]:
            ports = {port for each in objects.workloads() if each.runs_service for port in each.ports}
            if endpoint["port"] not in ports or endpoint["path"] not in code.http_paths():
                yield f"{title(monitor)} asks {endpoint['path']} on port {endpoint['port']}, which nobody answers"


def _config(objects: Objects) -> Iterator[str]:
    for workload in objects.workloads():
        for source in workload.container.get("envFrom", ()):
            name = source["configMapRef"]["name"]
            if objects.named("ConfigMap", name) is None:
                yield f"{workload.name} reads ConfigMap {name}, which is not there"
        account = workload.pod.get("serviceAccountName", "")
        if objects.named("ServiceAccount", account) is None:
            yield f"{workload.name} runs as {account}, which is not there"
    for thing in objects.of("Deployment", "Job"):
        labels: Thing = thing["metadata"].get("labels", {})
        if labels.get(NAME_LABEL) == TANDEM and not labels.get(COMPONENT_LABEL):
            yield f"{title(thing)} does not say which component it is"
