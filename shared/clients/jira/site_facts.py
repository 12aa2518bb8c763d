"""What one Data Center site calls things: its epic fields, its custom fields by name, issues by key and by id.

Used by `shared.clients.jira.data_center` only. Everything is read when it is first needed and kept for minutes: fields
are hardly ever made, and a key hardly ever comes to mean another issue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from shared.clients.errors import NotFound
from shared.clients.http import Call, VendorHttp
from shared.domain.clock import Clock
from shared.domain.ids import EntityId

KEPT_S: Final = 600.0
"""For how long a fact is believed."""
INVISIBLE_KEPT_S: Final = 60.0
"""For how long a key that leads to no visible issue is not looked up again."""

_EPIC_LINK: Final = "com.pyxis.greenhopper.jira:gh-epic-link"
_EPIC_NAME: Final = "com.pyxis.greenhopper.jira:gh-epic-label"
_MOST_KEYS: Final = 20_000
_PAGE: Final = 200
_MOST_PAGES: Final = 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """A fact, and until when (on our monotonic clock) it is believed."""

    fact: T
    until_s: float


@dataclass(frozen=True, slots=True)
class SiteFields:
    """The custom fields of a site. `named` has every field of a display name: several may share one."""

    epic_link: str | None
    epic_name: str | None
    named: Mapping[str, Sequence[str]]

    def id_of(self, name: str, shown: Collection[str]) -> str:
        """Return the id of the custom field that a changelog names; of several, the one that the issue shows.

        The name itself where it is no custom field's, or it cannot be told which one's.
        """
        found = self.named.get(name, ())
        if len(found) > 1:
            found = [each for each in found if each in shown]
        return found[0] if len(found) == 1 else name


class SiteFacts:
    """Asks and remembers. Safe for concurrent use; every method raises `VendorError` of a read."""

    def __init__(self, http: VendorHttp, clock: Clock, timeout_s: float) -> None:
        self._http = http
        self._clock = clock
        self._timeout_s = timeout_s
        self._asking = asyncio.Lock()
        self._fields: _Kept[SiteFields] | None = None
        self._subtasks: _Kept[Mapping[str, bool]] | None = None
        self._screens: dict[tuple[str, str], _Kept[frozenset[str]]] = {}
        self._ids: dict[str, _Kept[EntityId]] = {}

    async def fields(self) -> SiteFields:
        """Return the site's custom fields."""
        async with self._asking:
            kept = self._fields
            if kept is None or not self._good(kept):
                kept = self._fields = self._keep(_site_fields(await self._get("/rest/api/2/field", "fields")))
        return kept.fact

    async def is_subtask(self, type_id: str) -> bool:
        """Tell whether an issue type is one of sub-tasks; one that the site does not list is none."""
        async with self._asking:
            kept = self._subtasks
            if kept is None or not self._good(kept) or type_id not in kept.fact:
                types = _objects(await self._get("/rest/api/2/issuetype", "types"))
                subtasks: Mapping[str, bool] = {str(each.get("id")): each.get("subtask") is True for each in types}
                kept = self._subtasks = self._keep(subtasks)
        return kept.fact.get(type_id, False)

    async def on_create_screen(self, project: str, type_id: str, field_id: str) -> bool:
        """Tell whether a field can be set when an issue is created; no where the site does not say."""
        place = (project, type_id)
        async with self._asking:
            kept = self._screens.get(place)
            if kept is None or not self._good(kept):
                kept = self._screens[place] = self._keep(await self._screen(project, type_id))
        return field_id in kept.fact

    async def id_of(self, key: str) -> EntityId:
        """Return the id of an issue by its key, also by an old one.

        The key itself for an issue that we may not see: it is somebody's parent all the same, and no issue's id.
        """
        kept = self._ids.get(key)
        if kept is not None and self._good(kept):
            return kept.fact
        try:
            issue = await self._issue(key)
        except NotFound:
            self._remember(key, EntityId(key), INVISIBLE_KEPT_S)
            return EntityId(key)
        found = EntityId(str(issue.get("id")))
        self._remember(key, found, KEPT_S)
        return found

    async def key_of(self, issue_id: str) -> str:
        """Return the key that an issue has now. Raises `NotFound`."""
        return str((await self._issue(issue_id)).get("key"))

    def learn(self, issue: Mapping[str, Any]) -> None:
        """Take the key and id of an issue that was read for something else."""
        key, issue_id = issue.get("key"), issue.get("id")
        if isinstance(key, str) and issue_id is not None:
            self._remember(key, EntityId(str(issue_id)), KEPT_S)

    def _remember(self, key: str, issue_id: EntityId, for_s: float) -> None:
        if len(self._ids) >= _MOST_KEYS and key not in self._ids:
            self._ids.pop(next(iter(self._ids)))
        self._ids[key] = _Kept(issue_id, self._clock.monotonic() + for_s)

    async def _screen(self, project: str, type_id: str) -> frozenset[str]:
        """Return the ids of the fields of a create screen."""
        found: set[str] = set()
        path = f"/rest/api/2/issue/createmeta/{project}/issuetypes/{type_id}"
        for _ in range(_MOST_PAGES):
            query = (("startAt", str(len(found))), ("maxResults", str(_PAGE)))
            try:
                page = await self._get(path, "createmeta", query)
            except NotFound:
                break
            ids = {
                str(each.get("fieldId")) for each in _objects(page.get("values") if isinstance(page, dict) else None)
            }
            if not ids - found:
                break
            found |= ids
            if page.get("isLast") is True:
                break
        return frozenset(found)

    async def _issue(self, issue: str) -> Mapping[str, Any]:
        answer = await self._get(f"/rest/api/2/issue/{issue}", "issue", (("fields", "summary"),))
        return answer if isinstance(answer, Mapping) else {}

    async def _get(self, path: str, endpoint: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        return (await self._http.send(Call("GET", path, endpoint, query, timeout_s=self._timeout_s))).json

    def _keep(self, fact: T) -> _Kept[T]:
        return _Kept(fact, self._clock.monotonic() + KEPT_S)

    def _good(self, kept: _Kept[Any]) -> bool:
        return self._clock.monotonic() < kept.until_s


def _objects(raw: object) -> list[Mapping[str, Any]]:
    return [each for each in raw if isinstance(each, Mapping)] if isinstance(raw, list) else []


def _site_fields(raw: object) -> SiteFields:
    """Return what the list of a site's fields says of its custom ones."""
    by_schema: dict[str, str] = {}
    named: dict[str, list[str]] = {}
    for each in _objects(raw):
        field_id, name, schema = each.get("id"), each.get("name"), each.get("schema")
        custom = schema.get("custom") if isinstance(schema, Mapping) else None
        if not isinstance(field_id, str) or not isinstance(custom, str):
            continue
        by_schema.setdefault(custom, field_id)
        named.setdefault(str(name), []).append(field_id)
    return SiteFields(by_schema.get(_EPIC_LINK), by_schema.get(_EPIC_NAME), named)
