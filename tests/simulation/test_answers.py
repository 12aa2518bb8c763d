"""What vendors answer and what they do, between the real services: an answer is no proof; many edits are few writes."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.ids import Side
from shared.domain.link import LinkState
from shared.domain.mapping import Policy
from shared.messages.request import RequestKind
from shared.messages.status import DisplayState
from tests.simulation.stage import CALM_S, Pair, between_real_services

BOTH = pytest.mark.parametrize("target", list(Side))


@pytest.mark.parametrize("policy", [Policy.JIRA, Policy.ASK])
@BOTH
def test_a_vendor_that_answers_well_and_changes_nothing_does_not_win(target: Side, policy: Policy) -> None:
    async def story(pair: Pair) -> None:
        pair.world.network.ignores = 1.0  # titles are taken with a good answer, and left as they are
        pair.entitle(target.other, "what the PM wrote")
        await asyncio.sleep(CALM_S)
        assert pair.title(target.other) == "what the PM wrote"
        state, words = await pair.status()
        assert state is DisplayState.BLOCKED
        assert f"{target.vendor} accepted the request and did not change" in words
        pair.world.network.ignores = 0.0
        await pair.ask(RequestKind.RETRY, pair.link_id)
        await asyncio.sleep(CALM_S)
        assert pair.title(target) == "what the PM wrote"
        assert (await pair.status())[0] is DisplayState.IN_SYNC

    between_real_services(policy, story)


@BOTH
@pytest.mark.parametrize(("edits", "seconds", "most"), [(20, 2.0, 5), (34, 14.0, 7)])
def test_many_edits_of_one_title_are_few_writes_and_stop_nothing(
    target: Side, edits: int, seconds: float, most: int
) -> None:
    # heard of over many seconds here; where they are heard at once, three writes are enough

    async def story(pair: Pair) -> None:
        before = {side: pair.writes(side) for side in Side}
        for number in range(edits):
            pair.entitle(target.other, f"title {number}")
            await asyncio.sleep(seconds / edits)
        await asyncio.sleep(CALM_S)
        assert pair.title(target) == f"title {edits - 1}"
        assert await pair.state() is LinkState.ACTIVE
        assert pair.writes(target) - before[target] <= most
        assert pair.writes(target.other) == before[target.other]

    between_real_services(Policy.ASK, story)
