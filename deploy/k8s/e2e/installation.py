"""Tandem in a namespace of its own: the manifests of `base` and `components/stand-ins` as they are, with the image."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from cryptography.fernet import Fernet

from deploy.k8s.checks import plane
from deploy.k8s.checks.kubectl import Cluster, Refused, moved
from deploy.k8s.checks.objects import COMPONENT_LABEL, NAME_LABEL, TANDEM
from deploy.k8s.checks.render import FOLDER, Composition, Thing, render
from deploy.k8s.e2e.servers import Servers
from deploy.local.processes import LocalStackError
from deploy.local.system import QUICK

DEPLOYMENTS: Final = (
    "tandem-webhook-gateway",
    "tandem-mapper",
    "tandem-jira-writer",
    "tandem-craft-writer",
    "tandem-reconciler",
    "tandem-console",
)
_COMPOSITION: Final = Composition("e2e", "base", ("stand-ins",))
_SECRETS: Final = {
    "JIRA_TOKEN": "sync-token",
    "JIRA_WEBHOOK_SECRET": "a-secret-of-the-stand-in",
    "CRAFT_KEY": "craft-key-of-tandem",
}
"""The stand-ins' own, as docs/kubernetes.md has them."""
_APPLY_S: Final = 120.0


@dataclass(frozen=True)
class Installation:
    """One Tandem on a cluster."""

    cluster: Cluster
    namespace: str
    token: str

    def install(self, image: str, servers: Servers) -> None:
        """Create everything, and wait until all of it is up. Raises `Refused`, `TooLate`."""
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": TANDEM, "namespace": self.namespace},
            "stringData": {
                "database-url": servers.database_url,
                "secret-key": Fernet.generate_key().decode(),
                "console-token": self.token,
            },
        }
        self.cluster.apply([secret, *_things(self.namespace, image, servers)])
        plane.rolled_out(self.cluster, self.namespace)

    def configure(self, console: str) -> None:
        """Apply the file of the first steps, as an admin would. Raises LocalStackError."""
        file = FOLDER / "overlays" / "dev" / "tandem.yaml"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")},
            **_SECRETS,
            "TANDEM_CONSOLE_URL": console,
            "TANDEM_CONSOLE_TOKEN": self.token,
        }
        command = [sys.executable, "-m", "tandem_cli", "apply", str(file)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_APPLY_S)
        if done.returncode != 0:
            raise LocalStackError(f"tandem apply: {done.stdout}{done.stderr}")

    def places(self) -> dict[str, Any]:
        """Return what the stand-ins say of themselves: who works there, and where."""
        said = self.cluster.run("logs", "deployment/stand-ins", "-n", self.namespace)
        places: dict[str, Any] = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
        return places

    def pods(self, deployment: str) -> Sequence[str]:
        """Return the names of a Deployment's pods that have not been told to end."""
        found = self.cluster.get("pods", "-n", self.namespace, "-l", _selector(deployment))["items"]
        return [pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def kill(self, pod: str) -> None:
        """Take a pod away without the time that it asks for: its successor starts beside what is left of it."""
        self.cluster.run("delete", "pod", pod, "-n", self.namespace, "--grace-period=0", "--force")

    def restart(self) -> None:
        """Roll every Deployment of Tandem."""
        self.cluster.run("rollout", "restart", "-n", self.namespace, *(f"deployment/{name}" for name in DEPLOYMENTS))

    def scale(self, deployment: str, replicas: int) -> None:
        """Say how many pods a Deployment has."""
        self.cluster.run("scale", f"deployment/{deployment}", f"--replicas={replicas}", "-n", self.namespace)

    def rolled_out(self) -> None:
        """Wait until every Deployment is as it should be. Raises `TooLate`."""
        plane.rolled_out(self.cluster, self.namespace)

    def doctor(self) -> str:
        """Return what `tandem doctor` says in a pod. Raises `Refused` with its words when something is wrong."""
        command = ("python", "-m", "tandem_cli", "doctor", "--as", "reconciler")
        return self.cluster.run("exec", "deployment/tandem-reconciler", "-n", self.namespace, "--", *command)

    def logs(self) -> Mapping[str, str]:
        """Return the end of each pod's log."""
        found = {}
        for pod in self.cluster.get("pods", "-n", self.namespace)["items"]:
            name = pod["metadata"]["name"]
            try:
                found[name] = self.cluster.run("logs", name, "-n", self.namespace, "--tail=200")
            except Refused as error:
                found[name] = str(error)
        return found


def new_installation(cluster: Cluster, namespace: str) -> Installation:
    """Return one that is not installed yet."""
    return Installation(cluster, namespace, secrets.token_hex(24))


def _selector(deployment: str) -> str:
    return f"{NAME_LABEL}={TANDEM},{COMPONENT_LABEL}={deployment.removeprefix('tandem-')}"


def _things(namespace: str, image: str, servers: Servers) -> list[Thing]:
    """Return the manifests with this image, these servers, and one pod of each."""
    things = []
    for thing in deepcopy(moved(render(_COMPOSITION), namespace)):
        # It would undo what is scaled by hand, and not every cluster measures CPU.
        if thing["kind"] == "HorizontalPodAutoscaler":
            continue
        if thing["kind"] == "ConfigMap" and thing["metadata"]["name"].startswith("tandem-"):
            prefix = {"TANDEM_TOPIC_PREFIX": f"{namespace}."}
            thing["data"].update({"TANDEM_KAFKA_BOOTSTRAP": servers.kafka, **prefix, **QUICK})
        if thing["kind"] in ("Deployment", "Job"):
            for container in thing["spec"]["template"]["spec"]["containers"]:
                container["image"] = image
        if thing["kind"] == "Deployment":
            thing["spec"]["replicas"] = 1
        things.append(thing)
    return [*things, _way_to_servers(namespace)]


def _way_to_servers(namespace: str) -> Thing:
    """Return the policy that lets pods out to Kafka and Postgres, wherever they are."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "tandem-servers", "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": {NAME_LABEL: TANDEM}},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
        },
    }
