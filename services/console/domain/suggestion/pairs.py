"""Proposes field pairs: which field of one side is which of the other, by name, synonym, schema and type. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from services.console.domain.fits import Fit, craft_fits, jira_fits
from services.console.domain.suggestion.names import EXACT, alike
from services.console.domain.validation.fields import is_read_only
from services.console.domain.validation.screens import can_be_filled
from services.console.domain.validation.subject import Subject
from shared.domain.kinds import IN_STEPS
from shared.domain.mapping import FieldKind
from shared.metadata.craft import CUSTOM_PREFIX, PROPERTIES, Holds
from shared.metadata.jira import JiraField, Screen

_ENOUGH: Final = 0.6
"""Two fields are proposed from so much likeness on."""

_BY_SCHEMA: Final = {
    "storyPoints": frozenset({"jsw-story-points"}),
    "sprint": frozenset({"gh-sprint"}),
    "parent": frozenset({"gh-epic-link"}),
}
"""Custom field types that say by themselves what a field is, whatever it is called."""
_FIXED: Final = {
    "title": "summary",
    "description": "description",
    "parent": "parent",
    "status": "status",
    "type": "issuetype",
    "importance": "priority",
    "labels": "labels",
    "assignee": "assignee",
    "quarter": "fixVersions",
    "actualEndDate": "duedate",
    "dependencies": "issuelinks",
}
"""Properties of Craft.io with the system field of Jira that holds the same on every site."""


class Candidate(NamedTuple):
    """Two fields that may hold the same."""

    score: float
    jira: JiraField
    craft: str
    craft_name: str
    jira_fit: Fit
    craft_fit: Fit
    reason: str


def candidates(subject: Subject, taken: str | None) -> list[Candidate]:
    """Return what is alike enough and fits, in the order of Craft.io's fields; each field is in one at most.

    The best go first where several want the same field. `taken` is a custom field that is used otherwise.
    """
    order = {name: number for number, (name, _, _) in enumerate(_craft_fields(subject, taken))}
    found = sorted(
        (
            one
            for name, label, holds in _craft_fields(subject, taken)
            for field in _jira_fields(subject)
            if (one := _candidate(field, name, label, holds)) is not None
        ),
        key=lambda one: (-one.score, -_screens_with(subject, one.jira.id), one.craft_name, one.jira.name),
    )
    used: set[str] = set()
    chosen = []
    for one in found:
        if one.jira.id not in used and one.craft not in used:
            used |= {one.jira.id, one.craft}
            chosen.append(one)
    return sorted(chosen, key=lambda one: order[one.craft])


def _craft_fields(subject: Subject, taken: str | None) -> Iterator[tuple[str, str, Holds]]:
    for known in PROPERTIES.values():
        if known.holds in (Holds.TYPE, Holds.LINKS) or (known.writable and known.holds is not Holds.OTHER):
            yield known.id, known.name, known.holds
    for field in subject.craft.fields.values():
        if field.id != taken and field.holds is not Holds.UNKNOWN:
            yield CUSTOM_PREFIX + field.id, field.name, field.holds


def _jira_fields(subject: Subject) -> Iterator[JiraField]:
    """Yield the fields that can be written in this project, and the status."""
    for field in subject.jira.fields.values():
        fits = jira_fits(field.schema) or ()
        kind = fits[0].kind if fits else FieldKind.STRING
        if kind in IN_STEPS or (not is_read_only(subject, field.id) and can_be_filled(subject, field.id, kind)):
            yield field


def _screens_with(subject: Subject, field_id: str) -> int:
    screens: list[Screen] = [
        each for one in subject.jira_types() for each in (one.create, one.edit) if each is not None
    ]
    return sum(field_id in screen for screen in screens)


def _candidate(field: JiraField, craft: str, craft_name: str, holds: Holds) -> Candidate | None:
    score, reason = _likeness(field, craft, craft_name)
    fits = _common(jira_fits(field.schema) or (), craft_fits(craft, holds) or ())
    if score < _ENOUGH or fits is None:
        return None
    return Candidate(score, field, craft, craft_name, *fits, reason)


def _likeness(field: JiraField, craft: str, craft_name: str) -> tuple[float, str]:
    if _FIXED.get(craft) == field.id:
        return EXACT, "The standard field for it in both tools."
    kind = field.schema.custom_kind if field.schema is not None else ""
    if kind in _BY_SCHEMA.get(craft, ()):
        return 0.95, "Jira's own type of that field says so."
    score = alike(field.name, craft_name)
    if score == EXACT:
        return 0.95, "Same name and a type that fits."
    return score * 0.95, "Similar names and types that fit."


def _common(jira: tuple[Fit, ...], craft: tuple[Fit, ...]) -> tuple[Fit, Fit] | None:
    """Return the first kind of pair that both fields can be part of; formatted text goes before plain."""
    return next(((one, other) for one in jira for other in craft if one.kind is other.kind), None)
