"""An item that is larger than a message may be: it says so, holds up nobody, and is carried once it is smaller."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.ids import EntityId, Side
from shared.domain.link import LinkState
from shared.domain.mapping import Policy
from shared.messages.status import DisplayState
from shared.runtime.topics import Topic
from tests.patterns import technical
from tests.simulation.stage import CALM_S, Pair, between_real_services
from tests.simulation.test_vendor_trouble import until_shown

MOST_BYTES = 60_000
LARGE = f"<p>{'word ' * 24_000}</p>"
"""Larger than that, and not in a single word."""


async def says_so(pair: Pair, entity_id: EntityId) -> None:
    told = await pair.told(entity_id)
    assert told.state is DisplayState.BLOCKED
    assert "0.1 MB in Craft.io, which is more than Tandem can carry" in told.message
    assert told.next_step
    assert not technical(told.message + told.next_step)


@pytest.mark.parametrize("webhooks", [True, False])
def test_an_item_too_large_for_the_log_says_so_and_stops_nobody(*, webhooks: bool) -> None:
    """By webhook it is read afterwards, without one it stands in the list that is polled."""

    async def story(pair: Pair) -> None:
        pair.world.log.most_bytes = MOST_BYTES
        item, issue = pair.ids[Side.CRAFT], pair.ids[Side.JIRA]
        other = pair.create(Side.CRAFT, "bystander")
        await asyncio.sleep(CALM_S)
        pair.edit(Side.CRAFT, item, description=LARGE, title="with a large text")
        new = pair.create(Side.CRAFT, "new and large", description=LARGE)
        pair.edit(Side.CRAFT, other, title="not held up")
        known = pair.link_of(other).jira_id
        assert known is not None
        await until_shown(pair, Side.JIRA, known, "summary", "not held up")
        await until_shown(pair, Side.JIRA, issue, "summary", "with a large text")
        await asyncio.sleep(2 * CALM_S)
        await says_so(pair, item)
        assert pair.link_of(new).state is LinkState.ACTIVE
        await says_so(pair, new)
        assert pair.world.log.records(Topic.DEAD) == []

        pair.edit(Side.JIRA, issue, description={"type": "doc", "version": 1, "content": []})
        before = pair.calls(Side.CRAFT)
        await asyncio.sleep(120.0)
        assert pair.show(Side.CRAFT, item, "description") == LARGE, "what nobody here knows is not written over"
        assert pair.calls(Side.CRAFT) - before < 60

        for each in (item, new):
            pair.edit(Side.CRAFT, each, description="<p>short</p>")
        await asyncio.sleep(2 * CALM_S)
        for each in (item, new):
            assert (await pair.told(each)).state is DisplayState.IN_SYNC, await pair.told(each)

    between_real_services(Policy.CRAFT, story, webhooks=webhooks)
