"""What people are told of the webhooks of a connection: what came, what was refused and why, what to do. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId
from shared.domain.mapping import ConnectionSecrets
from shared.domain.webhook_secret import misfit, weakness

REFUSALS: Final = {
    "no_secret_set": (
        "the connection has neither a webhook secret nor a URL token",
        "Save one with the connection, and set the same in the webhook.",
    ),
    "not_signed": (
        "they carry neither a signature nor a token",
        "Set the connection's webhook secret in the webhook; a sender that cannot sign needs a URL token.",
    ),
    "method_not_allowed": (
        "they are signed in a way that is not supported",
        "Have the webhook signed with sha256.",
    ),
    "bad_signature": (
        "their signature fits none of the connection's webhook secrets",
        (
            "Enter the same secret in the webhook and in the connection. If a proxy stands between, it must not change "
            "the body."
        ),
    ),
    "bad_token": (
        "the token in their address is not the connection's",
        "Copy the address of the webhook again, with ?token= and the token that was saved.",
    ),
    "not_json": (
        "they hold no JSON",
        "In Jira, switch off 'Exclude body' for this webhook.",
    ),
    "too_large": (
        "they are larger than what is taken",
        "What they tell of is found by the sweep. See TANDEM_WEBHOOK_MAX_BYTES.",
    ),
    "unpacks_too_large": (
        "they are packed, and larger than what is taken",
        "What they tell of is found by the sweep. See TANDEM_WEBHOOK_MAX_BYTES.",
    ),
    "packing_not_supported": (
        "they are packed in a way that is not supported",
        "Have the proxy in front of Tandem pass bodies on as they are.",
    ),
    "broken_packing": (
        "what they say to be packed is not",
        "Have the proxy in front of Tandem pass bodies on as they are.",
    ),
}
"""By the gateway's reasons. What is not among them is shown by its name."""


class WebhooksView(BaseModel):
    """What came of the webhooks of one connection, as far as the gateways told; a few seconds old."""

    model_config = ConfigDict(frozen=True)

    accepted_at: datetime | None = None
    refused_since: datetime | None = None
    refused_at: datetime | None = None
    because: str | None = None
    silent_since: datetime | None = None
    message: str
    next_step: str | None = None

    @classmethod
    def of(cls, arrivals: Arrivals | None, connection_id: ConnectionId) -> WebhooksView:
        """Return what is shown."""
        if arrivals is not None and arrivals.silent and arrivals.refused_since is None:
            return cls._silent(arrivals, connection_id)
        if arrivals is not None and arrivals.last_at.year == 1:
            arrivals = None  # all that is known is that it was silent for a while
        if arrivals is None:
            return cls(message="No webhook has arrived yet.")
        if arrivals.refused_since is None:
            return cls(accepted_at=arrivals.accepted_at, message=f"Webhooks arrive{_at(arrivals.accepted_at)}.")
        because = arrivals.because or ""
        words, next_step = REFUSALS.get(because, (because.replace("_", " "), "See the log of the gateway."))
        good = (
            "" if arrivals.accepted_at is None else f" The last good one came before {_time(arrivals.refused_since)}."
        )
        return cls(
            accepted_at=arrivals.accepted_at,
            refused_since=arrivals.refused_since,
            refused_at=arrivals.refused_at,
            because=because,
            message=f"Webhooks arrive but are refused since {_time(arrivals.refused_since)}, because {words}.{good}",
            next_step=f"{next_step} If nobody set up such a webhook, somebody else sends there: the log of the gateway "
            "names the address that they come from.",
        )

    @classmethod
    def _silent(cls, arrivals: Arrivals, connection_id: ConnectionId) -> WebhooksView:
        """Return what is said where issues changed and nothing came: there may be no webhook (any more)."""
        since = _time(arrivals.silent_since) if arrivals.silent_since is not None else ""
        if arrivals.accepted_at is None:
            words = f"No webhook has ever arrived, although issues have changed since {since}."
        else:
            last = _time(arrivals.accepted_at)
            words = f"No webhook has arrived since {last}, although issues have changed since {since}."
        return cls(
            accepted_at=arrivals.accepted_at,
            silent_since=arrivals.silent_since,
            message=f"{words} Changes in Jira are still found, but minutes later, by the sweep.",
            next_step="Check the webhook in Jira under Settings > System > WebHooks: it must be there and enabled, for "
            "the issue events of the project, with the address of Tandem's gateway that ends in "
            f"/webhooks/jira/{connection_id} and the secret (or ?token=) of this connection. If there is none, create "
            "it. This goes away by itself when a webhook arrives.",
        )


def warnings_of(secrets: ConnectionSecrets | None) -> list[str]:
    """Return what is wrong with secrets that were saved before this was asked; they keep working."""
    if secrets is None:
        return []
    weak = [("A webhook secret", weakness(each)) for each in secrets.webhook_secrets]
    if secrets.url_token is not None:
        weak.append(("The URL token", misfit(secrets.url_token) or weakness(secrets.url_token)))
    return [f"{name} {words}." for name, words in weak if words is not None]


def _at(at: datetime | None) -> str:
    return "" if at is None else f"; the last good one that was told of came at {_time(at)}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
