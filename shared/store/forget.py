"""Forgets a person: every table is gone through, and what they are called is replaced by a pseudonym.

Called by `tandem forget-person`. Idempotent, and safe while the services run: rows are changed in portions, locked as
the mapper locks them. Links keep their values under the pseudonym, on both sides and in the base, so that nothing looks
changed; who is shown by a vendor again is read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from shared.domain.errors import OwnWords
from shared.domain.forgetting import Eraser, Identifiers
from shared.store.port import StoreUnavailable
from shared.store.postgres.errors import CONNECTION_LOST, translated

if TYPE_CHECKING:
    Session = asyncpg.Connection[asyncpg.Record]

CONNECT_TIMEOUT_S: Final = 10.0
AT_ONCE: Final = 200
MOST_PASSES: Final = 10
_PEOPLE: Final = "SELECT connection_id, account_id, email, name FROM people"
_COLUMNS: Final = """
SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
JOIN information_schema.tables t ON (t.table_schema, t.table_name) = (c.table_schema, c.table_name)
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
    AND c.data_type IN ('text', 'json', 'jsonb', 'bytea', 'character varying')
    AND c.table_name NOT IN ('alembic_version', 'people', 'connection_secrets')
ORDER BY c.table_name, c.ordinal_position
"""
_AUDIT: Final = "INSERT INTO audit (at, by, subject, revision) VALUES ($1, $2, $3, 0)"


class StillInUse(OwnWords):
    """The configuration that is in force names the person. The words say where, and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, and its columns that can hold text, by name with their type."""

    name: str
    columns: Mapping[str, str]

    @property
    def find(self) -> str:
        """Return the statement that finds the places of rows that hold something."""
        holds = " OR ".join(f"{_text(name, kind)} ILIKE ANY($1)" for name, kind in self.columns.items())
        return f'SELECT ctid FROM "{self.name}" WHERE {holds}'  # noqa: S608  # names of our own tables

    @property
    def read(self) -> str:
        """Return the statement that reads rows by their places. Not by keys: tables have keys of all kinds."""
        shown = ", ".join(
            f'"{name}"' if kind == "bytea" else f'"{name}"::text AS "{name}"' for name, kind in self.columns.items()
        )
        return f'SELECT ctid, {shown} FROM "{self.name}" WHERE ctid = ANY($1::tid[])'  # noqa: S608  # the same


def _text(name: str, kind: str) -> str:
    return f"""convert_from("{name}", 'UTF8')""" if kind == "bytea" else f'"{name}"::text'


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done. `rows`: how many rows of each table held something of the person."""

    pseudonym: str
    rows: Mapping[str, int]


async def identify(
    database_url: str, *, emails: Sequence[str], accounts: Sequence[tuple[str, str]], names: Sequence[str]
) -> Identifiers:
    """Return all that the person is known by, as far as the directory tells: accounts by e-mail address and the other
    way round. A name that somebody else has too is left out, unless it is given. Raises `StoreUnavailable`.
    """
    session = await _connect(database_url)
    try:
        with translated():
            people = await session.fetch(_PEOPLE)
    finally:
        await session.close(timeout=CONNECT_TIMEOUT_S)
    known_emails = {each.strip().lower() for each in emails}
    known = set(accounts)
    while True:
        theirs = [
            row for row in people if row["email"] in known_emails or (row["connection_id"], row["account_id"]) in known
        ]
        more_emails = known_emails | {row["email"] for row in theirs if row["email"]}
        more = known | {(row["connection_id"], row["account_id"]) for row in theirs}
        if (more_emails, more) == (known_emails, known):
            break
        known_emails, known = more_emails, more
    others = {row["name"] for row in people if row["name"] and (row["connection_id"], row["account_id"]) not in known}
    called = {row["name"] for row in theirs if row["name"] and row["name"] not in others}
    return Identifiers(tuple(sorted(known)), tuple(sorted(known_emails)), tuple(sorted({*called, *names})))


