"""Rules about pods: what they run, with which settings, how they are watched and ended, and what they may."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.k8s.checks import code
from deploy.k8s.checks.objects import Objects, Workload

_TAGGED: Final = re.compile(r"^.+(@sha256:[0-9a-f]{64}|:[\w][\w.-]*)$")
_ANY_SECRET: Final = {
    "TANDEM_DATABASE_URL": "postgresql://somebody:secret@postgres.example:5432/tandem",
    "TANDEM_SECRET_KEY": "A" * 43 + "=",
    "TANDEM_CONSOLE_TOKEN": "x" * 32,
    "TANDEM_KAFKA_PASSWORD": "secret",
}
"""What stands for what Kubernetes would mount."""


def findings(objects: Objects) -> Iterator[str]:
    """Yield what is wrong with Tandem's workloads."""
    settings = objects.settings()
    found = objects.workloads()
    services = {workload.service for workload in found if workload.runs_service}
    if found and services != set(code.SERVICES):
        yield f"there are Deployments of {sorted(services)}, and the code has {sorted(code.SERVICES)}"
    for workload in found:
        for rule in (*_OF_ALL, *(_OF_SERVICES if workload.runs_service else ())):
            yield from (f"{workload.name}: {words}" for words in rule(workload))
        yield from (f"{workload.name}: {words}" for words in _environment(workload, settings))


def _image(workload: Workload) -> Iterator[str]:
    image = workload.container["image"]
    if not _TAGGED.match(image) or image.endswith(":latest"):
        yield f"image {image} is not pinned: it needs a digest or a tag other than latest"


def _command(workload: Workload) -> Iterator[str]:
    command = workload.container.get("command", [])
    if len(command) != 3 or command[:2] != ["python", "-m"]:
        yield f"command {command} is not of the form [python, -m, MODULE]"
        return
    if not code.runs(command[2]):
        yield f"command {' '.join(command)} runs nothing: there is no such module"
    if workload.runs_service and command[2] != f"services.{workload.service}":
        yield f"it is the {workload.component}, and runs {command[2]}"


def _environment(workload: Workload, settings: Mapping[str, str]) -> Iterator[str]:
    environment = dict(settings)
    for each in workload.container.get("env", ()):
        if "value" in each:
            environment[each["name"]] = each["value"]
            if each["name"] in code.secret_variables():
                yield f"{each['name']} is a secret, and its value stands in the manifest"
    known = code.known_variables() | code.POSTGRES_VARIABLES
    for name in sorted(environment.keys() - known):
        near = difflib.get_close_matches(name, known, n=1)
        yield f"nothing reads {name}" + (f"; {near[0]}?" if near else "")
    for name in [name for name in environment if name.endswith("_FILE") and name[:-5] in _ANY_SECRET]:
        path = environment.pop(name)
        if path not in _files(workload):
            yield f"{name} is {path}, and no volume brings that file"
        environment[name[:-5]] = _ANY_SECRET[name[:-5]]
    for name in ("TANDEM_KAFKA_CA_FILE", "PGSSLROOTCERT"):
        path = environment.get(name, "")
        # The migration asks no Kafka.
        if path and path not in _files(workload) and (workload.runs_service or name != "TANDEM_KAFKA_CA_FILE"):
            yield f"{name} is {path}, and no volume brings that file"
    folder = environment.get("TANDEM_PROVISIONING_FOLDER")
    if folder and folder not in {mount["mountPath"] for mount in workload.container.get("volumeMounts", ())}:
        yield f"TANDEM_PROVISIONING_FOLDER is {folder}, and nothing is mounted there"
    # A service looks into that file when it starts; here it is not mounted.
    environment.pop("TANDEM_KAFKA_CA_FILE", None)
    if workload.runs_service:
        yield from code.settings_problems(workload.service, environment)


