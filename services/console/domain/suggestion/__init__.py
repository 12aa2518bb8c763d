"""Proposes a first mapping from what both sides consist of, so that nobody begins with an empty page. Pure.

Types by level and name, field pairs by name, synonym, schema and type, value maps by names, categories and order; each
with a reason, and what was left out with the reason why. Called by the console. What is proposed passes the check, or
the check's findings say what is missing (a field that Jira requires and Craft.io has not).
"""

from __future__ import annotations

import re
from typing import Final

from services.console.domain.fits import Fit
from services.console.domain.suggestion.model import Identities, LeftOut, Reason, Suggestion
from services.console.domain.suggestion.names import plain
from services.console.domain.suggestion.pairs import Candidate, candidates
from services.console.domain.suggestion.types import suggest_types
from services.console.domain.suggestion.values import Values, by_name, by_order, by_relation, by_status
from services.console.domain.validation import check
from services.console.domain.validation.subject import Subject, keyed
from shared.domain.ids import PairId, Side
from shared.domain.kinds import FieldKind, Shape, shapes_of
from shared.domain.mapping import Direction, FieldPair, Integration
from shared.metadata.choice import Choices
from shared.metadata.craft import CUSTOM_PREFIX, PROPERTIES, CraftMetadata, Holds
from shared.metadata.jira import JiraMetadata

_KEY_NAMES: Final = frozenset({"jira_key", "jira_id", "jira_link", "tandem", "tandem_key", "tandem_id", "sync_key"})
_BY_VALUES: Final = frozenset({FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.STATUS, FieldKind.LINKS})
_ONE_WAY: Final = {FieldKind.STATUS: Direction.TO_CRAFT, FieldKind.LINKS: Direction.TO_JIRA}


def suggest(jira: JiraMetadata, craft: CraftMetadata, identities: Identities) -> Suggestion:
    """Return a draft to start from, with reasons, with what was left out, and with what a check says of it.

    Both sides must be visible.
    """
    types, reasons, left_out = suggest_types(jira, craft)
    key = next((each for each in craft.fields.values() if _is_key(each.name, each.holds)), None)
    draft = Integration(
        id=identities.id,
        name=identities.name,
        jira_connection=identities.jira_connection,
        craft_connection=identities.craft_connection,
        jira_project=identities.jira_project,
        craft_workspace=identities.craft_workspace,
        craft_root=identities.craft_root,
        craft_key_field=key.id if key is not None else None,
        types=tuple(types),
        pairs=(),
    )
    if key is not None:
        words = f"Craft.io's {key.name} holds the key of items that are created."
        reasons.append(Reason(path="craft_key_field", what=words, confidence=0.8, reason="Its name says so."))
    subject = Subject(draft, jira, craft)
    pairs: list[FieldPair] = []
    found = candidates(subject, draft.craft_key_field)
    for each in found:
        pair, values = _pair(subject, each, {str(one.id) for one in pairs})
        if pair is None:
            left_out.append(_not_yet(each))
            continue
        confidence = round(each.score * (values.confidence if values is not None else 1.0), 2)
        words = f"{each.reason} {values.reason}" if values is not None else each.reason
        what = f"Jira's {each.jira.name}: Craft.io's {each.craft_name}"
        reasons.append(Reason(path=f"pairs[{len(pairs)}]", what=what, confidence=confidence, reason=words))
        pairs.append(pair)
    left_out += _unused(subject, {each.craft for each in found}, {each.jira.id for each in found})
    draft = draft.model_copy(update={"pairs": tuple(pairs)})
    return Suggestion(draft=draft, reasons=tuple(reasons), left_out=tuple(left_out), findings=check(draft, jira, craft))


def _is_key(name: str, holds: Holds) -> bool:
    return holds is Holds.LINE and plain(name) in _KEY_NAMES


def _pair(subject: Subject, each: Candidate, ids: set[str]) -> tuple[FieldPair | None, Values | None]:
    """Return the pair, with its value map if it needs one; None for people, and if there are no values to map."""
    kind = each.jira_fit.kind
    values: Values | None = None
    if kind is FieldKind.USER:
        return None, None
    if kind in _BY_VALUES:
        values = _values(subject, each)
        if values is None:
            return None, None
    pair = FieldPair(
        id=PairId(_ident(each, ids)),
        kind=kind,
        jira=each.jira.id,
        craft=each.craft,
        direction=_ONE_WAY.get(kind, Direction.BOTH),
        values=values.pairs if values is not None else (),
        jira_shape=_unless_usual(each.jira_fit, Side.JIRA, each.jira.id),
        craft_shape=_unless_usual(each.craft_fit, Side.CRAFT, each.craft),
    )
    return pair, values


def _unless_usual(fit: Fit, side: Side, name: str) -> Shape | None:
    """Return the shape that a pair has to name, None where it is meant anyway."""
    return None if shapes_of(fit.kind, side, name)[:1] == (fit.shape,) else fit.shape


def _values(subject: Subject, each: Candidate) -> Values | None:
    craft = subject.craft.choices(each.craft)
    if craft is None:
        return None
    if each.jira_fit.kind is FieldKind.STATUS:
        return by_status(subject.jira.statuses, craft)
    jira = subject.jira.choices(each.jira.id)
    if jira is None:
        return None
    if each.jira_fit.kind is FieldKind.LINKS:
        return by_relation(jira, craft)
    jira = Choices(tuple(keyed(jira.values, each.jira_fit.shape)), jira.complete)
    craft = Choices(tuple(keyed(craft.values, each.craft_fit.shape)), craft.complete)
    ordered = by_order(jira, craft) if each.craft == "importance" else None
    return ordered or by_name(jira, craft)


def _ident(each: Candidate, taken: set[str]) -> str:
    """Return an id for a pair from its name in Craft.io, different from those that are taken."""
    words = re.findall(r"[a-z0-9]+", each.craft_name.casefold())
    name = "-".join(words)[:60] or "field"
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def _not_yet(each: Candidate) -> LeftOut:
    """Return why two fields that belong together are no pair yet."""
    if each.jira_fit.kind is FieldKind.USER:
        why = "people have to be told who is who: add the pair with a table of the people who work in both tools."
    else:
        why = (
            "no value of the one could be found among those of the other. Map it by hand, or ask again once items "
            "use it."
        )
    return LeftOut(side=Side.CRAFT, what=each.craft_name, why=f"It goes with Jira's {each.jira.name}, but {why}")


def _unused(subject: Subject, craft: set[str], jira: set[str]) -> list[LeftOut]:
    """Return the fields that found no partner: all writable ones of Craft.io, and those on Jira's create screens."""
    names = {each.id: each.name for each in PROPERTIES.values() if each.writable and each.holds is not Holds.OTHER}
    names |= {CUSTOM_PREFIX + each.id: each.name for each in subject.craft.fields.values()}
    own_key = f"{CUSTOM_PREFIX}{subject.draft.craft_key_field}"
    rows = [
        LeftOut(side=Side.CRAFT, what=name, why="No field of Jira with a like name and a type that fits was found.")
        for ident, name in names.items()
        if ident not in craft and ident != own_key
    ]
    screens = [one.create for one in subject.created_types() if one.create is not None]
    shown = {ident: field.name for screen in screens for ident, field in screen.items()}
    rows += [
        LeftOut(side=Side.JIRA, what=name, why="No field of Craft.io with a like name and a type that fits was found.")
        for ident, name in shown.items()
        if ident not in jira and ident not in ("project", "issuetype")
    ]
    return rows


__all__ = ["Identities", "LeftOut", "Reason", "Suggestion", "suggest"]
