"""How long a change takes is measured from when it was accepted, whatever comes in between, and never for what waited
for a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.domain.ids import PairId, Side
from shared.domain.link import Carried, Link, Operation, Result
from shared.domain.mapping import Policy
from shared.messages.change import ChangeEvent, Origin
from shared.messages.request import RequestKind
from shared.messages.write import WriteCommand
from shared.observability.catalogue.flow import DECISIONS
from shared.observability.metrics import REGISTRY
from tests.unit.mapper.test_protocol_failures_handlers import Bench

TITLE = PairId("title")
A_WHILE = timedelta(seconds=7)


async def current(bench: Bench) -> Link:
    """Return the link as it is stored."""
    link = await bench.link(Side.JIRA, "1")
    assert link is not None
    return link


async def opened(bench: Bench) -> Operation:
    """Return the open operation."""
    operation = (await current(bench)).open_operation
    assert operation is not None
    return operation


async def settled_bench(**changes: Any) -> Bench:
    """Return a mapper with issue 1 and item 11 in sync for a while."""
    bench = Bench()
    await bench.configure(**changes)
    await bench.linked()
    bench.clock.at += A_WHILE
    return bench


async def applied(bench: Bench, title: str) -> None:
    """Let the writer report the last command as done."""
    link, command = await current(bench), (await bench.commands())[-1]
    snapshot = bench.craft("11", title).snapshot
    done = bench.outcome(command, Result.APPLIED, snapshot=snapshot, ticket=link.craft.mark)
    await bench.mapper.handle(done)


async def put_off(bench: Bench, command: WriteCommand) -> None:
    """Let the writer put a command off by a second, and the clock bring it back."""
    until = bench.clock.now() + timedelta(seconds=1)
    await bench.mapper.handle(bench.outcome(command, Result.DEFERRED, not_before=until, message="Busy."))
    bench.clock.at = until
    await bench.mapper.handle(bench.request(RequestKind.DECIDE, command.link_id))


def accepted_late(event: ChangeEvent, at: datetime) -> ChangeEvent:
    """Return an event that the mapper comes to later than it was accepted."""
    return event.model_copy(update={"observed_at": at})


async def test_a_change_is_measured_from_its_acceptance_to_its_write() -> None:
    bench = await settled_bench()
    accepted_at = bench.clock.now() - timedelta(seconds=3)
    await bench.mapper.handle(accepted_late(bench.jira("1", "b"), accepted_at))
    assert (await opened(bench)).accepted_at == accepted_at
    bench.clock.at += A_WHILE
    await applied(bench, "b")
    link = await current(bench)
    assert link.carried == Carried(Side.CRAFT, accepted_at, bench.clock.now())
    status = (await bench.statuses())[-1]
    assert (status.accepted_at, status.written_at, status.lag_s) == (accepted_at, bench.clock.now(), 10.0)
    assert all(record.heard_at is None for side in Side for record in link.side(side).pairs.values())


async def test_a_new_item_is_measured_too() -> None:
    bench = Bench()
    await bench.configure()
    accepted_at = bench.clock.now()
    await bench.mapper.handle(bench.jira("1", "a"))
    assert (await opened(bench)).accepted_at == accepted_at


async def test_what_is_put_off_is_still_the_same_change() -> None:
    bench = await settled_bench()
    accepted_at = bench.clock.now()
    await bench.mapper.handle(bench.jira("1", "b"))
    for _ in range(2):
        await put_off(bench, (await bench.commands())[-1])
        assert (await opened(bench)).accepted_at == accepted_at


async def test_a_change_during_a_write_is_measured_from_its_own_acceptance() -> None:
    bench = await settled_bench()
    await bench.mapper.handle(bench.jira("1", "b"))
    bench.clock.at += A_WHILE
    second_at = bench.clock.now()
    await bench.mapper.handle(bench.jira("1", "c"))
    bench.clock.at += A_WHILE
    await applied(bench, "b")
    assert (await opened(bench)).accepted_at == second_at


async def test_a_thin_webhook_counts_from_its_own_acceptance_and_not_from_the_read() -> None:
    bench = await settled_bench()
    accepted_at = bench.clock.now()
    thin = bench.jira("1", "b").model_copy(update={"snapshot": None, "updated": None})
    await bench.mapper.handle(thin)
    bench.clock.at += A_WHILE
    ticket = (await current(bench)).jira.mark
    await bench.mapper.handle(bench.jira("1", "b", origin=Origin.FRESH, ticket=ticket))
    assert (await opened(bench)).accepted_at == accepted_at


async def test_what_waited_for_a_person_is_not_measured() -> None:
    bench = await settled_bench(policy=Policy.ASK)
    await bench.mapper.handle(bench.jira("1", "b"))
    await bench.mapper.handle(bench.craft("11", "c"))
    await put_off(bench, (await bench.commands())[-1])
    link = await current(bench)
    assert TITLE in link.open_conflicts
    bench.clock.at += timedelta(days=3)
    note = link.open_conflicts[TITLE]
    choice = bench.request(RequestKind.RESOLVE, link.id, pair=TITLE, winner=Side.JIRA, conflict_at=note.at)
    await bench.mapper.handle(choice)
    assert (await opened(bench)).accepted_at is None


async def test_decisions_are_counted_by_what_is_published() -> None:
    def counted(outcome: str) -> float:
        return REGISTRY.get_sample_value(DECISIONS.name, {"integration": "i", "outcome": outcome}) or 0.0

    outcomes = ("create", "write", "in_sync")
    before = {outcome: counted(outcome) for outcome in outcomes}
    bench = await settled_bench()
    await bench.mapper.handle(bench.jira("1", "b"))
    await applied(bench, "b")
    after = {outcome: counted(outcome) - before[outcome] for outcome in outcomes}
    assert after["create"] == after["write"] == 1
    assert after["in_sync"] >= 1
