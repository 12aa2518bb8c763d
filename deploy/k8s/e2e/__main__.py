"""`make k8s-e2e`: the built image at work in pods, on the cluster that KUBECONFIG names.

The demo's story is played there, with the stand-ins of Jira and Craft.io in pods too; then people go on working while
every pod is replaced, killed, moved and scaled. At the end of each both vendors hold every change, once.

It works in a namespace of its own, which it deletes afterwards. Exit code 0: all of it held; 1: something did not, and
the logs of all pods are kept; 2: something that it needs is missing.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from deploy.k8s.checks.cluster import Report
from deploy.k8s.checks.kubectl import Cluster, Refused, TooLate, clusters_own
from deploy.k8s.e2e.disturbances import DISTURBANCES
from deploy.k8s.e2e.installation import Installation, new_installation
from deploy.k8s.e2e.load import Load
from deploy.k8s.e2e.servers import named_servers, servers_at
from deploy.k8s.e2e.ways import forwarded, in_thread, patient
from deploy.local import scene
from deploy.local.demo import STEPS
from deploy.local.processes import LocalStackError
from deploy.local.signals import run_until_signal
from deploy.local.story import Cast, Check, StoryError
from deploy.local.system import ConsoleClient
from sandbox.control import ControlClient
from shared.domain.mapping import Integration

_NEEDS: Final = """\
make k8s-e2e needs
  KUBECONFIG   the file of a cluster in which you may create a namespace
  IMAGE        the image of Tandem, as that cluster can get it; with kind: kind load docker-image tandem:0.1.0
  SERVERS_AT   an address of this machine that pods reach: Kafka and Postgres are started here and answer there
               (with kind the gateway of its network: docker network inspect kind); or, instead of it, an empty
               TANDEM_DATABASE_URL and a TANDEM_KAFKA_BOOTSTRAP as pods reach them
Not set: """
_STORY_S: Final = 120.0
_SETTLED_S: Final = 300.0
_RUNBOOK: Final = "TandemWatchdog"


@dataclass(frozen=True)
class InPods:
    """A running system in pods, as the people of the story reach it."""

    http: aiohttp.ClientSession
    jira: ControlClient
    craft: ControlClient
    api: ConsoleClient
    integration: Integration
    places: dict[str, Any]
    installation: Installation
    console: str

    async def kill(self, service: str) -> None:
        """Take the pod of a service away; its Deployment makes another one."""
        for pod in await in_thread(self.installation.pods, f"tandem-{service.replace('_', '-')}"):
            await in_thread(self.installation.kill, pod)


@asynccontextmanager
async def _running(installation: Installation, image: str, folder: Path) -> AsyncIterator[InPods]:
    """Yield Tandem in pods, connected and configured. Raises `Refused`, `TooLate`, LocalStackError."""
    async with AsyncExitStack() as stack:
        address = os.environ.get("SERVERS_AT", "")
        servers = named_servers() or await stack.enter_async_context(servers_at(address, folder))
        await in_thread(installation.install, image, servers)
        cluster, namespace = installation.cluster, installation.namespace
        ways = [("tandem-console", 80), ("stand-ins", 8081), ("stand-ins", 8082)]
        console, jira, craft = [await stack.enter_async_context(forwarded(cluster, namespace, *each)) for each in ways]
        timeout = aiohttp.ClientTimeout(total=60)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout, middlewares=(patient,)))
        places = await in_thread(installation.places)
        controls: dict[str, ControlClient] = {}
        for name, url in (("jira", jira), ("craft", craft)):
            place = places[name]
            controls[name] = ControlClient(url + place["control"].removeprefix(place["url"]), http)
            place["url"] = url
        api = ConsoleClient(console, installation.token, http)
        await api.call("GET", "/connections")
        await in_thread(installation.configure, console)
        saved = await api.call("GET", f"/integrations/{scene.INTEGRATION}")
        integration = Integration.model_validate({name: each for name, each in saved.items() if name != "findings"})
        yield InPods(http, controls["jira"], controls["craft"], api, integration, places, installation, console)


async def _try(system: InPods, report: Report) -> None:
    installation = system.installation
    said = await in_thread(installation.doctor)
    report.say(f"tandem doctor, in a pod: {said.strip().splitlines()[-1]}")
    async with system.http.get(f"{system.console}/runbooks/{_RUNBOOK}") as answer:
        report.say("the console serves the runbooks", None if answer.status == 200 else f"{answer.status}")
    checks: list[Check] = []
    story = Cast(system, checks, deadline_s=_STORY_S)
    for _name, step in STEPS:
        await step(story)
        while checks:
            check = checks.pop(0)
            lag = "" if check.lag_s is None else f" ({check.lag_s:.1f} s)"
            report.say(f"{check.name}: {check.seen}{lag}", None if check.held else check.seen)
    products = [item for item in (await story.craft.items()).values() if item["type"] == "product"]
    load = Load(story, story.issues["epic"], products[0]["id"])
    for name, disturb in DISTURBANCES:
        began, before = time.monotonic(), load.changes
        async with load.going_on():
            seen = await in_thread(disturb, installation)
        ended = time.monotonic()
        wrong = await load.verdict(_SETTLED_S)
        figures = (
            f"{load.changes - before} changes in {ended - began:.0f} s, in sync {time.monotonic() - ended:.0f} s later"
        )
        report.say(f"{name}: {seen}; {figures}; nothing lost, nothing doubled", wrong)


async def _main(cluster: Cluster, image: str) -> int:
    report, began = Report(), time.monotonic()
    installation = new_installation(cluster, f"tandem-e2e-{secrets.token_hex(4)}")
    folder = Path(tempfile.mkdtemp(prefix="tandem-k8s-e2e-"))
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": installation.namespace,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }
    with cluster.holding([namespace]):
        try:
            async with _running(installation, image, folder) as system:
                try:
                    await _try(system, report)
                finally:
                    _keep(await in_thread(installation.logs), folder)
        except (Refused, TooLate, LocalStackError, StoryError, aiohttp.ClientError, TimeoutError) as error:
            report.say("all of it can be tried", f"{type(error).__name__}: {error}")
            _keep(installation.logs(), folder)
    took = time.monotonic() - began
    sys.stdout.write(f"{report.passed} passed, {report.failed} failed, in {took:.0f} s\n")
    if report.failed:
        sys.stdout.write(f"Logs: {folder}\n")
    return 1 if report.failed else 0


def _keep(logs: Any, folder: Path) -> None:
    for pod, text in logs.items():
        (folder / f"{pod}.log").write_text(text)


def main() -> int:
    """Try all of it on the cluster of KUBECONFIG."""
    cluster, image = clusters_own(), os.environ.get("IMAGE", "")
    servers = named_servers() or os.environ.get("SERVERS_AT")
    needed = (("KUBECONFIG", cluster), ("IMAGE", image), ("SERVERS_AT", servers))
    missing = [name for name, value in needed if not value]
    if cluster is None or missing:
        sys.stderr.write(f"{_NEEDS}{', '.join(missing)}\n")
        return 2
    return run_until_signal(_main(cluster, image))


if __name__ == "__main__":
    raise SystemExit(main())
