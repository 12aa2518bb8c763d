"""The figures of the whole: counted by one reconciler at a time, and shown by that one alone.

Who leads holds a lease in the store, and shows figures for no longer than it is certain to hold it. So no figure is
shown twice; when the leader dies, another one takes over after the lease, and when it is stopped, at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from services.reconciler.handlers.directory import Directory
from services.reconciler.handlers.health import Health
from services.reconciler.ports import Board, ConnectionFigures, Ports, Whole
from services.reconciler.settings import ReconcilerSettings
from shared.domain.arrivals import Arrivals
from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection
from shared.observability.catalogue.census import CENSUS_SECONDS, CENSUS_TAKER
from shared.observability.words import CredentialState
from shared.runtime.groups import GROUPS
from shared.runtime.log import Behind, LogUnavailable
from shared.runtime.topics import Topic

DUTY: Final = "census"
LEAD: Final = "census_lead"
_MARGIN_S: Final = 0.5
"""Between the end of showing and the end of the lease."""
_SHARE: Final = 20
"""A census that took long is taken less often: at most this part of the time is spent on it."""


class CensusTaker:
    """Takes the lead if it is free, and the census if it leads."""

    def __init__(
        self, directory: Directory, ports: Ports, health: Health, board: Board, settings: ReconcilerSettings
    ) -> None:
        self._directory = directory
        self._ports = ports
        self._clock = ports.clock
        self._health = health
        self._board = board
        self._lease_s = settings.census_lease_s
        self._owner = f"{settings.instance}:{ports.dice.token()}"
        self._leads_until: float | None = None
        self._rests_until = float("-inf")

    @property
    def leads(self) -> bool:
        """Tell whether this process is certain to hold the lease."""
        return self._leads_until is not None and self._clock.monotonic() < self._leads_until

    async def lead(self) -> int:
        """Take or keep the lead. Publishes nothing: returns 0."""
        asked = self._clock.monotonic()
        held = await self._ports.work.lead(self._owner, timedelta(seconds=self._lease_s))
        self._leads_until = asked + self._lease_s - _MARGIN_S if held else None
        CENSUS_TAKER.set(held)
        return 0

    async def resign(self) -> None:
        """Show nothing any more, and let another one take over."""
        self._leads_until = None
        await self._ports.work.resign(self._owner)

    async def take(self) -> int:
        """Count all, and show it, if it is this one's turn. Publishes nothing: returns 0."""
        if not self.leads:
            await self.lead()
        began = self._clock.monotonic()
        if not self.leads or began < self._rests_until:
            return 0
        self._board.show(await self._count(), lambda: self.leads)
        took = self._clock.monotonic() - began
        CENSUS_SECONDS.observe(took)
        self._rests_until = began + took * _SHARE
        return 0

    async def _count(self) -> Whole:
        work, config = self._ports.work, self._ports.config
        arrivals = await work.arrivals()
        return Whole(
            at=self._clock.now(),
            census=await work.census(),
            connections=[self._figures(each, arrivals) for each in await config.connections()],
            integrations=await config.integrations(),
            behind=await self._behind(),
        )

    def _figures(self, connection: Connection, arrivals: Mapping[ConnectionId, Arrivals]) -> ConnectionFigures:
        return ConnectionFigures(
            connection,
            self._credential(connection),
            self._health.answered(connection.id),
            arrivals.get(connection.id),
        )

    def _credential(self, connection: Connection) -> CredentialState:
        if self._directory.find(connection.id) is None:
            return "missing"
        if connection.expires_at is not None and connection.expires_at <= self._clock.now():
            return "expired"
        return "works" if connection.paused_reason is None else "refused"

    async def _behind(self) -> Behind | None:
        try:
            return await self._ports.log.behind(GROUPS, (Topic.DEAD,))
        except LogUnavailable:
            return None
