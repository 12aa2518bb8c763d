"""What a body turned out to be: an event to forward, or one to acknowledge and leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.messages.change import ChangeEvent

MAX_DEPTH: Final = 150
"""Deepest nesting of a snapshot that every reader of the message takes (pydantic's parser stops at 200)."""
MAX_CHANGES: Final = 1_000
"""Most entries of a changelog that are carried along. An edit has a few; with more, the issue is read instead."""


class EventKind(StrEnum):
    """Every kind of event that we tell apart. The value is a metric's label and what people read in the log."""

    ISSUE_CREATED = "jira:issue_created"
    ISSUE_UPDATED = "jira:issue_updated"
    ISSUE_DELETED = "jira:issue_deleted"
    COMMENT = "comment"
    WORKLOG = "worklog"
    ATTACHMENT = "attachment"
    ISSUE_LINK = "issue link"
    ISSUE_PROPERTY = "issue property"
    ISSUE_TYPE = "issue type"
    PROJECT = "project"
    VERSION = "version"
    SPRINT = "sprint"
    BOARD = "board"
    FILTER = "filter"
    USER = "user"
    OPTION = "global option"
    APP = "app"
    ITEM_CREATED = "item.created"
    ITEM_UPDATED = "item.updated"
    ITEM_DELETED = "item.deleted"
    UNKNOWN = "unknown"


class IgnoredBecause(StrEnum):
    """Why an authentic event is not forwarded."""

    NOT_ABOUT_AN_ITEM = "not_about_an_item"
    """A comment, a sprint and the like: no mapped field of an item changes by it."""
    UNKNOWN_EVENT = "unknown_event"
    NO_EVENT_NAME = "no_event_name"
    NOT_AN_OBJECT = "not_an_object"
    NO_ITEM = "no_item"
    NO_ITEM_ID = "no_item_id"
    UNUSABLE_ITEM_ID = "unusable_item_id"


@dataclass(frozen=True, slots=True)
class Forward:
    """An event for the mapper. `thin` says that only the id is sent on, and the item has to be read."""

    kind: EventKind
    event: ChangeEvent

    @property
    def thin(self) -> bool:
        """Tell whether the event carries no snapshot."""
        return self.event.snapshot is None

    def without_snapshot(self) -> Forward:
        """Return the same event for a body that cannot be carried whole: the item is then read at its vendor."""
        return Forward(self.kind, self.event.model_copy(update={"snapshot": None, "changelog": ()}))


@dataclass(frozen=True, slots=True)
class Ignored:
    """An authentic event of no interest. `words` name what it is, for people."""

    kind: EventKind
    because: IgnoredBecause
    words: str


Verdict = Forward | Ignored


def nested_within(value: object, limit: int) -> bool:
    """Tell whether a JSON value is nested at most `limit` levels deep. Goes level by level, so that no depth hurts."""
    level: list[object] = [value]
    for _ in range(limit + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return True
    return False


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
