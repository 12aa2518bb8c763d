"""Who is shown in a vendor's JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.clients.people import address_of, people_in
from shared.domain.ids import ConnectionId, Side
from tests.unit.fields.values import JSON

NOW = datetime(2026, 1, 5, tzinfo=UTC)
HERE = ConnectionId("here")


def shown(side: Side, snapshot: dict[str, Any]) -> list[tuple[str, str | None, str | None, bool, str | None]]:
    """Return the people of a snapshot, without where and when."""
    return [(p.account_id, p.email, p.name, p.active, p.team) for p in people_in(side, HERE, snapshot, NOW)]


def test_every_user_of_an_issue_is_shown_whatever_the_field() -> None:
    cloud = {"accountId": "1", "displayName": "Ada", "emailAddress": "Ada@Example.com", "active": True}
    server = {"name": "ben", "key": "JIRAUSER1", "displayName": "Ben", "active": False}
    fields = {"assignee": cloud, "creator": cloud, "customfield_1": [server, "x"], "priority": {"name": "High"}}
    assert shown(Side.JIRA, {"fields": fields}) == [
        ("1", "ada@example.com", "Ada", True, None),
        ("ben", None, "Ben", False, None),
    ]


def test_a_craft_item_shows_its_maker_and_its_assignee_with_the_team() -> None:
    item = {
        "createdBy": {"id": "7", "name": "Ada"},
        "assignee": {"id": "8", "team": "Web", "user": "ben@example.com"},
    }
    assert shown(Side.CRAFT, item) == [
        ("7", None, "Ada", True, None),
        ("8", "ben@example.com", "ben@example.com", True, "Web"),
    ]


def test_what_only_looks_like_an_address_is_none() -> None:
    assert address_of(" Ada@Example.COM ") == "ada@example.com"
    for text in ("Ada", "@ada", "ada@host", "a b@example.com", "a@b@example.com", None, 3, "ada@example.com, x@y.z"):
        assert address_of(text) is None


@given(st.sampled_from(list(Side)), JSON, JSON)
def test_odd_json_shows_nobody_and_raises_nothing(side: Side, one: Any, two: Any) -> None:
    people_in(side, HERE, {"fields": one, "assignee": one, "createdBy": two}, NOW)
    people_in(side, HERE, {"fields": {"a": one, "b": [one, two]}}, NOW)
