"""What people call the fields of a mapping. Kept in it when it is saved: services that only see items do not know it.

Pure.
"""

from __future__ import annotations

from services.console.domain.drafts import IntegrationDraft
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
