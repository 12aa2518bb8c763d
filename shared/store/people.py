"""The directory of people as the store keeps it: the protocols of those who read it and fill it, part of
`shared.store.port`; and looking up just those whom a translation needs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.ids import ConnectionId, IntegrationId, PairId, Side
from shared.domain.link import Json
from shared.domain.person import Person
from shared.fields.people import People, directory_of


class PeopleReader(Protocol):
    """Looking people up."""

    async def people(
        self, connection_id: ConnectionId, accounts: Sequence[str] = (), emails: Sequence[str] = ()
    ) -> Sequence[Person]:
        """Return those of a connection with one of these account ids or (lower case) e-mail addresses, in id order."""
        ...


class PeopleWriter(Protocol):
    """Filling the directory."""

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Take over what was seen of people; what was not shown this time stays known. Idempotent.

        A sight that tells nothing new, within a day of the last one, writes nothing and locks nothing.
        """
        ...


class PeopleFinder(PeopleWriter, Protocol):
    """What the look-up of people works from."""

    async def unfound_emails(self, known: ConnectionId, wanted: ConnectionId, limit: int) -> Sequence[str]:
        """Return e-mail addresses of active people of one connection that nobody of the other one has, in order."""
        ...


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """Somebody whom items of an integration show in a mapped field, and how many do. `value` is the normal form."""

    pair: PairId
    side: Side
    value: Json
    items: int


class PeopleReports(PeopleReader, Protocol):
    """Reading about people, for people."""

    async def people_shown(self, integration_id: IntegrationId, pairs: Sequence[PairId]) -> Sequence[ShownPerson]:
        """Return who is shown in these pairs by the links that are in sync or to be, nobody left out."""
        ...


async def look_up(
    reader: PeopleReader,
    accounts: Mapping[Side, Collection[str]],
    connections: Mapping[Side, ConnectionId],
    shown: Sequence[Person] = (),
) -> People:
    """Return what is known of these accounts and of those with the same addresses on the other side.

    `shown` are people whom the message at hand shows and who may not be stored yet. At most four reads.
    """
    found = list(shown)
    for side in Side:
        if accounts[side]:
            found += await reader.people(connections[side], accounts=sorted(accounts[side]))
    for side in Side:
        emails = {p.email for p in found if p.email is not None and p.connection_id == connections[side.other]}
        if emails:
            found += await reader.people(connections[side], emails=sorted(emails))
    return directory_of(found, {connection: side for side, connection in connections.items()})
