"""Checks a draft of a mapping against what both sides consist of, before it is saved. Pure.

One small function per check, by subject: `access` (accounts, root, key field), `types`, `fields`,
`expressions`, `screens`, `values`, `takes`; `neighbours` for the other integrations.
Called by the console when a mapping is saved, checked or suggested. docs/misconfigurations.md shows what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from services.console.domain.validation import access, expressions, fields, screens, takes, types, values
from services.console.domain.validation.finding import Finding, Severity
from services.console.domain.validation.subject import Subject
from shared.domain.mapping import Integration
from shared.metadata.craft import CraftMetadata
from shared.metadata.jira import JiraMetadata

Check = Callable[[Subject], Iterator[Finding]]

GATES: Final[tuple[Check, ...]] = (access.project_not_visible, access.workspace_not_visible)
"""Where one of these finds something, nothing else could be said."""

CHECKS: Final[tuple[Check, ...]] = (
    access.project_key_differs,
    access.permission_missing,
    access.linking_off,
    access.native_integration_writes,
    access.craft_root_missing,
    access.key_field_wrong,
    types.no_type_mapped,
    types.jira_type_missing,
    types.craft_type_missing,
    types.initiative_not_synced,
    types.story_becomes_subtask,
    types.hierarchy_upside_down,
    types.hierarchy_flattened,
    types.hierarchy_level_skipped,
    types.subtask_parent_not_mapped,
    types.types_share_one,
    types.no_parent_pair,
    fields.pair_id_twice,
    fields.jira_field_missing,
    fields.craft_field_missing,
    fields.kind_does_not_fit,
    fields.field_type_unknown,
    fields.craft_read_only,
    fields.jira_read_only,
    fields.written_twice,
    fields.no_title_pair,
    fields.nothing_is_created,
    fields.text_may_be_cut,
    fields.cannot_be_emptied,
    fields.formatting_lost,
    fields.transition_field_missing,
    expressions.expression_fails,
    screens.not_on_create_screen,
    screens.not_on_edit_screen,
    screens.required_without_source,
    values.value_map_missing,
    values.value_map_hole,
    values.value_gone,
    values.value_impossible,
    values.value_way_back,
    values.values_unknown,
    values.status_not_reachable,
    values.people_without_table,
    takes.takes_field_missing,
    takes.takes_value_unknown,
)

_ORDER: Final = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(draft: Integration, jira: JiraMetadata, craft: CraftMetadata) -> tuple[Finding, ...]:
    """Return everything that is to be said of a draft: first what keeps it from being saved, then warnings, then notes.

    Takes drafts that break the rules of `Integration` between its pairs, too: that is among what is found.
    """
    subject = Subject(draft, jira, craft)
    found = [finding for gate in GATES for finding in gate(subject)]
    if not found:
        found = [finding for one in CHECKS for finding in one(subject)]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))


__all__ = ["CHECKS", "GATES", "Check", "Finding", "Severity", "check"]
