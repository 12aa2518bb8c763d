"""Reads what a Jira project consists of: types, screens, statuses, lists, permissions. Reads only.

Called by the console before a mapping is checked or suggested. The edit screen and the steps of the workflow show on
issues only, so that one issue of each type and status is looked at, where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from shared.clients.errors import NotFound, Rejected
from shared.clients.jira.client import JiraClient
from shared.clients.jira.metadata_shapes import choice_of, objects, screen_of, status_of, text, type_of, with_parent
from shared.clients.jira.metadata_shapes import field_of as shape_of_field
from shared.clients.jira.projects import in_project, is_id
from shared.clients.together import together
from shared.fields.links import INWARD, OUTWARD, relation_of
from shared.metadata.choice import Choice, distinct
from shared.metadata.jira import PERMISSIONS, SPRINTS, JiraField, JiraMetadata, JiraStatus, JiraType, Screen

_DATA_CENTER: Final = 2
_PAGE: Final = 100
_MAX_PAGES: Final = 20
_SAMPLE: Final = 50
_MAX_STATUSES: Final = 8
"""Of so many statuses per type one issue each is asked for its transitions."""

_Sample = tuple[Screen | None, Mapping[str, frozenset[str]]]


async def read_jira(client: JiraClient, project: str, *, api: int = 3) -> JiraMetadata:
    """Return what our account sees of a project. Raises `VendorError`; a project that is not there is `visible` False.

    `api` is the version of the REST API: 3 on Cloud, 2 on Data Center, which has the same paths. What Data Center calls
    Epic Link is `parent` here, as in everything that its client reads and writes (ADR 0011).
    """
    found = await _Reader(client, project, f"/rest/api/{api}").read()
    return found if api > _DATA_CENTER else with_parent(found)


class _Reader:
    def __init__(self, client: JiraClient, project: str, base: str) -> None:
        self._client = client
        self._project = project
        self._base = base

    async def read(self) -> JiraMetadata:
        try:
            about = await self._client.ask(self._path(""), "project")
        except NotFound:
            return JiraMetadata(self._project, visible=False)
        types = [one for raw in objects(about, "issueTypes") if (one := type_of(raw)) is not None]
        permissions = await self._permissions()
        fields, statuses, priorities, links, screens, samples = await together(
            (
                self._fields(),
                self._statuses(),
                self._priorities(str(about.get("id"))),
                self._relations(),
                self._create_screens(types),
                self._samples(types),
            )
        )
        return JiraMetadata(
            self._project,
            id=str(about.get("id") or ""),
            key=text(about, "key") or "",
            name=text(about, "name") or self._project,
            fields=fields,
            types=tuple(_joined(one, statuses, screens, samples) for one in types),
            priorities=priorities,
            versions=_choices(objects(about, "versions")),
            components=_choices(objects(about, "components")),
            relations=links,
            permissions={key: given for key, (_, given) in permissions.items()},
            permission_names={key: name for key, (name, _) in permissions.items()},
        )

    def _path(self, below: str) -> str:
        return f"{self._base}/project/{quote(self._project, safe='')}{below}"

    async def _fields(self) -> dict[str, JiraField]:
        listed = await self._client.ask(f"{self._base}/field", "fields")
        found = (shape_of_field(raw) for raw in objects(listed))
        return {one.id: one for one in found if one is not None}

    async def _statuses(self) -> dict[str, tuple[JiraStatus, ...]]:
        """Return the statuses of each type's workflow."""
        listed = await self._client.ask(self._path("/statuses"), "project_statuses")
        return {
            str(raw.get("id")): tuple(
                one for status in objects(raw, "statuses") if (one := status_of(status)) is not None
            )
            for raw in objects(listed)
        }

    async def _priorities(self, project_id: str) -> tuple[Choice, ...]:
        """Return the priorities of the project, highest first; Data Center lists those of the site."""
        if self._base.endswith("/2"):
            return _choices(objects(await self._client.ask(f"{self._base}/priority", "priorities")))
        query = (("projectId", project_id), ("maxResults", str(_PAGE)))
        try:
            page = await self._client.ask(f"{self._base}/priority/search", "priorities", query)
        except (NotFound, Rejected):
            # marked deprecated by Atlassian: the create screens list the priorities all the same
            return ()
        return _choices(objects(page, "values"))

    async def _relations(self) -> tuple[Choice, ...]:
        try:
            listed = await self._client.ask(f"{self._base}/issueLinkType", "link_types")
        except NotFound:
            # linking is switched off on this site
            return ()
        words: dict[str, str] = {}
        for kind in objects(listed, "issueLinkTypes"):
            for way in (OUTWARD, INWARD):
                relation = relation_of(kind, way)
                if relation is not None:
                    words.setdefault(relation, text(kind, way) or relation)
        return tuple(Choice(relation, said) for relation, said in words.items())

    async def _permissions(self) -> dict[str, tuple[str, bool]]:
        """Return name and whether we have it for each permission; a site without boards knows no sprints."""
        try:
            return await self._asked_permissions((*PERMISSIONS, SPRINTS))
        except Rejected:
            pass
        try:
            return await self._asked_permissions(PERMISSIONS)
        except Rejected:
            return {}

    async def _asked_permissions(self, keys: Sequence[str]) -> dict[str, tuple[str, bool]]:
        named = "projectId" if is_id(self._project) else "projectKey"
        query = ((named, self._project), ("permissions", ",".join(keys)))
        answer = await self._client.ask(f"{self._base}/mypermissions", "permissions", query)
        shown = answer.get("permissions") if isinstance(answer, Mapping) else None
        return {
            str(key): (text(raw, "name") or str(key), raw.get("havePermission") is True)
            for key, raw in (shown.items() if isinstance(shown, Mapping) else ())
            if isinstance(raw, Mapping) and key in keys
        }

    async def _create_screens(self, types: Sequence[JiraType]) -> dict[str, Screen]:
        """Return the create screen of each type that we may create."""
        below = f"{self._base}/issue/createmeta/{quote(self._project, safe='')}/issuetypes"
        try:
            offered = {str(raw.get("id")) for raw in await self._pages(below, ("issueTypes", "values"))}
        except NotFound:
            # so Jira answers who may create nothing here
            return {}
        wanted = [one.id for one in types if one.id in offered]
        found = await together(self._create_screen(f"{below}/{each}") for each in wanted)
        return {type_id: screen for type_id, screen in zip(wanted, found, strict=True) if screen is not None}

    async def _create_screen(self, path: str) -> Screen | None:
        try:
            return screen_of(await self._pages(path, ("fields", "values", "results"))) or None
        except (NotFound, Rejected):
            # taken out of the project meanwhile
            return None

    async def _pages(self, path: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return all rows of a list that comes in pages by `startAt`, under the first of `names` that is there."""
        rows: list[dict[str, Any]] = []
        for _ in range(_MAX_PAGES):
            query = (("startAt", str(len(rows))), ("maxResults", str(_PAGE)))
            page = await self._client.ask(path, "createmeta", query)
            found = next((part for name in names if (part := objects(page, name))), [])
            rows += found
            total = page.get("total") if isinstance(page, Mapping) else None
            if not found or page.get("isLast") is True or (isinstance(total, int) and len(rows) >= total):
                break
        return rows

    async def _samples(self, types: Sequence[JiraType]) -> dict[str, _Sample]:
        found = await together(self._sample(one) for one in types)
        return {one.id: sample for one, sample in zip(types, found, strict=True)}

    async def _sample(self, one: JiraType) -> _Sample:
        """Return the edit screen and the steps that show on the last changed issues of a type."""
        jql = f"{in_project(self._project)} AND issuetype = {one.id} ORDER BY updated DESC"
        try:
            page = await self._client.search(jql, ("status",), max_results=_SAMPLE)
        except (NotFound, Rejected):
            # what JQL does not know has no issue to look at
            return None, {}
        by_status: dict[str, str] = {}
        for reading in page.items:
            status = (reading.snapshot.get("fields") or {}).get("status")
            if isinstance(status, Mapping):
                by_status.setdefault(str(status.get("id")), reading.entity_id)
        if not by_status:
            return None, {}
        chosen = list(by_status.items())[:_MAX_STATUSES]
        edit, *steps = await together(
            (
                self._of_issue(page.items[0].entity_id, "editmeta", _edit_screen),
                *(self._of_issue(issue, "transitions", _goals) for _, issue in chosen),
            )
        )
        return edit, {status: goals for (status, _), goals in zip(chosen, steps, strict=True) if goals is not None}

    async def _of_issue(self, issue: str, what: str, read: Callable[[Any], Any]) -> Any:
        try:
            return read(await self._client.ask(f"{self._base}/issue/{issue}/{what}", what))
        except NotFound:
            # deleted meanwhile
            return None


def _edit_screen(answer: Any) -> Screen | None:
    """Return the edit screen; None for an empty one, which is what a missing permission looks like."""
    fields = answer.get("fields") if isinstance(answer, Mapping) else None
    if not isinstance(fields, Mapping):
        return None
    return screen_of({**raw, "fieldId": name} for name, raw in fields.items() if isinstance(raw, Mapping)) or None


def _goals(answer: Any) -> frozenset[str]:
    return frozenset(
        str(each["to"]["id"])
        for each in objects(answer, "transitions")
        if isinstance(each.get("to"), Mapping) and each["to"].get("id") is not None
    )


def _choices(raws: Sequence[Mapping[str, Any]]) -> tuple[Choice, ...]:
    return distinct(one for raw in raws if (one := choice_of(raw)) is not None)


def _joined(
    one: JiraType,
    statuses: Mapping[str, tuple[JiraStatus, ...]],
    screens: Mapping[str, Screen],
    samples: Mapping[str, _Sample],
) -> JiraType:
    edit, steps = samples[one.id]
    return JiraType(
        one.id, one.name, one.level, one.subtask, screens.get(one.id), edit, statuses.get(one.id, ()), steps
    )
