"""The description of the API as OpenAPI 3.1, generated from the table of operations and their models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from services.console.domain.problems import Problem
from services.console.entrypoint.operations import Operation

BASE = "/api/v1"
_REF = "#/components/schemas/{model}"
_ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI document."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for operation in operations:
        wanted[operation.answer, "serialization"] = None
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
    refs, schemas = models_json_schema(list(wanted), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(BASE + operation.path, {})[operation.method.lower()] = _operation(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tandem console",
            "version": "1",
            "description": "Ids are strings. Numbers beyond 2^53 are shown as strings. NaN and infinity do not occur.",
        },
        "security": [{"admin": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"admin": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def _operation(operation: Operation, refs: Mapping[Any, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in operation.parameters
    ]
    query = operation.query.model_json_schema(ref_template=_REF)
    definitions = query.get("$defs", {})
    for name, schema in query.get("properties", {}).items():
        required = name in query.get("required", ())
        parameters.append({"name": name, "in": "query", "required": required, "schema": _inlined(schema, definitions)})
    if operation.revised and operation.method != "GET":
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": False,
                "description": 'The revision that was edited, such as `"3"`; goes before `revision` of the body.',
                "schema": {"type": "string"},
            }
        )
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            str(operation.status.value): _answer(operation, refs[operation.answer, "serialization"]),
            **{
                str(status.value): {
                    "description": status.phrase,
                    "content": {"application/problem+json": {"schema": refs[Problem, "serialization"]}},
                }
                for status in (*_ALWAYS, *_refusals(operation))
            },
        },
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[operation.body, "validation"]}},
        }
    return described


def _refusals(operation: Operation) -> tuple[HTTPStatus, ...]:
    takes = bool(operation.body or operation.query.model_fields or "side" in operation.parameters)
    wrong = (HTTPStatus.UNPROCESSABLE_ENTITY,) if takes else ()
    return tuple(dict.fromkeys((*operation.refusals, *wrong)))


def _answer(operation: Operation, schema: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": operation.status.phrase,
        "content": {"application/json": {"schema": schema}},
    }
    if operation.revised:
        answer["headers"] = {"ETag": {"description": "The revision.", "schema": {"type": "string"}}}
    return answer


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a small schema with its references written out: query parameters have no components of their own."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        if name in definitions:
            return _inlined(definitions[name], definitions)
        return {key: _inlined(value, definitions) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    return schema
