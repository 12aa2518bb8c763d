"""How Jira says no: error bodies, the Seraph header, reasons of a 429. Used by `JiraClient` only."""

from __future__ import annotations

from typing import Final

from shared.clients.errors import BadCredentials, Scope
from shared.clients.http import Dialect, Words, json_object, short
from shared.clients.transport import HttpResponse

_LOGIN_REASON: Final = "x-seraph-loginreason"
_SCOPES: Final[dict[str, Scope]] = {
    "jira-per-issue-on-write": "issue",
    "jira-burst-based": "endpoint",
    "jira-quota-global-based": "connection",
    "jira-quota-tenant-based": "connection",
}


class JiraDialect(Dialect):
    """Jira, Cloud and Data Center. `refused`: what to say when the credentials do not work."""

    vendor = "Jira"

    def __init__(self, refused: str) -> None:
        self._refused = refused

    def credentials(self, response: HttpResponse) -> BadCredentials | None:
        """Return the error if the token was refused: a 401, or any status with the header that says so.

        Endpoints open to anonymous users answer 200 or 404 to a revoked token and only the header tells.
        """
        reason = response.headers.get(_LOGIN_REASON, "").upper()
        if "AUTHENTICATION_DENIED" in reason:
            return BadCredentials(
                "Jira locked the login after too many failed tries. Log in to Jira once in a browser and solve the "
                "captcha, then save the connection again.",
                denied=True,
            )
        if response.status == 401 or "AUTHENTICATED_FAILED" in reason:
            return BadCredentials(self._refused)
        return None

    def words(self, response: HttpResponse) -> Words:
        """Return `errorMessages` and `errors`, or `message` of the gateways' other shape."""
        body = json_object(response)
        if body is None:
            return Words(f"HTTP {response.status} without a readable reason", {})
        messages = body.get("errorMessages")
        errors = body.get("errors")
        fields = {str(k): str(v) for k, v in errors.items()} if isinstance(errors, dict) else {}
        said = [str(m) for m in messages] if isinstance(messages, list) else []
        if isinstance(body.get("message"), str):
            said.append(body["message"])
        said += [f"{name}: {text}" for name, text in fields.items()]
        return Words(short(" ".join(said)) or f"HTTP {response.status}", fields)

    def limit_scope(self, response: HttpResponse) -> Scope:
        """Return what `RateLimit-Reason` is about; unknown reasons hold back the whole connection."""
        return _SCOPES.get(response.headers.get("ratelimit-reason", "").strip().lower(), "connection")
