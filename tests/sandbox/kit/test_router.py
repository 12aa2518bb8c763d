"""Routing: which handler gets a request, and what the site is told when none does."""

from __future__ import annotations

import json

import pytest

from sandbox.kit.router import JsonBodyError, Router, json_response, query_value, query_values, read_json
from sandbox.kit.site import SiteRequest, SiteResponse


def _no_route(status: int, request: SiteRequest, allowed: frozenset[str]) -> SiteResponse:
    return json_response(status, {"no": request.path, "allowed": sorted(allowed)})


def _router() -> Router:
    def show(name: str) -> object:
        def handler(_request: SiteRequest, **params: str) -> SiteResponse:
            return json_response(200, [name, params])

        return handler

    router = Router(_no_route)
    for method, template in (
        ("GET", "/issue/{key}"),
        ("PUT", "/issue/{key}"),
        ("POST", "/issue/bulk"),
        ("GET", "/issue/{key}/properties/{name}"),
        ("GET", "/"),
    ):
        router.add(method, template, show(f"{method} {template}"))  # type: ignore[arg-type]
    return router


def _ask(method: str, path: str) -> tuple[int, object]:
    answer = _router().handle(SiteRequest(method, path))
    return answer.status, json.loads(answer.body)


def test_parameters_reach_the_handler_by_name() -> None:
    expected = ["GET /issue/{key}/properties/{name}", {"key": "AB-1", "name": "tandem"}]
    assert _ask("GET", "/issue/AB-1/properties/tandem") == (200, expected)
    assert _ask("GET", "/") == (200, ["GET /", {}])


def test_a_literal_segment_wins_and_a_parameter_takes_what_the_literal_has_no_method_for() -> None:
    assert _ask("POST", "/issue/bulk") == (200, ["POST /issue/bulk", {}])
    assert _ask("GET", "/issue/bulk") == (200, ["GET /issue/{key}", {"key": "bulk"}])


def test_an_unknown_path_is_404_and_a_known_path_with_another_method_is_405_with_the_methods() -> None:
    assert _ask("GET", "/nothing") == (404, {"no": "/nothing", "allowed": []})
    assert _ask("GET", "/issue/") == (404, {"no": "/issue/", "allowed": []})
    assert _ask("DELETE", "/issue/bulk") == (405, {"no": "/issue/bulk", "allowed": ["GET", "POST", "PUT"]})


def test_two_handlers_for_one_route_are_refused() -> None:
    router = _router()
    with pytest.raises(ValueError, match="two routes"):
        router.add("GET", "/issue/{other}", lambda _request, **_params: json_response(200, {}))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b'{"a": Infinity}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_named_so(body: bytes) -> None:
    with pytest.raises(JsonBodyError):
        read_json(SiteRequest("POST", "/", body=body))


def test_any_text_can_be_answered_even_half_a_character() -> None:
    for text in ("é", "\ud800", "😀"):
        assert json.loads(json_response(200, {"text": text}).body) == {"text": text}


def test_query_parameters_keep_their_order_and_repeats() -> None:
    request = SiteRequest("GET", "/", query=(("a", "1"), ("b", "2"), ("a", "3")))
    assert query_value(request, "a") == "1"
    assert query_values(request, "a") == ["1", "3"]
    assert query_value(request, "c") is None
