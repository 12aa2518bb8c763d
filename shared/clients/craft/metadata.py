"""Reads what a Craft.io workspace consists of: words, custom fields, and the lists that show on its items. Reads only.

Called by the console before a mapping is checked or suggested. The public API lists no statuses, importances, sprints,
quarters or people (facts of the API's description): where no custom field of the same name carries them, they are
harvested from a bounded number of items, and said to be incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.clients.craft.client import CraftClient
from shared.clients.errors import NotFound, Rejected
from shared.clients.together import together
from shared.domain.ids import EntityId
from shared.metadata.choice import Choice, Choices, distinct
from shared.metadata.craft import LEVELS, PROPERTIES, CraftField, CraftItem, CraftMetadata

_PAGE: Final = 100
_MAX_PAGES: Final = 5
_MAX_NATIVE: Final = 20
_SINGLE: Final = ("status", "importance", "sprint", "quarter", "persona", "objective", "keyResult")
_SEVERAL: Final = {"objectives": "objective", "keyResults": "keyResult", "personas": "persona"}
_NOT_THERE: Final = frozenset({400, 403})


async def read_craft(client: CraftClient, workspace: str) -> CraftMetadata:
    """Return what our key sees of a workspace. Raises `VendorError`; one that is not there is `visible` False."""
    try:
        raw_fields, terms, items, known = await together(
            (
                client.custom_fields(workspace),
                client.terminology(workspace),
                _items(client, workspace),
                client.workspaces(),
            )
        )
    except NotFound:
        return CraftMetadata(workspace, visible=False)
    except Rejected as error:
        if error.status not in _NOT_THERE:
            raise
        return CraftMetadata(workspace, visible=False)
    fields = {one.id: one for raw in raw_fields if (one := _field(raw)) is not None}
    system = {name: fields.pop(name) for name in list(fields) if name in PROPERTIES}
    return CraftMetadata(
        workspace,
        name=next((str(each.get("name")) for each in known if str(each.get("id")) == workspace), ""),
        terms=_terms(terms),
        fields=fields,
        lists=_lists(items, system),
        native_keys=tuple(_native_keys(items))[:_MAX_NATIVE],
    )


async def look_at(client: CraftClient, item: EntityId) -> CraftItem | None:
    """Return an item by id, None if it is not there for us. Raises `VendorError`."""
    try:
        shown = (await client.get_item(item)).snapshot
    except NotFound:
        return None
    except Rejected as error:
        if error.status not in _NOT_THERE:
            raise
        return None
    kind, workspace = str(shown.get("type") or "").casefold(), str(shown.get("workspaceId") or "")
    return CraftItem(item, str(shown.get("title") or ""), kind, workspace)


async def _items(client: CraftClient, workspace: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    page: str | None = None
    for _ in range(_MAX_PAGES):
        part = await client.list_items(workspace, page=page, limit=_PAGE)
        found.extend(reading.snapshot for reading in part.items)
        page = part.next
        if page is None:
            break
    return found


def _terms(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the words for the item types; other categories of words are not types."""
    found: dict[str, str] = {}
    for key, term in raw.items():
        default = str(term.get("default") or key).casefold() if isinstance(term, Mapping) else ""
        if default in LEVELS and isinstance(term, Mapping):
            found[default] = str(term.get("customSingle") or default.capitalize())
    return found


def _field(raw: Mapping[str, Any]) -> CraftField | None:
    if raw.get("id") is None:
        return None
    options, values = raw.get("options"), raw.get("values")
    listed: tuple[Choice, ...] | None = None
    if isinstance(options, list):
        listed = tuple(
            Choice(str(each["id"]), str(each.get("label") or each["id"]))
            for each in options
            if isinstance(each, Mapping) and each.get("id") is not None
        )
    elif isinstance(values, list) and values:
        listed = tuple(Choice(str(each), str(each)) for each in values)
    return CraftField(str(raw["id"]), str(raw.get("name") or raw["id"]), str(raw.get("type") or ""), listed)


def _lists(items: Iterable[Mapping[str, Any]], system: Mapping[str, CraftField]) -> dict[str, Choices]:
    """Return the lists of properties: whole where the account lists the property as a field, else what items show."""
    seen: dict[str, list[Choice]] = {}
    for item in items:
        for name in _SINGLE:
            seen.setdefault(name, []).extend(_entity(item.get(name)))
        for name, one in _SEVERAL.items():
            several = item.get(name)
            for each in several if isinstance(several, list) else ():
                seen.setdefault(one, []).extend(_entity(each))
        seen.setdefault("assignee", []).extend(_person(item.get("assignee")))
        labels = item.get("labels")
        seen.setdefault("labels", []).extend(
            Choice(str(each), str(each)) for each in (labels if isinstance(labels, list) else ())
        )
    harvested = {name: Choices(distinct(choices), complete=False) for name, choices in seen.items() if choices}
    for name, one in _SEVERAL.items():
        if one in harvested:
            harvested[name] = harvested[one]
    whole = {name: Choices(each.options) for name, each in system.items() if each.options}
    return {**harvested, **whole}


def _entity(raw: object) -> list[Choice]:
    if not isinstance(raw, Mapping) or raw.get("id") is None:
        return []
    return [Choice(str(raw["id"]), str(raw.get("name") or raw["id"]))]


def _person(raw: object) -> list[Choice]:
    """Return an assignee: a person of a team, or the team."""
    if not isinstance(raw, Mapping) or raw.get("id") is None:
        return []
    return [Choice(str(raw["id"]), str(raw.get("user") or raw.get("team") or raw["id"]))]


def _native_keys(items: Iterable[Mapping[str, Any]]) -> list[str]:
    keys = (item.get("devToolKey") for item in items)
    return [str(each["jira"]) for each in keys if isinstance(each, Mapping) and each.get("jira")]
