"""Checks requests and answers against Craft.io's public API description, where that file lies beside the repository."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema

from sandbox.kit.site import SiteRequest, SiteResponse

ROOT = Path(__file__).parents[3]


def description_file() -> Path | None:
    """Return the API description, or None where this checkout stands alone."""
    shared = Path(os.environ.get("TANDEM_WORKPLACE_SHARED") or ROOT.parent / "shared")
    found = shared / "facts" / "craft_public_api.openapi.json"
    return found if found.is_file() else None


class ApiDescription:
    """One OpenAPI 3.0 document. `checked` counts what was compared, `used` the operations that were."""

    def __init__(self, document: dict[str, Any]) -> None:
        schemas: dict[str, Any] = document["components"]["schemas"]
        self._schemas = {
            "components": {"schemas": {name: _as_json_schema(each, schemas) for name, each in schemas.items()}}
        }
        self._document_schemas = schemas
        self._operations: list[tuple[str, re.Pattern[str], str, dict[str, Any]]] = []
        for path, methods in document["paths"].items():
            pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
            for method, operation in methods.items():
                self._operations.append((method.upper(), pattern, path, operation))
        self.checked = 0
        self.used: set[tuple[str, str]] = set()

    def check(self, request: SiteRequest, answer: SiteResponse) -> None:
        """Fail unless the answer's status and body, and a good request's query and body, are as described."""
        operation = self._operation(request)
        status = str(answer.status)
        assert status in operation["responses"], f"{request.method} {request.path} answers an undeclared {status}"
        content = operation["responses"][status]["content"]["application/json"]
        self._check(content["schema"], json.loads(answer.body))
        if answer.status == 200:
            declared = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
            assert {name for name, _ in request.query} <= declared
            if "requestBody" in operation:
                self._check(operation["requestBody"]["content"]["application/json"]["schema"], json.loads(request.body))

    def refuses(self, schema: str, value: object) -> bool:
        """Tell whether a value does not fit a schema of the description."""
        try:
            self._check({"$ref": f"#/components/schemas/{schema}"}, value)
        except jsonschema.ValidationError:
            return True
        return False

    def _operation(self, request: SiteRequest) -> dict[str, Any]:
        for method, pattern, path, operation in self._operations:
            if method == request.method and pattern.fullmatch(request.path):
                self.used.add((method, path))
                return operation
        raise AssertionError(f"not described: {request.method} {request.path}")

    def _check(self, schema: dict[str, Any], value: object) -> None:
        validator = jsonschema.Draft202012Validator(
            {**_as_json_schema(schema, self._document_schemas), **self._schemas}
        )
        validator.validate(value)
        self.checked += 1


def _as_json_schema(node: Any, schemas: dict[str, Any]) -> Any:
    """Return a part of an OpenAPI 3.0 document as JSON Schema.

    `nullable` becomes a choice with null; an `allOf` of several closed objects, an object with the properties of all.
    """
    if isinstance(node, list):
        return [_as_json_schema(each, schemas) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {name: value for name, value in node.items() if name != "nullable"}
    parts = plain.get("allOf")
    if isinstance(parts, list) and len(parts) > 1:
        objects = [schemas[part["$ref"].rpartition("/")[2]] for part in parts]
        properties = {name: value for each in objects for name, value in each["properties"].items()}
        plain = {"type": "object", "properties": properties, "additionalProperties": False}
    plain = {name: _as_json_schema(value, schemas) for name, value in plain.items()}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
