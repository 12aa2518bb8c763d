"""What a vendor, or what stands before it, says in the body of a refusal. Pure; used by both dialects.

Bodies come in many shapes: Jira's `errorMessages` and `errors`, the `errorMessage` and `message` of its gateways,
problems of RFC 9457, OAuth's `error_description`, lists of any of these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeGuard

from shared.clients.transport import HttpResponse

_MAX_WORDS: Final = 500
_MAX_DEPTH: Final = 4
_TELLING: Final = ("errorMessages", "errorMessage", "message", "error_description", "detail")
_NESTED: Final = ("errors", "error", "details", "violations", "messages")
_VAGUE: Final = ("title", "reason", "error")
"""Taken only where nothing says more."""


def json_of(response: HttpResponse) -> Any:
    """Return the body as JSON, None if it is none."""
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


def short(text: str) -> str:
    """Return words of a vendor cut to a length that fits a status."""
    text = " ".join(text.split())
    return text if len(text) <= _MAX_WORDS else text[: _MAX_WORDS - 1] + "…"


def messages(body: object, depth: int = 0) -> list[str]:
    """Return what an error body of any known shape says, most telling first; empty if it says nothing."""
    if depth > _MAX_DEPTH:
        return []
    match body:
        case str():
            return [body] if body.strip() else []
        case list():
            return [words for each in body for words in messages(each, depth + 1)]
        case Mapping():
            told = list(dict.fromkeys(_told(body, depth)))
            vague = (body[name] for name in _VAGUE if isinstance(body.get(name), str) and body[name].strip())
            return told or [*vague][:1]
        case _:
            return []


def _told(body: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name in _TELLING:
        yield from messages(body.get(name), depth + 1)
    for name in _NESTED:
        if isinstance(body.get(name), list | Mapping) and not (name == "errors" and _by_field(body[name])):
            yield from messages(body[name], depth + 1)


def by_field(body: object) -> dict[str, str]:
    """Return the words of a body by the field that they are about, as Jira's `errors` have it."""
    errors = body.get("errors") if isinstance(body, Mapping) else None
    return dict(errors) if _by_field(errors) else {}


def _by_field(errors: object) -> TypeGuard[Mapping[str, str]]:
    return isinstance(errors, Mapping) and all(isinstance(text, str) for text in errors.values())
