"""Names of the gateway's own metrics, in one typed place.

Labels have few values: connection ids that exist, event kinds that are known, reasons from closed lists.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

UNKNOWN: Final = "unknown"
"""Label of a connection or an event kind that we do not know."""

WEBHOOKS: Final = Counter(
    "tandem_webhooks_total",
    "Webhook requests by connection, event kind, outcome and reason.",
    ["connection", "event", "outcome", "reason"],
)
SECONDS: Final = Histogram(
    "tandem_webhook_seconds",
    "From the whole body to the answer.",
    ["outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
SENDERS_READ_AT: Final = Gauge(
    "tandem_webhook_senders_read_at_seconds", "When the connections were last read from the store (Unix time)."
)
SENDERS_UNREADABLE: Final = Gauge(
    "tandem_webhook_senders_unreadable", "Connections whose credentials could not be read when last tried."
)
REFUSED_SINCE: Final = Gauge(
    "tandem_webhooks_refused_since_seconds",
    "Since when all that came for a connection was refused (Unix time); 0: the last one was accepted.",
    ["connection"],
)
