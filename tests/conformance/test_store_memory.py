"""What the simulation counts on: the hook of the store in memory, its determinism, and its stricter view of values."""

from __future__ import annotations

import asyncio

import pytest

from shared.domain.ids import LinkId
from shared.store.memory import MemoryStore
from tests.conformance.store_worlds import (
    LEASE,
    T0,
    TITLE,
    SetClock,
    change,
    insert,
    insert_with_operation,
    integration,
    link,
    nothing,
    pass_time,
)

LINK = LinkId("link-a")


class Crash(BaseException):
    """The process is gone."""


class Hook:
    """Writes down the calls, and crashes at the one that is named."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.crash_at: str | None = None

    async def __call__(self, name: str) -> None:
        self.calls.append(name)
        if name == self.crash_at:
            raise Crash


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
async def hooked(hook: Hook, clock: SetClock) -> MemoryStore:
    store = MemoryStore(clock, hook)
    await store.save_integration(integration(), 0, "an admin", T0)
    await insert(store, link())
    hook.calls.clear()
    return store


async def test_the_hook_is_told_of_each_operation_and_of_each_commit(hooked: MemoryStore, hook: Hook) -> None:
    await change(hooked, LINK, nothing)
    assert hook.calls == ["transaction", "lock_link", "save", "transaction:commit", "transaction:committed"]
    hook.calls.clear()
    await hooked.release(LINK, "nobody")  # type: ignore[arg-type]
    assert hook.calls == ["release", "release:commit", "release:committed"]


@pytest.mark.parametrize(
    ("crash_at", "stored"),
    [("lock_link", False), ("save", False), ("transaction:commit", False), ("transaction:committed", True)],
)
async def test_a_crash_before_the_commit_leaves_nothing_and_one_after_it_everything(
    hooked: MemoryStore, hook: Hook, crash_at: str, stored: bool
) -> None:
    hook.crash_at = crash_at
    with pytest.raises(Crash):
        await change(hooked, LINK, lambda found: found.labels.update(title="stored"))
    hook.crash_at = None
    await change(hooked, LINK, lambda found: found.labels.update(again="free"))
    assert ("title" in hooked.tables.links[LINK].labels) is stored


@pytest.mark.parametrize(("crash_at", "attempts"), [("claim", 0), ("claim:commit", 0), ("claim:committed", 1)])
async def test_a_claim_that_crashes_is_taken_or_not(
    hooked: MemoryStore, hook: Hook, crash_at: str, attempts: int
) -> None:
    op_id = await insert_with_operation(hooked, link("b"))
    hook.crash_at = crash_at
    with pytest.raises(Crash):
        await hooked.claim(op_id, "writer", LEASE)
    hook.crash_at = None
    assert hooked.tables.operations[op_id].attempts == attempts
    await pass_time(hooked, LEASE)
    assert await hooked.claim(op_id, "writer", LEASE) is not None


async def test_a_waiter_that_is_cancelled_lets_the_next_one_in(hooked: MemoryStore) -> None:
    async with hooked.transaction() as tx:
        await tx.lock_link(LINK)
        waiters = [asyncio.create_task(change(hooked, LINK, nothing)) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
    ends = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(end).__name__ for end in ends] == ["CancelledError", "NoneType", "NoneType"]
    assert hooked.locks.idle()


async def test_who_asks_first_is_served_first(hooked: MemoryStore) -> None:
    served: list[int] = []
    async with hooked.transaction() as tx:
        await tx.lock_link(LINK)
        tasks = [asyncio.create_task(change(hooked, LINK, lambda _, n=n: served.append(n))) for n in range(9)]  # type: ignore[misc]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert served == list(range(9))


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, float("nan"), {"deep": [{1}]}])
async def test_a_value_that_json_would_not_give_back_is_refused(hooked: MemoryStore, value: object) -> None:
    with pytest.raises(TypeError, match="JSON"):
        await change(hooked, LINK, lambda found: found.jira.pair(TITLE).recent.append(value))
