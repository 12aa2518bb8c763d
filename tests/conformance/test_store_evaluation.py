"""The laws of deciding existing links again (`EvaluationDesk`), on the store in memory and on a real Postgres."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.ids import EntityId, IntegrationId, LinkId
from shared.domain.link import LinkState
from shared.store.evaluation import Evaluation
from shared.store.trail import ConfigKind
from tests.conformance.store_worlds import INTEGRATION, T0, Store, change, insert, integration, link

A_MINUTE, LATER = timedelta(minutes=1), T0 + timedelta(hours=1)


async def save(store: Store, revision: int, *, evaluate: bool) -> None:
    """Save the revision after this one."""
    await store.save_integration(integration(name=f"r{revision}"), revision, "an admin", T0, evaluate=evaluate)


async def due(store: Store) -> list[str]:
    """Return the links that are to be decided again."""
    return [each.link_id for each in await store.due_links(T0, A_MINUTE, 10)]


@pytest.mark.parametrize("state", [LinkState.ACTIVE, LinkState.CREATING])
async def test_links_that_nobody_touches_wait_for_the_admins_word(store: Store, state: LinkState) -> None:
    await insert(store, link("a", state, craft_id=EntityId("c-a")))
    await save(store, 1, evaluate=False)
    assert await due(store) == []
    assert await store.evaluation(INTEGRATION) == Evaluation(2, 1, {str(state): 1})
    assert await store.agree(INTEGRATION, 2, "another admin", LATER)
    assert await due(store) == ["link-a"]
    assert await store.evaluation(INTEGRATION) == Evaluation(2, 2, {})


async def test_what_an_older_mapping_kept_from_being_created_waits_for_nobody(store: Store) -> None:
    await insert(store, link("a", LinkState.EXCLUDED, craft_id=None))
    await save(store, 1, evaluate=False)
    assert await due(store) == ["link-a"]


async def test_a_link_that_was_decided_meanwhile_no_longer_waits(store: Store) -> None:
    await insert(store, link("a"))
    await save(store, 1, evaluate=False)
    await change(store, LinkId("link-a"), lambda found: setattr(found, "revision_seen", 2))
    assert await store.evaluation(INTEGRATION) == Evaluation(2, 1, {})


async def test_a_later_save_that_evaluates_takes_along_what_waited(store: Store) -> None:
    await insert(store, link("a"))
    await save(store, 1, evaluate=False)
    await save(store, 2, evaluate=True)
    assert await due(store) == ["link-a"]


async def test_only_the_current_revision_can_be_agreed_to(store: Store) -> None:
    await insert(store, link("a"))
    await save(store, 1, evaluate=False)
    await save(store, 2, evaluate=False)
    assert not await store.agree(INTEGRATION, 2, "an admin", LATER)
    assert not await store.agree(IntegrationId("unknown"), 1, "an admin", LATER)
    assert await due(store) == []


async def test_the_word_is_on_record_once(store: Store) -> None:
    await save(store, 1, evaluate=False)
    for _ in range(2):
        assert await store.agree(INTEGRATION, 2, "another admin", LATER)
    newest, before = await store.audit(None, 2)
    assert (newest.by, newest.at, newest.kind, newest.revision, newest.evaluated) == (
        "another admin",
        LATER,
        ConfigKind.INTEGRATION,
        2,
        True,
    )
    assert not before.evaluated


async def test_an_unknown_integration_has_no_evaluation(store: Store) -> None:
    assert await store.evaluation(IntegrationId("unknown")) is None
