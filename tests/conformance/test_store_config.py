"""The laws of configuration (`ConfigReader`, `ConfigWriter`), on the store in memory and on a real Postgres."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.domain.ids import ConnectionId
from shared.domain.mapping import ConnectionKind, Policy
from shared.store.port import CredentialsUnreadable, RevisionConflict
from tests.conformance.store_worlds import CRAFT, JIRA, SECRETS, T0, TITLE, Store, connection, integration


async def test_saving_gives_the_next_revision_and_dates_each_pair(bare_store: Store) -> None:
    first = await bare_store.save_integration(integration(), 0, "an admin", T0)
    assert (first.revision, first.pairs[0].since) == (1, 1)
    second = await bare_store.save_integration(first.model_copy(update={"policy": Policy.JIRA}), 1, "an admin", T0)
    assert (second.revision, second.pairs[0].since) == (2, 1)
    renamed = second.pairs[0].model_copy(update={"craft": "kano"})
    third = await bare_store.save_integration(second.model_copy(update={"pairs": (renamed,)}), 2, "an admin", T0)
    assert (third.revision, third.pairs[0].since, third.pairs[0].id) == (3, 3, TITLE)
    assert await bare_store.integrations() == [third]


@pytest.mark.parametrize("expected", [0, 2])
async def test_a_save_on_another_revision_is_refused_and_names_the_current_one(store: Store, expected: int) -> None:
    with pytest.raises(RevisionConflict) as refused:
        await store.save_integration(integration(name="Two"), expected, "an admin", T0)
    assert refused.value.current == 1
    with pytest.raises(RevisionConflict) as refused:
        await store.save_connection(connection(JIRA), None, expected, "an admin", T0)
    assert refused.value.current == 1
    assert [i.name for i in await store.integrations()] == ["One"]


async def test_of_many_saves_at_once_one_succeeds(bare_store: Store) -> None:
    saves = [bare_store.save_integration(integration(name=f"{n}"), 0, "an admin", T0) for n in range(10)]
    ends = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(end, RevisionConflict) for end in ends) == 9
    assert [i.revision for i in await bare_store.integrations()] == [1]


async def test_credentials_are_given_back_and_kept_until_replaced(bare_store: Store) -> None:
    await bare_store.save_connection(connection(), SECRETS, 0, "an admin", T0)
    assert await bare_store.secrets(connection()) == SECRETS
    saved = await bare_store.save_connection(connection(name="Renamed"), None, 1, "an admin", T0)
    assert (saved.revision, saved.name) == (2, "Renamed")
    assert await bare_store.secrets(connection()) == SECRETS
    replaced = SECRETS.model_copy(update={"token": "new"})
    await bare_store.save_connection(connection(), replaced, 2, "an admin", T0)
    assert await bare_store.secrets(connection()) == replaced
    assert await bare_store.secrets(connection(ConnectionId("nothing"))) is None


async def test_pausing_a_connection_is_no_revision(store: Store) -> None:
    await store.set_connection_paused(CRAFT, "the API key was refused")
    assert [(c.id, c.revision, c.paused_reason) for c in await store.connections()] == [
        (CRAFT, 1, "the API key was refused"),
        (JIRA, 1, None),
    ]
    async with store.transaction() as tx:
        found = await tx.connection(CRAFT)
        assert found is not None
        assert found.paused_reason == "the API key was refused"
    await store.set_connection_paused(CRAFT, None)
    assert [c.paused_reason for c in await store.connections()] == [None, None]
    await store.set_connection_paused(ConnectionId("nothing"), "no harm")


async def test_a_saved_connection_is_paused_or_not_as_it_says(store: Store) -> None:
    await store.set_connection_paused(CRAFT, "401")
    await store.save_connection(connection(CRAFT), SECRETS, 1, "an admin", T0)
    assert [c.paused_reason for c in await store.connections()] == [None, None]


async def test_a_store_is_healthy(store: Store) -> None:
    assert await store.healthy()


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://elsewhere.example"},
        {"url": "http://vendor.example"},
        {"url": "https://vendor.example:444"},
        {"email": "somebody@vendor.example"},
        {"kind": ConnectionKind.JIRA_DATA_CENTER},
        {"id": ConnectionId("jira-2")},
    ],
)
async def test_credentials_open_for_the_connection_that_they_were_saved_with_and_for_no_other(
    bare_store: Store, change: dict[str, Any]
) -> None:
    await bare_store.save_connection(connection(), SECRETS, 0, "an admin", T0)
    other = connection(**change)
    if "id" in change:
        assert await bare_store.secrets(other) is None
        return
    with pytest.raises(CredentialsUnreadable, match="another address") as refused:
        await bare_store.secrets(other)
    assert "enter them again" in refused.value.in_words
    assert SECRETS.token not in refused.value.in_words
    await bare_store.save_connection(other, None, 1, "an admin", T0)
    with pytest.raises(CredentialsUnreadable):
        await bare_store.secrets(other)
    await bare_store.save_connection(other, SECRETS, 2, "an admin", T0)
    assert await bare_store.secrets(other) == SECRETS


async def test_a_renamed_connection_keeps_its_credentials(bare_store: Store) -> None:
    await bare_store.save_connection(connection(), SECRETS, 0, "an admin", T0)
    renamed = connection(name="Renamed", revision=5, url="https://Vendor.example/jira", account_id="us")
    assert await bare_store.secrets(renamed) == SECRETS
