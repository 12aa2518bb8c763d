"""What a vendor refused is tried again by itself, at growing intervals; what does not come to its end says why."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.mapper.domain.blocked import wait_after
from shared.domain.ids import OperationId, PairId, Side
from shared.domain.link import Link, LinkState, Result
from shared.messages.request import RequestKind
from shared.messages.status import SyncStatus
from shared.messages.trouble import Trouble
from tests.unit.mapper.test_protocol_failures_handlers import Bench

WORDS = "You do not have permission to edit this item."


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def refused_edit(bench: Bench, times: int) -> Link:
    """Have the same edit refused that many times in a row, each as soon as it is tried again by itself."""
    await bench.configure()
    await bench.linked()
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    for number in range(times):
        if number:
            bench.clock.at = (await waiting(bench)).retry_at or bench.clock.at
            await clock(bench)
        command = (await bench.commands())[-1]
        await bench.mapper.handle(bench.outcome(command, Result.REJECTED, message=WORDS, status=403))
    return await waiting(bench)


async def waiting(bench: Bench) -> Link:
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


async def clock(bench: Bench) -> list[str]:
    """Be the reconciler's clock: have every link looked at again that is due; return their ids."""
    due = await bench.store.due_links(bench.clock.at, timedelta(days=9), 10)
    for each in due:
        await bench.mapper.handle(bench.request(RequestKind.DECIDE, each.link_id))
    return [each.link_id for each in due]


async def status_of(bench: Bench) -> SyncStatus:
    link_id = (await waiting(bench)).id
    return [each for each in await bench.statuses() if each.link_id == link_id][-1]


async def test_a_refused_edit_goes_through_once_the_reason_is_gone_and_nobody_presses_anything(bench: Bench) -> None:
    link = await refused_edit(bench, 1)
    assert (await status_of(bench)).state == "blocked"
    bench.clock.at += timedelta(seconds=59)
    assert await clock(bench) == []
    bench.clock.at += timedelta(seconds=1)
    assert await clock(bench) == [link.id]
    command = (await bench.commands())[-1]
    event = bench.craft("11", "b")
    shown = {"snapshot": event.snapshot, "write_at": bench.clock.at, "ticket": link.craft.mark}
    await bench.mapper.handle(bench.outcome(command, Result.APPLIED, **shown))
    assert (await status_of(bench)).state == "in_sync"
    assert (await waiting(bench)).retry_at is None


async def test_the_more_often_it_is_refused_the_longer_it_waits(bench: Bench) -> None:
    link = await refused_edit(bench, 4)
    assert link.retry_at == bench.clock.at + wait_after(4)
    waits = [wait_after(times) for times in range(1, 40)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=1), timedelta(days=1))


async def test_what_a_refused_item_says_names_the_words_the_field_and_when_it_is_tried_again(bench: Bench) -> None:
    link = await refused_edit(bench, 1)
    status = await status_of(bench)
    assert WORDS in status.message
    assert status.field == "title"
    assert link.retry_at is not None
    assert f"{link.retry_at:%H:%M:%S} UTC" in (status.next_step or "")


async def test_another_value_is_tried_at_once_and_counts_from_the_beginning(bench: Bench) -> None:
    await refused_edit(bench, 3)
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "c"))
    command = (await bench.commands())[-1]
    assert command.fields == {"title": "c"}
    await bench.mapper.handle(bench.outcome(command, Result.REJECTED, message=WORDS))
    assert (await waiting(bench)).retry_at == bench.clock.at + wait_after(1)


async def test_a_persons_retry_counts_from_the_beginning_too(bench: Bench) -> None:
    link = await refused_edit(bench, 3)
    await bench.mapper.handle(bench.request(RequestKind.RETRY, link.id))
    await bench.mapper.handle(bench.outcome((await bench.commands())[-1], Result.REJECTED, message=WORDS))
    assert (await waiting(bench)).retry_at == bench.clock.at + wait_after(1)


async def test_a_refused_create_is_tried_again_by_itself(bench: Bench) -> None:
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "a"))
    for times in range(1, 4):
        command = (await bench.commands())[-1]
        await bench.mapper.handle(bench.outcome(command, Result.REJECTED, message="Team is required."))
        link = await waiting(bench)
        assert (link.state, link.retry_at) == (LinkState.EXCLUDED, bench.clock.at + wait_after(times))
        assert await clock(bench) == []
        bench.clock.at = link.retry_at or bench.clock.at
        assert await clock(bench) == [link.id]
        assert len(await bench.commands()) == times + 1
    await bench.created((await bench.commands())[-1], "2", bench.craft("2", "a"))
    assert (await waiting(bench)).state is LinkState.ACTIVE


