"""The client of one Jira Cloud site, over REST v3: documents are ADF (ADR 0010).

Used by jira_writer, the reconciler and the console; `shared.clients.jira.data_center` says what Data Center does
otherwise. Never repeats a request, decides nothing, keeps no state but its pace. Every method raises
`shared.clients.errors.VendorError`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from shared.clients.errors import NotFound, Rejected, Unavailable, UnclearEffect, VendorError
from shared.clients.http import DEFAULT_TIMEOUT_S, Answer, Call, Guard, VendorHttp
from shared.clients.jira import shapes
from shared.clients.jira.answers import has_whole_changelog, object_of, reading_of, wanted_fields, with_changelog
from shared.clients.jira.dialect import JiraDialect
from shared.clients.jira.links import JiraLinks
from shared.clients.jira.login import authorization, refused
from shared.clients.jira.projects import in_project, project_field
from shared.clients.jira.versions import JiraVersions
from shared.clients.jira.workflow import JiraWorkflow
from shared.clients.reading import Account, Page, Reading
from shared.clients.transport import Transport
from shared.clients.walk import pages
from shared.domain.clock import Clock, Dice
from shared.domain.ids import EntityId, LinkId, OperationId
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.messages.change import ChangelogEntry

_CERTAIN: Final = frozenset({"summary", "issuetype", "project", "status", "created", "updated"})
"""What every whole issue shows; `parent` is left out of those that have none."""
_PAGE: Final = 100
_MAX_PAGES: Final = 50
_MAX_CANDIDATES: Final = 50


class JiraClient:
    """One connection to Jira Cloud with an e-mail address and an API token. Safe for concurrent use."""

    _newest_api = 3
    _edit_query: tuple[tuple[str, str], ...] = (("returnIssue", "true"), ("expand", "changelog"))
    _candidates = _PAGE
    """How many issues of ours a look-up takes in at once."""
    _other_kind = (
        "the site has no REST API of version 3. If it is a Jira Data Center, save the connection with the kind "
        "jira_data_center; else check the URL"
    )

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
        auth = {"authorization": authorization(connection, secrets)}
        self._http = VendorHttp(
            connection, auth, JiraDialect(refused(connection), self._newest_api), transport, clock, dice
        )
        self.workflow = JiraWorkflow(self._http, timeout_s)
        self.versions = JiraVersions(self._http, timeout_s)
        self.links = JiraLinks(self._http, timeout_s)
        self._clock = clock
        self._timeout_s = timeout_s

    async def myself(self) -> Account:
        """Return who the credentials belong to. The health probe: 401 is certain here, unlike elsewhere."""
        try:
            answer = await self._get(f"/rest/api/{self._newest_api}/myself", "myself")
        except NotFound as error:
            raise Rejected(404, self._other_kind) from error
        body = answer.json if isinstance(answer.json, Mapping) else {}
        account = shapes.account_of(body)
        if account is None:
            raise Unavailable("Jira did not say who we are: /myself names nobody")
        return Account(account, str(body.get("displayName") or account))

    async def whoami(self) -> Account:
        """Return who the credentials belong to; the name that both clients have for it."""
        return await self.myself()

    async def get_issue(
        self,
        issue_id: EntityId,
        fields: Iterable[str],
        *,
        changelog: bool = False,
        whole: bool = True,
        properties: bool = True,
    ) -> Reading:
        """Read one issue by id: the named fields and `ALWAYS`, its changelog and our key as asked.

        The changelog is all of it, or with `whole` False what one answer holds (the newest 100).
        """
        query = [("fields", ",".join(await self._wanted(fields)))]
        if changelog:
            query.append(("expand", "changelog"))
        if properties:
            query.append(("properties", shapes.PROPERTY_KEY))
        answer = await self._get(f"/rest/api/{self._newest_api}/issue/{issue_id}", "issue", query, item=issue_id)
        issue = object_of(answer)
        reading = await self._reading(issue, answer, properties=properties)
        if not changelog or not whole or has_whole_changelog(issue):
            return reading
        return with_changelog(reading, await self.get_changelog(issue_id))

    async def get_changelog(self, issue_id: EntityId) -> tuple[ChangelogEntry, ...]:
        """Return all of an issue's changelog, oldest first."""
        found: list[Any] = []
        for _ in range(_MAX_PAGES):
            query = [("startAt", str(len(found))), ("maxResults", str(_PAGE))]
            page = object_of(
                await self._get(f"/rest/api/3/issue/{issue_id}/changelog", "changelog", query, item=issue_id)
            )
            values = page.get("values")
            if not isinstance(values, list) or not values:
                break
            found += values
            if page.get("isLast") is True:
                break
        return shapes.changelog_of({"changelog": {"histories": found}})

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
        """Set these fields (v2 shapes) in one edit that names `op_id` in the changelog; return the issue afterwards.
        `elements` are verbs (`add`, `remove`) by field, for sets of which anything else is to stay.

        One call (`returnIssue`), or a read after it where the site does not return the whole issue. None: the edit was
        made, but the issue could not be read afterwards. Raises `UnclearEffect` when nobody knows whether it was made.
        """
        wanted = await self._wanted(read_fields)  # after the edit nothing may fail but the reading
        body = {
            **_with_verbs(await self._edit(fields), elements),
            "historyMetadata": {"type": shapes.HISTORY_TYPE, "extraData": {"op": op_id}},
        }
        call = Call(
            "PUT",
            f"/rest/api/{self._newest_api}/issue/{issue_id}",
            "issue",
            self._edit_query,
            body,
            item=issue_id,
            timeout_s=self._timeout_s,
        )
        answer = await self._http.send(call, guard)
        issue = answer.json if isinstance(answer.json, dict) else {}
        shown = issue.get("fields")
        # fields that the issue does not have are missing in every answer, those of the site only in an answer cut short
        if isinstance(shown, dict) and shown.keys() >= _CERTAIN and "histories" in (issue.get("changelog") or {}):
            kept = {name: value for name, value in shown.items() if name in wanted}
            return await self._reading({**issue, "fields": kept}, answer, properties=False)
        try:
            return await self.get_issue(issue_id, read_fields, changelog=True, whole=False, properties=False)
        except VendorError:
            return None

    async def create_issue(
        self,
        project: str,
        type_id: str,
        fields: Mapping[str, Any],
        link_id: LinkId,
        *,
        guard: Guard | None = None,
    ) -> EntityId:
        """Create an issue that carries `link_id` as its property `tandem` from its first moment; return its id.

        Not idempotent: after `UnclearEffect`, look with `find_created` first.
        """
        shown = await self._created(project, type_id, fields)
        body = {
            "fields": {**shown, "project": project_field(project), "issuetype": {"id": type_id}},
            "properties": [{"key": shapes.PROPERTY_KEY, "value": {"link": link_id}}],
        }
        call = Call("POST", f"/rest/api/{self._newest_api}/issue", "create", (), body, timeout_s=self._timeout_s)
        answer = await self._http.send(call, guard)
        created = answer.json.get("id") if isinstance(answer.json, Mapping) else None
        if created is None:
            raise UnclearEffect("Jira answered to a create without the id of the new issue")
        return EntityId(str(created))

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
        """Return one page of a bounded query; `page` is `Page.next` of the one before.

        Lags behind writes by seconds to minutes, but for the issues in `reconcile` (at most 50, the same on all pages).
        """
        body: dict[str, Any] = {"jql": jql, "fields": list(await self._wanted(fields)), "maxResults": max_results}
        if page is not None:
            body["nextPageToken"] = page
        if properties:
            body["properties"] = [shapes.PROPERTY_KEY]
        if reconcile:
            body["reconcileIssues"] = [int(each) for each in reconcile]
        call = Call("POST", "/rest/api/3/search/jql", "search", (), body, timeout_s=self._timeout_s)
        answer = await self._http.send(call)
        found = object_of(answer)
        readings = await self._readings(found, answer, properties=properties)
        following = found.get("nextPageToken")
        last = found.get("isLast") is True or not isinstance(following, str)
        return Page(tuple(readings), None if last else str(following), answer.server_date)

    async def find_users(self, words: str) -> Sequence[Mapping[str, Any]]:
        """Return users by the beginning of their name or address; an address that its owner hides finds nobody."""
        answer = await self._get("/rest/api/3/user/search", "users", [("query", words), ("maxResults", str(_PAGE))])
        return [user for user in answer.json if isinstance(user, Mapping)] if isinstance(answer.json, list) else []

    async def find_created(self, link_id: LinkId, project: str, since: datetime) -> EntityId | None:
        """Return the issue that our account created since then for `link_id`, verified by a read by id.

        The search lags behind: None (none shows) is no proof of absence before the longest index lag is over.
        """
        # JQL times have minutes and the user's time zone; a relative window needs neither
        minutes = max(math.ceil((self._clock.now() - since) / timedelta(minutes=1)), 0) + 5
        ours = f"{in_project(project)} AND creator = currentUser()"
        jql = f"{ours} AND created >= -{minutes}m ORDER BY created DESC"

        async def turn(page: str | None) -> Page:
            return await self.search(jql, (), page=page, max_results=self._candidates, properties=True)

        async for found in pages(turn):
            unread = 0
            for each in found.items:
                if each.correlation_key == link_id or (not each.correlation_read and unread < _MAX_CANDIDATES):
                    unread += 0 if each.correlation_read else 1
                    if await self._carries(each.entity_id, link_id):
                        return each.entity_id
        return None

    async def _carries(self, issue_id: EntityId, link_id: LinkId) -> bool:
        try:
            return (await self.get_issue(issue_id, ())).correlation_key == link_id
        except NotFound:
            return False

    async def _wanted(self, fields: Iterable[str]) -> tuple[str, ...]:
        """Return the fields to ask for."""
        return wanted_fields(fields)

    async def _readings(self, found: Mapping[str, Any], answer: Answer, *, properties: bool) -> list[Reading]:
        """Return the issues of a page."""
        issues = found.get("issues")
        return [
            await self._reading(issue, answer, properties=properties and "properties" in issue)
            for issue in (issues if isinstance(issues, list) else ())
            if isinstance(issue, dict) and issue.get("id") is not None
        ]

    async def _reading(self, issue: Mapping[str, Any], answer: Answer, *, properties: bool) -> Reading:
        """Return an issue in the one shape that all readers know, however this edition shows it."""
        return reading_of(shapes.with_parent_shown(issue), answer, properties=properties)

    async def _edit(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return `fields` and `update` of an edit."""
        return _edit(fields)

    async def _created(self, project: str, type_id: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the `fields` of a create, but for project and type."""
        del project, type_id
        return fields

    async def ask(self, path: str, endpoint: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """Return the JSON of any GET; for readers of what the site consists of (`shared.clients.jira.metadata`)."""
        return (await self._get(path, endpoint, query)).json

    async def _get(
        self, path: str, endpoint: str, query: Sequence[tuple[str, str]] = (), *, item: str | None = None
    ) -> Answer:
        return await self._http.send(Call("GET", path, endpoint, query, item=item, timeout_s=self._timeout_s))


def _with_verbs(edit: dict[str, Any], elements: Mapping[str, Sequence[Mapping[str, Any]]] | None) -> dict[str, Any]:
    """Return the body of an edit with these verbs as well."""
    return {**edit, "update": {**edit.get("update", {}), **elements}} if elements else edit


def _edit(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` and `update` of an edit: an empty parent is a verb, not a value (Atlassian, "Edit issue")."""
    plain = {name: value for name, value in fields.items() if name != "parent" or value is not None}
    body: dict[str, Any] = {"fields": plain} if plain else {}
    if "parent" in fields and fields["parent"] is None:
        body["update"] = {"parent": [{"set": {"none": True}}]}
    return body
