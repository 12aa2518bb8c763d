"""Whose a new item becomes where several integrations could take it: a person's choice holds."""

from __future__ import annotations

import pytest

from shared.domain.ids import IntegrationId, Side
from shared.domain.link import LinkState
from shared.domain.mapping import Mode
from shared.messages.change import ChangeEvent, Origin
from shared.messages.status import Cause
from tests.unit.mapper.test_protocol_failures_handlers import Bench

FIRST, SECOND = IntegrationId("i"), IntegrationId("j")


async def two_integrations(first: Mode = Mode.MANUAL, second: Mode = Mode.MANUAL) -> Bench:
    bench = Bench()
    integration = await bench.configure(to_craft=first, to_jira=first)
    other = integration.model_copy(update={"id": SECOND, "name": "j", "to_craft": second, "to_jira": second})
    await bench.store.save_integration(other, 0, "test", bench.clock.now())
    return bench


def asked(event: ChangeEvent, chosen: IntegrationId | None) -> ChangeEvent:
    return event.model_copy(update={"origin": Origin.REQUEST, "integration_id": chosen})


async def taken_by(bench: Bench, event: ChangeEvent) -> IntegrationId | None:
    await bench.mapper.handle(event)
    link = await bench.link(event.side, event.entity_id)
    return link.integration_id if link is not None else None


@pytest.mark.parametrize("chosen", [FIRST, SECOND])
@pytest.mark.parametrize("side", list(Side))
async def test_an_item_goes_where_the_person_who_asked_for_it_wants_it(chosen: IntegrationId, side: Side) -> None:
    bench = await two_integrations()
    event = bench.jira("1", "a") if side is Side.JIRA else bench.craft("11", "a")
    assert await taken_by(bench, asked(event, chosen)) == chosen


async def test_an_integration_that_creates_nothing_does_not_hand_a_persons_choice_on_to_another() -> None:
    bench = await two_integrations(first=Mode.AUTOMATIC, second=Mode.OFF)
    assert await taken_by(bench, asked(bench.jira("1", "a"), SECOND)) == SECOND
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert (link.state, link.reason, await bench.commands()) == (LinkState.HELD, Cause.DIRECTION_OFF, [])


async def test_an_integration_that_the_item_is_not_in_any_more_creates_nothing() -> None:
    bench = await two_integrations()
    assert await taken_by(bench, asked(bench.jira("1", "a"), IntegrationId("gone"))) is None


async def test_a_request_that_was_stored_before_it_named_an_integration_goes_to_the_first_that_creates() -> None:
    bench = await two_integrations(first=Mode.OFF)
    assert await taken_by(bench, asked(bench.jira("1", "a"), None)) == SECOND
