"""What NetworkPolicies come to, by the rules of Kubernetes."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.k8s.checks.network import Peer, Way, ways

OURS = Peer("ours", {"app": "ours"}, ports={"http": 9090})
FRIEND = Peer("friend", {"app": "friend"})
ELSEWHERE = Peer("elsewhere", {"app": "friend"}, namespace="other")
OUTSIDE = Peer("outside", address="192.0.2.7")
METADATA = Peer("metadata", address="169.254.169.254")
PEERS = (OURS, FRIEND, ELSEWHERE, OUTSIDE, METADATA)
EVERYBODY = {each.name for each in PEERS} - {"ours"}


def policy(**spec: Any) -> dict[str, Any]:
    return {"kind": "NetworkPolicy", "spec": {"podSelector": {"matchLabels": {"app": "ours"}}, **spec}}


def allowed(*policies: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return whom our pod may reach and who may reach it, on TCP 9090."""
    found = [way for way in ways(policies, PEERS, [9090]) if way.protocol == "TCP"]
    return {way.target for way in found if way.source == "ours"}, {way.source for way in found if way.target == "ours"}


@pytest.mark.parametrize(
    ("policies", "reaches", "reached_by"),
    [
        ([], EVERYBODY, EVERYBODY),
        ([policy(policyTypes=["Ingress", "Egress"])], set(), set()),
        # Without policyTypes: always about ingress, about egress only if it has rules for that.
        ([policy()], EVERYBODY, set()),
        ([policy(egress=[{}])], EVERYBODY, set()),
        ([policy(policyTypes=["Egress"], egress=[])], set(), EVERYBODY),
        # A selector of pods alone stays within the namespace; one of namespaces alone takes all of their pods.
        ([policy(ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}]}])], EVERYBODY, {"friend"}),
        ([policy(ingress=[{"from": [{"namespaceSelector": {}}]}])], EVERYBODY, {"friend", "elsewhere"}),
        (
            [
                policy(
                    ingress=[
                        {
                            "from": [
                                {
                                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}},
                                    "podSelector": {"matchLabels": {"app": "stranger"}},
                                }
                            ]
                        }
                    ]
                )
            ],
            EVERYBODY,
            set(),
        ),
        (
            [
                policy(
                    policyTypes=["Egress"],
                    egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]}],
                )
            ],
            {"outside"},
            EVERYBODY,
        ),
        # Ports by name are those of the pod that is reached; a range has an end; another protocol is another door.
        ([policy(ingress=[{"ports": [{"port": "http"}]}])], EVERYBODY, EVERYBODY),
        ([policy(ingress=[{"ports": [{"port": "web"}]}])], EVERYBODY, set()),
        ([policy(ingress=[{"ports": [{"port": 9000, "endPort": 9100}]}])], EVERYBODY, EVERYBODY),
        ([policy(ingress=[{"ports": [{"port": 9000}]}])], EVERYBODY, set()),
        ([policy(ingress=[{"ports": [{"port": 9090, "protocol": "UDP"}]}])], EVERYBODY, set()),
        # What one allows, another cannot take away.
        ([policy(), policy(ingress=[{}])], EVERYBODY, EVERYBODY),
    ],
)
def test_policies_come_to(policies: list[dict[str, Any]], reaches: set[str], reached_by: set[str]) -> None:
    assert allowed(*policies) == (reaches, reached_by)


def test_both_ends_have_to_let_a_connection_through() -> None:
    of_friend = {"kind": "NetworkPolicy", "spec": {"podSelector": {"matchLabels": {"app": "friend"}}}}
    found = set(ways([of_friend], (OURS, FRIEND), [80]))
    assert Way("friend", "ours", 80) in found
    assert Way("ours", "friend", 80) not in found
