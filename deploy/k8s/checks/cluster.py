"""The slow layer: `make k8s-check`. A real API server with its controllers judges every composition.

Works on any cluster that KUBECONFIG names (kind, a test cluster of yours): in namespaces of its own, which it deletes
afterwards, with the custom resource definitions that are not there yet, which go too. Rights of a cluster's
administrator are needed for these. The services' containers are replaced by a few lines that answer their probes, so
that no Kafka, no Postgres and no image of Tandem is needed (IMAGE names another image with Python in it).

Exit code 0: all of it held; 1: something did not; 2: there is no cluster to ask.
"""

from __future__ import annotations

import json
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Final

from deploy.k8s.checks import chart, definitions, plane
from deploy.k8s.checks.kubectl import Cluster, Refused, TooLate, clusters_own, moved
from deploy.k8s.checks.objects import Objects
from deploy.k8s.checks.planted import Layer, of_layer
from deploy.k8s.checks.render import COMPOSITIONS, CannotRender, Thing, render

_OLDEST: Final = (1, 30)
_NEEDS: Final = (
    "make k8s-check needs a cluster: set KUBECONFIG to the file of one that you may administer.\n"
    "With kind: kind create cluster --kubeconfig /tmp/kind.conf && KUBECONFIG=/tmp/kind.conf make k8s-check\n"
)
_SECURITY: Final = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
_BINDS: Final = "tandem/admission"
_IN_FORCE_S: Final = 60.0


