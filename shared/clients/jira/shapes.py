"""Reading Jira's JSON: times, people, changelogs. Pure; used by the gateway, the client and the reconciler.

Shapes: Atlassian's OpenAPI document of the Cloud platform, and webhook bodies (issues there have v2 shapes, on Cloud
too).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.clients.times import parse_time
from shared.domain.ids import AccountId, OperationId
from shared.messages.change import ChangelogEntry, ChangelogItem

HISTORY_TYPE = "tandem"
"""`historyMetadata.type` of our own edits; `extraData.op` names the operation."""

PROPERTY_KEY = "tandem"
"""Issue property that a create of ours sets in the same call: `{"link": link_id}`."""


_ARCHIVED = ("archiveddate", "archivedDate")
_WHOLE = frozenset({"issuetype", "project", "updated"})
_SINGULAR = {"Fix Version": "fixVersions", "Version": "versions", "Component": "components"}
"""Changelogs name these fields so, and Data Center gives no id with them."""


def parse_millis(value: object) -> datetime | None:
    """Return a webhook's `timestamp` (epoch milliseconds) as UTC, None if it is not one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def is_archived(issue: Mapping[str, Any]) -> bool:
    """Tell whether an issue is archived: it says since when."""
    fields = issue.get("fields")
    return isinstance(fields, Mapping) and any(fields.get(name) for name in _ARCHIVED)


def account_of(user: object) -> AccountId | None:
    """Return what identifies a user: `accountId` on Cloud, `key` or `name` on Data Center."""
    if not isinstance(user, Mapping):
        return None
    for name in ("accountId", "key", "name"):
        found = user.get(name)
        if isinstance(found, str) and found:
            return AccountId(found)
    return None


