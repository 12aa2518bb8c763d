"""The console's edge: who may come in, what counts as JSON, what a refusal says, and the description of all of it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from deploy.local import scene
from services.console.domain.problems import Refusal
from services.console.domain.shown import shown
from services.console.entrypoint.http import parse_json
from shared.runtime.log import LogUnavailable
from shared.store.requests import Asked
from tests.unit.console.harness import TOKEN, desk, jira_draft, with_integration


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \udcff"],
)
async def test_nobody_comes_in_without_the_admins_token(header: str | None) -> None:
    async with desk() as admin:
        for method, path in (("GET", "/links"), ("PUT", "/connections/x"), ("GET", "/no/such/path")):
            headers = {} if header is None else {"Authorization": header}
            async with admin.client.request(method, f"/api/v1{path}", headers=headers) as answer:
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                body = await answer.json(content_type="application/problem+json")
                assert body["code"] == "unauthorized"
                assert body["next_step"]


async def test_every_route_is_described_and_every_description_is_a_route() -> None:
    async with desk() as admin:
        document = await admin.get("/openapi.json")
        assert document["openapi"].startswith("3.1")
        described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
        served = {(route.method, route.path) for route in admin.service.routes() if route.method != "*"}
        assert served - {("GET", "/api/v1/openapi.json"), ("GET", "/runbooks/{name}")} == described
        assert len(described) == 38


async def test_the_description_is_sound() -> None:
    async with desk() as admin:
        document = await admin.get("/openapi.json")
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    references = [ref for ref in _references(document) if ref.startswith("#/components/schemas/")]
    assert {ref.rpartition("/")[2] for ref in references} <= set(schemas)
    assert all(ref.startswith("#/components/schemas/") for ref in _references(document))
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


async def test_answers_are_as_described() -> None:
    async with desk() as admin:
        await with_integration(admin)
        document = await admin.get("/openapi.json")
        draft = {"draft": admin.world.integration.model_dump(mode="json")}
        _, run = await admin.call("POST", f"/integrations/{scene.INTEGRATION}/dry-runs", draft)
        ids = {"connection_id": scene.JIRA, "integration_id": scene.INTEGRATION, "dry_run_id": run["id"]}
        asked = Asked("r", "retry", "admin", admin.world.clock.now())
        await admin.world.store.note_request(asked)
        ids |= {"revision": 1, "other": 1, "request_id": asked.id}
        for path, methods in document["paths"].items():
            if "get" not in methods or "{link_id}" in path or "{entity_id}" in path:
                continue
            needed = [
                each["name"] for each in methods["get"]["parameters"] if each["required"] and each["in"] == "query"
            ]
            query = "&".join(f"{name}={ids[f'{name}_id']}" for name in needed)
            body = await admin.get(f"{path.format(**ids).removeprefix('/api/v1')}?{query}")
            schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            Draft202012Validator({**schema, "components": document["components"]}).validate(body)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for each in value.values() for ref in _references(each)]
    return [ref for each in value for ref in _references(each)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a":' * 150 + b"1" + b"}" * 150,
        b"1" * 5000,
    ],
)
async def test_what_is_not_json_is_a_400_in_words(raw: bytes) -> None:
    async with desk() as admin:
        status, body = await admin.call("POST", "/requests", data=raw)
    assert (status, body["code"]) == (400, "not_json")
    assert body["next_step"]


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps(text).encode()))
def test_parsing_never_fails_otherwise_than_by_a_refusal(raw: bytes) -> None:
    with suppress(Refusal):
        parse_json(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(JSON)
def test_everything_shown_is_json_that_every_reader_takes(value: Any) -> None:
    text = json.dumps(shown(value), allow_nan=False)
    again = json.loads(text)
    numbers = [number for number in _numbers(again) if isinstance(number, int)]
    assert all(abs(number) < 2**53 for number in numbers)


def _numbers(value: Any) -> list[Any]:
    match value:
        case dict():
            return [number for each in value.values() for number in _numbers(each)]
        case list():
            return [number for each in value for number in _numbers(each)]
        case bool() | str() | None:
            return []
        case _:
            return [value]


async def test_no_body_whatever_makes_the_console_fail() -> None:
    strange: list[object] = [None, 1, "x", [], {}, {"kind": []}, {"kind": "resolve"}, {"kind": "push", "x": 1}, [[{}]]]
    async with desk() as admin:
        await with_integration(admin)
        for method, path in (
            ("POST", "/requests"),
            ("POST", "/links/nobody/requests"),
            ("PUT", "/connections/new"),
            ("PUT", "/integrations/new"),
        ):
            for body in strange:
                status, answer = await admin.call(method, path, data=json.dumps(body).encode())
                assert status in (404, 422), (path, body, answer)
                assert answer["message"]
                assert answer["next_step"]


async def test_each_fault_is_named_with_its_path_and_never_with_a_secret() -> None:
    draft = jira_draft(url="example", colour="red", secrets={"token": "very-secret" * 1000})
    async with desk() as admin:
        status, body = await admin.call("PUT", "/connections/jira-demo", draft)
    assert status == 422
    assert {fault["path"] for fault in body["problems"]} == {"url", "colour", "secrets.token"}
    assert "very-secret" not in json.dumps(body)


async def test_ids_are_strings_beyond_what_a_json_number_can_hold() -> None:
    async with desk() as admin:
        body = {"kind": "push", "integration_id": "demo", "craft_id": 2300000000000000001}
        status, answer = await admin.call("POST", "/requests", body)
    assert status == 422
    assert answer["problems"][0]["path"] == "craft_id"
    assert "must be text" in answer["problems"][0]["message"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "state=happy", "colour=red", "limit=1&limit=2", "after=%00"])
async def test_a_query_that_cannot_be_read_is_said_to_be_so(query: str) -> None:
    async with desk() as admin:
        status, body = await admin.call("GET", f"/links?{query}")
    assert status == 422
    assert body["problems"][0]["path"] in ("limit", "state", "colour", "after")


async def test_an_unknown_operation_is_a_404_in_words() -> None:
    async with desk() as admin:
        for method, path in (("DELETE", "/links/x"), ("GET", "/nothing"), ("PATCH", "/connections/x")):
            status, body = await admin.call(method, path)
            assert (status, body["code"]) == (404, "not_found")
            assert "openapi.json" in body["next_step"]


async def test_a_body_that_is_too_large_is_a_413() -> None:
    async with desk() as admin:
        status, body = await admin.call("POST", "/requests", data=b" " * (1024 * 1024 + 1))
    assert (status, body["code"]) == (413, "too_large")


async def test_with_the_log_away_a_request_is_not_taken() -> None:
    async with desk() as admin:
        await with_integration(admin)
        link = await admin.world.link(jira_id="10001", craft_id="7")
        admin.world.log.available = False
        with pytest.raises(LogUnavailable):
            await admin.world.log.publish([])
        headers = {"Authorization": f"Bearer {TOKEN}"}
        path = f"/api/v1/links/{link.id}/requests"
        async with admin.client.post(path, json={"kind": "retry"}, headers=headers) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
