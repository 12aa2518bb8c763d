"""The client of one Jira Data Center site: the same readings and writes as of Cloud, over REST v2 alone.

What Data Center shows otherwise is put into the one shape that all others know, and what they write into Data Center's:
the epic of an issue is a field with a key there, and `parent` with an id everywhere else (ADR 0011).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.clients.errors import NotFound, Rejected
from shared.clients.http import DEFAULT_TIMEOUT_S, Answer, Call, Guard
from shared.clients.jira.answers import object_of, reading_of, wanted_fields
from shared.clients.jira.client import JiraClient
from shared.clients.jira.site_facts import SiteFacts, SiteFields
from shared.clients.reading import Account, Page, Reading
from shared.clients.times import parse_time
from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.domain.ids import EntityId, LinkId, OperationId
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.messages.change import ChangelogEntry, ChangelogItem

PARENT: Final = "parent"
_PAGE: Final = 100
_BAD_REQUEST: Final = 400


class DataCenterClient(JiraClient):
    """One connection to Jira Data Center with a personal access token, or with user name and password."""

    _newest_api = 2
    _edit_query = ()
    _candidates = 50
    """The search shows no properties, so each candidate is read: no more at once than a page of a look-up may read."""
    _other_kind = "the site has no REST API of version 2; check the URL of the connection, with its context path if any"

    def __init__(
        self,
        connection: Connection,
        secrets: ConnectionSecrets,
        transport: Transport,
        clock: Clock,
        dice: Dice,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        super().__init__(connection, secrets, transport, clock, dice, timeout_s=timeout_s)
        self._facts = SiteFacts(self._http, clock, timeout_s)

    async def myself(self) -> Account:
        """Return who the credentials belong to, by the key that changelogs, creators and webhooks show too."""
        answer = await self._get("/rest/api/2/serverInfo", "serverInfo")
        told = answer.json if isinstance(answer.json, Mapping) else {}
        if told.get("deploymentType") == "Cloud":
            raise Rejected(_BAD_REQUEST, "this is a Jira Cloud site; save the connection with the kind jira_cloud")
        return await super().myself()

    async def token_ends(self) -> Sequence[datetime]:
        """Return when the personal access tokens of our account end, of those that do, the first one first.

        Which of them is ours Jira does not tell. Raises `NotFound` where there are none of such (before 8.14).
        """
        listed = (await self._get("/rest/pat/latest/tokens", "tokens")).json
        told = (each.get("expiringAt") for each in listed if isinstance(each, Mapping)) if listed else ()
        return sorted(at for each in told if (at := parse_time(each)) is not None)

    async def get_changelog(self, issue_id: EntityId) -> tuple[ChangelogEntry, ...]:
        """Return all of an issue's changelog, oldest first: one read shows all of it."""
        return (await self.get_issue(issue_id, (), changelog=True, whole=False, properties=False)).changelog

    async def update_issue(
        self,
        issue_id: EntityId,
        fields: Mapping[str, Any],
        op_id: OperationId,
        *,
        elements: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        read_fields: Iterable[str],
        guard: Guard | None = None,
    ) -> Reading | None:
        """Set these fields in one edit, then read the issue. See `JiraClient.update_issue`.

        A `parent` becomes the Epic Link. Sub-tasks have none, and cannot be moved below another issue over REST:
        `Rejected` for `parent` then.
        """
        try:
            return await super().update_issue(
                issue_id, fields, op_id, elements=elements, read_fields=read_fields, guard=guard
            )
        except Rejected as error:
            raise await self._about_parent(error) from error

    async def create_issue(
        self,
        project: str,
        type_id: str,
        fields: Mapping[str, Any],
        link_id: LinkId,
        *,
        guard: Guard | None = None,
    ) -> EntityId:
        """Create an issue. See `JiraClient.create_issue`. Where the screen has an Epic Name, it is the summary."""
        try:
            return await super().create_issue(project, type_id, fields, link_id, guard=guard)
        except Rejected as error:
            raise await self._about_parent(error) from error

    async def search(
        self,
        jql: str,
        fields: Iterable[str],
        *,
        page: str | None = None,
        max_results: int = _PAGE,
        properties: bool = False,
        reconcile: Sequence[EntityId] = (),
    ) -> Page:
        """Return one page of a query; `page` is `Page.next` of the one before: the number of the first issue.

        Shows no properties (`correlation_read` stays False), and has no way to reconcile: a node's index may lag.
        """
        del properties, reconcile
        start = int(page) if page is not None else 0
        wanted = list(await self._wanted(fields))
        body = {"jql": jql, "startAt": start, "maxResults": max_results, "fields": wanted}
        answer = await self._http.send(
            Call("POST", "/rest/api/2/search", "search", (), body, timeout_s=self._timeout_s)
        )
        found = object_of(answer)
        issues, total = found.get("issues"), found.get("total")
        readings = await self._readings(found, answer, properties=False)
        # a site may give less than was asked for: what it gave counts
        following = start + (len(issues) if isinstance(issues, list) else 0)
        more = isinstance(total, int) and start < following < total
        return Page(
            tuple(readings),
            str(following) if more else None,
            answer.server_date,
            total if isinstance(total, int) else None,
        )

    async def _wanted(self, fields: Iterable[str]) -> tuple[str, ...]:
        """Return the fields to ask for: Epic Link always goes with `parent`."""
        link = (await self._facts.fields()).epic_link
        return tuple(dict.fromkeys((*wanted_fields(fields), *((link,) if link is not None else ()))))

    async def _reading(self, issue: Mapping[str, Any], answer: Answer, *, properties: bool) -> Reading:
        """Return an issue with its epic (or, of a sub-task, its issue) as `parent`, and with ids in its changelog."""
        names = await self._facts.fields()
        self._facts.learn(issue)
        shown = issue.get("fields")
        fields: Mapping[str, Any] = shown if isinstance(shown, Mapping) else {}
        if fields:
            fields = {**fields, **await self._parent(fields, names)}
        reading = reading_of({**issue, "fields": fields}, answer, properties=properties)
        return replace(reading, changelog=tuple(_with_ids(entry, names, fields) for entry in reading.changelog))

    async def _parent(self, fields: Mapping[str, Any], names: SiteFields) -> dict[str, Any]:
        """Return what Epic Link tells of the parent; nothing where it is not shown, which is not the same as empty."""
        if isinstance(fields.get(PARENT), Mapping) or names.epic_link is None or names.epic_link not in fields:
            return {}
        key = fields[names.epic_link]
        return {PARENT: {"id": await self._facts.id_of(str(key)), "key": key} if key else None}

    async def _edit(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        if PARENT not in fields:
            return {"fields": dict(fields)}
        rest = {name: value for name, value in fields.items() if name != PARENT}
        return {"fields": {**rest, await self._epic_link(): await self._epic_key(fields[PARENT])}}

    async def _created(self, project: str, type_id: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        shown = dict(fields)
        if shown.get(PARENT) is None:
            shown.pop(PARENT, None)
        elif not await self._facts.is_subtask(type_id):
            link, key = await self._epic_link(), await self._epic_key(shown.pop(PARENT))
            shown[link] = key
        name = (await self._facts.fields()).epic_name
        if name is not None and name not in shown and await self._facts.on_create_screen(project, type_id, name):
            shown[name] = shown.get("summary")
        return shown

    async def _epic_link(self) -> str:
        link = (await self._facts.fields()).epic_link
        if link is None:
            raise _no_parent("no parent can be set: this Jira has no field Epic Link")
        return link

    async def _epic_key(self, parent: object) -> str | None:
        """Return the key of a parent that is to be written; None empties the link."""
        if parent is None:
            return None
        ident = str(parent.get("id")) if isinstance(parent, Mapping) else str(parent)
        try:
            return await self._facts.key_of(ident)
        except NotFound as error:
            raise _no_parent(f"the parent {ident} does not exist, or Tandem's account may not see it") from error

    async def _about_parent(self, error: Rejected) -> Rejected:
        """Return an error in which a complaint about the Epic Link is one about the parent."""
        link = (await self._facts.fields()).epic_link
        if link is None or link not in error.field_errors:
            return error
        told = {PARENT if name == link else name: words for name, words in error.field_errors.items()}
        return Rejected(error.status, error.message, told)


def _no_parent(words: str) -> Rejected:
    return Rejected(_BAD_REQUEST, words, {PARENT: words})


def _with_ids(entry: ChangelogEntry, names: SiteFields, shown: Mapping[str, Any]) -> ChangelogEntry:
    """Return a changelog entry whose items name fields by id, and the epic as `parent` by id."""

    def told(item: ChangelogItem) -> ChangelogItem:
        field = names.id_of(item.field, shown.keys())
        if field == names.epic_link:
            ids = {"old": item.old or item.old_label or None, "new": item.new or item.new_label or None}
            return item.model_copy(update={"field": PARENT, **ids})
        return item.model_copy(update={"field": field})

    return entry.model_copy(update={"items": tuple(told(item) for item in entry.items)})
