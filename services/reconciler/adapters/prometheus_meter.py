"""The reconciler's metrics. Labels have few values: duties and connections, never an item or a link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from shared.domain.clock import Clock
from shared.runtime.error_words import told

ROUNDS: Final = Counter(
    "tandem_reconciler_rounds_total", "Rounds (or single reads) of a duty.", ["duty", "connection", "result"]
)
PUBLISHED: Final = Counter(
    "tandem_reconciler_found_total", "Messages that a duty found reason to publish.", ["duty", "connection"]
)
LEFT: Final = Counter(
    "tandem_reconciler_left_total", "What a duty left to another one, by reason.", ["duty", "connection", "reason"]
)
LAST_SUCCESS: Final = Gauge(
    "tandem_reconciler_last_success_timestamp_seconds", "When a duty last worked.", ["duty", "connection"]
)
HEALTHY: Final = Gauge("tandem_connection_healthy", "1 if the credentials work.", ["connection"])
SILENT_SINCE: Final = Gauge(
    "tandem_webhooks_silent_since_seconds",
    "Since when issues changed without any webhook (Unix time); 0: they arrive, or none ever did.",
    ["connection"],
)
PRUNED: Final = Counter("tandem_operations_pruned_total", "Closed operations deleted from the ledgers for their age.")
BACKLOG: Final = Gauge("tandem_backlog", "What waits in the store, and for how long.", ["what"])

log = structlog.get_logger(__name__)


class PrometheusMeter:
    """Counts for Prometheus; a failure also makes one log line with its words."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def done(self, duty: str, connection_id: str, found: int) -> None:
        """Note a round that worked."""
        ROUNDS.labels(duty, connection_id, "ok").inc()
        PUBLISHED.labels(duty, connection_id).inc(found)
        LAST_SUCCESS.labels(duty, connection_id).set(self._clock.now().timestamp())
        if found:
            log.info("found", duty=duty, connection_id=connection_id, messages=found)

    def failed(self, duty: str, connection_id: str, error: Exception) -> None:
        """Note a round that failed."""
        ROUNDS.labels(duty, connection_id, type(error).__name__).inc()
        log.warning("duty_failed", duty=duty, connection_id=connection_id, error=told(error))

    def left(self, duty: str, connection_id: str, reason: str) -> None:
        """Note what is left to another duty."""
        LEFT.labels(duty, connection_id, reason).inc()
        log.info("left", duty=duty, connection_id=connection_id, reason=reason)

    def healthy(self, connection_id: str, *, works: bool) -> None:
        """Show whether a connection's credentials work."""
        HEALTHY.labels(connection_id).set(works)

    def silent(self, connection_id: str, since: datetime | None) -> None:
        """Show since when webhooks are silent."""
        SILENT_SINCE.labels(connection_id).set(since.timestamp() if since else 0)

    def pruned(self, operations: int) -> None:
        """Count old operations that were deleted."""
        PRUNED.inc(operations)

    def backlog(self, figures: Mapping[str, float]) -> None:
        """Show how much is waiting."""
        for what, figure in figures.items():
            BACKLOG.labels(what).set(figure)
