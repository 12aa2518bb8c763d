"""Who calls: Basic and Bearer credentials, tokens that can be taken away, and what bad credentials look like.

Called by `sandbox.jira.site` once per request.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta

from sandbox.jira.http import JSON_TYPE, dump
from sandbox.jira.model import Account
from sandbox.jira.world import World
from sandbox.kit.site import SiteRequest, SiteResponse

LOGIN_REASON = "x-seraph-loginreason"
FAILED = "AUTHENTICATED_FAILED"
_HTML = b"<html><head><title>Unauthorized (401)</title></head><body><h1>Unauthorized (401)</h1></body></html>"


class Tokens:
    """The tokens and passwords of a site: each belongs to one account and may be revoked."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._passwords: set[str] = set()
        self._revoked: set[str] = set()
        self._ends: dict[str, datetime] = {}

    def add(self, token: str, account_id: str, *, password: bool = False, ends_at: datetime | None = None) -> None:
        """Give a token (or password) to an account; one that was revoked is good again. `ends_at` None: never."""
        self._owners[token] = account_id
        self._ends.pop(token, None)
        if ends_at is not None:
            self._ends[token] = ends_at
        self._revoked.discard(token)
        (self._passwords.add if password else self._passwords.discard)(token)

    def revoke(self, token: str) -> None:
        """Refuse the token from now on. Idempotent. Raises KeyError for an unknown token."""
        if token not in self._owners:
            raise KeyError(token)
        self._revoked.add(token)

    def restore(self, token: str) -> None:
        """Take a revoked token again. Idempotent. Raises KeyError for an unknown token."""
        if token not in self._owners:
            raise KeyError(token)
        self._revoked.discard(token)

    def personal(self, account_id: str) -> list[tuple[int, datetime | None]]:
        """Return the tokens of an account that are not revoked, each by a number, with its end."""
        mine = enumerate((token for token in self._owners if token not in self._passwords), 1)
        return [
            (number, self._ends.get(token))
            for number, token in mine
            if self._owners[token] == account_id and token not in self._revoked
        ]

    def owner(self, token: str, now: datetime, *, password: bool = False) -> str | None:
        """Return the account id of a good token (or password)."""
        if (
            now >= self._ends.get(token, now + timedelta(1))
            or token in self._revoked
            or (token in self._passwords) is not password
        ):
            return None
        return self._owners.get(token)


def credentials(email: str, token: str) -> str:
    """Return the Authorization header of an account: e-mail address and API token, or user name and password."""
    return "Basic " + base64.b64encode(f"{email}:{token}".encode()).decode()


def bearer(token: str) -> str:
    """Return the Authorization header of a personal access token."""
    return f"Bearer {token}"


def authenticate(world: World, tokens: Tokens, request: SiteRequest) -> tuple[Account | None, bool]:
    """Return the account that calls, and whether credentials were given and refused."""
    given = request.headers.get("authorization")
    if not given:
        return None, False
    scheme, _, encoded = given.partition(" ")
    personal = world.edition.personal_tokens
    if scheme.lower() == "bearer" and personal:
        account = world.accounts.get(tokens.owner(encoded, world.now()) or "")
    elif scheme.lower() == "basic":
        account = _basic(world, tokens, encoded, personal=personal)
    else:
        account = None
    return (None, True) if account is None or not account.active else (account, False)


def _basic(world: World, tokens: Tokens, encoded: str, *, personal: bool) -> Account | None:
    try:
        login, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    account = world.accounts.get(tokens.owner(secret, world.now(), password=personal) or "")
    return account if account and login == (account.name if personal else account.email) else None


def unauthorized(world: World) -> SiteResponse:
    """Return a 401: JSON, and now and then HTML, as Jira's gateway sends it."""
    world.unauthorized_count += 1
    every = world.settings.html_401_every
    headers = {"www-authenticate": 'OAuth realm="Jira"'}
    if every and world.unauthorized_count % every == 0:
        return SiteResponse(401, {**headers, "content-type": "text/html;charset=UTF-8"}, _HTML)
    message = "Client must be authenticated to access this resource."
    return SiteResponse(401, {**headers, "content-type": JSON_TYPE}, dump({"errorMessages": [message], "errors": {}}))