async def forget(
    database_url: str, person: Identifiers, pseudonym: str, at: datetime, *, by: str, dry_run: bool = False
) -> Forgotten:
    """Replace all that the person is called, in every table, and delete them from the directory.

    `dry_run`: only count. Raises `StillInUse` before anything is changed, and `StoreUnavailable`; then run it again.
    """
    eraser = Eraser(person, pseudonym)
    session = await _connect(database_url)
    try:
        with translated():
            await _refuse_what_is_in_use(session, eraser)
            columns: dict[str, dict[str, str]] = {}
            for row in await session.fetch(_COLUMNS):
                columns.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
            tables = [Table(name, kinds) for name, kinds in columns.items()]
            rows = {each.name: await _table(session, each, eraser, dry_run=dry_run) for each in tables}
            rows["people"] = await _directory(session, person, dry_run=dry_run)
            if not dry_run:
                await session.execute(_AUDIT, at, by, f"person:{pseudonym}")
    except CONNECTION_LOST as error:
        raise StoreUnavailable(f"the database cannot be reached: {type(error).__name__}") from error
    finally:
        await session.close(timeout=CONNECT_TIMEOUT_S)
    return Forgotten(pseudonym, {table: number for table, number in rows.items() if number})


async def _refuse_what_is_in_use(session: Session, eraser: Eraser) -> None:
    for table, what in (("connections", "connection"), ("integrations", "integration")):
        for row in await session.fetch(f"SELECT id, body::text AS body FROM {table} ORDER BY id"):  # noqa: S608
            if eraser.json(row["body"]) != row["body"]:
                do = (
                    "give it another account" if what == "connection" else "save it without them (value maps, fallback)"
                )
                raise StillInUse(f"the {what} {row['id']} names this person; {do}, and run this again")


async def _table(session: Session, table: Table, eraser: Eraser, *, dry_run: bool) -> int:
    """Go through one table; return how many rows held something.

    In portions, so that nobody waits long for a row; again, until a pass finds nothing: a row that a service changed
    meanwhile is elsewhere.
    """
    patterns = [f"%{_escaped(each)}%" for each in eraser.searched()]
    total = 0
    for _ in range(MOST_PASSES):
        async with session.transaction():
            await session.execute("SET LOCAL statement_timeout = 0")
            places = [row[0] for row in await session.fetch(table.find, patterns)]
        changed = 0
        for begin in range(0, len(places), AT_ONCE):
            async with session.transaction():
                await session.execute("SET LOCAL tandem.forgetting = 'on'")
                changed += await _portion(session, table, places[begin : begin + AT_ONCE], eraser, dry_run=dry_run)
        total += changed
        if not changed or dry_run:
            return total
    raise StoreUnavailable(f"table {table.name} changes all the time; run this again")


async def _portion(session: Session, table: Table, places: Sequence[Any], eraser: Eraser, *, dry_run: bool) -> int:
    changed = 0
    for row in await session.fetch(table.read if dry_run else f"{table.read} FOR UPDATE", places):
        new = {name: _erased(row[name], kind, eraser) for name, kind in table.columns.items()}
        differing = [name for name in new if new[name] != row[name]]
        changed += bool(differing)
        if differing and not dry_run:
            sets = ", ".join(f'"{name}" = ${n}' for n, name in enumerate(differing, start=2))
            statement = f'UPDATE "{table.name}" SET {sets} WHERE ctid = $1'  # noqa: S608  # names of our own columns
            await session.execute(statement, row["ctid"], *(new[name] for name in differing))
    return changed


def _erased(value: str | bytes | None, kind: str, eraser: Eraser) -> str | bytes | None:
    if isinstance(value, bytes):
        return eraser.json(value.decode()).encode()
    if value is None:
        return None
    return eraser.json(value) if kind in ("json", "jsonb") else eraser.plain(value)


async def _directory(session: Session, person: Identifiers, *, dry_run: bool) -> int:
    """Delete them from the directory, and who has one of their addresses."""
    ids = [account for _, account in person.accounts]
    places = [connection for connection, _ in person.accounts]
    theirs = "(connection_id, account_id) IN (SELECT * FROM unnest($1::text[], $2::text[])) OR email = ANY($3::text[])"
    verb = "SELECT 1 FROM" if dry_run else "DELETE FROM"
    ending = "" if dry_run else " RETURNING 1"
    return len(await session.fetch(f"{verb} people WHERE {theirs}{ending}", places, ids, list(person.emails)))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def _connect(database_url: str) -> Session:
    try:
        return await asyncpg.connect(
            database_url, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": "tandem-forget-person"}
        )
    except CONNECTION_LOST as error:
        raise StoreUnavailable(f"the database cannot be reached: {type(error).__name__}") from error
