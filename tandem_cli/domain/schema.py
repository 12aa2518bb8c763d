"""The JSON Schema of the file, from the models that check it, so that editors complete and check it too. Pure."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from shared.as_code.workspace import IDENT, VERSION, SecretReferences
from shared.domain.differences import CONNECTION_OWNED, INTEGRATION_OWNED, PAIR_OWNED
from shared.domain.mapping import Connection, FieldPair, Integration

_MODELS: Final = (Connection, Integration, FieldPair, SecretReferences)


def file_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12)."""
    _, made = models_json_schema([(model, "validation") for model in _MODELS], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = made["$defs"]
    connection, integration, pair = (definitions[model.__name__] for model in _MODELS[:3])
    _drop(connection, CONNECTION_OWNED)
    _drop(integration, INTEGRATION_OWNED)
    _drop(pair, PAIR_OWNED | {"id"})
    connection["properties"]["secrets"] = {"$ref": "#/$defs/SecretReferences"}
    integration["properties"]["pairs"] = {
        "type": "object",
        "description": "Field pairs, each by an id that stays the same for good.",
        "additionalProperties": {"$ref": "#/$defs/FieldPair"},
    }
    integration["required"] = [name for name in integration["required"] if name not in ("types", "pairs")]
    one_of_two = definitions["SecretReference"]
    one_of_two["properties"] = {name: {"type": "string", "minLength": 1} for name in ("env", "file")}
    one_of_two["oneOf"] = [{"required": ["env"]}, {"required": ["file"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tandem configuration",
        "description": "Connections and integrations, as `tandem export` writes and `tandem apply` reads them.",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {
            "version": {"const": VERSION},
            "connections": _by_id("Connection"),
            "integrations": _by_id("Integration"),
        },
        "$defs": definitions,
    }


def _by_id(name: str) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": IDENT},
        "additionalProperties": {"$ref": f"#/$defs/{name}"},
    }


def _drop(definition: dict[str, Any], names: frozenset[str]) -> None:
    for name in names:
        definition["properties"].pop(name, None)
    definition["required"] = [name for name in definition.get("required", ()) if name not in names]
