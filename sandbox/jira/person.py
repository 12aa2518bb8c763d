"""Someone who works in Jira, for tests, the demo and the simulation: thin wrappers that send requests as that account.

Made by `JiraSite.person`. Uses REST v2, so that descriptions are plain strings. Fields are named by id (`duedate`) or
by their display name in lower case with underscores (`story_points`, `start_date`, `customer_reference`, `squad`).
A `parent` is told by its id, whatever field the edition holds it in.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from sandbox.jira import catalog
from sandbox.jira.accounts import bearer, credentials
from sandbox.jira.model import Account, FieldDef, JsonObject, Kind
from sandbox.jira.workflow import route
from sandbox.jira.world import World
from sandbox.kit.site import SiteRequest, SiteResponse


class PersonRefused(Exception):  # the site's answer, told to the caller
    """The site refused what a person wanted to do."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body.decode(errors='replace')}")
        self.status = status
        self.body = body


class Person:
    """One account at work. Every method raises PersonRefused when the site refuses."""

    def __init__(
        self, world: World, account: Account, token: str, handle: Callable[[SiteRequest], SiteResponse]
    ) -> None:
        self.account = account
        self._world = world
        self._handle = handle
        self._headers = {
            "authorization": bearer(token) if world.edition.personal_tokens else credentials(account.email, token),
            "content-type": "application/json",
            "accept": "application/json",
        }

    def create_issue(self, project: str, summary: str, *, type: str = "Task", **fields: object) -> str:  # noqa: A002  # Jira's word
        """Create an issue and return its id."""
        parent = fields.pop("parent", None)
        shown: JsonObject = {
            **self._fields(fields),
            **self._epic(summary, type, fields),
            **(self._above(parent, type) if parent is not None else {}),
            "project": {"key": project},
            "issuetype": {"name": type},
            "summary": summary,
        }
        made = self.send("POST", "/issue", {"fields": shown})
        return str(made["id"])

    def edit(self, issue: str, **fields: object) -> None:
        """Set fields of an issue; None empties one. Setting a field to what it holds leaves no trace."""
        parent = fields.pop("parent", ...)
        shown = self._fields(fields)
        body: JsonObject = {"fields": shown}
        if parent is None and self._world.epic_link is None:
            body["update"] = {"parent": [{"set": {"none": True}}]}
        elif parent is not ...:
            kind = catalog.TYPES[str(self._world.issue(issue, self.account).values["issuetype"])].name
            shown |= self._above(parent, kind)
        self.send("PUT", f"/issue/{issue}", body)

    def transition(self, issue: str, status: str) -> None:
        """Bring an issue into a status by its name, over as many transitions as the workflow needs."""
        found = self._world.issue(issue, self.account)
        project = self._world.projects[str(found.values["project"])]
        goal = next(one.id for one in catalog.STATUSES.values() if one.name == status)
        for step in route(project, str(found.values["status"]), goal):
            self.send("POST", f"/issue/{issue}/transitions", {"transition": {"id": step.id}})

    def delete(self, issue: str) -> None:
        """Delete an issue with its sub-tasks."""
        self.send("DELETE", f"/issue/{issue}", query={"deleteSubtasks": "true"})

    def comment(self, issue: str, text: str) -> str:
        """Comment on an issue and return the comment's id."""
        return str(self.send("POST", f"/issue/{issue}/comment", {"body": text})["id"])

    def read(self, issue: str) -> JsonObject:
        """Return an issue as REST v2 shows it to this person, with its changelog."""
        return self.send("GET", f"/issue/{issue}", query={"expand": "changelog"})

    def send(
        self, method: str, path: str, body: object = None, *, query: dict[str, str] | None = None, api: int = 2
    ) -> JsonObject:
        """Send one request below /rest/api/{api} and return the JSON object of the answer ({} when there is none)."""
        raw = b"" if body is None else json.dumps(body).encode()
        request = SiteRequest(method, f"/rest/api/{api}{path}", tuple((query or {}).items()), self._headers, raw)
        response = self._handle(request)
        if response.status >= 400:
            raise PersonRefused(response.status, response.body)
        data: object = json.loads(response.body) if response.body else {}
        return data if isinstance(data, dict) else {"values": data}

    def _above(self, parent: object, kind: str) -> JsonObject:
        """Return what puts an issue below another one: Epic Link where the edition has it, but for sub-tasks."""
        link = self._world.epic_link
        if parent is None:
            return {link.id: None} if link and kind != catalog.SUBTASK.name else {}
        if link is None or kind == catalog.SUBTASK.name:
            return {"parent": {"id": parent}}
        return {link.id: self._world.issue(str(parent), self.account).values["key"]}

    def _epic(self, summary: str, kind: str, fields: dict[str, object]) -> JsonObject:
        """Return the name of a new epic, where the edition asks for one."""
        if self._world.epic_link is None or kind != catalog.EPIC.name or "epic_name" in fields:
            return {}
        return {_by_name(self._world, "epic_name").id: summary}

    def _fields(self, fields: dict[str, object]) -> JsonObject:
        return dict(self._field(name, value) for name, value in fields.items())

    def _field(self, name: str, value: object) -> tuple[str, object]:
        known = self._world.fields.get(name) or _by_name(self._world, name)
        if value is None:
            return known.id, None
        match known.kind:
            case Kind.PRIORITY | Kind.TYPE:
                return known.id, {"name": value}
            case Kind.OPTION:
                return known.id, {"value": value}
            case Kind.USER:
                found = self._world.account_by_email(str(value))
                named = self._world.edition.named_users
                return known.id, {"name": found.name} if named else {"accountId": found.account_id}
            case Kind.PARENT:
                return known.id, {"id": value}
            case Kind.MULTI:
                return known.id, [{"value": each} for each in _each(value)]
            case Kind.COMPONENTS | Kind.VERSIONS:
                return known.id, [{"name": each} for each in _each(value)]
            case Kind.CASCADE:
                top, *below = _each(value)
                return known.id, {"value": top, **({"child": {"value": below[0]}} if below else {})}
            case Kind.SPRINT:
                return known.id, next(int(one.id) for one in self._world.sprints.values() if one.name == value)
            case _:
                return known.id, list(value) if isinstance(value, tuple | set | frozenset) else value


def _each(value: object) -> list[object]:
    return list(value) if isinstance(value, tuple | list | set | frozenset) else [value]


def _by_name(world: World, name: str) -> FieldDef:
    for one in world.fields.values():
        if one.name.lower().replace(" ", "_") == name:
            return one
    raise KeyError(name)
