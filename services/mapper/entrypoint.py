"""The mapper as a service: what it subscribes to, and what it is ready on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp.web import RouteDef

from services.mapper.handlers.batches import Limits
from services.mapper.handlers.mapper import Mapper
from services.mapper.ports import Ports
from shared.runtime.consumer import consume
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic

GROUP = "mapper"
TOPICS = (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT, Topic.OUTCOMES, Topic.REQUESTS)


class MapperService:
    """Reads changes, outcomes and requests; writes commands and statuses."""

    name = "mapper"

    def __init__(self, ports: Ports, limits: Limits) -> None:
        self._ports = ports
        self._limits = limits

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish what is in flight."""
        ports = self._ports
        publisher = Publisher(ports.log, source="mapper", clock=ports.clock, dice=ports.dice)
        mapper = Mapper(ports, publisher, self._limits)
        subscription = await ports.log.subscribe(GROUP, TOPICS)
        try:
            await consume(
                subscription,
                mapper.handle,
                publisher=publisher,
                clock=ports.clock,
                dice=ports.dice,
                stop=stop,
                name=self.name,
            )
        finally:
            await subscription.close()

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether Kafka and Postgres answer."""
        return {"kafka": await self._ports.log.healthy(), "postgres": await self._ports.links.healthy()}

    def routes(self) -> Sequence[RouteDef]:
        """Return no routes of its own."""
        return ()
