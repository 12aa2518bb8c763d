"""A small table of routes for synchronous sites, and the JSON helpers that their handlers share.

Called by the sites of `sandbox.jira` and `sandbox.craft` in their `handle`. Knows no vendor: what a 404 or a 405 looks
like is the site's to say. Never does I/O and never catches what a handler raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from sandbox.kit.site import SiteRequest, SiteResponse

JSON_TYPE = "application/json; charset=utf-8"

Handler = Callable[..., SiteResponse]
"""Called as `handler(request, **params)`, with a decoded string for each `{param}` of its template."""


class NoRoute(Protocol):
    """Makes the vendor's answer for a request that no route takes."""

    def __call__(self, status: int, request: SiteRequest, allowed: frozenset[str]) -> SiteResponse:
        """Return the answer; `status` is 404 (`allowed` empty) or 405 (`allowed` are the methods that the path has)."""
        ...


class JsonBodyError(ValueError):
    """The body of a request is not JSON."""


class _Node:
    __slots__ = ("by_param", "handlers", "literals")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.by_param: _Node | None = None
        self.handlers: dict[str, tuple[Handler, tuple[str, ...]]] = {}

    def nodes(self, segments: list[str], at: int, values: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
        """Yield the nodes that the path leads to, literal segments before parameters."""
        if at == len(segments):
            yield self, values
            return
        segment = segments[at]
        literal = self.literals.get(segment)
        if literal is not None:
            yield from literal.nodes(segments, at + 1, values)
        if self.by_param is not None and segment:
            yield from self.by_param.nodes(segments, at + 1, (*values, segment))


class Router:
    """Maps (method, template) to a handler.

    A literal segment wins over a parameter: with `/issue/bulk` and `/issue/{key}`, a POST to `/issue/bulk` goes to the
    first if that has a POST, else to the second. A parameter takes one whole, non-empty segment.
    """

    def __init__(self, no_route: NoRoute) -> None:
        self._root = _Node()
        self._no_route = no_route

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Add one route; `template` looks like `/workspace/{workspace_id}/items`.

        Raises ValueError when the template does not start with '/' or the route is there already.
        """
        if not template.startswith("/"):
            raise ValueError(f"a template starts with '/': {template!r}")
        node = self._root
        names: list[str] = []
        for segment in template[1:].split("/"):
            if segment.startswith("{") and segment.endswith("}"):
                names.append(segment[1:-1])
                node.by_param = node.by_param or _Node()
                node = node.by_param
            else:
                node = node.literals.setdefault(segment, _Node())
        if method in node.handlers:
            raise ValueError(f"two routes for {method} {template}")
        node.handlers[method] = (handler, tuple(names))

    def handle(self, request: SiteRequest) -> SiteResponse:
        """Call the handler that the request's method and path lead to, or return the site's own 404 or 405."""
        allowed: set[str] = set()
        for node, values in self._root.nodes(request.path[1:].split("/"), 0, ()):
            found = node.handlers.get(request.method)
            if found is not None:
                handler, names = found
                return handler(request, **dict(zip(names, values, strict=True)))
            allowed.update(node.handlers)
        return self._no_route(405 if allowed else 404, request, frozenset(allowed))


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> SiteResponse:
    """Return an answer with `value` as compact UTF-8 JSON; `headers` (lower case) are added to the content type."""
    return SiteResponse(status, {"content-type": JSON_TYPE, **(headers or {})}, to_json(value))


def to_json(value: object) -> bytes:
    """Return compact JSON in UTF-8; a lone surrogate, which UTF-8 does not have, is escaped."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def read_json(request: SiteRequest) -> object:
    """Return the parsed body. Raises `JsonBodyError` when it is not JSON in UTF-8, and for NaN and Infinity."""

    def refuse(word: str) -> object:
        raise JsonBodyError(f"{word} is not JSON")

    try:
        value: object = json.loads(request.body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise JsonBodyError(str(error)) from error
    return value


def query_value(request: SiteRequest, name: str) -> str | None:
    """Return the first value of a query parameter, or None when it is absent."""
    for key, value in request.query:
        if key == name:
            return value
    return None


def query_values(request: SiteRequest, name: str) -> list[str]:
    """Return all values of a repeated query parameter, in order."""
    return [value for key, value in request.query if key == name]
