"""What a (so far assumed) Craft.io body is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_gateway.domain.craft import read_craft
from services.webhook_gateway.domain.verdict import EventKind, Forward, Ignored, IgnoredBecause
from shared.domain.ids import Side
from shared.messages.change import ChangeEvent, ChangeKind
from tests.unit.gateway.harness import CRAFT, NOW, body
from tests.unit.gateway.test_body import JSON_VALUES


def _event(content: object) -> ChangeEvent:
    verdict = read_craft(content, CRAFT, NOW)
    assert isinstance(verdict, Forward), verdict
    return verdict.event


def test_an_item_event_carries_the_item_its_time_its_actor_and_its_creator() -> None:
    content = body(Side.CRAFT, "item_updated")
    event = _event(content)
    assert event.entity_id == "2312345678901234567"
    assert event.snapshot == content["item"]
    assert event.updated == datetime(2026, 3, 4, 9, 15, 22, 481_000, UTC)
    assert event.by == event.created_by == "2301111111111111111"
    assert event.change_id == "orchard-craft:evt-item.updated-1"
    assert event.kind is ChangeKind.SEEN


@pytest.mark.parametrize("name", ["item_deleted", "item_deleted_thin"])
def test_a_deleted_item_is_forwarded_as_deleted(name: str) -> None:
    assert _event(body(Side.CRAFT, name)).kind is ChangeKind.DELETED


def test_a_thin_event_is_forwarded_without_snapshot_dated_by_the_event() -> None:
    event = _event(body(Side.CRAFT, "item_updated_thin"))
    assert event.snapshot is None
    assert event.updated == datetime(2026, 3, 4, 9, 15, 22, 600_000, UTC)


def test_what_a_partial_item_lacks_is_not_said_to_be_empty() -> None:
    event = _event(body(Side.CRAFT, "item_updated_partial"))
    assert event.snapshot is not None
    assert event.snapshot.keys() == {"id", "title", "updateTime", "workspaceId"}


def test_a_numeric_id_beyond_2_to_the_53_keeps_all_digits() -> None:
    content = body(Side.CRAFT, "item_updated")
    content["item"]["id"] = int(content["item"]["id"])
    event = _event(content)
    assert event.entity_id == "2312345678901234567"
    assert event.snapshot is not None
    assert event.snapshot["id"] == "2312345678901234567"


def test_without_an_event_id_the_change_id_is_computed_from_the_content() -> None:
    content = body(Side.CRAFT, "item_updated")
    del content["eventId"]
    first = _event(content).change_id
    assert first == _event(content).change_id
    assert first != _event({**content, "occurredAt": "2026-03-04T09:15:23Z"}).change_id


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"event": "comment.created"}, IgnoredBecause.UNKNOWN_EVENT),
        ({"event": None}, IgnoredBecause.NO_EVENT_NAME),
        ({"item": None}, IgnoredBecause.NO_ITEM),
        ({"item": {"title": "x"}}, IgnoredBecause.NO_ITEM_ID),
        ({"item": {"id": "a/b"}}, IgnoredBecause.UNUSABLE_ITEM_ID),
    ],
)
def test_an_event_that_names_no_item_is_ignored_with_its_reason(
    change: dict[str, Any], because: IgnoredBecause
) -> None:
    verdict = read_craft({**body(Side.CRAFT, "item_updated"), **change}, CRAFT, NOW)
    assert isinstance(verdict, Ignored)
    assert verdict.because is because


@given(
    event=st.sampled_from(["item.created", "item.updated", "item.deleted", "x"]),
    item=st.dictionaries(
        st.sampled_from(["id", "title", "updateTime", "createdBy"]), JSON_VALUES | st.just("7"), max_size=4
    ),
    rest=st.dictionaries(st.sampled_from(["eventId", "occurredAt", "actor", "workspaceId"]), JSON_VALUES, max_size=4),
)
def test_wrong_types_anywhere_are_never_an_error(event: str, item: dict[str, Any], rest: dict[str, Any]) -> None:
    verdict = read_craft({**rest, "event": event, "item": item}, CRAFT, NOW)
    assert verdict.kind in EventKind
