"""The rota: which duties there are now, each in a task of its own, so that none can delay or end another (P7).

Follows the configuration: a new connection gets its duties within seconds, a changed one starts them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass

from services.reconciler.domain.pace import wait_after
from services.reconciler.handlers.waiting import pause
from services.reconciler.ports import Meter
from services.reconciler.settings import ReconcilerSettings

GRACE_S = 5.0
"""How long a duty may go on after `stop`; a full compare would take hours."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that goes on until `stop`. `key` has all that makes it another duty when it changes."""

    key: Hashable
    run: Callable[[asyncio.Event], Awaitable[None]]


def periodic(
    name: str,
    connection_id: str,
    interval_s: float,
    work: Callable[[], Awaitable[int]],
    meter: Meter,
    settings: ReconcilerSettings,
) -> Callable[[asyncio.Event], Awaitable[None]]:
    """Return what runs `work` at once and then again and again, with longer pauses while it fails. Counts every
    round.
    """

    async def run(stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                async with asyncio.timeout(settings.round_limit_s):
                    found = await work()
            except Exception as error:  # noqa: BLE001  # a duty never ends by a failure: counted, said, tried again
                failures += 1
                meter.failed(name, connection_id, error)
            else:
                failures = 0
                meter.done(name, connection_id, found)
            await pause(stop, wait_after(failures, interval_s, settings.longest_backoff_s))

    return run


class Rota:
    """Keeps exactly the wanted duties running."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[None]] = {}

    async def keep(
        self,
        stop: asyncio.Event,
        wanted: Callable[[], Awaitable[Iterable[Duty]]],
        between: Callable[[asyncio.Event], Awaitable[None]],
        interval_s: float,
        failed: Callable[[Exception], None],
    ) -> None:
        """Ask for the wanted duties, again after each `between`; start and cancel until they run.

        A duty that ended by a failure starts anew after `interval_s`.

        When they cannot be told, those that run go on. At `stop`, wait `GRACE_S` for what they have begun, then cancel:
        every duty finds its work again by state.
        """
        async with asyncio.TaskGroup() as tasks:
            while not stop.is_set():
                try:
                    duties = {duty.key: duty for duty in await wanted()}
                except Exception as error:  # noqa: BLE001  # the store may be away: go on with what is known
                    failed(error)
                else:
                    self._cancel(set(self._running) - set(duties))
                    for key, duty in duties.items():
                        if key not in self._running:
                            self._running[key] = tasks.create_task(_keep_running(duty, stop, interval_s, failed))
                await between(stop)
            if self._running:
                await asyncio.wait(self._running.values(), timeout=GRACE_S)
            self._cancel(list(self._running))

    def _cancel(self, keys: Iterable[Hashable]) -> None:
        for key in keys:
            self._running.pop(key).cancel()


async def _keep_running(duty: Duty, stop: asyncio.Event, pause_s: float, failed: Callable[[Exception], None]) -> None:
    while not stop.is_set():
        try:
            await duty.run(stop)
        except Exception as error:  # noqa: BLE001  # one duty's fault must not end the others
            failed(error)
            await pause(stop, pause_s)
