"""Notices that the webhooks of a Jira connection are silent, by what the sweep finds changed, and says so for people.

Nothing is lost by it: the sweep brings what they should have told, only later. The console shows it on the connection.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.reconciler.domain.silence import Silence
from services.reconciler.settings import ReconcilerSettings
from shared.domain.clock import Clock
from shared.domain.ids import ConnectionId
from shared.store.arrivals import SilenceWriter

DUTY = "hearing"


class Hearing:
    """Compares what changed with what came."""

    def __init__(self, work: SilenceWriter, clock: Clock, settings: ReconcilerSettings) -> None:
        self._work = work
        self._clock = clock
        self._grace = timedelta(seconds=settings.webhook_grace_s)
        self._silences: dict[ConnectionId, Silence] = {}

    def saw(self, connection_id: ConnectionId, changed_at: datetime) -> None:
        """Note when something changed at a connection, by our clock."""
        if (silence := self._silences.get(connection_id)) is not None:
            silence.saw(changed_at)

    async def listen(self, connection_id: ConnectionId) -> int:
        """Store since when a connection is silent, if that changed. Publishes nothing: returns 0."""
        now, known = self._clock.now(), (await self._work.arrivals()).get(connection_id)
        silence = self._silences.setdefault(connection_id, Silence(now, known, self._grace))
        since = silence.since(known, now)
        if since != (known.silent_since if known is not None else None):
            await self._work.report_silence(connection_id, since)
        return 0
