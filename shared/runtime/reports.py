"""What a consumer says of each message: one canonical log line and its metrics at the end, one line per failed attempt.

Used by the consumer only. Says ids, causes and times; never what an item holds.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import Any

import structlog

from shared.domain.clock import Clock
from shared.observability.catalogue.process import AGE_SECONDS, DEAD_LETTERS, HANDLING_SECONDS, MESSAGES, RETRIES
from shared.observability.words import Fate
from shared.runtime.envelope import Envelope
from shared.runtime.error_words import told
from shared.runtime.log import ReceivedRecord
from shared.runtime.logs import correlation
from shared.runtime.progress import Entry
from shared.runtime.trace import trace_id, traced

_log = structlog.get_logger(__name__)


class Reports:
    """The reports of one consumer."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock

    def again(self, entry: Entry, envelope: Envelope | None, attempt: int, error: Exception, delay_s: float) -> None:
        """Report an attempt that failed and will be made again."""
        RETRIES.inc(component=self._name, topic=entry.record.topic, error=type(error).__name__)
        _log.warning(
            "message again",
            **self._line(entry, envelope, attempt),
            error=told(error),
            retry_in_s=round(delay_s, 3),
        )

    def end(self, entry: Entry, envelope: Envelope | None, attempt: int, fate: Fate, reason: str | None) -> None:
        """Report that a message is at its end; `reason` if it was dead-lettered."""
        handling_s = self._clock.monotonic() - entry.received_at
        self._count(entry.record.topic, fate, handling_s, envelope)
        line = self._line(entry, envelope, attempt) | {"fate": fate, "seconds": round(handling_s, 4)}
        if reason is None:
            _log.info("message", **line)
        else:
            _log.error("message", **line, reason=reason)

    def _count(self, topic: str, fate: Fate, handling_s: float, envelope: Envelope | None) -> None:
        whose = {"component": self._name, "topic": topic}
        MESSAGES.inc(**whose, fate=fate)
        if fate != "handled":
            DEAD_LETTERS.inc(**whose, reason=fate)
        with traced(envelope.traceparent) if envelope and envelope.traceparent else nullcontext():
            HANDLING_SECONDS.observe(handling_s, **whose)
            if envelope is not None:
                AGE_SECONDS.observe((self._clock.now() - envelope.time).total_seconds(), **whose)

    def age_s(self, entry: Entry) -> float:
        """Return the seconds since a message was published, at least since it was received."""
        published = _published_at(entry.record)
        waited = self._clock.monotonic() - entry.received_at
        return waited if published is None else max(waited, (self._clock.now() - published).total_seconds())

    def _line(self, entry: Entry, envelope: Envelope | None, attempt: int) -> dict[str, Any]:
        record = entry.record
        ids = {} if envelope is None else correlation(envelope.message)
        if envelope is not None and envelope.traceparent is not None:
            ids["trace"] = trace_id(envelope.traceparent)
        return {
            "consumer": self._name,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": record.key,
            "attempt": attempt,
            **ids,
        }


def _published_at(record: ReceivedRecord) -> datetime | None:
    try:
        time = datetime.fromisoformat(record.headers.get("ce_time", ""))
    except ValueError:
        return None
    return time if time.tzinfo else None
