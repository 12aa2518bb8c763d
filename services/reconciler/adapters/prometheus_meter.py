"""The reconciler's metrics. Labels have few values: duties and connections, never an item or a link."""

from __future__ import annotations

import structlog

from shared.domain.clock import Clock
from shared.observability.catalogue.vendors import FOUND, LAST_SUCCESS, LEFT, PRUNED, ROUNDS
from shared.runtime.error_words import told

log = structlog.get_logger(__name__)


class PrometheusMeter:
    """Counts for Prometheus; a failure also makes one log line with its words."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def done(self, duty: str, connection_id: str, found: int) -> None:
        """Note a round that worked."""
        ROUNDS.inc(duty=duty, connection=connection_id, result="ok")
        FOUND.inc(found, duty=duty, connection=connection_id)
        LAST_SUCCESS.set(self._clock.now().timestamp(), duty=duty, connection=connection_id)
        if found:
            log.info("found", duty=duty, connection_id=connection_id, messages=found)

    def failed(self, duty: str, connection_id: str, error: Exception) -> None:
        """Note a round that failed."""
        ROUNDS.inc(duty=duty, connection=connection_id, result=type(error).__name__)
        log.warning("duty_failed", duty=duty, connection_id=connection_id, error=told(error))

    def left(self, duty: str, connection_id: str, reason: str) -> None:
        """Note what is left to another duty."""
        LEFT.inc(duty=duty, connection=connection_id, reason=reason)
        log.info("left", duty=duty, connection_id=connection_id, reason=reason)

    def pruned(self, operations: int) -> None:
        """Count old operations that were deleted."""
        PRUNED.inc(operations)
