"""Webhooks: without them changes are found by sweeps only, late."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.alerts.words import CONNECTION, DURATION, SHARE, VALUE
from deploy.monitoring.rules import Alert, Group, Severity

_LATE: Final = "Changes are found by the sweep all the same, minutes late."

WEBHOOKS: Final = Group(
    "tandem-webhooks",
    (
        Alert(
            "TandemWebhooksSilent",
            Severity.WARNING,
            "time() - tandem_webhook_silent_since_timestamp_seconds > <<10m s>>",
            f"{CONNECTION}: no webhook tells of what changes, since {DURATION}.",
            f"The webhook was removed or switched off at the vendor, or it cannot reach the gateway. {_LATE}",
            lasting="5m",
        ),
        Alert(
            "TandemWebhooksRefused",
            Severity.WARNING,
            "time() - tandem_webhook_refused_since_timestamp_seconds > <<5m s>>",
            f"{CONNECTION}: every webhook has been refused, since {DURATION}.",
            f"They arrive, but with a wrong secret or address. {_LATE}",
            lasting="2m",
        ),
        Alert(
            "TandemWebhooksUnavailable",
            Severity.CRITICAL,
            'sum(rate(tandem_webhooks_total{outcome="unavailable"}[<<5m>>]))'
            " / (sum(rate(tandem_webhooks_total[<<5m>>])) > 0) > 0.05\n"
            'and sum(increase(tandem_webhooks_total{outcome="unavailable"}[<<5m>>])) >= 5',
            f"The gateway turns {SHARE} of all webhooks away, to be sent again.",
            "A vendor sends a webhook again a few times, then gives up; what it gave up is found by the sweep.",
            lasting="2m",
        ),
        Alert(
            "TandemWebhookSecretsUnreadable",
            Severity.CRITICAL,
            "max(tandem_webhook_senders_unreadable) > 0",
            f"The gateway cannot open the webhook secrets of {VALUE} connections.",
            "Their webhooks are answered with 503. As a rule its TANDEM_SECRET_KEY is not that of the console.",
            lasting="1m",
        ),
    ),
)
