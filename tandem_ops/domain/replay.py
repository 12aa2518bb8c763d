"""What becomes of each record of a topic that is replayed: put on a topic again, and how it is marked, or left with the
reason. Pure.

Why it is safe (ADR 0037): a change that is told again is hearsay. It goes through the order rule, which lets nothing
older win; it is never the last word of a read (no ticket) and never somebody's request; and nothing is created from it
before the item was looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.domain.errors import OwnWords
from shared.messages.change import ChangeEvent, Origin
from shared.runtime.envelope import FromNewerRelease, Undecodable, decode, encode
from shared.runtime.log import ReceivedRecord, Record
from shared.runtime.topics import Topic

Partition = tuple[str, int]

SOURCES: Final[Mapping[str, tuple[Topic, ...]]] = {
    "changes": (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT),
    "changes.jira": (Topic.CHANGES_JIRA,),
    "changes.craft": (Topic.CHANGES_CRAFT,),
    "dead": (Topic.DEAD,),
}
"""What can be replayed, as the command takes it."""

FROM: Final = "replayed_from"
"""Header of a copy: topic, partition and offset of what it is a copy of."""
TIMES: Final = "replays"
"""Header of a copy: how often it was sent back from the dead letters so far."""
MOST_TIMES: Final = 3
_OF_THE_DEAD: Final = "dead_"
_RETURNING: Final = frozenset(
    {Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT, Topic.REQUESTS, Topic.OUTCOMES, Topic.WRITES_JIRA, Topic.WRITES_CRAFT}
)
_FIRST_HAND: Final = frozenset({Origin.FRESH, Origin.REQUEST})

Why = Literal["copy", "unreadable", "newer", "stranger", "returns", "rehearsal", "other"]
WORDS: Final[Mapping[Why, str]] = {
    "copy": "copies that an earlier replay made; what they are copies of is replayed itself",
    "unreadable": "cannot be read by this release either",
    "newer": "written by a newer release; replay them with that release's `tandem`",
    "stranger": "name no topic that they came from",
    "returns": f"came back {MOST_TIMES} times already; mend the reason first, then use --insist",
    "rehearsal": "belong to a dry run, which asks again by itself",
    "other": "not chosen",
}
"""Why a record is left, in words for people."""


class NoSuchPlace(OwnWords):
    """What was given as a place in a topic is none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records of a source are wanted besides their place: by where a dead letter came from, and by key."""

    topics: Collection[str] = ()
    key: str | None = None
    insist: bool = False
    """Also dead letters that came back several times."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to begin or end: at a time, or at an offset of every partition."""

    time: datetime | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Which offsets a partition has: from `first` on, up to but without `end`."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record and when it was written."""

    record: ReceivedRecord
    at: datetime


def place_of(text: str, now: datetime) -> Place:
    """Return the place of `beginning`, an offset, a time (ISO 8601) or a duration ago (`90m`, `12h`, `3d`).

    Raises `NoSuchPlace`.
    """
    if text == "beginning":
        return Place(offset=0)
    if text.isdecimal():
        return Place(offset=int(text))
    if found := re.fullmatch(r"(\d+)([mhd])", text):
        unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
        return Place(time=now - timedelta(**{unit: int(found[1])}))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise NoSuchPlace(
            f"{text!r} is no place in a topic: give `beginning`, an offset, a time such as 2026-03-01T14:00+00:00, or"
            " how long ago (90m, 12h, 3d)"
        ) from None
    if time.tzinfo is None:
        raise NoSuchPlace(f"{text!r} has no time zone: add +00:00, or the offset of yours")
    return Place(time=time)


def again(record: ReceivedRecord, choice: Choice, kept_from: Mapping[Partition, int]) -> Record | Why:
    """Return the copy of a record that goes on a topic, or why it is left.

    `kept_from` says from which offset on each partition still has its records.
    """
    headers = dict(record.headers)
    topic = headers.get("dead_topic", "") if record.topic == Topic.DEAD else record.topic
    if (choice.topics and topic not in choice.topics) or (choice.key is not None and record.key != choice.key):
        return "other"
    if record.topic == Topic.DEAD:
        return _from_the_dead(record, headers, topic, insist=choice.insist)
    if _is_at_hand(headers.get(FROM), kept_from):
        return "copy"
    return _copy(record, topic, headers)


def _from_the_dead(record: ReceivedRecord, headers: dict[str, str], topic: str, *, insist: bool) -> Record | Why:
    if topic == Topic.REHEARSALS:
        return "rehearsal"
    if topic not in _RETURNING:
        return "stranger"
    times = int(headers[TIMES]) if headers.get(TIMES, "").isdecimal() else 0
    if times >= MOST_TIMES and not insist:
        return "returns"
    return _copy(record, topic, headers | {TIMES: str(times + 1)})


def _copy(record: ReceivedRecord, topic: str, headers: Mapping[str, str]) -> Record | Why:
    try:
        envelope = decode(record)
    except FromNewerRelease:
        return "newer"
    except Undecodable:
        return "unreadable"
    marks = {name: value for name, value in headers.items() if not name.startswith(_OF_THE_DEAD)}
    marks[FROM] = f"{record.topic}/{record.partition}/{record.offset}"
    value = record.value or b""
    if isinstance(envelope.message, ChangeEvent):
        message = _hearsay(envelope.message)
        value = encode(
            message,
            topic=topic,
            source=envelope.source,
            now=envelope.time,
            event_id=envelope.event_id,
            traceparent=envelope.traceparent or "",
        ).value
    return Record(topic=topic, key=record.key, value=value, headers=marks)


def _hearsay(event: ChangeEvent) -> ChangeEvent:
    """Return what is left of a change when it is told again: what was seen then, and nothing that it stood for."""
    if event.origin in _FIRST_HAND:
        event = event.model_copy(update={"origin": Origin.POLL, "ticket": None, "integration_id": None})
    return event.model_copy(update={"replayed": True})


def _is_at_hand(came_from: str | None, kept_from: Mapping[Partition, int]) -> bool:
    topic, _, place = (came_from or "").partition("/")
    partition, _, offset = place.partition("/")
    if not partition.isdecimal() or not offset.isdecimal():
        return False
    first = kept_from.get((topic, int(partition)))
    return first is not None and int(offset) >= first
