"""Checks against Jira's create and edit screens: what is on them, and what they require. Pure.

A screen that is not known (no permission to create; no issue of the type yet) is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Literal, TypeAlias

from services.console.domain.validation.fields import is_read_only
from services.console.domain.validation.finding import Finding, error, warning
from services.console.domain.validation.subject import Subject, listed, quoted
from shared.domain.ids import Side
from shared.domain.kinds import IN_STEPS
from shared.domain.mapping import Direction, FieldKind, FieldPair
from shared.metadata.jira import JiraType, Screen

_What: TypeAlias = Literal["create", "edit"]
_SCREENS: Final[tuple[_What, ...]] = ("create", "edit")
_GIVEN: Final = frozenset({"project", "issuetype"})
"""What a create always says."""


def not_on_create_screen(subject: Subject) -> Iterator[Finding]:
    """A field that is not on the create screen makes Jira refuse the new issue."""
    if not subject.creates_on(Side.JIRA):
        return
    for path, pair in subject.pairs():
        if subject.fills(pair, Side.JIRA):
            yield from _not_on(subject, path, pair, "create")


def not_on_edit_screen(subject: Subject) -> Iterator[Finding]:
    """A field that is not on the edit screen makes Jira refuse the edit."""
    for path, pair in subject.pairs():
        if pair.direction is not Direction.ONCE and subject.fills(pair, Side.JIRA):
            yield from _not_on(subject, path, pair, "edit")


def can_be_filled(subject: Subject, field_id: str, kind: FieldKind) -> bool:
    """Tell whether a field is on some create and some edit screen of the mapped types, as far as these are known."""
    for what in _SCREENS if kind is not FieldKind.PARENT else ():
        asked = _asked(subject, field_id, kind, what)
        if asked and not any(field_id in screen for _, screen in asked):
            return False
    return True


def _asked(subject: Subject, field_id: str, kind: FieldKind, what: _What) -> list[tuple[JiraType, Screen]]:
    """Return the known screens that a field is needed on, each with its type."""
    types = subject.created_types() if what == "create" else subject.jira_types()
    shown = [(one, one.create if what == "create" else one.edit) for one in types]
    return [(one, screen) for one, screen in shown if screen is not None and _applies(subject, field_id, kind, one)]


def _not_on(subject: Subject, path: str, pair: FieldPair, what: _What) -> Iterator[Finding]:
    if pair.kind in IN_STEPS or not subject.has_jira_field(pair.jira) or is_read_only(subject, pair.jira):
        return
    asked = _asked(subject, pair.jira, pair.kind, what)
    without = [(one, screen) for one, screen in asked if pair.jira not in screen]
    if not without:
        return
    nowhere = len(without) == len(asked)
    names = listed(quoted(one.name) for one, _ in without)
    instead = _same_sort(subject, pair, [screen for _, screen in without])
    # who may be moved under what is not always said by the screens, so that a parent is never certainly wrong
    make = error if nowhere and pair.kind is not FieldKind.PARENT else warning
    yield make(
        f"not_on_{what}_screen",
        f"{path}.jira",
        f"{subject.jira_name(pair.jira)} is not on the {what} screen of {names} in the project "
        f"{subject.project_name()}. Jira refuses to {'fill it in a new issue' if what == 'create' else 'change it'}"
        f"{'' if nowhere else ' there; the other types have it'}.",
        f"Put the field on the {what} screen in Jira (Project settings > Screens)"
        + (f", or map {instead}, which is on it." if instead else ", or carry this pair to Craft.io only."),
    )


def _applies(subject: Subject, field_id: str, kind: FieldKind, one: JiraType) -> bool:
    """Tell whether a type needs the field: the topmost mapped types have no parent to set."""
    if kind is not FieldKind.PARENT:
        return True
    ranks = [each.rank for each in subject.jira_types() if each.rank is not None]
    if one.subtask and field_id != "parent":
        # Epic Link of Data Center is no field of sub-tasks
        return False
    return bool(ranks) and one.rank is not None and one.rank < max(ranks)


def _same_sort(subject: Subject, pair: FieldPair, screens: Collection[Screen]) -> str | None:
    """Return a field of the same type and a similar name that is on the screens where this one is missing.

    Many sites have both Story Points and Story point estimate, each on some screens.
    """
    own = subject.jira.fields[pair.jira]
    for other in subject.jira.fields.values():
        alike = own.schema is not None and other.schema is not None and own.schema.type == other.schema.type
        named_alike = own.name.casefold().split()[:1] == other.name.casefold().split()[:1]
        on_screens = all(other.id in screen for screen in screens)
        if other.id != own.id and alike and named_alike and on_screens:
            return subject.jira_name(other.id)
    return None


def required_without_source(subject: Subject) -> Iterator[Finding]:
    """A field that Jira requires of a new issue has to come from somewhere."""
    if not subject.creates_on(Side.JIRA):
        return
    filled = {pair.jira for _, pair in subject.pairs() if subject.fills(pair, Side.JIRA)}
    lacking: dict[str, list[JiraType]] = {}
    names: dict[str, str] = {}
    for one in subject.created_types():
        for field_id, field in (one.create or {}).items():
            if field.required and not field.has_default and field_id not in filled | _GIVEN:
                lacking.setdefault(field_id, []).append(one)
                names[field_id] = field.name
    for field_id, types in lacking.items():
        if field_id == "summary":
            # said in other words by `no_title_pair`
            continue
        yield error(
            "required_without_source",
            "pairs",
            f"Jira requires {quoted(names[field_id])} of each new {listed(quoted(one.name) for one in types)}, and no "
            "pair fills it. No such issue could be created.",
            f"Map a field of Craft.io to {quoted(names[field_id])}, or make it optional or give it a default in Jira.",
        )