class Report:
    """What held and what did not, a line each."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def say(self, what: str, wrong: str | None = None) -> None:
        """Print one line; `wrong`: what was found instead."""
        if wrong is None:
            self.passed += 1
            sys.stdout.write(f" ✓  {what}\n")
        else:
            self.failed += 1
            sys.stdout.write(f" ✗  {what}\n      {wrong}\n")
        sys.stdout.flush()


def main() -> int:
    """Run all checks on the cluster of KUBECONFIG."""
    cluster = clusters_own()
    if cluster is None:
        sys.stderr.write(_NEEDS)
        return 2
    try:
        version = json.loads(cluster.run("version", "-o", "json"))["serverVersion"]
    except Refused as error:
        sys.stderr.write(f"the cluster of KUBECONFIG={cluster.kubeconfig} does not answer: {error}\n")
        return 2
    sys.stdout.write(f"Kubernetes {version['gitVersion']}, by {cluster.kubeconfig}\n")
    if (int(version["major"]), int(version["minor"].rstrip("+"))) < _OLDEST:
        sys.stderr.write("Tandem's manifests need Kubernetes 1.30 or newer\n")
        return 2
    report = Report()
    # Whoever ends it early is left nothing to clean up either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        check(cluster, report)
    except (Refused, TooLate) as error:
        report.say("all of it can be asked", str(error))
    sys.stdout.write(f"{report.passed} passed, {report.failed} failed\n")
    return 1 if report.failed else 0


def check(cluster: Cluster, report: Report) -> None:
    """Ask the cluster everything, and leave nothing behind."""
    rendered = {composition.name: render(composition) for composition in COMPOSITIONS}
    tag = secrets.token_hex(4)
    with ExitStack() as stack:
        stack.enter_context(cluster.holding(definitions.crds()))
        stack.enter_context(cluster.holding(_policies(rendered["admission"], tag)))
        good = stack.enter_context(_namespace(cluster, f"tandem-check-{tag}", {_BINDS: tag}))
        spoilt = stack.enter_context(_namespace(cluster, f"tandem-spoilt-{tag}", {}))
        names = [crd["metadata"]["name"] for crd in definitions.crds()]
        cluster.run("wait", "--for=condition=Established", "--timeout=60s", *(f"crd/{name}" for name in names))
        report.say(f"{len(names)} custom resource definitions are established")
        _server(cluster, report, rendered, good)
        _plane(cluster, report, rendered["production"], good)
        _spoilt_plane(cluster, report, rendered, spoilt)


def _server(cluster: Cluster, report: Report, rendered: Mapping[str, Sequence[Thing]], namespace: str) -> None:
    # A pod of the chart's test is only looked at where the account is that it runs as.
    cluster.apply(moved(Objects(rendered["production"]).of("ServiceAccount"), namespace))
    _until_rules_are_in_force(cluster, rendered, namespace)
    for name, things in {**rendered, **_charts()}.items():
        report.say(f"the API server takes: {name}", _refusal(cluster, things, namespace))
    for mistake in of_layer(Layer.SERVER):
        things = deepcopy(rendered[mistake.composition])
        mistake.plant(Objects(things))
        said = _refusal(cluster, things, namespace)
        found = said is not None and mistake.words in said
        report.say(f"the API server refuses: {mistake.name}", None if found else f"it says: {said or 'nothing'}")


def _charts() -> dict[str, Sequence[Thing]]:
    try:
        return {f"the chart, {profile}": chart.template(profile) for profile in chart.PROFILES}
    except CannotRender as error:
        sys.stdout.write(f"    left out: the Helm chart ({error})\n")
        return {}


def _until_rules_are_in_force(cluster: Cluster, rendered: Mapping[str, Sequence[Thing]], namespace: str) -> None:
    """Wait until an admission rule refuses what it has to: new ones are not in force at once."""
    things = deepcopy(list(Objects(rendered["production"]).of("Deployment")))
    for thing in things:
        thing["spec"]["template"]["spec"]["automountServiceAccountToken"] = True

    def told() -> str | None:
        return None if "no token of a service account" in (_refusal(cluster, things, namespace) or "") else "not yet"

    cluster.until("our admission rules are in force", told, _IN_FORCE_S)


def _refusal(cluster: Cluster, things: Sequence[Thing], namespace: str) -> str | None:
    try:
        cluster.would_take(moved(things, namespace) or things)
    except Refused as error:
        return str(error)
    return None


def _plane(cluster: Cluster, report: Report, things: Sequence[Thing], namespace: str) -> None:
    cluster.apply([*plane.secrets_of(things, namespace), *plane.hollow(things, namespace)])
    try:
        plane.rolled_out(cluster, namespace)
        report.say("every Deployment rolls out, in a namespace with restricted pod security; the migration ends")
        plane.scaled_by_hpa(cluster, namespace)
        report.say("the autoscaler finds the gateway and brings it to its least number")
        plane.rolled_out(cluster, namespace)
        for budget, wrong in plane.budgets_hold(cluster, namespace):
            report.say(f"a drain takes one pod after the other: {budget}", wrong)
        plane.rolled_out(cluster, namespace)
        wrong = plane.never_less_in_a_rollout(cluster, plane.hollow(things, namespace), namespace)
        report.say("a change of every pod leaves no service short of one on the way", wrong)
        report.say("nothing is left to complain of", "; ".join(plane.complaints(cluster, namespace)) or None)
    except TooLate as error:
        report.say("the controllers bring it up", str(error))


def _spoilt_plane(cluster: Cluster, report: Report, rendered: Mapping[str, Sequence[Thing]], namespace: str) -> None:
    things = deepcopy(rendered["production"])
    for mistake in of_layer(Layer.PLANE):
        mistake.plant(Objects(things))
    cluster.apply([*plane.secrets_of(things, namespace), *plane.hollow(things, namespace)])
    for mistake in of_layer(Layer.PLANE):
        seen: list[str] = []

        def told(words: str = mistake.words, seen: list[str] = seen) -> str | None:
            seen[:] = plane.complaints(cluster, namespace)
            return None if any(words in each for each in seen) else f"they say: {'; '.join(seen) or 'nothing'}"

        try:
            cluster.until("no complaint", told, plane.DEADLINE_S)
            report.say(f"the controllers complain of: {mistake.name}")
        except TooLate as error:
            report.say(f"the controllers complain of: {mistake.name}", str(error))


def _policies(things: Sequence[Thing], tag: str) -> list[Thing]:
    """Return the admission rules under a name of this run, binding in its namespace only."""
    renamed = deepcopy(list(things))
    for thing in renamed:
        thing["metadata"]["name"] += f"-{tag}"
        if "policyName" in thing["spec"]:
            thing["spec"]["policyName"] += f"-{tag}"
            thing["spec"]["matchResources"]["namespaceSelector"] = {"matchLabels": {_BINDS: tag}}
    return renamed


@contextmanager
def _namespace(cluster: Cluster, name: str, labels: Mapping[str, str]) -> Iterator[str]:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**_SECURITY, **labels}}}
    with cluster.holding([namespace]):
        yield name


if __name__ == "__main__":
    raise SystemExit(main())
