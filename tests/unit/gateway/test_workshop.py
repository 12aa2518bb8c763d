"""Slow work on bodies holds up nobody: it is done aside, not all at once, and what is without bound is left out."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from services.webhook_gateway.adapters.workshop import BoundedWorkshop
from services.webhook_gateway.domain.room import Room
from services.webhook_gateway.domain.verdict import MAX_CHANGES
from shared.domain.ids import Side
from tests.unit.gateway.harness import Rig, body, dump, said

KB = 1024


async def test_what_is_large_is_worked_on_aside_and_what_is_small_on_the_spot() -> None:
    here = threading.get_ident()
    with ThreadPoolExecutor(1) as threads:
        workshop = BoundedWorkshop(1024 * KB, threads)
        assert await workshop.run(KB, threading.get_ident) == here
        assert await workshop.run(1024 * KB, threading.get_ident) != here
    assert await BoundedWorkshop(1024 * KB, None).run(1024 * KB, threading.get_ident) == here


async def test_no_more_is_worked_on_at_once_than_there_is_place_for_and_the_small_never_waits_for_the_large() -> None:
    workshop, done, most = BoundedWorkshop(100, None), [], 0

    async def work(name: str, size: int) -> None:
        nonlocal most
        async with workshop.place(size):
            most = max(most, workshop._in_work)
            for _ in range(3):
                await asyncio.sleep(0)
            done.append(name)

    await asyncio.gather(work("first", 80), work("large", 90), work("small", 20), work("huge", 300))
    assert done == ["first", "small", "large", "huge"]
    assert most == 300  # what is larger than the place has it alone
    assert workshop._in_work == 0


async def test_who_gives_up_waiting_leaves_the_place_to_others() -> None:
    workshop = BoundedWorkshop(100, None)
    async with workshop.place(100):
        waiting = [asyncio.create_task(_enter(workshop)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
    waiting[1].cancel()  # at the moment when its turn came
    await asyncio.gather(*waiting, return_exceptions=True)
    assert workshop._in_work == 0
    assert not workshop._queue


async def _enter(workshop: BoundedWorkshop) -> None:
    async with workshop.place(100):
        await asyncio.sleep(0)


async def test_an_event_with_a_changelog_of_any_length_is_read_at_its_vendor_instead() -> None:
    rig = await Rig().load()
    content = body(Side.JIRA, "issue_updated")
    item = {"field": "labels", "fieldtype": "jira", "from": "", "fromString": "a", "to": "", "toString": "b"}
    for count, reason in ((MAX_CHANGES, "whole"), (MAX_CHANGES + 1, "thin"), (100_000, "thin")):
        content["changelog"]["items"] = [item] * count
        reply = await rig.send(Side.JIRA, dump(content))
        assert (reply.status, said(reply)["reason"]) == (202, reason)
    events = rig.published()
    assert [len(event.changelog) for event in events] == [1, 0, 0]
    assert len(events[0].changelog[0].items) == MAX_CHANGES
    assert {event.entity_id for event in events} == {"20417"}


def test_a_room_is_never_fuller_than_it_may_be_and_empty_when_all_have_left() -> None:
    room = Room(most_bytes=100, most_bytes_each=60)
    with room.share("a") as first, room.share("a") as second, room.share("b") as other:
        assert first.take(b"x" * 50)
        assert second.take(b"x" * 10)
        assert not second.take(b"x" * 45)  # would be larger than the largest: nobody makes room for it
        assert other.take(b"x" * 40)
        assert second.take(b"x" * 5)  # the largest of its own connection goes
        assert not first.take(b"x")
        assert first.body == b""
        other.whole()
        assert second.take(b"x" * 45)
        assert not second.take(b"x")  # what is whole is not taken away
    assert not room._shares
    assert second.body == other.body == b""
