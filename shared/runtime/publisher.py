"""Messages to the log: the topic by the kind of message, the envelope, the trace.

Used by all services, in handlers and clocks alike. The only way by which a message gets onto a topic.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from shared.domain.clock import Clock, Dice
from shared.domain.errors import Poison
from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.messages.config import ConfigRevision
from shared.messages.rehearsal import Rehearsal
from shared.messages.request import SyncRequest
from shared.messages.status import SyncStatus
from shared.messages.trouble import Trouble
from shared.messages.write import WriteCommand, WriteOutcome
from shared.observability.catalogue.process import PUBLISH_FAILURES, PUBLISHED
from shared.runtime.envelope import encode
from shared.runtime.fitting import fitting
from shared.runtime.log import LogUnavailable, Producer, ReceivedRecord, Record
from shared.runtime.topics import Topic, changes_topic, writes_topic
from shared.runtime.trace import child_of, current_traceparent, new_traceparent

_MAX_REASON: Final = 2_000
_ENVELOPE: Final = 20
"""What part of a record is left to all of a message but what its item shows."""


def topic_of(message: Message) -> Topic:
    """Return the topic on which a message travels. Raises TypeError for a class that has none."""
    match message:
        case ChangeEvent():
            return changes_topic(message.side)
        case WriteCommand():
            return writes_topic(message.target)
        case WriteOutcome() | Trouble():
            return Topic.OUTCOMES
        case SyncRequest():
            return Topic.REQUESTS
        case SyncStatus():
            return Topic.STATUS
        case ConfigRevision():
            return Topic.CONFIG
        case Rehearsal():
            return Topic.REHEARSALS
        case _:
            raise TypeError(f"no topic for {type(message).__name__}")


class Publisher:
    """Publishes messages of one service. `source` is its name, shown as the CloudEvents source.

    `fits`: what is too large for the log is made to fit (see `fitting`), which takes a while; else it is `Poison`.
    """

    def __init__(self, producer: Producer, *, source: str, clock: Clock, dice: Dice, fits: bool = True) -> None:
        self._fits = fits
        self._producer = producer
        self._source = source
        self._clock = clock
        self._dice = dice

    @property
    def source(self) -> str:
        """Return the name under which messages are published."""
        return self._source

    async def publish(self, *messages: Message) -> None:
        """Publish all messages and return once every in-sync replica has them. Messages of one key keep their order.

        They belong to the current trace, or begin a new one. Not idempotent: consumers are. Raises `LogUnavailable`
        (any of them may be there: publish all again) or `Poison` (one cannot be written, none is published).
        """
        if not messages:
            return
        trace = current_traceparent() or new_traceparent(self._dice)
        await self._append([self._record(message, trace) for message in messages])

    async def dead(self, record: ReceivedRecord, reason: str) -> None:
        """Put a record on the dead-letter topic as it was, with the reason and where it came from in headers.

        Raises `LogUnavailable`.
        """
        words = reason if len(reason) <= _MAX_REASON else reason[: _MAX_REASON - 1] + "…"
        headers = {
            **record.headers,
            "dead_reason": words.encode("utf-8", "backslashreplace").decode(),
            "dead_topic": record.topic,
            "dead_partition": str(record.partition),
            "dead_offset": str(record.offset),
            "dead_by": self._source,
            "dead_at": self._clock.now().isoformat(),
        }
        await self._append([Record(topic=Topic.DEAD, key=record.key, value=record.value or b"", headers=headers)])

    def _record(self, message: Message, trace: str) -> Record:
        """Return the record of a message; one that the log would not take is made to fit, so that it stops nobody."""
        if not self._fits:
            return self._encoded(message, trace)
        most_bytes = self._producer.most_bytes
        with suppress(Poison):
            record = self._encoded(message, trace)
            if len(record.value) <= most_bytes:
                return record
        return self._encoded(fitting(message, most_bytes - most_bytes // _ENVELOPE), trace)

    def _encoded(self, message: Message, trace: str) -> Record:
        return encode(
            message,
            topic=topic_of(message),
            source=self._source,
            now=self._clock.now(),
            event_id=self._dice.token(),
            traceparent=child_of(trace, self._dice),
        )

    async def _append(self, records: list[Record]) -> None:
        try:
            await self._producer.publish(records)
        except (LogUnavailable, Poison):
            PUBLISH_FAILURES.inc(component=self._source)
            raise
        for record in records:
            PUBLISHED.inc(component=self._source, topic=record.topic)
