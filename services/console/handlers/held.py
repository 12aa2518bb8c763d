"""Items that wait to be carried over on request: how many, per direction, and carrying over all of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import structlog

from services.console.domain.problems import Refusal, not_found
from services.console.domain.views import HeldList, HeldView
from services.console.ports import Ports
from shared.domain.ids import IntegrationId, Side
from shared.domain.mapping import Integration, Mode
from shared.store.held import HeldItems

_NEXT_STEPS: Final = {
    Mode.OFF: "Switch the direction to automatic to have them created, or to manual to choose among them.",
    Mode.MANUAL: "Push or pull single items, or have all of them carried over at once.",
    Mode.AUTOMATIC: "They are being carried over, unless the mapping was saved to be applied later.",
}

log = structlog.get_logger(__name__)


class HeldItemsDesk:
    """What a direction that is manual or off holds back."""

    def __init__(self, ports: Ports, by: str) -> None:
        self._desk = ports.reader
        self._config = ports.config
        self._clock = ports.clock
        self._by = by

    async def show(self, integration_id: IntegrationId) -> HeldList:
        """Return what waits. Raises a 404."""
        integration = await self._integration(integration_id)
        waiting = [_view(integration, each) for each in await self._desk.held(integration_id)]
        return HeldList(waiting=waiting, total=sum(each.count for each in waiting))

    async def let_go(self, integration_id: IntegrationId, target: Side) -> HeldList:
        """Have all that waits for a side carried over, as fast as the vendors let us. Raises 404 and 409."""
        integration = await self._integration(integration_id)
        if integration.mode_towards(target) is Mode.OFF:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "direction_off",
                f"{integration.name} creates no items in {target.vendor}: it has that direction switched off.",
                "Switch it to automatic, which carries them over too, or to manual and ask again.",
            )
        await self._desk.let_go(integration_id, target, self._by, self._clock.now())
        log.info("held_let_go", integration=integration_id, target=target)
        return await self.show(integration_id)

    async def _integration(self, integration_id: IntegrationId) -> Integration:
        found = next((each for each in await self._config.integrations() if each.id == integration_id), None)
        if found is None:
            raise not_found(f"There is no integration {integration_id}.", "GET /api/v1/integrations lists them.")
        return found


def _view(integration: Integration, held: HeldItems) -> HeldView:
    mode, one = integration.mode_towards(held.target), held.count == 1
    items = f"{held.count} {held.target.other.vendor} {'item waits' if one else 'items wait'}"
    message = f"{items} to be created in {held.target.vendor}, where this direction is {mode}."
    return HeldView(
        target=held.target,
        mode=mode,
        cause=held.cause,
        count=held.count,
        oldest=held.oldest,
        message=message,
        next_step=_NEXT_STEPS[mode],
    )
