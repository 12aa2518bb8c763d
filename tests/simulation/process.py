"""A simulated process: runs one service, and can be killed, hung and started again at any await on the outside world.

Every port call passes `gate`, which takes a random moment of virtual time. A killed process never passes again, so that
nothing it does while unwinding has any effect, as after `kill -9`. A hung one passes much later: a zombie.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Literal

from shared.clients.transport import HttpRequest, HttpResponse
from shared.fakes.log import MemoryLog
from shared.runtime.access import ACCESS
from shared.runtime.log import Behind, Follower, ReceivedRecord, Record, Subscription
from tests.simulation.network import SimNetwork, look_at

EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SESSION_S = 6.0
"""After which silence a consumer group drops a member."""
_SERVICES: Final = {"gateway": "webhook_gateway", "mapper-1": "mapper", "mapper-2": "mapper"}
CURRENT: contextvars.ContextVar[SimProcess | None] = contextvars.ContextVar("process", default=None)


class Killed(BaseException):
    """The process of this task is dead. Not an Exception: no handler may survive it."""


class SimClock:
    """Virtual time: the loop's own, from a fixed day on."""

    def now(self) -> datetime:
        """Return the virtual wall clock."""
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        """Wait, and find out afterwards whether the process still lives."""
        await asyncio.sleep(delay_s)
        process = CURRENT.get()
        if process is not None:
            await process.enter("sleep")


class SimProcess:
    """One instance of one service."""

    def __init__(self, name: str, ident: str, dice: Random, start: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        self.name = name
        self.ident = ident
        self._dice = dice
        self._dice_of_dry_runs = Random(f"dry runs of {ident}")
        self._start = start
        self._thaw: asyncio.Event | None = None
        self.dead = False
        self.task: asyncio.Task[None] | None = None
        self.stop = asyncio.Event()
        self.memberships: list[Callable[[], None]] = []
        """How the broker puts each member of this process out of its group."""

    def launch(self) -> None:
        """Run the service in a task whose context names this process."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, self)
        self.task = asyncio.get_running_loop().create_task(self._run(), name=self.name, context=context)

    async def _run(self) -> None:
        try:
            await self._start(self.stop)
        except Killed:
            pass
        except BaseExceptionGroup as group:
            if not _all_killed(group):
                raise

    async def enter(self, what: str) -> None:
        """Pass a port call: takes a moment; raises `Killed` if the process died before or meanwhile."""
        if self.dead:
            raise Killed(self.name)
        if self._thaw is not None:
            await self._thaw.wait()
        # dry runs have dice of their own: what seeds have found does not depend on whether there are any
        dice = self._dice_of_dry_runs if "dry_run" in what or "rehearsal" in what else self._dice
        longest_s = dice.choice((0.0, 0.0, 0.02, 0.2))
        if longest_s:
            await asyncio.sleep(dice.random() * longest_s)
        if self._thaw is not None:
            await self._thaw.wait()
        if self.dead:
            raise Killed(self.name)

    def kill(self) -> None:
        """End the process as `kill -9` does."""
        self.dead = True
        self._expire_later()
        if self._thaw is not None:
            self._thaw.set()
        if self.task is not None:
            self.task.cancel()

    def hang(self) -> None:
        """Stop the process from getting any further until `thaw`."""
        self._thaw = asyncio.Event()
        self._expire_later()

    def _expire_later(self) -> None:
        """Let the broker notice that there are no more heartbeats."""
        for expire in self.memberships:
            asyncio.get_running_loop().call_later(SESSION_S, expire)

    def thaw(self) -> None:
        """Let a hung process go on."""
        if self._thaw is not None:
            self._thaw.set()
            self._thaw = None


def _all_killed(group: BaseExceptionGroup[BaseException]) -> bool:
    return group.split(lambda error: isinstance(error, Killed | asyncio.CancelledError))[1] is None


async def gate(what: str = "") -> None:
    """Pass the gate of the process whose task this is; the simulation's own tasks pass at once."""
    process = CURRENT.get()
    if process is not None:
        await process.enter(what)


def _within_rights(what: Literal["reads", "writes", "groups"], names: Collection[str]) -> None:
    """Hold each service to what a deployment's access control lists allow it."""
    process = CURRENT.get()
    if process is not None:
        access = ACCESS[_SERVICES.get(process.name, process.name)]
        forbidden = set(names) - set(getattr(access, what))
        assert not forbidden, f"{process.name} {what} {sorted(forbidden)}, which shared/runtime/access.py does not list"


class SimLog:
    """The log as one process sees it: each call takes time and may be where the process dies."""

    def __init__(self, inner: MemoryLog) -> None:
        self._inner = inner

    @property
    def most_bytes(self) -> int:
        """Return the size of the largest value that is taken."""
        return self._inner.most_bytes

    async def publish(self, records: Sequence[Record]) -> None:
        """Append; the process may die before, or after without knowing that it was done."""
        await gate("publish")
        _within_rights("writes", {record.topic for record in records})
        await self._inner.publish(records)
        await gate("published")

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join a group."""
        await gate(f"subscribe {group}")
        _within_rights("reads", topics)
        _within_rights("groups", [group])
        member = await self._inner.subscribe(group, topics)
        process = CURRENT.get()
        if process is not None:
            process.memberships.append(lambda: self._inner.expire(member))
        return SimSubscription(member, group)

    async def follow(self, topics: Sequence[str]) -> Follower:
        """Follow, and never hear anything: what is found here must not depend on hints."""
        _within_rights("reads", topics)
        return SilentFollower()

    async def behind(self, groups: Mapping[str, Sequence[str]], kept: Sequence[str]) -> Behind:
        """Tell how far groups are behind."""
        return await self._inner.behind(groups, kept)

    async def healthy(self) -> bool:
        """Tell that the log answers."""
        return await self._inner.healthy()


class SilentFollower:
    """Hears nothing."""

    async def receive(self, max_records: int, timeout_s: float) -> Sequence[ReceivedRecord]:
        """Wait for ever."""
        del max_records, timeout_s
        await asyncio.Event().wait()
        return ()

    async def close(self) -> None:
        """Nothing is open."""


class SimSubscription:
    """A subscription whose calls take time."""

    def __init__(self, inner: Subscription, group: str) -> None:
        self._inner = inner
        self._group = group

    async def receive(self, max_records: int, timeout_s: float) -> Sequence[ReceivedRecord]:
        """Receive."""
        found = await self._inner.receive(max_records, timeout_s)
        await gate(f"received by {self._group}")
        return found

    async def commit(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Commit."""
        await gate(f"commit of {self._group}")
        await self._inner.commit(positions)

    async def close(self) -> None:
        """Leave the group; a dead process cannot."""
        await gate(f"close of {self._group}")
        await self._inner.close()


class SimTransport:
    """A vendor's HTTP as one process sees it: effects come late, answers get lost, and neither asks the process."""

    def __init__(self, network: SimNetwork) -> None:
        self._network = network

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send; what is on its way stays on its way when the process dies."""
        asked_s = asyncio.get_running_loop().time()
        await gate("send")
        process, task = CURRENT.get(), asyncio.current_task()
        by = f"{process.ident if process else ''} {task.get_name() if task else ''}"
        sending = self._network.send(request, asked_s, by)
        flight = asyncio.get_running_loop().create_task(sending, context=contextvars.Context())
        flight.add_done_callback(look_at)  # if this process dies, nobody asks for the answer
        answer = await asyncio.shield(flight)
        await gate("answer")
        return answer
