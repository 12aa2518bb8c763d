"""Evaluates NetworkPolicies: who may connect to whom, and whether that is exactly what is needed.

Clusters without a network plug-in that enforces policies ignore them, test clusters among them. So what they allow is
worked out here, for every pair of a small world: our pods, those that they need, and strangers.
Semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from deploy.k8s.checks.objects import selects
from deploy.k8s.checks.render import Thing

HERE = "tandem"
"""The namespace that the policies are in."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who connects or is connected to: a pod with labels in a namespace, or an address outside of the
    cluster.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = HERE
    ports: Mapping[str, int] = field(default_factory=dict)
    """Of a pod, by name."""
    address: str | None = None

    @property
    def guarded(self) -> bool:
        """Tell whether our policies can be about it."""
        return self.address is None and self.namespace == HERE


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A connection: from whom, to whom, to which port."""

    source: str
    target: str
    port: int
    protocol: str = "TCP"

    def __str__(self) -> str:
        return f"{self.source} to {self.target} on {self.protocol} {self.port}"


def ways(policies: Sequence[Thing], peers: Sequence[Peer], ports: Sequence[int]) -> Iterator[Way]:
    """Yield every connection from or to one of our pods that the policies let through."""
    for source in peers:
        for target in peers:
            if source is target or not (source.guarded or target.guarded):
                continue
            leaves = _rules(policies, "Egress", source, target)
            enters = _rules(policies, "Ingress", target, source)
            for port in ports if leaves and enters else ():
                for protocol in ("TCP", "UDP"):
                    end = (target, port, protocol)
                    if any(_open(rule, end) for rule in leaves) and any(_open(rule, end) for rule in enters):
                        yield Way(source.name, target.name, port, protocol)


def _rules(policies: Sequence[Thing], direction: str, guarded: Peer, other: Peer) -> list[Mapping[str, Any]]:
    """Return the rules that let `other` pass, on some ports, at the pods that the policies guard."""
    about = [
        policy["spec"]
        for policy in policies
        if guarded.guarded
        and direction in _types(policy["spec"])
        and selects(policy["spec"]["podSelector"], guarded.labels)
    ]
    if not about:
        # Whom no policy is about is free.
        return [{}]
    key = "to" if direction == "Egress" else "from"
    rules = [rule for spec in about for rule in spec.get(direction.lower()) or ()]
    return [rule for rule in rules if not rule.get(key) or any(_is(each, other) for each in rule[key])]


def _open(rule: Mapping[str, Any], end: tuple[Peer, int, str]) -> bool:
    ports = rule.get("ports")
    return not ports or any(_port(each, *end) for each in ports)


def _types(spec: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return found


def _is(described: Mapping[str, Any], peer: Peer) -> bool:
    if "ipBlock" in described:
        # Addresses of pods are not for such rules: networks differ in what they would make of them.
        if peer.address is None:
            return False
        block, address = described["ipBlock"], ip_address(peer.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(each) for each in block.get("except", ())
        )
    if peer.address is not None:
        return False
    namespaces, pods = described.get("namespaceSelector"), described.get("podSelector")
    inside = (
        peer.namespace == HERE
        if namespaces is None
        else selects(namespaces, {"kubernetes.io/metadata.name": peer.namespace})
    )
    return inside and (pods is None or selects(pods, peer.labels))


def _port(described: Mapping[str, Any], target: Peer, port: int, protocol: str) -> bool:
    if described.get("protocol", "TCP") != protocol:
        return False
    wanted = described.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return target.ports.get(wanted) == port
    return bool(wanted <= port <= described.get("endPort", wanted))
