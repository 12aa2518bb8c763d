"""What is too large for the log is made to fit: largest first, named with its size, and never taken for empty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.clock import SeededDice, SystemClock
from shared.domain.ids import ConnectionId, EntityId, IntegrationId, LinkId, OperationId, PairId, Side
from shared.domain.link import OperationKind, Result
from shared.domain.mapping import FieldKind, FieldPair
from shared.fakes.log import MemoryLog
from shared.fields import read
from shared.messages.base import Message
from shared.messages.change import LEFT_OUT, ChangeEvent, ChangeKind, ChangelogEntry, Origin
from shared.messages.rehearsal import Rehearsal
from shared.messages.status import Cause, DisplayState, Problem, SyncStatus
from shared.messages.write import WriteCommand, WriteOutcome
from shared.runtime.envelope import decode
from shared.runtime.fitting import fitting, without_the_largest
from shared.runtime.publisher import Publisher, topic_of

MOST = 4_000
NOW = datetime(2026, 11, 29, tzinfo=UTC)
LARGE = "x" * 10_000


def change(snapshot: dict[str, Any], **more: Any) -> ChangeEvent:
    return ChangeEvent(
        change_id="c",
        side=Side.CRAFT,
        connection_id=ConnectionId("craft"),
        entity_id=EntityId("1"),
        kind=ChangeKind.SEEN,
        origin=Origin.FRESH,
        observed_at=NOW,
        snapshot=snapshot,
        **more,
    )


def outcome(**more: Any) -> WriteOutcome:
    return WriteOutcome(
        op_id=OperationId("l:1"),
        link_id=LinkId("l"),
        target=Side.CRAFT,
        attempt=1,
        result=Result.MOVED,
        ended_at=NOW,
        **more,
    )


COMMAND = WriteCommand(
    op_id=OperationId("l:1"),
    link_id=LinkId("l"),
    integration_id=IntegrationId("i"),
    target=Side.JIRA,
    kind=OperationKind.WRITE,
    revision=1,
    fields={"title": LARGE},
)
STATUS = SyncStatus(
    link_id=LinkId("l"),
    integration_id=IntegrationId("i"),
    state=DisplayState.CONFLICT,
    cause=Cause.CONFLICT,
    message="Both were changed.",
    problems=(Problem(cause=Cause.CONFLICT, message="Both.", next_step="Choose.", jira_value=LARGE, craft_value="y"),),
    revision=1,
    at=NOW,
)
ENTRIES = tuple(ChangelogEntry(id=str(n), at=NOW, by=None) for n in range(200))
REHEARSAL = Rehearsal(
    dry_run_id="d",  # type: ignore[arg-type]
    item=1,
    integration_id=IntegrationId("i"),
    read_at=NOW,
    craft=change({"title": "t", "description": LARGE}),
)


@pytest.mark.parametrize(
    "message",
    [
        change({"title": "t", "description": LARGE}),
        change({"title": "t"}, changelog=ENTRIES),
        outcome(snapshot={"title": "t", "description": LARGE}),
        outcome(changelog=ENTRIES),
        COMMAND,
        STATUS,
        REHEARSAL,
    ],
    ids=lambda each: type(each).__name__,
)
async def test_every_message_that_shows_an_item_fits_and_is_published(message: Message) -> None:
    log = MemoryLog(most_bytes=MOST)
    await Publisher(log, source="test", clock=SystemClock(), dice=SeededDice(1)).publish(message)
    (record,) = log.records(topic_of(message))
    assert len(record.value or b"") <= MOST
    assert type(decode(record).message) is type(message)


def test_the_largest_goes_first_and_the_rest_stays() -> None:
    snapshot = {"id": "1", "fields": {"summary": "s", "description": LARGE, "comment": "y" * 3_000, "labels": ["a"]}}
    assert without_the_largest(snapshot, MOST) == {
        "id": "1",
        "fields": {"summary": "s", "comment": "y" * 3_000, "labels": ["a"]},
        LEFT_OUT: {"description": len(LARGE) + 2},
    }


def test_what_is_nested_too_deep_for_json_goes_whatever_its_size() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    kept = without_the_largest({"title": "t", "description": deep}, MOST)
    assert kept == {"title": "t", LEFT_OUT: {"description": None}}


def test_a_custom_field_that_was_left_out_is_not_empty() -> None:
    """An entry that is missing in the list is an empty field; one that was left out is not."""
    pair = FieldPair(id=PairId("notes"), kind=FieldKind.TEXT, jira="customfield_1", craft="custom:7")
    entries = [{"id": "7", "value": LARGE}, {"id": "8", "value": "kept"}]
    kept = without_the_largest({"title": "t", "customFields": entries}, MOST)
    assert kept["customFields"] == [{"id": "8", "value": "kept"}]
    assert read(Side.CRAFT, pair, kept) is None
    without = read(Side.CRAFT, pair, {"customFields": []})
    assert without is not None
    assert without.value is None


def test_what_has_nothing_to_leave_out_stays_as_it_is() -> None:
    event = change({"title": "t"})
    assert fitting(event, MOST) == event


def test_an_item_of_very_many_properties_fits_too() -> None:
    kept = without_the_largest({f"p{n}": "z" * 50 for n in range(5_000)}, MOST)
    assert len(str(kept)) < 3 * MOST
