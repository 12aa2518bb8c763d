"""Checks calls against Atlassian's OpenAPI document of the Cloud platform, when that file lies beside the checkout.

Used by `test_conformance` only. The document is not part of the repository.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from sandbox.kit.site import SiteRequest, SiteResponse

FILE = "specs/jira-cloud-platform-v3.openapi.json"
# Refusals that every operation may give, whether or not the document lists them for it.
GENERAL = {"401", "403", "404", "409", "410", "429"}


def find_document() -> Path | None:
    """Return the document's path, or None when it is not on this machine."""
    root = Path(__file__).resolve().parents[3]
    folder = os.environ.get("TANDEM_WORKPLACE_SHARED")
    path = (Path(folder) if folder else root.parent / "shared") / FILE
    return path if path.is_file() else None


class Document:
    """The operations and schemas of an OpenAPI document."""

    def __init__(self, path: Path) -> None:
        data: dict[str, Any] = json.loads(path.read_text())
        self.components = data["components"]
        # Jira sends null for "no value" here, in the document's own examples of other pages and in its webhooks.
        changed = self.components["schemas"]["ChangeDetails"]["properties"]
        for name in ("from", "fromString", "to", "toString"):
            changed[name]["type"] = ["string", "null"]
        self.operations = [
            (re.compile(re.sub(r"\{[^/]+\}", "[^/]+", template) + "$"), template, methods)
            for template, methods in sorted(data["paths"].items(), key=lambda item: item[0].count("{"))
        ]
        self.used: set[str] = set()

    def problems(self, calls: Iterable[tuple[SiteRequest, SiteResponse]]) -> list[str]:
        """Return what does not conform, in words; remembers the operations seen in `used`."""
        return [
            f"{request.method} {request.path}: {one}"
            for request, response in calls
            for one in self._call(request, response)
        ]

    def _call(self, request: SiteRequest, response: SiteResponse) -> list[str]:
        method = request.method.lower()
        found = next(
            (
                (name, ways[method])
                for form, name, ways in self.operations
                if form.match(request.path) and method in ways
            ),
            None,
        )
        if found is None:
            return ["no such operation"]
        template, operation = found
        self.used.add(f"{request.method} {template}")
        known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        problems = [f"unknown parameter {name}" for name, _ in request.query if name not in known]
        if response.status < 400 and request.body:
            schema = operation["requestBody"]["content"]["application/json"].get("schema", {})
            problems += self._schema("request", schema, request.body)
        return problems + self._answer(operation, response)

    def _answer(self, operation: dict[str, Any], response: SiteResponse) -> list[str]:
        listed = operation["responses"].get(str(response.status))
        if listed is None and str(response.status) not in GENERAL:
            return [f"status {response.status} is not listed"]
        if not response.body:
            return []
        schema = (listed or {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None and response.status >= 400:
            schema = {"$ref": "#/components/schemas/ErrorCollection"}
        return self._schema("answer", schema or {}, response.body)

    def _schema(self, what: str, schema: dict[str, Any], body: bytes) -> list[str]:
        validator = Draft202012Validator({**schema, "components": self.components})
        return [f"{what} {one.json_path}: {one.message[:200]}" for one in validator.iter_errors(json.loads(body))]
