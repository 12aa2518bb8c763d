"""A writer as a service: what it subscribes to, and what it is ready on. Both writers are one of these."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp.web import RouteDef

from shared.domain.clock import Clock, Dice
from shared.runtime.consumer import consume
from shared.runtime.log import Log
from shared.runtime.publisher import Publisher
from shared.runtime.topics import writes_topic
from shared.writing.ports import StoreHealth
from shared.writing.writer import MAX_HELD, Writer


class WriterService:
    """Reads the commands of one side, carries them out, publishes outcomes. `name` is also its consumer group."""

    def __init__(
        self,
        name: str,
        writer: Writer,
        publisher: Publisher,
        log: Log,
        store: StoreHealth,
        clock: Clock,
        dice: Dice,
    ) -> None:
        self.name = name
        self.writer = writer
        self._publisher = publisher
        self._log = log
        self._store = store
        self._clock = clock
        self._dice = dice

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish what is in flight."""
        subscription = await self._log.subscribe(self.name, [writes_topic(self.writer.side)])
        await consume(
            subscription,
            self.writer.handle,
            publisher=self._publisher,
            clock=self._clock,
            dice=self._dice,
            stop=stop,
            name=self.name,
            max_in_flight=MAX_HELD,
        )

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether Kafka and Postgres answer. A vendor that is away makes no writer unready."""
        return {"kafka": await self._log.healthy(), "postgres": await self._store.healthy()}

    def routes(self) -> Sequence[RouteDef]:
        """Return no routes of its own."""
        return ()
