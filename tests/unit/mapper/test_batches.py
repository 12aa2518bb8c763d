"""Inputs in batches: what shares a transaction fails, waits and is published as if it had its own (ADR 0015)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from services.mapper.handlers.batches import ALONE_AT_ONCE, Batches, Limits
from shared.domain.errors import Poison
from shared.domain.ids import EntityId, LinkId, Side
from shared.domain.link import Link, LinkState
from shared.messages.base import Message
from shared.messages.request import RequestKind, SyncRequest
from shared.store.memory import MemoryStore
from shared.store.port import Contended, LinkTransaction, StoreUnavailable
from tests.conformance.store_worlds import JIRA, T0, SetClock, insert, integration, link, load
from tests.patience import HANGS_S

GATE = "gate"


def ask(name: str) -> SyncRequest:
    """Return an input that is about a link; its id says what the handler does with it."""
    return SyncRequest(
        request_id=name,
        kind=RequestKind.DECIDE,
        requested_by="test",
        requested_at=T0,
        link_id=LinkId(f"link-{name.partition('.')[0]}"),
    )


class Bench:
    """A store with some links, and a handler that marks each link with the inputs that it was given."""

    def __init__(self, store: MemoryStore, limits: Limits) -> None:
        self.store = store
        self.batches = Batches(store, self._decide, limits)
        self.gate = asyncio.Event()
        self.act: dict[str, Callable[[LinkTransaction, Link], Awaitable[None]]] = {}
        self.started: list[str] = []

    async def _decide(self, tx: LinkTransaction, message: Message) -> list[Message]:
        assert isinstance(message, SyncRequest)
        assert message.link_id is not None
        name = message.request_id
        self.started.append(name)
        if name == GATE:
            await self.gate.wait()
            return []
        found = await tx.lock_link(message.link_id)
        assert found is not None
        found.labels["inputs"] = f"{found.labels.get('inputs', '')}{name} "
        if name in self.act:
            await self.act[name](tx, found)
        await tx.save(found)
        return [message]

    async def together(self, *names: str) -> list[list[Message] | BaseException]:
        """Let these inputs wait at the same moment, so that they share a transaction; return what becomes of each."""
        holding = asyncio.create_task(self.batches.handle(ask(GATE)))
        await self._until(lambda: GATE in self.started)
        tasks = [asyncio.create_task(self.batches.handle(ask(name))) for name in names]
        await asyncio.sleep(0)
        self.gate.set()
        await holding
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(HANGS_S):
            while not condition():
                await asyncio.sleep(0)

    async def inputs(self, *names: str) -> list[str]:
        """Return the inputs that these links were given, according to the store."""
        return [(await load(self.store, LinkId(f"link-{name}"))).labels.get("inputs", "").strip() for name in names]


@pytest.fixture
async def commits() -> list[str]:
    return []


@pytest.fixture
async def bench(commits: list[str]) -> Bench:
    async def note(name: str) -> None:
        if name.endswith("transaction:committed"):
            commits.append(name)

    store = MemoryStore(SetClock(), note)
    await store.save_integration(integration(), 0, "an admin", T0)
    await insert(store, link(GATE), *(link(name) for name in "abcdef"))
    commits.clear()
    return Bench(store, Limits(inputs=10, at_once=1))


def fail_with(error: Exception) -> Callable[[LinkTransaction, Link], Awaitable[None]]:
    async def act(_: LinkTransaction, found: Link) -> None:
        found.labels["title"] = "changed before the failure"
        raise error

    return act


def ids(answers: Sequence[list[Message] | BaseException]) -> list[str]:
    """Return the inputs whose effects were given out, or the kinds of the failures."""
    return [
        type(answer).__name__ if isinstance(answer, BaseException) else getattr(answer[0], "request_id", "")
        for answer in answers
    ]


async def test_inputs_of_different_links_share_one_commit(bench: Bench, commits: list[str]) -> None:
    assert ids(await bench.together("a", "b", "c")) == ["a", "b", "c"]
    assert await bench.inputs("a", "b", "c") == ["a", "b", "c"]
    assert len(commits) == 2  # one was under way, and one was of all three


async def test_inputs_of_one_link_are_handled_in_order_each_upon_the_last(bench: Bench) -> None:
    assert ids(await bench.together("a.1", "b", "a.2", "a.3")) == ["a.1", "b", "a.2", "a.3"]
    assert await bench.inputs("a", "b") == ["a.1 a.2 a.3", "b"]


async def test_a_bad_input_fails_alone_with_its_own_error(bench: Bench, commits: list[str]) -> None:
    bench.act["b"] = fail_with(Poison("never good"))
    answers = await bench.together("a", "b", "c")

    assert ids(answers) == ["a", "Poison", "c"]
    assert await bench.inputs("a", "b", "c") == ["a", "", "c"]
    assert "title" not in (await load(bench.store, LinkId("link-b"))).labels
    assert len(commits) == 2  # the others still share one


async def test_what_a_bad_input_did_to_a_link_before_it_failed_reaches_no_later_input_of_that_link(
    bench: Bench,
) -> None:
    bench.act["a.1"] = fail_with(ValueError("a bug"))

    assert ids(await bench.together("a.1", "a.2", "b")) == ["ValueError", "a.2", "b"]
    assert await bench.inputs("a", "b") == ["a.2", "b"]
    assert "title" not in (await load(bench.store, LinkId("link-a"))).labels


async def test_all_inputs_may_be_bad(bench: Bench) -> None:
    for name in "abc":
        bench.act[name] = fail_with(ValueError(name))

    answers = await bench.together("a", "b", "c")

    assert [str(answer) for answer in answers] == ["a", "b", "c"]
    assert await bench.inputs("a", "b", "c") == ["", "", ""]


async def test_an_input_whose_link_is_held_elsewhere_holds_up_nobody_else(bench: Bench) -> None:
    async with bench.store.transaction() as other:
        assert await other.lock_link(LinkId("link-b")) is not None
        waiting = asyncio.create_task(bench.together("a", "b", "c"))
        async with asyncio.timeout(HANGS_S):
            while await bench.inputs("a", "c") != ["a", "c"]:
                await asyncio.sleep(0)
        assert not waiting.done()
    assert ids(await waiting) == ["a", "b", "c"]
    assert await bench.inputs("b") == ["b"]


async def test_many_inputs_that_wait_alone_leave_connections_for_the_others(bench: Bench) -> None:
    names = [f"a.{n}" for n in range(ALONE_AT_ONCE * 3)]
    async with bench.store.transaction() as other:
        assert await other.lock_link(LinkId("link-a")) is not None
        waiting = asyncio.create_task(bench.together(*names, "b"))
        async with asyncio.timeout(HANGS_S):
            while await bench.inputs("b") != ["b"]:
                await asyncio.sleep(0)
        assert sum(name in bench.started for name in names) <= ALONE_AT_ONCE
    assert ids(await waiting) == [*names, "b"]


async def test_two_inputs_that_insert_a_link_of_one_entity_leave_one_link(bench: Bench) -> None:
    inserted: list[str] = []

    async def insert_new(tx: LinkTransaction, found: Link) -> None:
        if await tx.lock_entity(Side.JIRA, JIRA, EntityId("j-new")) is not None:
            return
        if not await tx.insert(link(f"new{found.id}", LinkState.CREATING, jira_id=EntityId("j-new"))):
            raise Contended("inserted meanwhile")
        inserted.append(found.id)

    bench.act["a"] = bench.act["b"] = insert_new

    assert ids(await bench.together("a", "b")) == ["a", "b"]
    assert inserted == ["link-a"]


async def test_a_commit_that_fails_for_one_of_them_is_made_alone_by_each(bench: Bench, commits: list[str]) -> None:
    failures = [Contended("one of these was inserted meanwhile")]

    async def fail_once(name: str) -> None:
        if name == "transaction:commit" and "c" in bench.started and failures:
            raise failures.pop()
        commits.extend([name] if name == "transaction:committed" else [])

    bench.store.on_call = fail_once

    assert ids(await bench.together("a", "b", "c")) == ["a", "b", "c"]
    assert await bench.inputs("a", "b", "c") == ["a", "b", "c"]
    assert len(commits) == 1 + 3


async def test_a_store_that_is_away_is_told_to_all_and_nobody_asks_it_again(bench: Bench) -> None:
    bench.act["b"] = fail_with(StoreUnavailable("gone"))

    assert ids(await bench.together("a", "b", "c")) == ["StoreUnavailable"] * 3
    assert await bench.inputs("a", "b", "c") == ["", "", ""]
    assert bench.started == [GATE, "a", "b"]


async def test_nothing_is_given_out_of_what_is_not_committed(bench: Bench) -> None:
    async def crash(name: str) -> None:
        if name == "transaction:commit" and "c" in bench.started:
            raise StoreUnavailable("the server died at the commit")

    bench.store.on_call = crash

    assert ids(await bench.together("a", "b", "c")) == ["StoreUnavailable"] * 3
    assert await bench.inputs("a", "b", "c") == ["", "", ""]


async def test_a_batch_takes_no_more_than_its_bound(bench: Bench, commits: list[str]) -> None:
    bench.batches = Batches(bench.store, bench._decide, Limits(inputs=2, at_once=1))

    assert ids(await bench.together("a", "b", "c", "d", "e")) == ["a", "b", "c", "d", "e"]
    assert len(commits) == 1 + 3
