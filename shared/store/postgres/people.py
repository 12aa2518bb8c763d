"""The directory of people on Postgres. Called through the protocols of `shared.store.people`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.domain.ids import ConnectionId, IntegrationId, PairId, Side
from shared.domain.person import SEEN_AGAIN_AFTER, Person, distinct, merged
from shared.store.codec import dumps, loads
from shared.store.people import ShownPerson
from shared.store.postgres.core import Core

FIND = """
SELECT connection_id, account_id, email, name, active, team, seen_at FROM people
WHERE connection_id = $1 AND (account_id = ANY($2) OR email = ANY($3)) ORDER BY account_id
"""

# Only those who are new, changed, or were not seen for a day: an upsert locks its row even where it changes nothing,
# and the same few people are on many items. In the order of their keys, so that no two savers wait for each other.
REMEMBER = f"""
WITH seen AS (
    SELECT * FROM json_to_recordset($1::json) AS x(
        connection_id text, account_id text, email text, name text, active boolean, team text, seen_at timestamptz)
)
INSERT INTO people AS p (connection_id, account_id, email, name, active, team, seen_at)
SELECT s.connection_id, s.account_id, s.email, s.name, s.active, s.team, s.seen_at
FROM seen s LEFT JOIN people o ON o.connection_id = s.connection_id AND o.account_id = s.account_id
WHERE o.account_id IS NULL OR s.seen_at >= o.seen_at + interval '{SEEN_AGAIN_AFTER.days} days'
    OR (CASE WHEN s.seen_at >= o.seen_at
        THEN (coalesce(s.email, o.email), coalesce(s.name, o.name), coalesce(s.team, o.team), s.active)
        ELSE (coalesce(o.email, s.email), coalesce(o.name, s.name), coalesce(o.team, s.team), o.active) END)
        IS DISTINCT FROM (o.email, o.name, o.team, o.active)
ORDER BY s.connection_id COLLATE "C", s.account_id COLLATE "C"
ON CONFLICT (connection_id, account_id) DO UPDATE SET
    email = CASE WHEN excluded.seen_at >= p.seen_at
        THEN coalesce(excluded.email, p.email) ELSE coalesce(p.email, excluded.email) END,
    name = CASE WHEN excluded.seen_at >= p.seen_at
        THEN coalesce(excluded.name, p.name) ELSE coalesce(p.name, excluded.name) END,
    team = CASE WHEN excluded.seen_at >= p.seen_at
        THEN coalesce(excluded.team, p.team) ELSE coalesce(p.team, excluded.team) END,
    active = CASE WHEN excluded.seen_at >= p.seen_at THEN excluded.active ELSE p.active END,
    seen_at = greatest(excluded.seen_at, p.seen_at)
"""

UNFOUND = """
SELECT DISTINCT k.email FROM people k WHERE k.connection_id = $1 AND k.email IS NOT NULL AND k.active
    AND NOT EXISTS (SELECT FROM people w WHERE w.connection_id = $2 AND w.email = k.email)
ORDER BY k.email LIMIT $3
"""

SHOWN = """
SELECT s.side, p.pair, (s.pairs #> ARRAY[p.pair, 'seen', 'value'])::text AS value, count(*) AS items
FROM links l
CROSS JOIN LATERAL (VALUES ('jira', l.body #> '{jira,pairs}'), ('craft', l.body #> '{craft,pairs}')) AS s(side, pairs)
CROSS JOIN unnest($2::text[]) AS p(pair)
WHERE l.integration_id = $1 AND l.state IN ('waiting', 'creating', 'ask', 'active', 'paused')
    AND json_typeof(s.pairs #> ARRAY[p.pair, 'seen', 'value']) <> 'null'
GROUP BY 1, 2, 3
"""


def person_of(row: asyncpg.Record) -> Person:
    """Return a record of the directory."""
    return Person(
        connection_id=row["connection_id"],
        account_id=row["account_id"],
        email=row["email"],
        name=row["name"],
        active=row["active"],
        team=row["team"],
        seen_at=row["seen_at"],
    )


def people_doc(people: Sequence[Person]) -> str:
    """Return what `REMEMBER` takes."""
    rows: list[dict[str, Any]] = [
        {
            "connection_id": each.connection_id,
            "account_id": each.account_id,
            "email": each.email,
            "name": each.name,
            "active": each.active,
            "team": each.team,
            "seen_at": each.seen_at.isoformat(),
        }
        for each in distinct(people)
    ]
    return dumps(rows)


class Acquaintances:
    """People as one transaction knows them: what it has read of them, and what its inputs have shown since."""

    def __init__(self) -> None:
        self.shown: list[Person] = []
        """Not stored yet."""
        self._people: dict[tuple[ConnectionId, str], Person] = {}
        self._accounts: set[tuple[ConnectionId, str]] = set()
        """Account ids that were read, whether somebody has them or not."""
        self._emails: set[tuple[ConnectionId, str]] = set()

    def unasked(
        self, connection_id: ConnectionId, accounts: Sequence[str], emails: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Return the account ids and the addresses that were not read yet."""
        return (
            [each for each in accounts if (connection_id, each) not in self._accounts],
            [each for each in emails if (connection_id, each) not in self._emails],
        )

    def asked(self, connection_id: ConnectionId, unasked: tuple[list[str], list[str]], found: Sequence[Person]) -> None:
        """Take what was read of them."""
        accounts, emails = unasked
        self._accounts.update((connection_id, each) for each in accounts)
        self._emails.update((connection_id, each) for each in emails)
        self._merge(found)

    def show(self, people: Sequence[Person]) -> None:
        """Take a sight that is to be stored."""
        self.shown += people
        self._merge(people)

    def find(self, connection_id: ConnectionId, accounts: Sequence[str], emails: Sequence[str]) -> list[Person]:
        """Return those who are known by one of these, in id order."""
        return [
            person
            for (connection, account), person in sorted(self._people.items())
            if connection == connection_id and (account in accounts or (person.email and person.email in emails))
        ]

    def _merge(self, people: Sequence[Person]) -> None:
        for person in people:
            key = (person.connection_id, person.account_id)
            self._people[key] = merged(self._people.get(key), person)


class Directory(Core):
    """Implements the protocols of `shared.store.people`, each statement a transaction of its own."""

    async def people(
        self, connection_id: ConnectionId, accounts: Sequence[str] = (), emails: Sequence[str] = ()
    ) -> Sequence[Person]:
        """Return people by account id or e-mail address."""
        return [person_of(row) for row in await self.fetch(FIND, connection_id, list(accounts), list(emails))]

    async def remember_people(self, people: Sequence[Person]) -> None:
        """Take over what was seen of people."""
        await self.fetch(REMEMBER, people_doc(people))

    async def unfound_emails(self, known: ConnectionId, wanted: ConnectionId, limit: int) -> Sequence[str]:
        """Return e-mail addresses that nobody of the other connection has."""
        return [row["email"] for row in await self.fetch(UNFOUND, known, wanted, limit)]

    async def people_shown(self, integration_id: IntegrationId, pairs: Sequence[PairId]) -> Sequence[ShownPerson]:
        """Return who is shown in these pairs, and by how many items."""
        rows = await self.fetch(SHOWN, integration_id, list(pairs))
        counts = sorted((row["side"], row["pair"], row["value"], row["items"]) for row in rows)
        return [ShownPerson(PairId(pair), Side(side), loads(value), items) for side, pair, value, items in counts]
