"""What a change is worth that is told again long after: it brings nothing back, and nothing is made of it unseen."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.ids import Side
from shared.messages.change import ChangeEvent
from tests.unit.mapper.test_protocol_failures_handlers import Bench


def replayed(event: ChangeEvent) -> ChangeEvent:
    return event.model_copy(update={"replayed": True})


async def test_nothing_is_created_of_what_an_item_was_before_it_was_looked_at_again() -> None:
    bench = Bench()
    await bench.configure()
    event = bench.jira("1", "as it was")
    for _ in range(2):
        await bench.mapper.handle(replayed(event))
    assert await bench.link(Side.JIRA, "1") is None
    assert await bench.commands() == []
    (parked,) = await bench.store.due_parked(bench.clock.now(), 10)
    assert parked.entity_id == "1"
    await bench.mapper.handle(bench.jira("1", "as it is"))
    (command,) = await bench.commands()
    assert "as it is" in str(command.fields)
    assert await bench.store.due_parked(bench.clock.now() + timedelta(hours=1), 10) == []


async def test_a_linked_item_is_not_taken_back_to_what_it_was() -> None:
    bench = Bench()
    await bench.configure()
    was = bench.jira("1", "as it was")
    await bench.mapper.handle(was)
    await bench.created((await bench.commands())[-1], "11", bench.craft("11", "as it was"))
    bench.clock.at += timedelta(minutes=1)
    await bench.mapper.handle(bench.jira("1", "as it is"))
    before = len(await bench.commands())
    for _ in range(2):
        await bench.mapper.handle(replayed(was))
    assert len(await bench.commands()) == before
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    assert "as it is" in [record.seen.value for record in link.jira.pairs.values() if record.seen]
