"""The Helm chart: what its values may be, and that a difference to the overlays is found. `make check` renders it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from deploy.k8s.checks.chart import CHART, PROFILES, differences
from deploy.k8s.checks.objects import Objects
from tests.unit.deploy.test_manifests import rendered

SCHEMA = Draft202012Validator(json.loads((CHART / "values.schema.json").read_text()))


def read(name: str) -> Any:
    return yaml.safe_load((CHART / name).read_text())


def merged(under: Any, over: Any) -> Any:
    """Return values as helm lays a file over the chart's own."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    return {key: merged(under.get(key), over[key]) if key in over else under[key] for key in under | over}


def refused(over: dict[str, Any]) -> dict[str, str]:
    """Return what is refused, by path."""
    errors = SCHEMA.iter_errors(merged(read("values.yaml"), over))
    return {error.json_path: error.message for error in errors}


@pytest.mark.parametrize("profile", ["", *PROFILES])
def test_the_charts_own_values_are_taken(profile: str) -> None:
    assert refused(read(f"profiles/{profile}.yaml") if profile else {}) == {}


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"kafka": {"bootstrap": "kafka"}}, "$.kafka.bootstrap"),
        ({"kafka": {"bootstap": "kafka:9092"}}, "$.kafka"),
        ({"image": {"tag": "latest"}}, "$.image.tag"),
        ({"image": {"digest": "sha256:short"}}, "$.image.digest"),
        ({"settings": {"TANDEM_SECRET_KEY": "not here"}}, "$.settings"),
        ({"settings": {"TANDEM_HTTP_PORT": 9090}}, "$.settings.TANDEM_HTTP_PORT"),
        ({"services": {"mapper": {"replicas": 13}}}, "$.services.mapper.replicas"),
        ({"services": {"reconciler": {"replicas": 2}}}, "$.services.reconciler"),
        ({"services": {"console": {"resources": {"limits": {"cpu": "1"}}}}}, None),
        (
            {"services": {"console": {"resources": {"limits": {"memory": "1 GB"}}}}},
            "$.services.console.resources.limits.memory",
        ),
        ({"wayIn": {"kind": "traefik"}}, "$.wayIn.kind"),
        ({"wayIn": {"webhooks": {"sources": []}}}, "$.wayIn.webhooks.sources"),
        ({"postgres": {"peers": [{"ipBlock": {"cidr": "10.30.0.0"}}]}}, "$.postgres.peers[0].ipBlock.cidr"),
        ({"keda": {"enabled": True}, "kafka": {"sasl": {"enabled": False}}}, "$.kafka"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(values: dict[str, Any], path: str | None) -> None:
    found = refused(values)
    assert list(found) == ([] if path is None else [path]), found


def _drop_mapper(objects: Objects) -> None:
    deployment = objects.named("Deployment", "tandem-mapper")
    assert deployment is not None
    deployment["metadata"]["name"] = "tandem-maper"


def _port(objects: Objects) -> None:
    service = objects.named("Service", "tandem-console")
    assert service is not None
    service["spec"]["ports"][0]["port"] = 8080


def _setting(objects: Objects) -> None:
    settings = [each["data"] for each in objects.of("ConfigMap") if "TANDEM_LOG_LEVEL" in each["data"]]
    settings[0]["TANDEM_LOG_LEVEL"] = "DEBUG"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_drop_mapper, "Deployment tandem-mapper is not in the chart"),
        (_port, "Service tandem-console.spec.ports.http.port: 80 in the base, 8080 in the chart"),
        (_setting, "ConfigMap tandem.data.TANDEM_LOG_LEVEL: 'INFO' in the base, 'DEBUG' in the chart"),
    ],
)
def test_a_difference_is_found(change: Callable[[Objects], None], words: str) -> None:
    base = rendered("production")
    assert list(differences(base, base)) == []
    other = copy.deepcopy(base)
    change(Objects(other))
    assert words in list(differences(base, other))
