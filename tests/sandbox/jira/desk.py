"""A desk to test the stand-in Jira from: a clock to turn and short calls. Used by the tests of this folder only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.jira.accounts import credentials
from sandbox.jira.site import ADA_EMAIL, SYNC_EMAIL, SYNC_TOKEN, JiraSite
from sandbox.kit.site import SiteRequest, SiteResponse

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class TestClock:
    """A clock that stands until it is turned."""

    __test__ = False
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Reply:
    """An answer of the site, its JSON parsed."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    json: Any


@dataclass
class Desk:
    """Calls one site as one account."""

    site: JiraSite
    clock: TestClock
    email: str = SYNC_EMAIL
    token: str = SYNC_TOKEN
    api: int = 3
    seen: list[tuple[SiteRequest, SiteResponse]] = field(default_factory=list)

    def headers(self) -> dict[str, str]:
        return {"authorization": credentials(self.email, self.token)} if self.email else {}

    def call(self, method: str, path: str, body: object = None, *, api: int | None = None, **query: object) -> Reply:
        full = path if path.startswith("/rest/") else f"/rest/api/{api or self.api}{path}"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = SiteRequest(method, full, tuple((k, str(v)) for k, v in query.items()), self.headers(), raw)
        response = self.site.handle(request)
        self.seen.append((request, response))
        is_json = response.body and "json" in response.headers.get("content-type", "")
        return Reply(response.status, response.headers, response.body, json.loads(response.body) if is_json else None)

    def get(self, path: str, *, api: int | None = None, **query: object) -> Reply:
        return self.call("GET", path, api=api, **query)

    def post(self, path: str, body: object = None, *, api: int | None = None, **query: object) -> Reply:
        return self.call("POST", path, body, api=api, **query)

    def put(self, path: str, body: object = None, *, api: int | None = None, **query: object) -> Reply:
        return self.call("PUT", path, body, api=api, **query)

    def delete(self, path: str, *, api: int | None = None, **query: object) -> Reply:
        return self.call("DELETE", path, api=api, **query)

    def create(self, summary: str = "Something", *, type: str = "Task", **fields: Any) -> str:  # noqa: A002
        """Create an issue in APP and return its id."""
        reply = self.post("/issue", {"fields": fields_of(summary, type=type, **fields)})
        assert reply.status == 201, reply
        return str(reply.json["id"])

    def field(self, name: str) -> str:
        return self.site.field_id(name)

    def as_ada(self) -> Desk:
        return Desk(self.site, self.clock, ADA_EMAIL, "ada-token")

    def anonymous(self) -> Desk:
        return Desk(self.site, self.clock, "", "")

    def found(self, jql: str, **body: object) -> list[str]:
        """Return the ids that a search finds."""
        reply = self.post("/search/jql", {"jql": jql, **body})
        assert reply.status == 200, reply.json
        return [one["id"] for one in reply.json["issues"]]


def fields_of(summary: str, *, type: str = "Task", project: str = "APP", **fields: Any) -> dict[str, object]:  # noqa: A002
    return {"project": {"key": project}, "issuetype": {"name": type}, "summary": summary, **fields}


def text(*lines: str) -> dict[str, object]:
    """Return an ADF document with a paragraph for each line."""
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines],
    }
