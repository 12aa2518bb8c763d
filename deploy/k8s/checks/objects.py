"""Manifests as the checks look at them: objects by kind and name, and the workloads with their pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.k8s.checks.render import Thing

NAME_LABEL: Final = "app.kubernetes.io/name"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
TANDEM: Final = "tandem"


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or a Job of Tandem."""

    thing: Thing

    @property
    def name(self) -> str:
        """Return how it is named in findings."""
        return f"{self.thing['kind']} {self.thing['metadata']['name']}"

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the labels of its pods."""
        found: Mapping[str, str] = self.thing["spec"]["template"]["metadata"]["labels"]
        return found

    @property
    def component(self) -> str:
        """Return which part of Tandem it is, as in `mapper`."""
        return self.labels.get(COMPONENT_LABEL, "")

    @property
    def service(self) -> str:
        """Return the service that it runs, as in `services.NAME`."""
        return self.component.replace("-", "_")

    @property
    def runs_service(self) -> bool:
        """Tell a service from a task that ends."""
        return bool(self.thing["kind"] == "Deployment")

    @property
    def pod(self) -> Mapping[str, Any]:
        """Return the specification of its pods."""
        found: Mapping[str, Any] = self.thing["spec"]["template"]["spec"]
        return found

    @property
    def container(self) -> Mapping[str, Any]:
        """Return its only container."""
        (found,) = self.pod["containers"]
        return dict(found)

    @property
    def ports(self) -> Mapping[str, int]:
        """Return the container's ports by name."""
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", ())}


@dataclass(frozen=True, slots=True)
class Objects:
    """All objects of one composition."""

    things: Sequence[Thing]

    def of(self, *kinds: str) -> Iterator[Thing]:
        """Yield the objects of some kinds."""
        return (thing for thing in self.things if thing["kind"] in kinds)

    def named(self, kind: str, name: str) -> Thing | None:
        """Return one object, or None."""
        return next((thing for thing in self.of(kind) if thing["metadata"]["name"] == name), None)

    def workloads(self) -> list[Workload]:
        """Return Tandem's own workloads."""
        found = (Workload(thing) for thing in self.of("Deployment", "Job"))
        return [each for each in found if each.labels.get(NAME_LABEL) == TANDEM]

    def settings(self) -> Mapping[str, str]:
        """Return what the ConfigMap of all services sets."""
        for workload in self.workloads():
            for source in workload.container.get("envFrom", ()):
                found = self.named("ConfigMap", source["configMapRef"]["name"])
                if found is not None:
                    return dict(found["data"])
        return {}


def title(thing: Thing) -> str:
    """Return how an object is named in findings."""
    return f"{thing['kind']} {thing['metadata']['name']}"


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector matches. None matches nothing, an empty one everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions", ()))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", ())
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
