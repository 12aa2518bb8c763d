"""Links between issues: adding one and removing one. They are no part of an edit, and no changelog says who made them.

Used by jira_writer. Every call raises `shared.clients.errors.VendorError`. Cloud and Data Center alike (REST v2).
Source: Atlassian, "Create issue link" and "Delete issue link"; which end is which: docs/assumptions.md, J47.
"""

from __future__ import annotations

from shared.clients.errors import NotFound
from shared.clients.http import Call, Guard, VendorHttp
from shared.domain.ids import EntityId

_PATH = "/rest/api/2/issueLink"


class JiraLinks:
    """The issue links of one connection."""

    def __init__(self, http: VendorHttp, timeout_s: float) -> None:
        self._http = http
        self._timeout_s = timeout_s

    async def add(self, type_id: str, source: EntityId, target: EntityId, guard: Guard | None = None) -> None:
        """Link two issues: `source` shows the type's outward words ("blocks"), `target` its inward ones.

        Idempotent: Jira answers the same when they are linked so already. Needs the permission Link Issues.
        """
        wanted = {"type": {"id": type_id}, "inwardIssue": {"id": source}, "outwardIssue": {"id": target}}
        await self._http.send(Call("POST", _PATH, "issue_link", (), wanted, timeout_s=self._timeout_s), guard)

    async def remove(self, link_id: str, guard: Guard | None = None) -> None:
        """Remove a link by its id. Raises `NotFound` if there is none (any more), or our account may not remove it."""
        await self._http.send(Call("DELETE", f"{_PATH}/{link_id}", "issue_link", timeout_s=self._timeout_s), guard)

    async def exists(self, link_id: str) -> bool:
        """Tell whether a link is there, as far as our account may see."""
        try:
            await self._http.send(Call("GET", f"{_PATH}/{link_id}", "issue_link", timeout_s=self._timeout_s))
        except NotFound:
            return False
        return True
