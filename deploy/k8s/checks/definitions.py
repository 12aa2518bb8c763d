"""The kinds that the manifests use, as their API servers define them: `definitions.json.gz`, written by
`fetch_definitions`.

One source for two readers: the quick layer takes JSON schemas from it (`problems`), the slow one the custom resource
definitions, which it loads into an API server (`crds`).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

BUNDLE: Final = Path(__file__).with_name("definitions.json.gz")


@cache
def _bundle() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(gzip.decompress(BUNDLE.read_bytes()))
    return found


def crds() -> list[dict[str, Any]]:
    """Return the custom resource definitions, as `kubectl apply` takes them."""
    return list(_bundle()["crds"])


def problems(thing: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a strict API server would say of an object's shape, with the path to it."""
    kind = f"{thing.get('apiVersion')}/{thing.get('kind')}"
    validator = _validator(kind)
    if validator is None:
        yield f"{kind} is no kind that is known here; add it to deploy/k8s/checks/fetch_definitions.py and run that"
        return
    for error in validator.iter_errors(thing):
        yield f"{error.json_path.removeprefix('$.')}: {error.message[:300]}"


@cache
def _validator(kind: str) -> Validator | None:
    bundle = _bundle()
    if kind in bundle["core"]:
        definitions = {name: _closed(schema) for name, schema in bundle["definitions"].items()}
        root = {"$ref": f"#/definitions/{bundle['core'][kind]}", "definitions": definitions}
        return Draft202012Validator(root)
    for crd in bundle["crds"]:
        spec = crd["spec"]
        for version in spec["versions"]:
            if f"{spec['group']}/{version['name']}/{spec['names']['kind']}" == kind:
                return Draft202012Validator(_closed(version["schema"]["openAPIV3Schema"], top=True))
    return None


_QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def _closed(schema: Any, *, top: bool = False) -> Any:
    """Return an OpenAPI schema of Kubernetes as a JSON schema that refuses what it does not name."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    kept = {key: part for key, part in schema.items() if not key.startswith("x-kubernetes") and key != "format"}
    for key in ("properties", "definitions"):
        if key in kept:
            kept[key] = {name: _closed(part) for name, part in kept[key].items()}
    for key in ("items", "additionalProperties", "not"):
        if key in kept:
            kept[key] = _closed(kept[key])
    for key in ("allOf", "anyOf", "oneOf"):
        # They only narrow: what is named there is not all that may be there.
        if key in kept:
            kept[key] = [{**part} for part in kept[key]]
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in schema and not open_ended:
        kept["additionalProperties"] = False
    if top:
        # The API server adds it to every custom resource.
        kept["properties"] = {**kept["properties"], "apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
    if schema.get("nullable") and "type" in kept:
        kept["type"] = [kept["type"], "null"]
    return kept
