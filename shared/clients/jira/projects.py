"""How calls name a project, and whose an issue is: by the project's id, which never changes, as far as it is known;
else by its key, which a Jira administrator may change. Pure.

Jira's REST paths take either. A key begins with a letter (Atlassian, "Project details"), so the two are told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clients.jira.shapes import project_id_of, project_of
from shared.domain.mapping import Integration


def is_id(project: str) -> bool:
    """Tell whether a project is named by its id."""
    return project.isascii() and project.isdigit()


def in_project(project: str) -> str:
    """Return the clause of JQL for the issues of a project. A text in quotes is a key or a name first, so that an id
    goes without.
    """
    return f"project = {project if is_id(project) else quoted(project)}"


def project_field(project: str) -> dict[str, str]:
    """Return what names the project in the fields of a new issue."""
    return {"id" if is_id(project) else "key": project}


def quoted(text: str) -> str:
    """Return a string literal of JQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def covers(integration: Integration, issue: Mapping[str, Any]) -> bool:
    """Tell whether an issue is in the project of an integration, whatever its key is by now."""
    shown = project_id_of(issue)
    if shown is not None and integration.jira_project_id is not None:
        return shown == integration.jira_project_id
    return project_of(issue) == integration.jira_project
