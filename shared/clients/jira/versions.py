"""Versions of a project: which there are, and creating one. Used by jira_writer; Cloud and Data Center alike (REST v2).

Every call raises `shared.clients.errors.VendorError`. Source: Atlassian, "Get project" and "Create version".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.clients.http import Call, Guard, VendorHttp


@dataclass(frozen=True, slots=True)
class ProjectVersions:
    """The id of a project, and the names of its versions, archived ones too."""

    project_id: str
    names: frozenset[str]


class JiraVersions:
    """The versions of the projects of one connection."""

    def __init__(self, http: VendorHttp, timeout_s: float) -> None:
        self._http = http
        self._timeout_s = timeout_s

    async def of(self, project: str) -> ProjectVersions:
        """Return the versions that a project has now."""
        path = f"/rest/api/2/project/{quote(project, safe='')}"
        answer = (await self._http.send(Call("GET", path, "project", timeout_s=self._timeout_s))).json
        about: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
        rows = about.get("versions")
        named = (each.get("name") for each in (rows if isinstance(rows, list) else ()) if isinstance(each, Mapping))
        return ProjectVersions(str(about.get("id") or ""), frozenset(name for name in named if isinstance(name, str)))

    async def create(self, project_id: str, name: str, guard: Guard | None = None) -> None:
        """Create a version. A name that the project has already is refused (`Rejected`), so that a repeat is harmless.

        Needs the permission Administer Projects; without it Jira answers 404 (or, Data Center, 403).
        """
        wanted = {"name": name, "projectId": int(project_id) if project_id.isdigit() else project_id}
        call = Call("POST", "/rest/api/2/version", "version", (), wanted, timeout_s=self._timeout_s)
        await self._http.send(call, guard)
