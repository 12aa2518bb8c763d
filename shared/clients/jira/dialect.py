"""How Jira says no: error bodies, the Seraph header, reasons of a 429. Used by `JiraClient` only."""

from __future__ import annotations

from typing import Final

from shared.clients.errors import BadCredentials, Scope
from shared.clients.http import Call, Dialect, Words
from shared.clients.said import by_field, json_of, messages, short
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

    def __init__(self, refused: str, api: int) -> None:
        self._refused = refused
        self._who = Call("GET", f"/rest/api/{api}/myself", "myself")

    @property
    def who_are_we(self) -> Call:
        """Return the call of the health probe: a 401 is certain here, unlike elsewhere."""
        return self._who

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

    def certain(self, response: HttpResponse) -> bool:
        """Tell whether the header says so: a bare 401 may be about one issue only."""
        return "AUTHENTICAT" in response.headers.get(_LOGIN_REASON, "").upper()

    def words(self, response: HttpResponse) -> Words:
        """Return what any shape of refusal says; with fields by the names that Jira uses for them."""
        body = json_of(response)
        fields = by_field(body)
        said = [*messages(body), *(f"{name}: {text}" for name, text in fields.items())]
        if not said:
            return Words(f"HTTP {response.status} without a readable reason", {})
        return Words(short(" ".join(said)), fields)

    def limit_scope(self, response: HttpResponse) -> Scope:
        """Return what `RateLimit-Reason` is about; unknown reasons hold back the whole connection."""
        return _SCOPES.get(response.headers.get("ratelimit-reason", "").strip().lower(), "connection")
