"""Requests of a connection are paced, bounded, and held back as far as a 429 says, and no further."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.kit.inprocess import SiteTransport
from shared.clients.errors import RateLimited
from shared.clients.transport import HttpRequest, HttpResponse
from shared.domain.ids import EntityId, OperationId
from tests.unit.clients.site import CLOCK, JIRA_URL, Scripted, answer, jira_client, jira_site, on_virtual_time

ME = answer(200, {"accountId": "a", "displayName": "A"})


def limited(reason: str) -> HttpResponse:
    return answer(429, {}, {"retry-after": "10", "ratelimit-reason": reason})


@on_virtual_time
async def test_no_more_requests_a_second_than_the_connection_allows() -> None:
    vendor = Scripted(ME)
    client = jira_client(vendor, requests_per_second=5, max_concurrent=64)
    await asyncio.gather(*(client.myself() for _ in range(50)))
    for start in vendor.at:
        assert sum(start <= at < start + 1 for at in vendor.at) <= 10  # the bucket's burst and one second of drips
    assert vendor.at[-1] >= 8.9


@on_virtual_time
async def test_a_slow_pace_below_one_a_second_works() -> None:
    vendor = Scripted(ME)
    client = jira_client(vendor, requests_per_second=0.5)
    for _ in range(4):
        await client.myself()
    assert vendor.at[-1] >= 5.9


@on_virtual_time
async def test_no_more_requests_at_once_than_the_connection_allows() -> None:
    running = most = 0

    class Slow:
        async def send(self, request: HttpRequest) -> HttpResponse:
            nonlocal running, most
            del request
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1
            return ME

    client = jira_client(Slow(), requests_per_second=1000, max_concurrent=3)
    await asyncio.gather(*(client.myself() for _ in range(12)))
    assert most == 3


@on_virtual_time
async def test_a_quota_holds_back_the_whole_connection_until_it_ends() -> None:
    vendor = Scripted(limited("jira-quota-tenant-based"), ME)
    client = jira_client(vendor)
    with pytest.raises(RateLimited):
        await client.myself()
    with pytest.raises(RateLimited) as caught:
        await client.get_issue(EntityId("1"), ())
    assert caught.value.retry_after_s is not None
    assert 9 < caught.value.retry_after_s <= 11
    assert len(vendor.requests) == 1
    await asyncio.sleep(12)
    assert (await client.myself()).id == "a"


@on_virtual_time
async def test_a_burst_limit_holds_back_only_that_kind_of_call() -> None:
    vendor = Scripted(limited("jira-burst-based"), ME)
    client = jira_client(vendor)
    with pytest.raises(RateLimited):
        await client.get_issue(EntityId("1"), ())
    with pytest.raises(RateLimited):
        await client.get_issue(EntityId("2"), ())
    await client.myself()
    assert len(vendor.requests) == 2


@on_virtual_time
async def test_a_limit_on_one_issue_holds_back_only_its_writes() -> None:
    site = jira_site()
    client = jira_client(site, requests_per_second=1000)
    one, two = (EntityId(site.person("ada@example.com").create_issue("TAN", "x")) for _ in range(2))
    for number in range(20):
        await client.update_issue(one, {"summary": str(number)}, OperationId("o"), read_fields=())
    with pytest.raises(RateLimited) as caught:
        await client.update_issue(one, {"summary": "x"}, OperationId("o"), read_fields=())
    assert caught.value.scope == "issue"
    with pytest.raises(RateLimited):
        await client.update_issue(one, {"summary": "x"}, OperationId("o"), read_fields=())
    assert (await client.get_issue(one, ())).snapshot["fields"]["summary"] == "19"
    await client.update_issue(two, {"summary": "x"}, OperationId("o"), read_fields=())


@on_virtual_time
async def test_the_guard_is_asked_after_all_waiting_right_before_the_request_leaves() -> None:
    site = jira_site()
    client = jira_client(SiteTransport({JIRA_URL: site}, CLOCK), requests_per_second=1)
    asked: list[float] = []

    async def guard() -> None:
        asked.append(CLOCK.monotonic())
        raise TimeoutError

    await client.myself()
    before = CLOCK.monotonic()
    with pytest.raises(TimeoutError):
        await client.update_issue(EntityId("1"), {}, OperationId("o"), read_fields=(), guard=guard)
    assert asked[0] - before >= 0.9
