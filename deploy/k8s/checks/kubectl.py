"""A real cluster, by kubectl: what the slow layer asks of it. Everything is done to one cluster, that of KUBECONFIG."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from deploy.k8s.checks.render import Thing, kubectl

_MANAGER: Final = "tandem-check"
_POLL_S: Final = 0.5
_REQUEST_S: Final = 60


class Refused(Exception):
    """The API server, or kubectl for it, said no. The message has its words."""


class TooLate(Exception):
    """What was waited for did not come about. The message says what was there instead."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of a kubeconfig file."""

    kubeconfig: str

    def run(self, *arguments: str, things: Sequence[Thing] | None = None) -> str:
        """Run kubectl, with objects as its input, and return what it prints. Raises `Refused`."""
        command = [kubectl(), f"--kubeconfig={self.kubeconfig}", f"--request-timeout={_REQUEST_S}s", *arguments]
        text = None if things is None else json.dumps({"apiVersion": "v1", "kind": "List", "items": list(things)})
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Refused(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get` finds, as JSON."""
        return json.loads(self.run("get", *arguments, "-o", "json"))

    def apply(self, things: Sequence[Thing]) -> None:
        """Create or change objects. Raises `Refused`."""
        self.run("apply", "--server-side", "--force-conflicts", f"--field-manager={_MANAGER}", "-f", "-", things=things)

    def would_take(self, things: Sequence[Thing]) -> None:
        """Ask whether the API server would take these objects as they are; nothing changes. A warning is a refusal.

        Raises `Refused`.
        """
        options = ("--dry-run=server", "--validate=strict", "--warnings-as-errors", f"--field-manager={_MANAGER}")
        self.run("apply", "--server-side", "--force-conflicts", *options, "-f", "-", things=things)

    def evict(self, namespace: str, pod: str) -> None:
        """Ask for the eviction of a pod, as a drain does. Raises `Refused` where a budget forbids it now."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        command = [kubectl(), f"--kubeconfig={self.kubeconfig}", "create", "--raw"]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        done = subprocess.run(
            [*command, path, "-f", "-"], input=json.dumps(eviction), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Refused(done.stderr.strip())

    def until(self, what: str, told: Callable[[], str | None], deadline_s: float) -> None:
        """Wait until `told` returns None. Raises `TooLate` with what it said last."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                said = told()
            except Refused as error:
                said = str(error)
            if said is None:
                return
            if time.monotonic() > end:
                raise TooLate(f"{what}: not after {deadline_s:g} s; {said}")
            time.sleep(_POLL_S)

    @contextmanager
    def holding(self, things: Sequence[Thing]) -> Iterator[None]:
        """Keep objects there within the block. Those that were there already stay as they are, also afterwards."""
        new = [thing for thing in things if not self._there(thing)]
        try:
            if new:
                self.apply(new)
            yield
        finally:
            if new:
                self.run("delete", "--ignore-not-found", "--wait=false", "-f", "-", things=new)

    def _there(self, thing: Thing) -> bool:
        name, space = thing["metadata"]["name"], thing["metadata"].get("namespace")
        within = ("-n", space) if space else ()
        return bool(self.run("get", thing["kind"], name, *within, "--ignore-not-found", "-o", "name").strip())


def clusters_own(environment: dict[str, str] | None = None) -> Cluster | None:
    """Return the cluster that KUBECONFIG names, or None."""
    path = (os.environ if environment is None else environment).get("KUBECONFIG", "")
    return Cluster(path) if path else None


def moved(things: Iterable[Thing], namespace: str) -> list[Thing]:
    """Return copies of the objects of a namespace, in another one; what is the cluster's is left out."""
    kept = []
    for thing in things:
        if thing["kind"] == "Namespace" or thing["apiVersion"].startswith("admissionregistration"):
            continue
        copy: Thing = json.loads(json.dumps(thing))
        copy["metadata"]["namespace"] = namespace
        kept.append(copy)
    return kept
