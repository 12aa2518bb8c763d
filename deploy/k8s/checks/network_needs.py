"""Who has to reach whom, by what the code needs: what the NetworkPolicies must come to, no more and no less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.k8s.checks.code import HTTP_PORT, asks_vendors
from deploy.k8s.checks.network import Peer, Way, ways
from deploy.k8s.checks.objects import COMPONENT_LABEL, NAME_LABEL, Objects
from deploy.k8s.checks.render import Composition

POSTGRES_PORT: Final = 5432
_DNS: Final = Peer("cluster DNS", {"k8s-app": "kube-dns"}, "kube-system")
_VENDOR: Final = Peer("a vendor", address="104.192.136.1")
_PROMETHEUS: Final = Peer("Prometheus", {NAME_LABEL: "prometheus"}, "monitoring")
_NGINX: Final = Peer("the Ingress controller", {COMPONENT_LABEL: "controller"}, "ingress-nginx")
_ENVOY: Final = Peer("the Gateway", {"gateway.envoyproxy.io/owning-gateway-name": "tandem"}, "envoy-gateway-system")
_STRANGERS: Final = (
    Peer("another pod of the namespace", {NAME_LABEL: "stranger"}),
    Peer("a pod of another namespace", {NAME_LABEL: "tandem"}, "default"),
    Peer("another pod of the monitoring namespace", {NAME_LABEL: "grafana"}, "monitoring"),
    Peer("the cloud's metadata", address="169.254.169.254"),
    Peer("an internal host", address="10.99.0.1"),
    Peer("another internal host", address="192.168.7.7"),
)
_STAND_INS: Final = "stand-ins"
_KAFKA: Final = "Kafka"
_POSTGRES: Final = "Postgres"


def findings(objects: Objects, composition: Composition) -> Iterator[str]:
    """Yield what the policies forbid that is needed, and what they allow that nobody needs."""
    policies = list(objects.of("NetworkPolicy"))
    if not policies:
        return
    peers = [*_ours(objects), *_theirs(objects, composition), *_STRANGERS]
    there = {peer.name for peer in peers}
    # Of Kafka and Postgres it may not be said yet where they are.
    needed = {way for way in _needed(objects) if {way.source, way.target} <= there}
    ports = sorted({53, 22, 80, 443, *range(9090, 9095), POSTGRES_PORT} | {way.port for way in needed})
    allowed = set(ways(policies, peers, ports))
    # Where nothing denies, strangers of our own namespace may do what they like; only what is ours counts.
    ours = {peer.name for peer in _ours(objects)}
    allowed = {way for way in allowed if way.source in ours or way.target in ours}
    for way in sorted(needed - allowed):
        yield f"NetworkPolicy: {way} is needed, and no policy allows it"
    for way in sorted(allowed - needed):
        yield f"NetworkPolicy: {way} is allowed, and nothing needs it"


def _ours(objects: Objects) -> list[Peer]:
    return [Peer(workload.component, workload.labels, ports=workload.ports) for workload in objects.workloads()]


def _theirs(objects: Objects, composition: Composition) -> Iterator[Peer]:
    yield from (_DNS, _VENDOR, _PROMETHEUS, _NGINX, _ENVOY)
    if objects.named("Kafka", "tandem"):
        yield Peer(_KAFKA, {"strimzi.io/cluster": "tandem", "strimzi.io/kind": "Kafka"})
    elif composition.kafka_address:
        yield Peer(_KAFKA, address=composition.kafka_address)
    if objects.named("Cluster", "tandem-postgres"):
        yield Peer(_POSTGRES, {"cnpg.io/cluster": "tandem-postgres"})
    elif composition.postgres_address:
        yield Peer(_POSTGRES, address=composition.postgres_address)
    stand_ins = objects.named("Deployment", _STAND_INS)
    if stand_ins:
        (container,) = stand_ins["spec"]["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        yield Peer(_STAND_INS, stand_ins["spec"]["template"]["metadata"]["labels"], ports=ports)


def _needed(objects: Objects) -> Iterator[Way]:
    kafka_ports = {int(each.rpartition(":")[2]) for each in objects.settings()["TANDEM_KAFKA_BOOTSTRAP"].split(",")}
    scraped = bool(list(objects.of("PodMonitor")))
    stand_ins = objects.named("Deployment", _STAND_INS)
    for workload in objects.workloads():
        name = workload.component
        yield from (Way(name, _DNS.name, 53, protocol) for protocol in ("TCP", "UDP"))
        yield Way(name, _POSTGRES, POSTGRES_PORT)
        if not workload.runs_service:
            continue
        yield from (Way(name, _KAFKA, port) for port in kafka_ports)
        if asks_vendors(workload.service):
            yield Way(name, _VENDOR.name, 443)
            if stand_ins:
                yield from (Way(name, _STAND_INS, port) for port in (8081, 8082))
        if scraped:
            yield Way(_PROMETHEUS.name, name, HTTP_PORT)
    for front in ("webhook-gateway", "console"):
        if list(objects.of("Ingress")):
            yield Way(_NGINX.name, front, HTTP_PORT)
        if list(objects.of("HTTPRoute")):
            yield Way(_ENVOY.name, front, HTTP_PORT)
    if stand_ins:
        yield Way(_STAND_INS, "webhook-gateway", HTTP_PORT)
