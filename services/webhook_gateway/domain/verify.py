"""Who sent this? Signatures over the raw body, and tokens in the URL for senders that cannot sign. Pure.

Jira: `X-Hub-Signature: method=hex`, an HMAC over the raw bytes; the method is read from the header
(https://developer.atlassian.com/cloud/jira/platform/webhooks/, "Secure your webhooks"). Craft.io: assumed, see
docs/assumptions.md.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from shared.domain.ids import Side
from shared.domain.mapping import ConnectionSecrets

SIGNATURE_HEADER: Final[Mapping[Side, str]] = {Side.JIRA: "x-hub-signature", Side.CRAFT: "x-craft-signature"}
_METHODS: Final[Mapping[str, Callable[[], Any]]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
"""Allow-list: a sender must not be able to choose a broken method."""


class RefusedBecause(StrEnum):
    """Why a sender is not believed."""

    NO_SECRET_SET = "no_secret_set"  # noqa: S105  # the name of a reason
    NOT_SIGNED = "not_signed"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BAD_SIGNATURE = "bad_signature"
    BAD_TOKEN = "bad_token"  # noqa: S105  # the name of a reason

    @property
    def words(self) -> str:
        """Return what is wrong and what to do, for whoever set up the webhook."""
        match self:
            case RefusedBecause.NO_SECRET_SET:
                return "this connection has neither a webhook secret nor a URL token; save one with the connection"
            case RefusedBecause.NOT_SIGNED:
                return "the request carries neither a signature nor a token; set the connection's secret in the webhook"
            case RefusedBecause.METHOD_NOT_ALLOWED:
                return f"the signature must be method=hex with one of {', '.join(_METHODS)}"
            case RefusedBecause.BAD_SIGNATURE:
                return "the signature matches none of the connection's webhook secrets"
            case RefusedBecause.BAD_TOKEN:
                return "the token in the URL is not the connection's"


@dataclass(frozen=True, slots=True)
class Verified:
    """The sender knows a secret of the connection."""

    by: Literal["signature", "url_token"]


@dataclass(frozen=True, slots=True)
class Signed:
    """The sender says to know one. Whether that is so shows with the whole body."""

    method: str
    claimed: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The sender showed nothing that proves it."""

    because: RefusedBecause


def introduce(
    side: Side, headers: Mapping[str, str], secrets: ConnectionSecrets, url_token: str | None
) -> Verified | Signed | Refused:
    """Tell what is known of a sender before its body is there. `headers` have lower-case names.

    Where signing secrets are set, a signature that is there must be right, whatever the URL says. Without one, the URL
    token (if the connection has one) must be.
    """
    keys = _keys(secrets)
    if not keys and not secrets.url_token:
        return Refused(RefusedBecause.NO_SECRET_SET)
    signature = headers.get(SIGNATURE_HEADER[side])
    if keys and signature is not None:
        name, _, claimed = signature.strip().partition("=")
        if name.lower() not in _METHODS or not claimed:
            return Refused(RefusedBecause.METHOD_NOT_ALLOWED)
        if len(claimed.strip()) != 2 * _METHODS[name.lower()]().digest_size:
            return Refused(RefusedBecause.BAD_SIGNATURE)
        return Signed(name.lower(), _bytes(claimed.strip().lower()))
    if secrets.url_token and url_token is not None:
        right = hmac.compare_digest(_bytes(url_token), _bytes(secrets.url_token))
        return Verified("url_token") if right else Refused(RefusedBecause.BAD_TOKEN)
    return Refused(RefusedBecause.NOT_SIGNED)


def verify(
    side: Side,
    headers: Mapping[str, str],
    raw: bytes | bytearray,
    secrets: ConnectionSecrets,
    url_token: str | None,
) -> Verified | Refused:
    """Tell whether a sender may be believed, by the body exactly as it was sent; all comparisons take constant time."""
    shown = introduce(side, headers, secrets, url_token)
    if not isinstance(shown, Signed):
        return shown
    # All keys are tried in any case: the time must not tell which one was right.
    matches = [
        hmac.compare_digest(shown.claimed, hmac.new(_bytes(key), raw, _METHODS[shown.method]).hexdigest().encode())
        for key in _keys(secrets)
    ]
    return Verified("signature") if any(matches) else Refused(RefusedBecause.BAD_SIGNATURE)


def _keys(secrets: ConnectionSecrets) -> list[str]:
    return [secret for secret in secrets.webhook_secrets if secret]


def _bytes(text: str) -> bytes:
    # Header bytes that are no UTF-8 arrive as lone surrogates.
    return text.encode("utf-8", "surrogatepass")
