"""Which people a link shows, so that just those are looked up before it is decided; and who takes whose place. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.mapper.domain.context import Context
from shared.domain.ids import Side
from shared.domain.link import Json, Link
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.fields import Translated, Untranslatable
from shared.fields.people import asked_about, identities
from shared.messages.status import Cause


def maps_people(integration: Integration) -> bool:
    """Tell whether an integration has a pair that holds a person."""
    return any(pair.kind is FieldKind.USER for pair in integration.pairs)


def people_of(link: Link, integration: Integration) -> Mapping[Side, set[str]]:
    """Return the accounts of each side that the link's pairs show, and those that may take their places."""
    wanted: dict[Side, set[str]] = {side: set() for side in Side}
    for pair in integration.pairs:
        if pair.kind is not FieldKind.USER:
            continue
        seen = {side: link.side(side).pair(pair.id).seen for side in Side}
        shown = {side: [held.value] if held is not None else [] for side, held in seen.items()}
        for side, accounts in asked_about(pair, shown).items():
            wanted[side] |= accounts
    return wanted


def in_whose_place(
    pair: FieldPair, source: Side, over: Translated, there: Json, ctx: Context
) -> Translated | Untranslatable:
    """Let somebody who is not found on the other side take nobody's place `there`, unless an admin named a stand-in."""
    if over.note is None or over.value is not None or there is None:
        return over
    target = source.other
    name = " ".join(ctx.parents.called(pair, target, each) for each in identities(there))
    return Untranslatable(
        Cause.VALUE_NOT_MAPPED,
        f"{over.note.partition(':')[0]}, so {name} stays in {target.vendor}.",
        "Choose somebody whom both sides know, or ask an admin to name the counterpart in the mapping of this field.",
    )
