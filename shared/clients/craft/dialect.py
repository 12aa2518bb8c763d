"""How Craft.io says no: `{message}`, and `details` by path of the body on a PUT. Used by `CraftClient` only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.clients.errors import BadCredentials
from shared.clients.http import Call, Dialect, Words
from shared.clients.said import json_of, messages, short
from shared.clients.transport import HttpResponse

_BODY = "requestBody."
_NAMED = re.compile(r"(?:requestBody\.)?([A-Za-z][\w.$]*): (.+)$", re.DOTALL)


class CraftDialect(Dialect):
    """Craft.io's public API."""

    vendor = "Craft.io"
    who_are_we = Call("GET", "/me/api-key", "me")

    def credentials(self, response: HttpResponse) -> BadCredentials | None:
        """Return the error for a 401."""
        if response.status != 401:
            return None
        return BadCredentials(
            "Craft.io refuses the API key of this connection: it is wrong, expired or revoked. "
            "Create a new API key and save it in the connection."
        )

    def words(self, response: HttpResponse) -> Words:
        """Return `message`, and `details` by property (`title`, `customFields.$0.value`)."""
        body = json_of(response)
        if not isinstance(body, Mapping):
            said = messages(body) or [f"HTTP {response.status} without a readable reason"]
            return Words(short(" ".join(said)), {})
        details = body.get("details")
        fields = {
            str(path).removeprefix(_BODY): _text(detail)
            for path, detail in (details.items() if isinstance(details, Mapping) else ())
        }
        if not fields and response.status == 400:
            # a POST has no details; its message names each property before a colon (assumed, as the validator's words)
            parts = str(body.get("message") or "").removeprefix("Validation Failed: ").split("; ")
            fields = {named.group(1): named.group(2) for part in parts if (named := _NAMED.match(part))}
            return Words(short(" ".join(messages(body))) or "HTTP 400", fields)
        said = [*([] if fields else messages(body)), *(f"{name}: {text}" for name, text in fields.items())]
        if fields and body.get("message"):
            said.insert(0, str(body["message"]))
        return Words(short(" ".join(said)) or f"HTTP {response.status}", fields)


def _text(detail: object) -> str:
    message = detail.get("message") if isinstance(detail, Mapping) else detail
    return str(message)
