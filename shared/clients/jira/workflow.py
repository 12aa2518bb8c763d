"""Transitions of an issue: which ones its status offers now, and making one. Status is not a field that an edit sets.

Used by jira_writer. Every call raises `shared.clients.errors.VendorError`. Cloud and Data Center alike (REST v2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clients.http import Call, Guard, VendorHttp
from shared.clients.jira import shapes
from shared.domain.ids import EntityId, OperationId


class JiraWorkflow:
    """The transitions of the issues of one connection."""

    def __init__(self, http: VendorHttp, timeout_s: float) -> None:
        self._http = http
        self._timeout_s = timeout_s

    async def offered(self, issue_id: EntityId) -> tuple[shapes.Transition, ...]:
        """Return the transitions that the issue's present status offers to our account; what is not allowed is not
        listed.
        """
        query = (("expand", "transitions.fields"),)
        call = Call("GET", _path(issue_id), "transitions", query, item=issue_id, timeout_s=self._timeout_s)
        return shapes.transitions_of((await self._http.send(call)).json)

    async def status(self, status: str) -> tuple[str, str | None] | None:
        """Return name and category of a status of the site, None if there is none of that id that we may see."""
        listed = (await self._http.send(Call("GET", "/rest/api/2/status", "statuses", timeout_s=self._timeout_s))).json
        known = (each for each in listed if isinstance(each, Mapping)) if isinstance(listed, list) else ()
        found = next((each for each in known if str(each.get("id")) == status), None)
        return None if found is None else (str(found.get("name")), shapes.category_of(found))

    async def make(
        self,
        issue_id: EntityId,
        transition_id: str,
        fields: Mapping[str, Any],
        op_id: OperationId,
        guard: Guard | None = None,
    ) -> None:
        """Make one transition, with values for fields of its screen; it names `op_id` in the changelog.

        Without effect unless the issue is still in the status that offered it: 400 otherwise (`Rejected`).
        """
        body: dict[str, Any] = {
            "transition": {"id": transition_id},
            "historyMetadata": {"type": shapes.HISTORY_TYPE, "extraData": {"op": op_id}},
        }
        if fields:
            body["fields"] = dict(fields)
        call = Call("POST", _path(issue_id), "transition", (), body, item=issue_id, timeout_s=self._timeout_s)
        await self._http.send(call, guard)


def _path(issue_id: EntityId) -> str:
    return f"/rest/api/2/issue/{issue_id}/transitions"
