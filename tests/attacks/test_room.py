"""Strangers take no room from good webhooks; a body has to keep coming; what a request held is free when it ends."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from shared.domain.ids import Side
from tests.attacks.stage import CLAIM, CRAFT_PATH, JIRA_PATH, MB, UPDATED, Caller, Victims, head, request, victim
from tests.unit.gateway.harness import body, dump, signed

pytestmark = pytest.mark.slow
MOST = MB
ROOMS = {"webhook_max_bytes": MOST, "webhook_max_held_bytes_each": 4 * MOST, "webhook_max_held_bytes": 6 * MOST}
ITEM = dump(body(Side.CRAFT, "item_updated"))


async def test_many_slow_strangers_never_make_a_good_webhook_come_again(victims: Victims) -> None:
    """Whether they name a connection or not, sign or not: each stops one byte short of the largest body."""
    async with victims.lent("webhook_gateway", webhook_body_idle_s=30, **ROOMS) as found, AsyncExitStack() as stack:
        for number in range(40):
            path, headers = (
                ("/webhooks/jira/nobody", CLAIM),
                (JIRA_PATH, {}),
                (JIRA_PATH, CLAIM),
                ("/webhooks/craft/nobody?token=x", {}),
            )[number % 4]
            caller: Caller = await stack.enter_async_context(found.call())
            await caller.send(head("POST", path, MOST, **headers) + b"x" * (MOST - 1))
            if number % 5 == 4:
                assert await found.webhook() == 202
                answer = await found.ask(request("POST", CRAFT_PATH, ITEM))
                assert answer is not None
                assert answer.status == 202


async def test_a_large_good_webhook_finds_room_among_slow_strangers_of_other_connections(victims: Victims) -> None:
    raw = UPDATED + b" " * (MOST - len(UPDATED))
    async with victims.lent("webhook_gateway", webhook_body_idle_s=30, **ROOMS) as found, AsyncExitStack() as stack:
        for _ in range(20):
            caller: Caller = await stack.enter_async_context(found.call())
            await caller.send(head("POST", f"{CRAFT_PATH}x", MOST) + b"x" * (MOST - 1))
        assert await found.webhook(raw) == 202


async def test_a_body_that_stands_still_or_trickles_is_let_go(tmp_path: Path) -> None:
    async with victim("webhook_gateway", tmp_path, webhook_body_idle_s=0.5) as found:
        async with found.call() as still:
            await still.send(head("POST", JIRA_PATH, 1000, **CLAIM) + b"x" * 999)
            answer = await still.answer()
            assert answer is not None
            assert answer.status == 408
            assert int(answer.headers["retry-after"]) >= 1
            assert await still.ended()
        async with found.call() as trickling:
            await trickling.send(head("POST", JIRA_PATH, 10_000, **CLAIM))
            asking, sent = asyncio.create_task(trickling.answer()), 0
            while not asking.done() and sent < 9_000:  # each byte in time, together far too slow
                await trickling.send(b"x")
                sent += 1
                await asyncio.sleep(0.05)
            answer = await asking
            assert answer is not None
            assert answer.status == 408


async def test_bodies_that_break_off_leave_nothing_behind(tmp_path: Path) -> None:
    size, times = 8 * MB, 60
    async with victim("webhook_gateway", tmp_path) as found:
        await found.webhook()
        before = found.highest_bytes
        for number in range(times):
            async with found.call() as caller:
                chunked = {"Transfer-Encoding": "chunked"} if number % 3 == 0 else {}
                length = None if chunked else size + 1
                await caller.send(head("POST", JIRA_PATH, length, **CLAIM, **chunked))
                if chunked:
                    await caller.send(f"{size + 1:x}\r\n".encode())
                await caller.send(b"x" * size)
                if number % 3 == 2:
                    caller.writer.write_eof()
                    await caller.ended()
        assert await found.webhook() == 202
        # Together they were 480 MB. A few may have been in hand at the same moment.
        assert found.highest_bytes - before < 100 * MB


async def test_what_all_senders_hold_together_is_what_the_settings_promise(tmp_path: Path) -> None:
    """Known and unknown, signed and not, whole and broken off: memory stays within what is held and worked on."""
    held, worked = 8 * MB, 2 * MB
    settings = {
        "webhook_max_bytes": 2 * MB,
        "webhook_max_held_bytes": held,
        "webhook_max_held_bytes_each": 6 * MB,
        "webhook_max_worked_bytes": worked,
    }
    raw = UPDATED[:-1] + b"," + b",".join(b'"%d":[[],{},"x"]' % number for number in range(90_000)) + b"}"
    assert 1.5 * MB < len(raw) < 2 * MB
    async with victim("webhook_gateway", tmp_path, **settings) as found:
        await found.webhook()
        before = found.highest_bytes

        async def one(number: int) -> None:
            proof = signed(Side.JIRA, raw) if number % 2 else CLAIM
            async with found.call() as caller:
                await caller.send(request("POST", JIRA_PATH, raw, **proof))
                if number % 3:
                    await caller.answer()

        for _ in range(3):
            await asyncio.gather(*(one(number) for number in range(12)))
        # What is made of a body of small parts is thirty times its size.
        assert found.highest_bytes - before < held + 32 * worked
        assert await found.webhook() == 202


async def test_hundreds_of_strangers_with_half_a_head_hold_little_and_keep_nobody_out(tmp_path: Path) -> None:
    half = head("POST", JIRA_PATH, 10, **CLAIM)[:-2] + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 7000) for n in range(8))
    async with victim("webhook_gateway", tmp_path) as found, AsyncExitStack() as stack:
        await found.webhook()
        before = found.highest_bytes
        for number in range(600):
            caller: Caller = await stack.enter_async_context(found.call())
            await caller.send(half)
            if number % 100 == 99:
                assert await found.webhook() == 202
        assert found.highest_bytes - before < 150 * MB


async def test_a_flood_of_strangers_keeps_no_good_webhook_out(victims: Victims) -> None:
    async with victims.lent("webhook_gateway") as found:

        async def knock(number: int) -> None:
            for _ in range(5):
                try:
                    await found.ask(request("POST", f"/webhooks/jira/nobody-{number}", UPDATED, **CLAIM))
                except ConnectionError:
                    continue

        flood = [asyncio.create_task(knock(number)) for number in range(60)]
        assert [await found.webhook() for _ in range(10)] == [202] * 10
        await asyncio.gather(*flood)
