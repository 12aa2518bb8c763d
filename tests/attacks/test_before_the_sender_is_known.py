"""Nothing is unpacked, parsed or read at length before the sender is known: what strangers send costs little."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.ids import Side
from tests.attacks.stage import (
    CLAIM,
    CRAFT_PATH,
    JIRA_PATH,
    MB,
    TOKEN,
    UPDATED,
    Victims,
    bomb,
    head,
    request,
)
from tests.unit.gateway.harness import signed

pytestmark = pytest.mark.slow
BOMB_BYTES, TIMES = 256 * MB, 9
"""Together two gigabytes, which take two to four seconds to unpack."""
CHEAP_CPU_S = 0.5
CHEAP_BYTES = 32 * MB

POINTS = [
    ("webhook_gateway", "POST", "/webhooks/jira/nobody", {}, {404}),
    ("webhook_gateway", "POST", "/webhooks/jira/nobody", CLAIM, {404}),
    ("webhook_gateway", "POST", JIRA_PATH, {}, {401}),
    ("webhook_gateway", "POST", JIRA_PATH, CLAIM, {401}),
    ("webhook_gateway", "POST", JIRA_PATH, {"X-Hub-Signature": "md5=00"}, {401}),
    ("webhook_gateway", "POST", JIRA_PATH, {"X-Hub-Signature": "sha256=00"}, {401}),
    ("webhook_gateway", "GET", "/healthz", {}, {200}),
    ("webhook_gateway", "PUT", "/metrics", {}, {405}),
    ("webhook_gateway", "POST", "/no/such/path", {}, {404}),
    ("console", "PUT", "/api/v1/connections/x", {}, {401, 429}),
    ("console", "PUT", "/api/v1/connections/x", {"Authorization": "Bearer guessed"}, {401, 429}),
    ("console", "GET", "/api/v1/links", {}, {401, 429}),
    ("console", "GET", "/api/v1/openapi.json", {}, {200}),
    ("mapper", "POST", "/metrics", {}, {405}),
    ("mapper", "GET", "/metrics", {}, {200}),
    ("mapper", "HEAD", "/metrics", {}, {200}),
    ("mapper", "GET", "/readyz", {}, {200}),
]


@pytest.mark.parametrize("name", ["webhook_gateway", "console", "mapper"])
async def test_what_a_stranger_packs_is_not_unpacked(name: str, victims: Victims) -> None:
    packed = [("gzip", bomb(BOMB_BYTES)), ("deflate", bomb(BOMB_BYTES, 15)), ("deflate", bomb(BOMB_BYTES, -15))]
    async with victims.lent(name) as found:
        for _, method, path, headers, expected in [point for point in POINTS if point[0] == name]:
            requests = [
                request(method, path, content, Content_Encoding=packing, **headers)
                for packing, content in (packed[number % len(packed)] for number in range(TIMES))
            ]
            with found.measured() as cost:
                answers = await asyncio.gather(*map(found.ask, requests))
            # None: a body that nobody asked for may also be met with the end of the connection.
            assert all(answer is None or answer.status in expected for answer in answers), (method, path, answers)
            assert cost.cpu_s < CHEAP_CPU_S, (method, path, cost)
            assert cost.grown_bytes < CHEAP_BYTES, (method, path, cost)


async def test_who_is_known_unpacks_within_a_budget(victims: Victims) -> None:
    async with victims.lent("webhook_gateway") as found:
        packed = bomb(BOMB_BYTES)
        for path, proof in ((JIRA_PATH, signed(Side.JIRA, packed)), (CRAFT_PATH, {})):
            with found.measured() as cost:
                answer = await found.ask(request("POST", path, packed, Content_Encoding="gzip", **proof))
            assert answer is not None
            assert answer.status == 413
            assert cost.cpu_s < CHEAP_CPU_S
        assert found.highest_bytes < 300 * MB


async def test_what_is_packed_twice_or_otherwise_is_415_before_it_is_read(victims: Victims) -> None:
    async with victims.lent("webhook_gateway") as found:
        for packing in ("gzip, gzip", "br", "zstd", "compress", "gzip;q=1"):
            async with found.call() as caller:
                await caller.send(head("POST", JIRA_PATH, 24 * MB, Content_Encoding=packing, **CLAIM))
                answer = await caller.answer()
            assert answer is not None
            assert answer.status == 415, packing
            assert "gzip" in answer.headers["accept-encoding"]


async def test_a_body_is_asked_for_only_where_it_is_wanted(victims: Victims) -> None:
    """`Expect: 100-continue`: no invitation before the question who sends."""
    async with victims.lent("webhook_gateway") as found:
        for path, headers, status in (
            (JIRA_PATH, {}, 401),
            ("/webhooks/jira/nobody", CLAIM, 404),
            (JIRA_PATH, signed(Side.JIRA, UPDATED), 100),
        ):
            async with found.call() as caller:
                await caller.send(head("POST", path, len(UPDATED), Expect="100-continue", **headers))
                answer = await caller.answer()
                assert answer is not None
                assert answer.status == status, path
                if status == 100:
                    await caller.send(UPDATED)
                    answer = await caller.answer()
                    assert answer is not None
                    assert answer.status == 202
    async with victims.lent("console") as found, found.call() as caller:
        await caller.send(head("PUT", "/api/v1/connections/x", 100, Expect="100-continue"))
        answer = await caller.answer()
        assert answer is not None
        assert answer.status == 401


async def test_nobody_is_asked_to_send_to_the_end_what_is_not_wanted(victims: Victims) -> None:
    """The answer is there while the body is still coming, and the connection ends soon after."""
    for name, path in (("webhook_gateway", JIRA_PATH), ("console", "/api/v1/connections/x"), ("mapper", "/metrics")):
        async with victims.lent(name) as found, found.call() as caller:
            method = "POST" if name != "console" else "PUT"
            await caller.send(head(method, path, 24 * MB) + b"x" * 1000)
            answer = await caller.answer()
            assert answer is not None
            assert answer.status in (401, 405)
            assert answer.headers["connection"] == "close"
            assert await caller.ended()


async def test_the_console_takes_no_packed_body_even_from_the_admin(victims: Victims) -> None:
    async with victims.lent("console") as found:
        told = {"Content_Encoding": "gzip", "Authorization": f"Bearer {TOKEN}"}
        with found.measured() as cost:
            answer = await found.ask(request("PUT", "/api/v1/connections/x", bomb(BOMB_BYTES), **told))
        assert answer is not None
        assert answer.status == 415
        assert cost.cpu_s < CHEAP_CPU_S
