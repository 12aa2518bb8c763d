"""What people call the fields of a mapping, and the id and present key of its project. Kept in it when it is saved:
services that only see items do not know it.

Pure.
"""

from __future__ import annotations

from services.console.domain.drafts import IntegrationDraft
from shared.domain.mapping import Integration
from shared.metadata.craft import CUSTOM_PREFIX, PROPERTIES, CraftMetadata
from shared.metadata.jira import JiraMetadata


def with_field_names(draft: IntegrationDraft, jira: JiraMetadata, craft: CraftMetadata) -> IntegrationDraft:
    """Return a draft whose pairs name their fields as both sides do now."""

    def jira_name(field_id: str) -> str | None:
        known = jira.fields.get(field_id)
        return known.name if known is not None else None

    def craft_name(name: str) -> str | None:
        own = name.startswith(CUSTOM_PREFIX)
        known = craft.fields.get(name.removeprefix(CUSTOM_PREFIX)) if own else PROPERTIES.get(name)
        return known.name if known is not None else None

    named = [
        pair.model_copy(update={"jira_name": jira_name(pair.jira), "craft_name": craft_name(pair.craft)})
        for pair in draft.pairs
    ]
    return draft.model_copy(update={"pairs": tuple(named)})


def with_project(draft: IntegrationDraft, jira: JiraMetadata) -> IntegrationDraft:
    """Return a draft that knows its project as Jira does now: by its id, by the key that it has by now, and which of
    its types are sub-tasks.
    """
    subtasks = tuple(sorted(each.id for each in jira.types if each.subtask))
    known = {"jira_project": jira.key or draft.jira_project, "jira_project_id": jira.id or None}
    return draft.model_copy(update={**known, "jira_subtasks": subtasks})


def with_project_as_before(draft: IntegrationDraft, old: Integration | None) -> IntegrationDraft:
    """Return a draft with what was found out of its project before, if it is of the same one still: nobody enters
    that.
    """
    same = old is not None and (old.jira_connection, old.jira_project) == (draft.jira_connection, draft.jira_project)
    found = (old.jira_project_id, old.jira_subtasks) if old is not None and same else (None, ())
    return draft.model_copy(update=dict(zip(("jira_project_id", "jira_subtasks"), found, strict=True)))
