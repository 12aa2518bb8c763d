"""The client of one Jira Cloud site: issues in v2 shapes (as webhooks show them), everything else through v3.

Used by jira_writer, the reconciler and the console. Never repeats a request, decides nothing, keeps no state but its
pace. Every method raises `shared.clients.errors.VendorError`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from shared.clients.errors import NotFound, Unavailable, UnclearEffect, VendorError
from shared.clients.http import DEFAULT_TIMEOUT_S, Answer, Call, Guard, VendorHttp
from shared.clients.jira import shapes
from shared.clients.jira.dialect import JiraDialect
from shared.clients.reading import Account, Page, Reading
from shared.clients.transport import Transport
from shared.domain.clock import Clock, Dice
from shared.domain.ids import EntityId, LinkId, OperationId
from shared.domain.mapping import Connection, ConnectionSecrets
from shared.messages.change import ChangelogEntry

ALWAYS: Final = ("summary", "issuetype", "project", "status", "parent", "created", "updated", "creator")
"""Fields that every read asks for beside the mapped ones."""

_CERTAIN: Final = frozenset({"summary", "issuetype", "project", "status", "created", "updated"})
"""What every whole issue shows; `parent` is left out of those that have none."""
_PAGE: Final = 100
_MAX_PAGES: Final = 50
_MAX_CANDIDATES: Final = 50


class JiraClient:
    """One connection to Jira Cloud with an e-mail address and an API token. Safe for concurrent use."""

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
        login = base64.b64encode(f"{connection.email or ''}:{secrets.token}".encode()).decode()
        self._http = VendorHttp(connection, {"authorization": f"Basic {login}"}, JiraDialect(), transport, clock, dice)
        self._clock = clock
        self._timeout_s = timeout_s

    async def myself(self) -> Account:
        """Return who the credentials belong to. The health probe: 401 is certain here, unlike elsewhere."""
        answer = await self._get("/rest/api/3/myself", "myself")
        body = answer.json if isinstance(answer.json, Mapping) else {}
        account = shapes.account_of(body)
        if account is None:
            raise Unavailable("Jira did not say who we are: /myself has no accountId")
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
        query = [("fields", ",".join(wanted_fields(fields)))]
        if changelog:
            query.append(("expand", "changelog"))
        if properties:
            query.append(("properties", shapes.PROPERTY_KEY))
        answer = await self._get(f"/rest/api/2/issue/{issue_id}", "issue", query, item=issue_id)
        issue = _object(answer)
        reading = _reading(issue, answer, properties=properties)
        if not changelog or not whole or _whole_changelog(issue):
            return reading
        return _with_changelog(reading, await self.get_changelog(issue_id))

    async def get_changelog(self, issue_id: EntityId) -> tuple[ChangelogEntry, ...]:
        """Return all of an issue's changelog, oldest first."""
        found: list[Any] = []
        for _ in range(_MAX_PAGES):
            query = [("startAt", str(len(found))), ("maxResults", str(_PAGE))]
            page = _object(
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
        read_fields: Iterable[str],
        guard: Guard | None = None,
    ) -> Reading | None:
        """Set these fields (v2 shapes) in one edit that names `op_id` in the changelog; return the issue afterwards.

        One call (`returnIssue`), or a read after it where the site does not return the whole issue. None: the edit was
        made, but the issue could not be read afterwards. Raises `UnclearEffect` when nobody knows whether it was made.
        """
        body = {
            **_edit(fields),
            "historyMetadata": {"type": shapes.HISTORY_TYPE, "extraData": {"op": op_id}},
        }
        call = Call(
            "PUT",
            f"/rest/api/2/issue/{issue_id}",
            "issue",
            (("returnIssue", "true"), ("expand", "changelog")),
            body,
            item=issue_id,
            timeout_s=self._timeout_s,
        )
        answer = await self._http.send(call, guard)
        issue = answer.json if isinstance(answer.json, dict) else {}
        wanted = wanted_fields(read_fields)
        shown = issue.get("fields")
        # fields that the issue does not have are missing in every answer, those of the site only in an answer cut short
        if isinstance(shown, dict) and shown.keys() >= _CERTAIN and "histories" in (issue.get("changelog") or {}):
            kept = {name: value for name, value in shown.items() if name in wanted}
            return _reading({**issue, "fields": kept}, answer, properties=False)
        try:
            return await self.get_issue(issue_id, read_fields, changelog=True, whole=False, properties=False)
        except VendorError:
            return None

    async def create_issue(
        self,
        project_key: str,
        type_id: str,
        fields: Mapping[str, Any],
        link_id: LinkId,
        *,
        guard: Guard | None = None,
    ) -> EntityId:
        """Create an issue that carries `link_id` as its property `tandem` from its first moment; return its id.

        Not idempotent: after `UnclearEffect`, look with `find_created` first.
        """
        body = {
            "fields": {**fields, "project": {"key": project_key}, "issuetype": {"id": type_id}},
            "properties": [{"key": shapes.PROPERTY_KEY, "value": {"link": link_id}}],
        }
        call = Call("POST", "/rest/api/2/issue", "create", (), body, timeout_s=self._timeout_s)
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
        body: dict[str, Any] = {"jql": jql, "fields": list(wanted_fields(fields)), "maxResults": max_results}
        if page is not None:
            body["nextPageToken"] = page
        if properties:
            body["properties"] = [shapes.PROPERTY_KEY]
        if reconcile:
            body["reconcileIssues"] = [int(each) for each in reconcile]
        call = Call("POST", "/rest/api/2/search/jql", "search", (), body, timeout_s=self._timeout_s)
        answer = await self._http.send(call)
        found = _object(answer)
        issues = found.get("issues")
        readings = [
            _reading(issue, answer, properties=properties and "properties" in issue)
            for issue in (issues if isinstance(issues, list) else ())
            if isinstance(issue, dict) and issue.get("id") is not None
        ]
        following = found.get("nextPageToken")
        last = found.get("isLast") is True or not isinstance(following, str)
        return Page(tuple(readings), None if last else str(following), answer.server_date)

    async def find_users(self, words: str) -> Sequence[Mapping[str, Any]]:
        """Return users by the beginning of their name or address; an address that its owner hides finds nobody."""
        answer = await self._get("/rest/api/3/user/search", "users", [("query", words), ("maxResults", str(_PAGE))])
        return [user for user in answer.json if isinstance(user, Mapping)] if isinstance(answer.json, list) else []

    async def find_created(self, link_id: LinkId, project_key: str, since: datetime) -> EntityId | None:
        """Return the issue that our account created since then for `link_id`, verified by a read by id.

        The search lags behind: None (none shows) is no proof of absence before the longest index lag is over.
        """
        # JQL times have minutes and the user's time zone; a relative window needs neither
        minutes = max(math.ceil((self._clock.now() - since) / timedelta(minutes=1)), 0) + 5
        ours = f'project = "{project_key}" AND creator = currentUser()'
        jql = f"{ours} AND created >= -{minutes}m ORDER BY created DESC"
        page: str | None = None
        for _ in range(_MAX_PAGES):
            found = await self.search(jql, (), page=page, properties=True)
            unread = 0
            for each in found.items:
                if each.correlation_key == link_id or (not each.correlation_read and unread < _MAX_CANDIDATES):
                    unread += 0 if each.correlation_read else 1
                    if await self._carries(each.entity_id, link_id):
                        return each.entity_id
            page = found.next
            if page is None:
                return None
        return None

    async def _carries(self, issue_id: EntityId, link_id: LinkId) -> bool:
        try:
            return (await self.get_issue(issue_id, ())).correlation_key == link_id
        except NotFound:
            return False

    async def _get(
        self, path: str, endpoint: str, query: Sequence[tuple[str, str]] = (), *, item: str | None = None
    ) -> Answer:
        return await self._http.send(Call("GET", path, endpoint, query, item=item, timeout_s=self._timeout_s))


