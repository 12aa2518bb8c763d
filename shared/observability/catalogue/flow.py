"""What happens to a change on its way: the webhook, the decision, the write, and how long it took from end to end."""

from __future__ import annotations

from typing import Final

from shared.observability.labels import (
    ALONE,
    CONNECTION,
    DECISION,
    DIRECTION,
    EVENT,
    GATEWAY,
    INTEGRATION,
    KIND_OF_WRITE,
    MAPPER,
    OUTLOOK,
    RESULT,
    SYSTEM,
    WEBHOOK_OUTCOME,
    WEBHOOK_REASON,
    WRITERS,
)
from shared.observability.metrics import Counter, Gauge, Histogram

LAG_GOAL_S: Final = 10.0
"""95 % of all changes are written within this time after they were accepted; see docs/metrics.md."""
LAG_LIMIT_S: Final = 60.0
"""99 % are, within this."""

SYNC_LAG_SECONDS: Final = Histogram(
    "tandem_sync_lag_seconds",
    "How long does a change take, from the webhook's acceptance (or the feed that showed it) until it is written on "
    "the other side?",
    shown_by=WRITERS,
    labels=(INTEGRATION, DIRECTION),
    unit="seconds",
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, LAG_GOAL_S, 20, 30, LAG_LIMIT_S, 120, 300, 900, 3_600),
)
WEBHOOKS: Final = Counter(
    "tandem_webhooks_total",
    "How many webhooks came, from where, and what became of them?",
    shown_by=(GATEWAY,),
    labels=(SYSTEM, CONNECTION, EVENT, WEBHOOK_OUTCOME, WEBHOOK_REASON),
)
WEBHOOK_SECONDS: Final = Histogram(
    "tandem_webhook_seconds",
    "How long does a webhook's sender wait, from its whole body to our answer?",
    shown_by=(GATEWAY,),
    labels=(WEBHOOK_OUTCOME,),
    unit="seconds",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
SENDERS_READ_AT: Final = Gauge(
    "tandem_webhook_senders_read_timestamp_seconds",
    "When did the gateway last read the connections from Postgres?",
    shown_by=(GATEWAY,),
    unit="seconds",
)
SENDERS_UNREADABLE: Final = Gauge(
    "tandem_webhook_senders_unreadable",
    "How many connections have webhook secrets that the gateway cannot open?",
    shown_by=(GATEWAY,),
)
DECISIONS: Final = Counter(
    "tandem_decisions_total",
    "What did the mapper decide?",
    shown_by=(MAPPER,),
    labels=(INTEGRATION, DECISION),
)
DRIFT: Final = Counter(
    "tandem_drift_total",
    "How often did a full compare find that an item is not as the last event had told?",
    shown_by=(MAPPER,),
    labels=(INTEGRATION, SYSTEM),
)
BREAKER_TRIPS: Final = Counter(
    "tandem_breaker_trips_total",
    "How often was an item stopped because it was written back and forth?",
    shown_by=(MAPPER,),
    labels=(INTEGRATION,),
)
BATCH_INPUTS: Final = Histogram(
    "tandem_mapper_batch_inputs",
    "How many inputs share one transaction?",
    shown_by=(MAPPER,),
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)
HANDLED_ALONE: Final = Counter(
    "tandem_mapper_alone_total",
    "How many inputs were taken out of a batch, to be handled alone, and why?",
    shown_by=(MAPPER,),
    labels=(ALONE,),
)
REHEARSED: Final = Counter(
    "tandem_rehearsals_total",
    "How many items of dry runs were played, and what would become of them?",
    shown_by=(MAPPER,),
    labels=(OUTLOOK,),
)
WRITES: Final = Counter(
    "tandem_writes_total",
    "How many attempts at writes were made, and what came of them?",
    shown_by=WRITERS,
    labels=(SYSTEM, KIND_OF_WRITE, RESULT),
)
WRITE_SECONDS: Final = Histogram(
    "tandem_write_seconds",
    "How long does one attempt at a write take, from its claim to its outcome?",
    shown_by=WRITERS,
    labels=(SYSTEM, KIND_OF_WRITE),
    unit="seconds",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 90),
)
WRITE_RETRIES: Final = Counter(
    "tandem_write_retries_total",
    "How many requests were repeated within an attempt, after a failure without effect?",
    shown_by=WRITERS,
    labels=(SYSTEM,),
)

FLOW: Final = (
    SYNC_LAG_SECONDS,
    WEBHOOKS,
    WEBHOOK_SECONDS,
    SENDERS_READ_AT,
    SENDERS_UNREADABLE,
    DECISIONS,
    DRIFT,
    BREAKER_TRIPS,
    BATCH_INPUTS,
    HANDLED_ALONE,
    REHEARSED,
    WRITES,
    WRITE_SECONDS,
    WRITE_RETRIES,
)
