"""Somebody who was seen on one side: the record of the directory by which people are found on the other side.

Filled from what snapshots show and from user look-ups; a decision gets it as data (`shared.fields.people`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.ids import ConnectionId

SEEN_AGAIN_AFTER = timedelta(days=1)
"""That somebody was seen again is worth a write once a day; anything new about them is at once."""


@dataclass(frozen=True, slots=True)
class Person:
    """One account of a connection. `email` is lower case; None is not known, not empty."""

    connection_id: ConnectionId
    account_id: str
    """Jira Cloud: accountId; Data Center: the user name; Craft.io: the user's id."""
    email: str | None
    name: str | None
    active: bool
    seen_at: datetime
    team: str | None = None
    """Craft.io: the team that they were last seen assigned with."""


def merged(old: Person | None, new: Person) -> Person:
    """Return what is known after somebody was seen again: what the new sight does not show stays."""
    if old is None:
        return new
    newer, older = (new, old) if new.seen_at >= old.seen_at else (old, new)
    return replace(
        newer, email=newer.email or older.email, name=newer.name or older.name, team=newer.team or older.team
    )


def worth_saving(old: Person | None, new: Person) -> bool:
    """Tell whether a sight changes what is known, or is the first one for a day."""
    if old is None:
        return True
    after = merged(old, new)
    return replace(after, seen_at=old.seen_at) != old or new.seen_at >= old.seen_at + SEEN_AGAIN_AFTER


def distinct(people: Iterable[Person]) -> list[Person]:
    """Return one record for each account, in the order of connections and ids."""
    found: dict[tuple[str, str], Person] = {}
    for person in people:
        key = (person.connection_id, person.account_id)
        found[key] = merged(found.get(key), person)
    return [found[key] for key in sorted(found)]
