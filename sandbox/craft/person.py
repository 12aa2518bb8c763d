"""A person at work in Craft.io: thin wrappers that build the requests which the web application would send.

Called by tests, the demo and the simulation. Goes through `CraftSite.handle` like everybody else, with one difference:
the web application can empty any property but the title (header `x-craft-client: web`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.kit.router import to_json
from sandbox.kit.site import SiteRequest

if TYPE_CHECKING:
    from sandbox.craft.model import Workspace
    from sandbox.craft.site import CraftSite

WEB_HEADER = "x-craft-client"


class RefusedError(Exception):
    """Craft.io did not do what a person asked for."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body.decode()}")
        self.status = status


class CraftPerson:
    """One person, known by an API key. All methods raise `RefusedError` unless the site answers 200."""

    def __init__(self, site: CraftSite, key: str) -> None:
        self._site = site
        self._key = key

    def create_item(self, **properties: Any) -> dict[str, Any]:
        """Create an item and return it. `type` and `title` are needed; the rest is as in `edit`.

        `workspaceId` is the first workspace unless given, `parent` none.
        """
        workspace = self._site.workspace(properties.get("workspaceId"))
        body = {"workspaceId": workspace.id, "parent": None, **_body(properties, workspace)}
        return self._send("POST", "/item", body)

    def edit(self, item_id: str, **properties: Any) -> dict[str, Any]:
        """Set properties of an item and return it.

        Names are those of the API. `parent`, `status` and `importance` may be ids, the latter two also names; a dict in
        `customFields` maps names of fields to values, for a dropdown to the label of the option. None empties.
        `type` converts the item; `dependencies` are all it has, `[{id, value}]`, and stand on the other items too.
        """
        found = self._site.item_record(item_id)
        workspace = self._site.workspace(found.workspace_id if found else None)
        return self._send("PUT", "/item", {"id": item_id, **_body(properties, workspace)})

    def delete(self, item_id: str) -> None:
        """Delete an item, and with it the items below it."""
        self._send("DELETE", f"/item/{item_id}", None)

    def read(self, item_id: str) -> dict[str, Any]:
        """Return an item with all its fields."""
        return self._send("GET", f"/item/{item_id}", None)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        request = SiteRequest(
            method=method,
            path=path,
            query=(("fields", "all"),) if method == "GET" else (),
            headers={"x-api-key": self._key, WEB_HEADER: "web", "content-type": "application/json"},
            body=b"" if body is None else to_json(body),
        )
        answer = self._site.handle(request)
        if answer.status != 200:
            raise RefusedError(answer.status, answer.body)
        parsed: dict[str, Any] = json.loads(answer.body)
        return parsed


def _body(properties: dict[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Return the properties in the API's shapes."""
    body = dict(properties)
    for name, entities in (("status", workspace.statuses), ("importance", workspace.importances)):
        value = body.get(name)
        if isinstance(value, str):
            body[name] = {"id": next((entity.id for entity in entities if entity.name == value), value)}
    if isinstance(body.get("parent"), str):
        body["parent"] = {"id": body["parent"]}
    custom = body.get("customFields")
    if isinstance(custom, dict):
        body["customFields"] = [_custom(workspace, name, value) for name, value in custom.items()]
    return body


def _custom(workspace: Workspace, name: str, value: Any) -> dict[str, Any]:
    field = workspace.custom_field(name)
    if value is None:
        return {"id": field.id, "values" if field.type == "multi_select" else "value": None}
    if field.type == "multi_select":
        return {"id": field.id, "values": [field.option_id(each) for each in value]}
    if field.type == "checkbox":
        return {"id": field.id, "value": "true" if value else "false"}
    return {"id": field.id, "value": field.option_id(value) if field.type == "dropdown" else str(value)}
