"""A person who is forgotten is in no table any more, in whatever form; and links, people and rows of others stay."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.domain.forgetting import Eraser, Identifiers
from shared.domain.ids import ConnectionId, EntityId, LinkId, PairId, Side
from shared.domain.link import Agreed, ConflictNote, Held, HistoryNote, OperationKind
from shared.domain.mapping import FieldKind, FieldPair, ValuePair
from shared.domain.person import Person
from shared.messages.status import Cause, DisplayState, SyncStatus
from shared.store.forget import StillInUse, forget, identify
from shared.store.port import InvariantBroken
from shared.store.postgres import PostgresStore
from tests.conformance.store_worlds import (
    CRAFT,
    INTEGRATION,
    JIRA,
    T0,
    TITLE,
    connection,
    integration,
    link,
    load,
    open_operation,
)

pytestmark = pytest.mark.stack
WHO, MAIL, NAME, THERE = "557058:8c1f-ada", "Ada.Löve@orchard.example", 'Ada "Lö" Lovelace', "2300000000000000911"
OWNER = PairId("owner")
PSEUDONYM = "forgotten-0123456789"
PERSON = Identifiers(((JIRA, WHO), (CRAFT, THERE)), (MAIL.lower(),), (NAME,))


def forms(text: str) -> set[str]:
    """Return how somebody could find a text in the dump of a row."""
    written = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return {form.lower() for each in written for form in (each, each.encode().hex())}


async def rows(url: str) -> AsyncIterator[tuple[str, str]]:
    """Yield each row of each table, as text."""
    session = await asyncpg.connect(url)
    try:
        for (table,) in await session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            for (row,) in await session.fetch(f'SELECT t::text FROM "{table}" t'):  # noqa: S608
                yield table, row.replace('""', '"').replace("\\\\", "\\")
    finally:
        await session.close()


async def found(url: str) -> set[str]:
    """Return the tables that hold anything of the person."""
    wanted = {form for each in (WHO, MAIL, NAME, THERE) for form in forms(each)}
    return {table async for table, row in rows(url) if any(form in row.lower() for form in wanted)}


async def planted(store: PostgresStore) -> None:
    """Let everything that is kept be about the person."""
    for each in (JIRA, CRAFT):
        await store.save_connection(connection(each), None, 0, MAIL, T0)
    mapped = integration(
        pairs=(
            FieldPair(id=TITLE, kind=FieldKind.STRING, jira="summary", craft="title"),
            FieldPair(
                id=OWNER,
                kind=FieldKind.USER,
                jira="assignee",
                craft="assignee",
                values=(ValuePair(jira=WHO, craft=THERE),),
            ),
        )
    )
    await store.save_integration(mapped, 0, MAIL, T0)
    text = f"asked by {NAME} <{MAIL}>, mentions {WHO}"
    made = link(not_before=T0)
    made.jira.pair(OWNER).seen = Held({"id": WHO, "name": NAME}, T0, WHO)
    made.craft.pair(OWNER).seen = Held({"id": THERE, "team": "Ada's"}, T0, THERE)
    made.jira.pair(OWNER).base = Agreed(WHO, 1)
    made.jira.pair(TITLE).seen = Held(text, T0, WHO)
    open_operation(made, OperationKind.WRITE, value=text)
    made.new_conflicts.append(ConflictNote(OWNER, WHO, THERE, "ask", MAIL, T0))
    made.new_history.append(HistoryNote(TITLE, Side.JIRA, text, "conflict", T0))
    people = [
        Person(JIRA, WHO, MAIL.lower(), NAME, active=True, seen_at=T0),
        Person(CRAFT, THERE, MAIL.lower(), NAME, active=True, seen_at=T0),
        Person(JIRA, "somebody-else", "grace@orchard.example", "Grace", active=True, seen_at=T0),
    ]
    status = SyncStatus(
        link_id=made.id,
        integration_id=INTEGRATION,
        state=DisplayState.BLOCKED,
        cause=Cause.VALUE_NOT_MAPPED,
        message=f"{NAME} is not found",
        revision=1,
        labels={"title": text},
        at=T0,
    )
    async with store.transaction() as transaction:
        assert await transaction.insert(made)
        await transaction.remember_people(people)
        await transaction.after_commit_status(status)
        await transaction.park(Side.CRAFT, CRAFT, EntityId("e1"), json.dumps({"by": NAME, "text": text}).encode(), T0)
        await transaction.flag_stray(Side.JIRA, JIRA, EntityId("e2"), made.id, text)
    await store.store_cursor("people", {"last": WHO})


async def test_nothing_of_a_forgotten_person_is_in_any_table_and_the_rest_stays(
    migrated_url: str, postgres_store: PostgresStore
) -> None:
    await planted(postgres_store)
    with_them = await found(migrated_url)
    assert with_them >= {
        *("people", "links", "operations", "conflicts", "history", "link_status", "parked", "strays", "cursors"),
        *("integrations", "integration_revisions", "connection_revisions", "audit"),
    }
    with pytest.raises(StillInUse, match=f"integration {INTEGRATION} names this person"):
        await forget(migrated_url, PERSON, PSEUDONYM, T0, by="admin")
    assert await found(migrated_url) == with_them
    await postgres_store.save_integration(integration(), 1, "admin", T0)
    tried = await forget(migrated_url, PERSON, PSEUDONYM, T0, by="admin", dry_run=True)
    assert await found(migrated_url) == with_them - {"integrations"}
    done = await forget(migrated_url, PERSON, PSEUDONYM, T0, by="admin")
    assert done.rows == tried.rows
    assert await found(migrated_url) == set()
    kept = await load(postgres_store, LinkId("link-a"))
    assert kept.jira.pair(TITLE).seen is not None
    # The same pseudonym wherever the same was said: nothing looks changed.
    seen, base = kept.jira.pair(OWNER).seen, kept.jira.pair(OWNER).base
    assert isinstance(seen, Held)
    assert isinstance(base, Agreed)
    assert isinstance(seen.value, dict)
    assert seen.value["id"] == base.value
    assert PSEUDONYM in str(base.value)
    assert [each.account_id for each in await postgres_store.people(JIRA, ["somebody-else"])] == ["somebody-else"]
    assert (await forget(migrated_url, PERSON, PSEUDONYM, T0, by="admin")).rows == {}


async def test_what_is_kept_for_ever_still_is(migrated_url: str, postgres_store: PostgresStore) -> None:
    await planted(postgres_store)
    await postgres_store.save_integration(integration(), 1, "admin", T0)
    await forget(migrated_url, PERSON, PSEUDONYM, T0, by="admin")
    for statement in ("UPDATE history SET why = 'x'", "DELETE FROM audit", "DELETE FROM links"):
        with pytest.raises(InvariantBroken):
            await postgres_store.fetch(statement)


async def test_a_person_is_known_by_what_the_directory_joins_and_not_by_what_others_are_called_too(
    migrated_url: str, postgres_store: PostgresStore
) -> None:
    namesake = Person(JIRA, "another", "another@orchard.example", "Ada B", active=True, seen_at=T0)
    await postgres_store.remember_people(
        [
            Person(JIRA, WHO, MAIL.lower(), NAME, active=True, seen_at=T0),
            Person(CRAFT, THERE, MAIL.lower(), "Ada B", active=True, seen_at=T0),
            namesake,
        ]
    )
    by_mail = await identify(migrated_url, emails=[MAIL], accounts=[], names=[])
    assert by_mail == await identify(migrated_url, emails=[], accounts=[(ConnectionId(CRAFT), THERE)], names=[])
    assert by_mail == Identifiers(((CRAFT, THERE), (JIRA, WHO)), (MAIL.lower(),), (NAME,))


async def test_the_command_asks_for_somebody_and_tells_what_it_did(
    migrated_url: str, postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await planted(postgres_store)
    await postgres_store.save_integration(integration(), 1, "admin", T0)
    monkeypatch.setenv("TANDEM_DATABASE_URL", migrated_url)

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "tandem_cli", "forget-person", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    assert run()[0] == 2
    code, said = run("--email", MAIL, "--yes")
    assert (code, "links: 1 row" in said, "They are forgotten-" in said) == (0, True, True)
    assert await found(migrated_url) == set()


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ('{"a": "ada"}', '{"a": "P"}'),
        ('{"a": "adamant, ada"}', '{"a": "adamant, ada"}'),
        ('{"a": "Ada Lovelace\\n"}', '{"a": "P\\n"}'),
        ('{"a": "x@ada-lovelace.example"}', '{"a": "P-1@forgotten.invalid"}'),
    ],
)
def test_short_names_are_replaced_where_they_are_the_whole_value(text: str, without: str) -> None:
    eraser = Eraser(Identifiers((), ("x@ada-lovelace.example",), ("ada", "Ada Lovelace")), "P")
    assert eraser.json(text) == without
