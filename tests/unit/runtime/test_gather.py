"""Natural batching: nothing waits for a batch to fill, nothing is lost or answered twice, whoever is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.domain.errors import Transient
from shared.runtime.gather import Gatherer


class Work:
    """Takes its time until told: `finish` lets the oldest batch under way end."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self._gates: list[asyncio.Future[None]] = []

    async def __call__(self, items: Sequence[str]) -> Sequence[str]:
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.batches.append(list(items))
        self._gates.append(gate)
        await gate
        return [item.upper() for item in items]

    async def finish(self, error: Exception | None = None) -> None:
        gate = self._gates.pop(0)
        if error is None:
            gate.set_result(None)
        else:
            gate.set_exception(error)
        await settle()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def submit(gatherer: Gatherer[str, str], items: str) -> dict[str, asyncio.Task[str]]:
    return {item: asyncio.create_task(gatherer.submit(item)) for item in items}


@pytest.fixture
def work() -> Work:
    return Work()


async def test_a_lone_item_is_worked_on_at_once(work: Work) -> None:
    submit(Gatherer(work, most=10, at_once=1), "a")
    await settle()

    assert work.batches == [["a"]]


async def test_what_comes_during_work_is_worked_on_together_in_order(work: Work) -> None:
    tasks = submit(Gatherer(work, most=10, at_once=1), "abcd")
    await settle()
    await work.finish()
    await work.finish()

    assert work.batches == [["a"], ["b", "c", "d"]]
    assert [await task for task in tasks.values()] == ["A", "B", "C", "D"]


async def test_a_batch_has_a_bound_and_the_rest_follows(work: Work) -> None:
    tasks = submit(Gatherer(work, most=2, at_once=1), "abcde")
    await settle()
    for _ in range(3):
        await work.finish()

    assert work.batches == [["a"], ["b", "c"], ["d", "e"]]
    assert all([await task for task in tasks.values()])


async def test_several_batches_are_under_way_at_once_and_no_more(work: Work) -> None:
    tasks = submit(Gatherer(work, most=10, at_once=2), "abcd")
    await settle()
    assert work.batches == [["a"], ["b"]]
    await work.finish()
    assert work.batches == [["a"], ["b"], ["c", "d"]]
    await work.finish()
    await work.finish()

    assert [await task for task in tasks.values()] == ["A", "B", "C", "D"]


async def test_when_all_is_done_the_next_item_is_worked_on_at_once_again(work: Work) -> None:
    gatherer = Gatherer(work, most=10, at_once=2)
    submit(gatherer, "abc")
    await settle()
    for _ in range(3):
        await work.finish()
    submit(gatherer, "de")
    await settle()

    assert work.batches == [["a"], ["b"], ["c"], ["d"], ["e"]]


async def test_a_failure_is_raised_to_all_of_its_batch_and_to_nobody_else(work: Work) -> None:
    tasks = submit(Gatherer(work, most=10, at_once=1), "abc")
    await settle()
    more = submit(Gatherer(work, most=10, at_once=1), "x")
    await settle()
    await work.finish()
    await work.finish()
    await work.finish(ValueError("both"))

    assert await tasks["a"] == "A"
    assert await more["x"] == "X"
    for item in "bc":
        with pytest.raises(ValueError, match="both"):
            await tasks[item]


async def test_who_is_cancelled_in_the_queue_holds_up_nobody(work: Work) -> None:
    tasks = submit(Gatherer(work, most=10, at_once=1), "abc")
    await settle()
    tasks["b"].cancel()
    await settle()
    await work.finish()
    await work.finish()

    assert work.batches == [["a"], ["c"]]
    assert await tasks["c"] == "C"
    assert tasks["b"].cancelled()


async def test_who_is_cancelled_the_moment_it_gets_the_lead_passes_it_on(work: Work) -> None:
    tasks = submit(Gatherer(work, most=10, at_once=1), "abc")
    await settle()
    work._gates.pop(0).set_result(None)
    await asyncio.sleep(0)
    assert work.batches == [["a"]]  # `a` has given the lead to `b`, which did not run yet
    tasks["b"].cancel()
    await settle()
    await work.finish()

    assert await tasks["a"] == "A"
    assert await tasks["c"] == "C"


async def test_when_the_leader_is_cancelled_the_others_are_told_to_try_again(work: Work) -> None:
    gatherer = Gatherer(work, most=10, at_once=1)
    tasks = submit(gatherer, "abc")
    await settle()
    await work.finish()
    assert work.batches[1] == ["b", "c"]
    tasks["b"].cancel()
    await settle()
    with pytest.raises(Transient):
        await tasks["c"]
    again = submit(gatherer, "c")
    await settle()

    assert work.batches == [["a"], ["b", "c"], ["c"]]
    assert not again["c"].done()


async def test_a_member_of_a_running_batch_that_is_cancelled_changes_nothing_for_the_others(work: Work) -> None:
    tasks = submit(Gatherer(work, most=10, at_once=1), "abc")
    await settle()
    await work.finish()
    tasks["c"].cancel()
    await settle()
    await work.finish()

    assert await tasks["b"] == "B"
    assert tasks["c"].cancelled()