def wanted_fields(fields: Iterable[str]) -> tuple[str, ...]:
    """Return the fields to ask for: `ALWAYS` and the named ones, each once."""
    return tuple(dict.fromkeys((*ALWAYS, *fields)))


def _edit(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` and `update` of an edit: an empty parent is a verb, not a value (Atlassian, "Edit issue")."""
    plain = {name: value for name, value in fields.items() if name != "parent" or value is not None}
    body: dict[str, Any] = {"fields": plain} if plain else {}
    if "parent" in fields and fields["parent"] is None:
        body["update"] = {"parent": [{"set": {"none": True}}]}
    return body


def _object(answer: Answer) -> dict[str, Any]:
    if not isinstance(answer.json, dict):
        raise Unavailable("Jira answered with something else than a JSON object")
    return answer.json


def _reading(issue: dict[str, Any], answer: Answer, *, properties: bool) -> Reading:
    snapshot: dict[str, Any] = {name: issue[name] for name in ("id", "key", "self", "fields") if name in issue}
    return Reading(
        entity_id=EntityId(str(issue.get("id"))),
        snapshot=snapshot,
        updated=shapes.updated_of(issue),
        server_date=answer.server_date,
        changelog=shapes.changelog_of(issue),
        correlation_key=_key_of(issue) if properties else None,
        correlation_read=properties,
    )


def _with_changelog(reading: Reading, changelog: tuple[ChangelogEntry, ...]) -> Reading:
    return Reading(
        reading.entity_id,
        reading.snapshot,
        reading.updated,
        reading.server_date,
        changelog,
        reading.correlation_key,
        reading.correlation_read,
    )


def _whole_changelog(issue: Mapping[str, Any]) -> bool:
    changelog = issue.get("changelog")
    if not isinstance(changelog, Mapping) or not isinstance(changelog.get("histories"), list):
        return False
    total = changelog.get("total")
    return not isinstance(total, int) or total <= len(changelog["histories"])


def _key_of(issue: Mapping[str, Any]) -> str | None:
    """Return the link id in the issue property `tandem`."""
    properties = issue.get("properties")
    value = properties.get(shapes.PROPERTY_KEY) if isinstance(properties, Mapping) else None
    link = value.get("link") if isinstance(value, Mapping) else None
    return link if isinstance(link, str) and link else None
