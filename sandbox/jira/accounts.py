"""Who calls: Basic credentials, tokens that can be taken away, and what bad credentials look like.

Called by `sandbox.jira.site` once per request.
"""

from __future__ import annotations

import base64
import binascii

from sandbox.jira.http import JSON_TYPE, dump
from sandbox.jira.model import Account
from sandbox.jira.world import World
from sandbox.kit.site import SiteRequest, SiteResponse

LOGIN_REASON = "x-seraph-loginreason"
FAILED = "AUTHENTICATED_FAILED"
_HTML = b"<html><head><title>Unauthorized (401)</title></head><body><h1>Unauthorized (401)</h1></body></html>"


class Tokens:
    """The API tokens of a site: each belongs to one account and may be revoked."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._revoked: set[str] = set()

    def add(self, token: str, account_id: str) -> None:
        """Give a token to an account; a token that was revoked is good again."""
        self._owners[token] = account_id
        self._revoked.discard(token)

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

    def owner(self, token: str) -> str | None:
        """Return the account id of a good token."""
        return None if token in self._revoked else self._owners.get(token)


def credentials(email: str, token: str) -> str:
    """Return the Authorization header of an account."""
    return "Basic " + base64.b64encode(f"{email}:{token}".encode()).decode()


def authenticate(world: World, tokens: Tokens, request: SiteRequest) -> tuple[Account | None, bool]:
    """Return the account that calls, and whether credentials were given and refused."""
    given = request.headers.get("authorization")
    if not given:
        return None, False
    scheme, _, encoded = given.partition(" ")
    if scheme.lower() != "basic":
        return None, True
    try:
        email, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None, True
    account = world.accounts.get(tokens.owner(token) or "")
    if account is None or account.email != email or not account.active:
        return None, True
    return account, False


def unauthorized(world: World) -> SiteResponse:
    """Return a 401: JSON, and now and then HTML, as Jira's gateway sends it."""
    world.unauthorized_count += 1
    every = world.settings.html_401_every
    headers = {"www-authenticate": 'OAuth realm="Jira"'}
    if every and world.unauthorized_count % every == 0:
        return SiteResponse(401, {**headers, "content-type": "text/html;charset=UTF-8"}, _HTML)
    message = "Client must be authenticated to access this resource."
    return SiteResponse(401, {**headers, "content-type": JSON_TYPE}, dump({"errorMessages": [message], "errors": {}}))