def _files(workload: Workload) -> frozenset[str]:
    """Return the paths of the files that Secrets bring."""
    paths: set[str] = set()
    volumes = {volume["name"]: volume for volume in workload.pod.get("volumes", ())}
    for mount in workload.container.get("volumeMounts", ()):
        volume = volumes.get(mount["name"], {})
        sources = [volume["secret"]] if "secret" in volume else []
        sources += [source["secret"] for source in volume.get("projected", {}).get("sources", ()) if "secret" in source]
        paths |= {
            posixpath.join(mount["mountPath"], item["path"]) for each in sources for item in each.get("items", ())
        }
    return frozenset(paths)


def _mounts(workload: Workload) -> Iterator[str]:
    volumes = {volume["name"] for volume in workload.pod.get("volumes", ())}
    mounted = {mount["name"] for mount in workload.container.get("volumeMounts", ())}
    for name in sorted(volumes ^ mounted):
        yield f"volume {name} is " + ("mounted, and not there" if name in mounted else "there, and not mounted")


def _pod_security(workload: Workload) -> Iterator[str]:
    pod, container = workload.pod, workload.container
    context, own = pod.get("securityContext", {}), container.get("securityContext", {})
    wanted: Mapping[str, tuple[Any, Any]] = {
        "automountServiceAccountToken": (pod.get("automountServiceAccountToken"), False),
        "enableServiceLinks": (pod.get("enableServiceLinks"), False),
        "runAsNonRoot": (context.get("runAsNonRoot"), True),
        "runAsUser": (context.get("runAsUser"), 10001),
        "seccompProfile": (context.get("seccompProfile", {}).get("type"), "RuntimeDefault"),
        "allowPrivilegeEscalation": (own.get("allowPrivilegeEscalation"), False),
        "readOnlyRootFilesystem": (own.get("readOnlyRootFilesystem"), True),
        "capabilities.drop": (own.get("capabilities", {}).get("drop"), ["ALL"]),
    }
    for name, (found, right) in wanted.items():
        if found != right:
            yield f"{name} is {found}, not {right}"
    if pod.get("serviceAccountName") != workload.thing["metadata"]["name"]:
        yield f"it runs as {pod.get('serviceAccountName')}, not as a ServiceAccount of its own"


def _resources(workload: Workload) -> Iterator[str]:
    found = workload.container.get("resources", {})
    for kind, what in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if what not in found.get(kind, {}):
            yield f"resources.{kind}.{what} is not said"


def _probes(workload: Workload) -> Iterator[str]:
    ports = workload.ports
    http_port = code.HTTP_PORT
    if ports.get("http") != http_port:
        yield f"port http is {ports.get('http')}, and the service listens on {http_port}"
    for name, right in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked = workload.container.get(name, {}).get("httpGet", {})
        if asked.get("path") not in code.http_paths():
            yield f"{name} asks {asked.get('path')}, which no service answers"
        elif asked["path"] != right:
            yield f"{name} asks {asked['path']}; that is not what it means: {right}"
        if asked.get("port") not in ports:
            yield f"{name} asks port {asked.get('port')}, and the container has {', '.join(ports) or 'none'}"
    patience = workload.container.get("readinessProbe", {}).get("timeoutSeconds", 1)
    if patience <= code.READY_ANSWERS_IN_S:
        yield f"readinessProbe waits {patience} s, and the answer may take {code.READY_ANSWERS_IN_S:g} s"


def _ending(workload: Workload) -> Iterator[str]:
    sleeps = workload.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    given, needed = workload.pod.get("terminationGracePeriodSeconds", 30), code.grace_needed_s(sleeps)
    if given < needed:
        yield f"terminationGracePeriodSeconds is {given}, and it takes up to {needed:g} to end in order"


def _strategy(workload: Workload) -> Iterator[str]:
    spec = workload.thing["spec"]
    if workload.service == "reconciler":
        if spec.get("replicas") != 1 or spec.get("strategy", {}).get("type") != "Recreate":
            yield "there is one reconciler at a time: replicas 1, strategy Recreate"
    elif spec.get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
        yield "a rollout may take a pod away before its successor is ready (maxUnavailable is not 0)"


_OF_ALL: Final = (_image, _command, _pod_security, _resources, _mounts)
_OF_SERVICES: Final = (_probes, _ending, _strategy)
