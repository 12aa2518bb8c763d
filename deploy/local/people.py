"""People at work in the stand-ins over HTTP, for the demo and the end-to-end tests: they use the vendors' own
interfaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from deploy.local.processes import LocalStackError
from sandbox.craft.person import WEB_HEADER


class JiraPerson:
    """Somebody who works in Jira (REST v2, so that descriptions are strings)."""

    def __init__(self, place: Mapping[str, Any], http: aiohttp.ClientSession) -> None:
        self._url = place["url"]
        self._project = place["project"]
        self._headers = {"authorization": self._login(place["people"][0])}
        self._http = http

    def _login(self, person: Mapping[str, Any]) -> str:
        return aiohttp.encode_basic_auth(person["email"], person["token"])

    async def call(self, method: str, path: str, body: object = None, *, api: int = 2) -> Any:
        """Return the JSON answer of `/rest/api/{api}{path}`; in 3, documents are ADF. Raises LocalStackError when Jira
        refuses.
        """
        async with self._http.request(
            method, f"{self._url}/rest/api/{api}{path}", json=body, headers=self._headers
        ) as answer:
            if answer.status >= 400:
                raise LocalStackError(f"Jira {method} {path}: {answer.status} {await answer.text()}")
            return await answer.json() if answer.status != 204 else None

    async def create(self, kind: str, summary: str, *, parent: str | None = None, **fields: object) -> str:
        """Create an issue, below the one of the id `parent` if one is given, and return its id."""
        shown = {"project": {"key": self._project}, "issuetype": {"name": kind}, "summary": summary, **fields}
        above = await self._above(kind, parent) if parent is not None else {}
        made = await self.call("POST", "/issue", {"fields": {**shown, **await self._needed(kind, summary), **above}})
        return str(made["id"])

    async def move(self, issue: str, epic: str) -> None:
        """Put a story below another epic."""
        await self.edit(issue, **await self._above("Story", epic))

    async def _above(self, kind: str, parent: str) -> dict[str, object]:
        """Return the fields that put an issue below another one."""
        del kind
        return {"parent": {"id": parent}}

    async def _needed(self, kind: str, summary: str) -> dict[str, object]:
        """Return what else an issue needs when it is created."""
        del kind, summary
        return {}

    async def edit(self, issue: str, **fields: object) -> None:
        """Set fields of an issue."""
        await self.call("PUT", f"/issue/{issue}", {"fields": fields})

    async def convert(self, issue: str, kind: str) -> str:
        """Make another type of an issue, by name, and return that type's id."""
        await self.edit(issue, issuetype={"name": kind})
        return str((await self.fields(issue))["issuetype"]["id"])

    async def transition(self, issue: str, status: str) -> None:
        """Take the transition that leads to a status from here."""
        found = await self.call("GET", f"/issue/{issue}/transitions")
        step = next(t for t in found["transitions"] if t["to"]["name"] == status)
        await self.call("POST", f"/issue/{issue}/transitions", {"transition": {"id": step["id"]}})

    async def fields(self, issue: str) -> dict[str, Any]:
        """Return the fields of an issue."""
        found = await self.call("GET", f"/issue/{issue}")
        fields: dict[str, Any] = found["fields"]
        return fields


class DataCenterPerson(JiraPerson):
    """Somebody who works in a Data Center, where stories hang below epics by the key in Epic Link."""

    def _login(self, person: Mapping[str, Any]) -> str:
        return f"Bearer {person['token']}"

    async def _above(self, kind: str, parent: str) -> dict[str, object]:
        if kind == "Sub-task":
            return await super()._above(kind, parent)
        return {await self._field("Epic Link"): (await self.call("GET", f"/issue/{parent}"))["key"]}

    async def _needed(self, kind: str, summary: str) -> dict[str, object]:
        return {await self._field("Epic Name"): summary} if kind == "Epic" else {}

    async def _field(self, name: str) -> str:
        return next(str(field["id"]) for field in await self.call("GET", "/field") if field["name"] == name)


def jira_person(place: Mapping[str, Any], http: aiohttp.ClientSession) -> JiraPerson:
    """Return somebody who works in the stand-in of Jira, whichever edition it is."""
    return (DataCenterPerson if place["edition"] == "data-center" else JiraPerson)(place, http)


class CraftPerson:
    """Somebody who works in Craft.io."""

    def __init__(self, place: Mapping[str, Any], http: aiohttp.ClientSession) -> None:
        self._url = place["url"]
        self._workspace = place["workspace_id"]
        self._headers = {"x-api-key": place["people"][0]["api_key"]}
        self._http = http

    async def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the JSON answer. Raises LocalStackError when Craft.io refuses."""
        sent = {**self._headers, **(headers or {})}
        async with self._http.request(method, self._url + path, json=body, headers=sent) as answer:
            if answer.status >= 400:
                raise LocalStackError(f"Craft.io {method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def create(self, kind: str, title: str, parent: str | None, **properties: object) -> str:
        """Create an item and return its id."""
        body = {
            "type": kind,
            "workspaceId": self._workspace,
            "title": title,
            "parent": {"id": parent} if parent else None,
        }
        made = await self.call("POST", "/item", {**body, **properties})
        return str(made["id"])

    async def edit(self, item: str, **properties: object) -> None:
        """Set properties of an item."""
        await self.call("PUT", "/item", {"id": item, **properties})

    async def convert(self, item: str, kind: str) -> None:
        """Make another type of an item, as a person does in the web application: over the API nobody can."""
        await self.call("PUT", "/item", {"id": item, "type": kind}, headers={WEB_HEADER: "web"})

    async def items(self) -> dict[str, dict[str, Any]]:
        """Return all items of the workspace by id."""
        found: dict[str, dict[str, Any]] = {}
        page = 1
        while True:
            answer = await self.call("GET", f"/workspace/{self._workspace}/items?fields=all&limit=100&page={page}")
            found.update({item["id"]: item for item in answer["items"]})
            if page >= answer["metadata"]["totalPages"]:
                return found
            page += 1
