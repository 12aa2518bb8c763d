"""What is replayed, what is left with a reason, and what a change is still worth that is told again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.clock import SystemClock
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, Side
from shared.domain.link import OperationKind
from shared.messages.change import ChangeEvent, ChangeKind, Origin
from shared.messages.write import WriteCommand
from shared.runtime.envelope import decode, encode
from shared.runtime.log import LogUnavailable, ReceivedRecord, Record
from shared.runtime.topics import Topic
from tandem_ops.domain.replay import FROM, TIMES, Choice, Kept, NoSuchPlace, Partition, Place, Recorded, again, place_of
from tandem_ops.handlers.replay import Order, Told, replay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JIRA = (str(Topic.CHANGES_JIRA), 0)
ALL = Choice()


def change(origin: Origin = Origin.WEBHOOK, **values: object) -> ChangeEvent:
    event = ChangeEvent(
        change_id="c",
        side=Side.JIRA,
        connection_id=ConnectionId("jira"),
        entity_id=EntityId("1"),
        kind=ChangeKind.SEEN,
        origin=origin,
        observed_at=NOW,
        snapshot={"fields": {"summary": "then"}},
    )
    return event.model_copy(update=values)


def recorded(
    event: ChangeEvent | WriteCommand, offset: int = 0, topic: str = JIRA[0], **headers: str
) -> ReceivedRecord:
    record = encode(event, topic=topic, source="s", now=NOW, event_id="e", traceparent="t")
    return ReceivedRecord(topic, 0, offset, record.key, record.value, {**record.headers, **headers})


def dead(event: ChangeEvent | WriteCommand, came_from: str, times: int = 0) -> ReceivedRecord:
    marks = {TIMES: str(times)} if times else {}
    return recorded(event, 0, Topic.DEAD, dead_topic=came_from, dead_reason="a bug", **marks)


def copied(record: ReceivedRecord, choice: Choice = ALL) -> Record:
    copy = again(record, choice, {JIRA: 0})
    assert isinstance(copy, Record), copy
    return copy


@pytest.mark.parametrize("origin", Origin)
def test_a_change_that_is_told_again_is_hearsay(origin: Origin) -> None:
    event = change(origin, ticket=7, integration_id=IntegrationId("i"))
    copy = copied(recorded(event, 5))
    message = decode(ReceivedRecord(copy.topic, 0, 9, copy.key, copy.value, copy.headers)).message
    assert isinstance(message, ChangeEvent)
    assert message.replayed
    assert message.request_id is None
    assert message.origin not in (Origin.FRESH, Origin.REQUEST)
    if origin in (Origin.FRESH, Origin.REQUEST):
        assert (message.ticket, message.integration_id) == (None, None)
    assert (message.snapshot, copy.key, copy.topic) == (event.snapshot, "jira:1", JIRA[0])
    assert copy.headers[FROM] == "changes.jira.v1/0/5"


def test_a_copy_is_not_copied_while_what_it_is_a_copy_of_is_there() -> None:
    copy = recorded(change(), 9, **{FROM: "changes.jira.v1/0/5"})
    assert again(copy, ALL, {JIRA: 5}) == "copy"
    assert isinstance(again(copy, ALL, {JIRA: 6}), Record)


def test_a_dead_letter_goes_back_to_its_topic_without_the_marks_of_its_death_and_not_for_ever() -> None:
    command = WriteCommand(
        op_id=OperationId("o"),
        link_id=LinkId("l"),
        integration_id=IntegrationId("i"),
        target=Side.CRAFT,
        kind=OperationKind.WRITE,
        revision=1,
    )
    letter = dead(command, Topic.WRITES_CRAFT)
    copy = copied(letter)
    assert (copy.topic, copy.value, copy.headers[TIMES]) == (Topic.WRITES_CRAFT, letter.value, "1")
    assert not [name for name in copy.headers if name.startswith("dead_")]
    assert again(dead(command, Topic.WRITES_CRAFT, times=3), ALL, {}) == "returns"
    assert isinstance(again(dead(command, Topic.WRITES_CRAFT, times=3), Choice(insist=True), {}), Record)


def test_what_cannot_be_replayed_is_left_with_the_reason() -> None:
    event = change()
    assert again(dead(event, Topic.REHEARSALS), ALL, {}) == "rehearsal"
    assert again(dead(event, "somewhere.v1"), ALL, {}) == "stranger"
    assert again(replace(recorded(event), value=b"{"), ALL, {}) == "unreadable"
    assert again(recorded(event, ce_type="tandem.change.v9"), ALL, {}) == "newer"
    assert again(recorded(event), Choice(key="jira:2"), {}) == "other"
    assert again(dead(event, Topic.CHANGES_JIRA), Choice(topics=(Topic.OUTCOMES,)), {}) == "other"


def test_a_place_is_given_as_people_give_it() -> None:
    assert place_of("beginning", NOW) == Place(offset=0)
    assert place_of("17", NOW) == Place(offset=17)
    assert place_of("90m", NOW) == Place(time=NOW - timedelta(minutes=90))
    assert place_of("2026-03-01T10:00+02:00", NOW).time == datetime(2026, 3, 1, 8, tzinfo=UTC)
    for wrong in ("yesterday", "2026-03-01T10:00", "-1"):
        with pytest.raises(NoSuchPlace):
            place_of(wrong, NOW)


@dataclass
class Tape:
    """A log of one partition in memory, that may break down after some lots."""

    records: list[ReceivedRecord]
    lasts: int = 1_000
    """How many lots can be put before it is away."""
    put_records: list[Record] = field(default_factory=list)
    position: dict[Partition, int] = field(default_factory=dict)

    async def kept(self, topics: Sequence[str]) -> Mapping[Partition, Kept]:
        return {(topic, 0): Kept(0, len(self.records)) for topic in topics}

    async def at(self, time: datetime, partitions: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
        return dict.fromkeys(partitions, (time - NOW) // timedelta(minutes=1))

    async def stopped_at(self, partitions: Mapping[Partition, Kept]) -> Mapping[Partition, int]:
        return {each: position for each, position in self.position.items() if each in partitions}

    async def read(self, spans: Mapping[Partition, Kept], lot: int) -> AsyncIterator[Sequence[Recorded]]:
        del lot
        for span in spans.values():
            for n in range(span.first, span.end, 2):
                lot_of_two = self.records[n : min(n + 2, span.end)]
                yield [Recorded(each, NOW + timedelta(minutes=each.offset)) for each in lot_of_two]

    async def put(self, records: Sequence[Record]) -> None:
        if self.lasts == 0:
            raise LogUnavailable("away")
        self.lasts -= 1
        self.put_records += records

    async def keep_position(self, positions: Mapping[Partition, int]) -> None:
        self.position |= positions


def offsets(tape: Tape) -> list[int]:
    return [int(record.headers[FROM].rpartition("/")[2]) for record in tape.put_records]


async def carried_out(tape: Tape, *, start: Place | None, end: Place | None = None, dry: bool = False) -> Told:
    order = Order([JIRA[0]], start, end, ALL, dry, per_s=1e9)
    return await replay(order, tape, SystemClock(), lambda _: None)


async def test_only_what_lies_between_the_places_is_replayed_and_counted_first() -> None:
    tape = Tape([recorded(change(), n) for n in range(7)])
    start, end = Place(time=NOW + timedelta(minutes=2)), Place(offset=6)
    told = await carried_out(tape, start=start, end=end, dry=True)
    assert (told.of, told.records, told.copies.total(), tape.put_records, tape.position) == (4, 4, 4, [], {})
    assert (told.first, told.last) == (NOW + timedelta(minutes=2), NOW + timedelta(minutes=5))
    await carried_out(tape, start=start, end=end)
    assert offsets(tape) == [2, 3, 4, 5]


async def test_what_was_broken_off_goes_on_where_it_stopped() -> None:
    tape = Tape([recorded(change(), n) for n in range(7)], lasts=2)
    with pytest.raises(LogUnavailable):
        await carried_out(tape, start=Place(offset=0))
    tape.lasts = 1_000
    await carried_out(tape, start=None)
    assert offsets(tape) == list(range(7))
