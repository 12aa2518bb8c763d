"""The directory of people in memory. Called through the protocols of `shared.store.people`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shared.domain.ids import ConnectionId, IntegrationId, PairId, Side
from shared.domain.link import LinkState
from shared.domain.person import Person, distinct
from shared.store.codec import dumps, loads
from shared.store.memory.tables import Core
from shared.store.people import ShownPerson

_COUNTED = frozenset({LinkState.WAITING, LinkState.CREATING, LinkState.ASK, LinkState.ACTIVE, LinkState.PAUSED})


class Directory(Core):
    """Implements the protocols of `shared.store.people`; see there for each method's contract."""

    async def people(
        self, connection_id: ConnectionId, accounts: Sequence[str] = (), emails: Sequence[str] = ()
    ) -> Sequence[Person]:
        """Return people by account id or e-mail address."""
        await self.call("people")
        return self.tables.people_of(connection_id, accounts, emails)

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Take over what was seen of people."""
        holder = await self.autocommit("remember_people")
        for person in distinct(people):
            self.tables.put_person(person)
        await self.done("remember_people", holder)

    async def unfound_emails(self, known: ConnectionId, wanted: ConnectionId, limit: int) -> Sequence[str]:
        """Return e-mail addresses that nobody of the other connection has."""
        await self.call("unfound_emails")
        everybody = self.tables.people.values()
        ours = {p.email for p in everybody if p.connection_id == known and p.active and p.email is not None}
        return sorted(ours - {p.email for p in everybody if p.connection_id == wanted})[:limit]

    async def people_shown(self, integration_id: IntegrationId, pairs: Sequence[PairId]) -> Sequence[ShownPerson]:
        """Return who is shown in these pairs, and by how many items."""
        await self.call("people_shown")
        counts: Counter[tuple[Side, PairId, str]] = Counter()
        for link in self.tables.links.values():
            if link.integration_id != integration_id or link.state not in _COUNTED:
                continue
            for side in Side:
                for pair_id in pairs:
                    record = link.side(side).pairs.get(pair_id)
                    if record is not None and record.seen is not None and record.seen.value is not None:
                        counts[side, pair_id, dumps(record.seen.value)] += 1
        return [ShownPerson(pair, side, loads(value), n) for (side, pair, value), n in sorted(counts.items())]
