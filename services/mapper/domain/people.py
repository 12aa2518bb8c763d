"""Which people a link shows, so that just those are looked up before it is decided. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.ids import Side
from shared.domain.link import Link
from shared.domain.mapping import FieldKind, Integration
from shared.fields.people import asked_about


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
