"""What a Jira webhook says: an issue event to forward, or something else, named. Pure.

Event names and shapes: https://developer.atlassian.com/cloud/jira/platform/webhooks/, and real bodies of Server, Data
Center and Cloud. The `jira:` prefix is irregular; issue bodies have REST v2 shapes on Cloud too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.webhook_gateway.domain.identity import account_id, change_id, entity_id
from services.webhook_gateway.domain.verdict import (
    MAX_CHANGES,
    MAX_DEPTH,
    EventKind,
    Forward,
    Ignored,
    IgnoredBecause,
    Verdict,
    nested_within,
)
from shared.clients.jira.shapes import (
    account_of,
    changelog_entry,
    creator_of,
    parse_millis,
    updated_of,
    with_parent_shown,
)
from shared.clients.times import parse_time
from shared.domain.ids import ConnectionId, Side
from shared.domain.mapping import ConnectionKind
from shared.messages.change import ChangeEvent, ChangeKind, ChangelogEntry, Origin

_ISSUE_EVENTS: Final = frozenset({EventKind.ISSUE_CREATED, EventKind.ISSUE_UPDATED, EventKind.ISSUE_DELETED})
_FAMILIES: Final[tuple[tuple[str, EventKind], ...]] = (
    ("comment_", EventKind.COMMENT),
    ("worklog_", EventKind.WORKLOG),
    ("attachment_", EventKind.ATTACHMENT),
    ("issuelink_", EventKind.ISSUE_LINK),
    ("issue_property_", EventKind.ISSUE_PROPERTY),
    ("issuetype_", EventKind.ISSUE_TYPE),
    ("project_", EventKind.PROJECT),
    ("version_", EventKind.VERSION),
    ("sprint_", EventKind.SPRINT),
    ("board_", EventKind.BOARD),
    ("filter_", EventKind.FILTER),
    ("user_", EventKind.USER),
    ("option_", EventKind.OPTION),
    ("app_access_to_objects_", EventKind.APP),
    ("jira_expression_evaluation_failed", EventKind.APP),
)
_IDENTIFIER: Final = "x-atlassian-webhook-identifier"


def read_jira(
    body: object, headers: Mapping[str, str], connection_id: ConnectionId, edition: ConnectionKind, now: datetime
) -> Verdict:
    """Return what a body of Jira is. `headers` have lower-case names; `now` is our clock. Never raises.

    The vendor time is `fields.updated`, else the event's own timestamp. The id is `issue.id`: the key changes when an
    issue moves. An issue that has no parent says so if it is of Cloud; Data Center shows epics in a field that only a
    reader of the site can tell, so that its issues say nothing of them (ADR 0011).
    """
    if not isinstance(body, Mapping):
        return Ignored(EventKind.UNKNOWN, IgnoredBecause.NOT_AN_OBJECT, "the body is JSON, but not an object")
    name = body.get("webhookEvent")
    if not isinstance(name, str) or not name:
        return Ignored(EventKind.UNKNOWN, IgnoredBecause.NO_EVENT_NAME, "the body has no webhookEvent")
    kind = kind_of(name)
    if kind is EventKind.UNKNOWN:
        words = "an event of a kind that Tandem does not know; if items change by it, the sweep finds the change"
        return Ignored(kind, IgnoredBecause.UNKNOWN_EVENT, words)
    if kind not in _ISSUE_EVENTS:
        return Ignored(kind, IgnoredBecause.NOT_ABOUT_AN_ITEM, f"a {kind} event; no mapped field changes by it")
    return _read_issue(kind, body, headers, connection_id, edition, now)


def kind_of(name: str) -> EventKind:
    """Return the kind of a `webhookEvent`, UNKNOWN for one that is not in Jira's list."""
    if name in _ISSUE_EVENTS:
        return EventKind(name)
    bare = name.removeprefix("jira:")
    return next((kind for prefix, kind in _FAMILIES if bare.startswith(prefix)), EventKind.UNKNOWN)


def _read_issue(
    kind: EventKind,
    body: Mapping[str, Any],
    headers: Mapping[str, str],
    connection_id: ConnectionId,
    edition: ConnectionKind,
    now: datetime,
) -> Verdict:
    issue = body.get("issue")
    if not isinstance(issue, Mapping):
        return Ignored(kind, IgnoredBecause.NO_ITEM, "an issue event without its issue")
    if issue.get("id") in (None, ""):
        return Ignored(kind, IgnoredBecause.NO_ITEM_ID, "an issue event whose issue has no id")
    ident = entity_id(issue["id"])
    if ident is None:
        return Ignored(
            kind, IgnoredBecause.UNUSABLE_ITEM_ID, "an issue event whose issue has an id that is none of Jira's"
        )
    sent_at = _time_of(body.get("timestamp"))
    updated = updated_of(issue)
    actor = account_id(account_of(body.get("user")))
    changelog = body.get("changelog")
    changelog = changelog if isinstance(changelog, Mapping) else {}
    event = ChangeEvent(
        change_id=change_id(
            connection_id, headers.get(_IDENTIFIER), kind, ident, body.get("timestamp"), changelog.get("id")
        ),
        side=Side.JIRA,
        connection_id=connection_id,
        entity_id=ident,
        kind=ChangeKind.DELETED if kind is EventKind.ISSUE_DELETED else ChangeKind.SEEN,
        origin=Origin.WEBHOOK,
        observed_at=now,
        updated=updated or sent_at,
        by=actor,
        created_by=account_id(creator_of(issue)),
    )
    items = changelog.get("items")
    too_many = isinstance(items, list) and len(items) > MAX_CHANGES
    if too_many or not isinstance(issue.get("fields"), Mapping) or not nested_within(body, MAX_DEPTH):
        return Forward(kind, event)
    entry = changelog_entry(_plain(changelog), at=_earlier(updated, sent_at), by=actor)
    entries: tuple[ChangelogEntry, ...] = () if entry is None else (entry,)
    shown = with_parent_shown(issue) if edition is ConnectionKind.JIRA_CLOUD else issue
    return Forward(kind, event.model_copy(update={"snapshot": {**shown, "id": ident}, "changelog": entries}))


def _time_of(timestamp: object) -> datetime | None:
    """Return an event's time; old servers and proxies send text instead of epoch milliseconds."""
    return parse_millis(timestamp) or parse_time(timestamp)


def _earlier(updated: datetime | None, sent_at: datetime | None) -> datetime | None:
    """Return the time of the edit itself: the snapshot may be of a later one, and an event is sent after its edit."""
    return min(updated, sent_at) if updated is not None and sent_at is not None else updated or sent_at


def _plain(changelog: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts of a webhook's changelog: an id, and items whose names and labels are text.

    Jira may cut a label in the middle of a character; half a surrogate pair is no text.
    """
    items = changelog.get("items")
    kept = [
        {name: _text(value) for name, value in item.items()}
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping)
    ]
    return {"id": entity_id(changelog.get("id")), "items": kept, "historyMetadata": changelog.get("historyMetadata")}


def _text(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