async def test_what_a_create_is_refused_for_is_told_and_not_what_is_missed_without_it(bench: Bench) -> None:
    """Without its title, which Craft.io refused, the next try is refused for having none: that is not the reason."""
    await bench.configure()
    await bench.mapper.handle(bench.jira("1", "T" * 256))
    first = (await bench.commands())[-1]
    errors = {PairId("title"): "at most 255 characters"}
    await bench.mapper.handle(bench.outcome(first, Result.REJECTED, errors=errors, message="at most 255 characters"))
    second = (await bench.commands())[-1]
    assert "title" not in second.fields
    await bench.mapper.handle(bench.outcome(second, Result.REJECTED, message="You must specify a title."))
    assert "at most 255 characters" in (await status_of(bench)).message


async def test_an_attempt_that_does_not_end_says_why_and_since_when_and_the_words_go_with_it(bench: Bench) -> None:
    await bench.configure()
    await bench.linked()
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    command, link = (await bench.commands())[-1], await waiting(bench)

    def told(words: str, op_id: str = command.op_id) -> Trouble:
        side = Side.CRAFT
        return Trouble(link_id=link.id, side=side, op_id=OperationId(op_id), words=words, at=bench.clock.at)

    said = await bench.handle(told("Craft.io answered 500: Internal server error"))
    began = bench.clock.at
    assert [type(each) for each in said] == [SyncStatus]
    status = await status_of(bench)
    assert (status.state, status.cause) == ("pending", "operation_open")
    assert "Craft.io answered 500: Internal server error" in status.message
    assert status.next_step
    assert await bench.handle(told("Craft.io answered 500: Internal server error")) == [], "known words tell nothing"
    bench.clock.at += timedelta(days=1)
    await bench.mapper.handle(told("Craft.io did not answer"))
    assert f"{began:%d %B} {began:%H:%M:%S}" in (await status_of(bench)).message, "since when, with the day"
    assert await bench.handle(told("late", "another:1")) == []
    event = bench.craft("2", "b")
    shown = {"snapshot": event.snapshot, "write_at": bench.clock.at, "ticket": link.craft.mark}
    await bench.mapper.handle(bench.outcome(command, Result.APPLIED, **shown))
    assert (await status_of(bench)).state == "in_sync"
    assert (await waiting(bench)).troubles == {}
    assert await bench.handle(told("Craft.io did not answer")) == [], "what is over is not told any more"


async def test_a_write_that_is_put_off_says_why_and_until_when(bench: Bench) -> None:
    await bench.configure()
    await bench.linked()
    bench.clock.at += timedelta(seconds=5)
    await bench.mapper.handle(bench.jira("1", "b"))
    until = bench.clock.at + timedelta(hours=20)
    limited = "Craft.io limits the rate of requests (try later) and asks to wait for 24 h"
    command = (await bench.commands())[-1]
    await bench.mapper.handle(bench.outcome(command, Result.DEFERRED, message=limited, not_before=until))
    status = await status_of(bench)
    assert limited in status.message
    assert _shown(until) in status.message


async def test_a_side_that_cannot_be_read_says_why(bench: Bench) -> None:
    await bench.configure()
    await bench.linked()
    link = await waiting(bench)
    await bench.mapper.handle(bench.request(RequestKind.RESYNC, link.id))
    words = "TAN is not visible to Tandem"
    await bench.mapper.handle(Trouble(link_id=link.id, side=Side.JIRA, words=words, at=bench.clock.at))
    status = await status_of(bench)
    assert status.cause == "fresh_read"
    assert words in status.message


async def test_nothing_is_decided_by_words(bench: Bench) -> None:
    """Whatever is told, of whatever, the ledger and what is believed of both sides stay as they are."""
    await bench.configure()
    await bench.linked()
    before = await waiting(bench)
    for op_id in (None, OperationId("x:1")):
        for side in Side:
            told = Trouble(link_id=before.id, side=side, op_id=op_id, words="w", at=bench.clock.at)
            assert await bench.handle(told) == []
    assert await waiting(bench) == before


def _shown(at: datetime) -> str:
    return f"{at:%d %B} {at:%H:%M:%S} UTC"
