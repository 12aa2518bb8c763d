"""Where every input of the mapper comes in: its batch, the use case by its kind, the publishing afterwards."""

from __future__ import annotations

from services.mapper.handlers.batches import Batches, Limits
from services.mapper.handlers.changes import Changes
from services.mapper.handlers.conclusion import Conclusion
from services.mapper.handlers.counting import count_decisions
from services.mapper.handlers.outcomes import Outcomes
from services.mapper.handlers.requests import Requests
from services.mapper.handlers.troubles import Troubles
from services.mapper.ports import Ports
from shared.domain.errors import Poison
from shared.messages.base import Message
from shared.messages.change import ChangeEvent
from shared.messages.request import SyncRequest
from shared.messages.trouble import Trouble
from shared.messages.write import WriteOutcome
from shared.runtime.publisher import Publisher
from shared.store.port import LinkTransaction


class Mapper:
    """Handles changes, outcomes, troubles and requests. Idempotent per message; any number may run in parallel."""

    def __init__(self, ports: Ports, publisher: Publisher, limits: Limits | None = None) -> None:
        conclusion = Conclusion(ports.clock, ports.dice)
        self._batches = Batches(ports.links, self._decide, limits or Limits())
        self._publisher = publisher
        self._changes = Changes(conclusion, ports.clock, ports.dice)
        self._outcomes = Outcomes(conclusion)
        self._troubles = Troubles(conclusion)
        self._requests = Requests(conclusion, ports.clock, ports.dice)

    async def handle(self, message: Message) -> None:
        """Handle one message of any kind that the mapper subscribes to. Raises `Poison` for any other kind."""
        effects = await self._batches.handle(message)
        count_decisions(effects)
        await self._publisher.publish(*effects)

    async def _decide(self, tx: LinkTransaction, message: Message) -> list[Message]:
        match message:
            case ChangeEvent():
                return await self._changes.handle(tx, message)
            case WriteOutcome():
                return await self._outcomes.handle(tx, message)
            case Trouble():
                return await self._troubles.handle(tx, message)
            case SyncRequest():
                return await self._requests.handle(tx, message)
            case _:
                raise Poison(f"the mapper does not handle {type(message).__name__}")
