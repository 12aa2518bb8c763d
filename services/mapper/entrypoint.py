"""The mapper as a service: what it subscribes to, and what it is ready on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog
from aiohttp.web import RouteDef

from services.mapper.handlers.batches import Limits as BatchLimits
from services.mapper.handlers.mapper import Mapper
from services.mapper.handlers.rehearsals import Rehearsals
from services.mapper.ports import Ports
from shared.runtime.consumer import Limits, consume
from shared.runtime.error_words import told
from shared.runtime.publisher import Publisher
from shared.runtime.topics import Topic

log = structlog.get_logger(__name__)

GROUP = "mapper"
TOPICS = (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT, Topic.OUTCOMES, Topic.REQUESTS)
REHEARSING = "mapper-rehearsals"
"""A group of its own: dry runs never stand in the way of real inputs."""
MOST_REHEARSED = 2
"""Items of dry runs that are played at once."""
_AGAIN_S = 5.0
_REHEARSAL_LIMITS = Limits(buffered=200, dead_per_minute=1_000_000)
"""However many rehearsals cannot be read, the mapper goes on with what is real."""


class MapperService:
    """Reads changes, outcomes and requests; writes commands and statuses."""

    name = "mapper"

    def __init__(self, ports: Ports, limits: BatchLimits) -> None:
        self._ports = ports
        self._limits = limits

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish what is in flight."""
        ports = self._ports
        publisher = Publisher(ports.log, source="mapper", clock=ports.clock, dice=ports.dice)
        mapper = Mapper(ports, publisher, self._limits)
        subscription = await ports.log.subscribe(GROUP, TOPICS)
        rehearsing = asyncio.create_task(self._keep_rehearsing(publisher, stop), name=REHEARSING)
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
            if not stop.is_set():
                rehearsing.cancel()
            await asyncio.gather(rehearsing, return_exceptions=True)
            await subscription.close()

    async def _keep_rehearsing(self, publisher: Publisher, stop: asyncio.Event) -> None:
        """Play dry runs until `stop` is set; whatever goes wrong with them stops nothing real."""
        while not stop.is_set():
            try:
                await self._rehearse(publisher, stop)
            except Exception as error:  # noqa: BLE001  # said, and tried again
                log.warning("rehearsals_failed", error=told(error))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_S):
                        await stop.wait()

    async def _rehearse(self, publisher: Publisher, stop: asyncio.Event) -> None:
        ports = self._ports
        subscription = await ports.log.subscribe(REHEARSING, (Topic.REHEARSALS,))
        try:
            await consume(
                subscription,
                Rehearsals(ports).handle,
                publisher=publisher,
                clock=ports.clock,
                dice=ports.dice,
                stop=stop,
                name=REHEARSING,
                max_in_flight=MOST_REHEARSED,
                limits=_REHEARSAL_LIMITS,
            )
        finally:
            await subscription.close()

    async def ready(self) -> Mapping[str, bool]:
        """Tell whether Kafka and Postgres answer."""
        return {"kafka": await self._ports.log.healthy(), "postgres": await self._ports.links.healthy()}

    def routes(self) -> Sequence[RouteDef]:
        """Return no routes of its own."""
        return ()
