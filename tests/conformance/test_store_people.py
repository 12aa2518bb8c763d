"""The laws of the directory of people, in memory and on a real Postgres."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shared.domain.ids import ConnectionId, PairId, Side
from shared.domain.link import Held, LinkState
from shared.domain.person import Person
from shared.store.people import ShownPerson
from shared.store.port import InvariantBroken
from tests.conformance.store_worlds import CRAFT, INTEGRATION, JIRA, T0, Store, insert, link

WHO = PairId("assignee")
LATER = T0 + timedelta(hours=1)


def person(
    account: str = "ada",
    email: str | None = "ada@example.com",
    name: str | None = "Ada",
    connection: ConnectionId = JIRA,
    at: datetime = T0,
    *,
    active: bool = True,
    team: str | None = None,
) -> Person:
    return Person(connection, account, email, name, active, at, team)


async def remember_and_fail(store: Store, who: Person) -> None:
    async with store.transaction() as tx:
        await tx.remember_people([who])
        await tx.save(link("never locked"))


async def test_people_are_found_by_account_or_address_on_their_connection_only(store: Store) -> None:
    ada, ben = person(), person("ben", "ben@example.com", "Ben")
    await store.remember_people([ben, ada, person("ada", None, "Other", CRAFT)])
    assert await store.people(JIRA, accounts=["ada", "nobody"]) == [ada]
    assert await store.people(JIRA, emails=["ben@example.com"]) == [ben]
    assert await store.people(JIRA, ["ada"], ["ben@example.com"]) == [ada, ben]
    assert await store.people(JIRA) == []


async def test_what_is_not_shown_this_time_stays_known(store: Store) -> None:
    await store.remember_people([person(team="Web")])
    await store.remember_people([person(email=None, name=None, at=LATER, active=False)])
    assert await store.people(JIRA, ["ada"]) == [person(team="Web", at=LATER, active=False)]


async def test_an_older_sight_adds_and_never_replaces(store: Store) -> None:
    await store.remember_people([person(email=None, name="Ada B.", at=LATER)])
    await store.remember_people([person(name="Ada A.", active=False)])
    assert await store.people(JIRA, ["ada"]) == [person(name="Ada B.", at=LATER)]


async def test_the_same_sight_again_within_a_day_writes_nothing(store: Store) -> None:
    await store.remember_people([person()])
    await store.remember_people([person(at=LATER)])
    assert (await store.people(JIRA, ["ada"]))[0].seen_at == T0
    await store.remember_people([person(at=T0 + timedelta(days=1))])
    assert (await store.people(JIRA, ["ada"]))[0].seen_at == T0 + timedelta(days=1)


async def test_somebody_seen_twice_at_once_is_one(store: Store) -> None:
    await store.remember_people([person(email=None), person(name=None)])
    assert await store.people(JIRA, ["ada"]) == [person()]
    await store.remember_people([])


async def test_a_transaction_remembers_when_it_commits(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.remember_people([person()])
    async with store.transaction() as tx:
        assert await tx.people(JIRA, emails=["ada@example.com"]) == [person()]
    with pytest.raises(InvariantBroken):
        await remember_and_fail(store, person("ben"))
    assert await store.people(JIRA, ["ben"]) == []


async def test_addresses_that_the_other_side_lacks_are_told_in_order(store: Store) -> None:
    await store.remember_people(
        [
            person("1", "b@example.com", connection=CRAFT),
            person("2", "a@example.com", connection=CRAFT),
            person("3", "known@example.com", connection=CRAFT),
            person("4", "gone@example.com", connection=CRAFT, active=False),
            person("5", None, connection=CRAFT),
            person("ada", "known@example.com"),
        ]
    )
    assert await store.unfound_emails(CRAFT, JIRA, 10) == ["a@example.com", "b@example.com"]
    assert await store.unfound_emails(CRAFT, JIRA, 1) == ["a@example.com"]


async def test_who_is_shown_is_counted_by_field_and_side(store: Store) -> None:
    for name, state, jira, craft in (
        ("a", LinkState.ACTIVE, "ada", {"id": "7", "team": "Web"}),
        ("b", LinkState.ACTIVE, "ada", None),
        ("c", LinkState.UNSYNCED, "ada", None),
    ):
        made = link(name, state)
        made.jira.pair(WHO).seen = Held(jira, T0, None)
        made.craft.pair(WHO).seen = Held(craft, T0, None)
        made.craft.pair(PairId("title")).seen = Held("x", T0, None)
        await insert(store, made)
    assert await store.people_shown(INTEGRATION, [WHO]) == [
        ShownPerson(WHO, Side.CRAFT, {"id": "7", "team": "Web"}, 1),
        ShownPerson(WHO, Side.JIRA, "ada", 2),
    ]
    assert await store.people_shown(INTEGRATION, []) == []