def with_parent_shown(issue: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an issue of Jira Cloud that says so if it has no parent: `parent` null, as all that is known and empty.

    Cloud leaves `parent` out of a whole issue without one (told by its type, project and time). Data Center leaves it
    out of issues below an epic as well: never call this for one.
    """
    fields = issue.get("fields")
    if not isinstance(fields, Mapping) or "parent" in fields or not fields.keys() >= _WHOLE:
        return issue
    return {**issue, "fields": {**fields, "parent": None}}


def _items(raw: object) -> tuple[ChangelogItem, ...]:
    if not isinstance(raw, list):
        return ()
    return tuple(
        ChangelogItem(
            field=_field_of(item),
            old=_text(item.get("from")),
            old_label=_text(item.get("fromString")),
            new=_text(item.get("to")),
            new_label=_text(item.get("toString")),
        )
        for item in raw
        if isinstance(item, Mapping)
    )


def _field_of(item: Mapping[str, Any]) -> str:
    name = str(item.get("fieldId") or item.get("field") or "")
    return _SINGULAR.get(name, name)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def changelog_entry(
    raw: Mapping[str, Any], *, at: datetime | None = None, by: AccountId | None = None
) -> ChangelogEntry | None:
    """Return one history entry, from `changelog.histories` or (with `at` and `by` of the event) from a webhook.

    None for an entry without id.
    """
    ident = raw.get("id")
    if ident is None:
        return None
    metadata = raw.get("historyMetadata")
    op = None
    if isinstance(metadata, Mapping) and metadata.get("type") == HISTORY_TYPE:
        extra = metadata.get("extraData")
        named = extra.get("op") if isinstance(extra, Mapping) else None
        op = OperationId(named) if isinstance(named, str) else None
    return ChangelogEntry(
        id=str(ident),
        at=parse_time(raw.get("created")) or at,
        by=account_of(raw.get("author")) or by,
        op=op,
        items=_items(raw.get("items")),
    )


def changelog_of(issue: Mapping[str, Any]) -> tuple[ChangelogEntry, ...]:
    """Return the histories of an issue read with `expand=changelog`, oldest first."""
    changelog = issue.get("changelog")
    histories = changelog.get("histories") if isinstance(changelog, Mapping) else None
    if not isinstance(histories, list):
        return ()
    found = [entry for raw in histories if isinstance(raw, Mapping) and (entry := changelog_entry(raw))]
    return tuple(sorted(found, key=lambda entry: (len(entry.id), entry.id)))


def updated_of(issue: Mapping[str, Any]) -> datetime | None:
    """Return `fields.updated` of an issue."""
    fields = issue.get("fields")
    return parse_time(fields.get("updated")) if isinstance(fields, Mapping) else None


def creator_of(issue: Mapping[str, Any]) -> AccountId | None:
    """Return who created an issue."""
    fields = issue.get("fields")
    return account_of(fields.get("creator")) if isinstance(fields, Mapping) else None


def type_of(issue: Mapping[str, Any]) -> str | None:
    """Return the id of an issue's type."""
    fields = issue.get("fields")
    issuetype = fields.get("issuetype") if isinstance(fields, Mapping) else None
    ident = issuetype.get("id") if isinstance(issuetype, Mapping) else None
    return None if ident is None else str(ident)


def type_name_of(issue: Mapping[str, Any]) -> str | None:
    """Return the name of an issue's type."""
    fields = issue.get("fields")
    issuetype = fields.get("issuetype") if isinstance(fields, Mapping) else None
    name = issuetype.get("name") if isinstance(issuetype, Mapping) else None
    return name if isinstance(name, str) else None


def project_of(issue: Mapping[str, Any]) -> str | None:
    """Return the key of an issue's project."""
    fields = issue.get("fields")
    project = fields.get("project") if isinstance(fields, Mapping) else None
    key = project.get("key") if isinstance(project, Mapping) else None
    return key if isinstance(key, str) else None


def project_id_of(issue: Mapping[str, Any]) -> str | None:
    """Return the id of an issue's project, which stays when the key is changed."""
    fields = issue.get("fields")
    project = fields.get("project") if isinstance(fields, Mapping) else None
    ident = project.get("id") if isinstance(project, Mapping) else None
    return None if ident is None else str(ident)


def url_of(issue: Mapping[str, Any]) -> str | None:
    """Return where people see an issue: its `self` names the site, also where calls go through a gateway."""
    own, key = issue.get("self"), issue.get("key")
    if not isinstance(own, str) or not isinstance(key, str) or "/rest/" not in own:
        return None
    return f"{own.partition('/rest/')[0]}/browse/{key}"


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition as one issue was offered it. Ids differ by workflow and status; `to` is a status id."""

    id: str
    name: str
    to: str
    to_name: str
    fields: Mapping[str, bool]
    """The fields of its screen by id; true: required."""
    to_category: str | None = None
    """Of the status: `new`, `indeterminate` or `done`, as every status has one."""


def transitions_of(body: object) -> tuple[Transition, ...]:
    """Return the transitions that an issue is offered, but for those that are shown as not available."""
    raw = body.get("transitions") if isinstance(body, Mapping) else None
    found = [_transition(each) for each in raw if isinstance(each, Mapping)] if isinstance(raw, list) else []
    return tuple(each for each in found if each is not None)


def _transition(raw: Mapping[str, Any]) -> Transition | None:
    target = raw.get("to")
    if raw.get("id") is None or not isinstance(target, Mapping) or target.get("id") is None:
        return None
    if raw.get("isAvailable") is False:
        return None
    shown = raw.get("fields")
    fields = shown if isinstance(shown, Mapping) else {}
    return Transition(
        id=str(raw["id"]),
        name=str(raw.get("name") or raw["id"]),
        to=str(target["id"]),
        to_name=str(target.get("name") or target["id"]),
        fields={str(name): isinstance(meta, Mapping) and meta.get("required") is True for name, meta in fields.items()},
        to_category=category_of(target),
    )


def category_of(status: Mapping[str, Any]) -> str | None:
    """Return the key of a status's category, as Jira shows it with every status."""
    category = status.get("statusCategory")
    key = category.get("key") if isinstance(category, Mapping) else None
    return key if isinstance(key, str) else None
