"""The vendors' webhooks on their way to the gateway: late, twice, in part, or not at all."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random

from sandbox.craft.site import CraftSite
from sandbox.jira.site import JiraSite
from sandbox.kit.site import WebhookDelivery
from services.webhook_gateway.handlers import Gateway
from shared.domain.ids import Side
from tests.simulation.fate import Fate
from tests.simulation.process import CURRENT, Killed, SimProcess

JIRA_SECRET, CRAFT_SECRET = "s2", "s3"
_STAY = frozenset({"issuetype", "project", "updated", "creator", "created", "status"})
"""What a partial issue keeps: without these no gateway could say what it is about."""
_RETRIES_S = (5.0, 30.0)


class Mail:
    """Delivers what the vendors want delivered. `post` is called after everything that may have caused a webhook."""

    def __init__(
        self,
        jira: JiraSite,
        craft: CraftSite,
        dice: Random,
        fate: Fate,
        gateway: Callable[[], tuple[SimProcess, Gateway] | None],
    ) -> None:
        self.fate = fate
        self._sites = ((jira, Side.JIRA), (craft, Side.CRAFT))
        self._dice = dice
        self._gateway = gateway
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def pending(self) -> int:
        """Return how many deliveries are under way."""
        return len(self._under_way)

    def post(self) -> None:
        """Take all new webhooks out of the vendors' outboxes and let them travel."""
        fate, dice = self.fate, self._dice
        for site, side in self._sites:
            for delivery in site.drain_webhooks():
                copies = 0 if dice.random() < fate.lose_webhooks else 1 + (dice.random() < fate.repeat_webhooks)
                if side is Side.JIRA and dice.random() < fate.partial_webhooks:
                    delivery = self._in_part(delivery)  # noqa: PLW2901  # the same delivery, cut short
                told = [delivery] * copies
                if side is Side.JIRA and fate.false_deletes and dice.random() < fate.false_deletes:
                    told += [each for each in (_told_as_deleted(delivery),) if each is not None]
                soon = (0.02, 0.3 if fate.puts_back else 1.5)
                for each in told:
                    delay_s = dice.uniform(1, 40) if dice.random() < fate.late_webhooks else dice.uniform(*soon)
                    task = asyncio.get_running_loop().create_task(self._deliver(side, each, delay_s))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)

    async def _deliver(self, side: Side, delivery: WebhookDelivery, delay_s: float) -> None:
        for attempt in range(1 + (delivery.max_retries if side is Side.JIRA else 0)):
            await asyncio.sleep(delay_s if attempt == 0 else self._dice.uniform(*_RETRIES_S))
            if await self._accepted(side, delivery):
                return

    async def _accepted(self, side: Side, delivery: WebhookDelivery) -> bool:
        """Hand one over. False: the connection broke, or the answer asks for another try."""
        open_now = self._gateway()
        if open_now is None:
            return False
        process, gateway = open_now
        connection = delivery.url.rpartition("/")[2]
        context = contextvars.copy_context()
        context.run(CURRENT.set, process)
        accepting = gateway.accept(side, connection, dict(delivery.headers), {}, delivery.body)
        try:
            reply = await asyncio.get_running_loop().create_task(accepting, name="accept", context=context)
        except Killed:
            return False
        return reply.status not in delivery.retry_statuses

    def _in_part(self, delivery: WebhookDelivery) -> WebhookDelivery:
        """Leave some fields out of the issue, and sign again."""
        body = json.loads(delivery.body)
        fields = body.get("issue", {}).get("fields")
        if not isinstance(fields, dict):
            return delivery
        for name in sorted(fields):
            if name not in _STAY and self._dice.random() < 0.5:
                del fields[name]
        return _signed_anew(delivery, body)


def _told_as_deleted(delivery: WebhookDelivery) -> WebhookDelivery | None:
    """Return a webhook that tells that the issue of another one was deleted; None if that was about no issue."""
    body = json.loads(delivery.body)
    if body.get("webhookEvent") != "jira:issue_updated":
        return None
    kept = {name: value for name, value in body.items() if name != "changelog"}
    return _signed_anew(delivery, {**kept, "webhookEvent": "jira:issue_deleted"})


def _signed_anew(delivery: WebhookDelivery, body: object) -> WebhookDelivery:
    raw = json.dumps(body).encode()
    digest = hmac.new(JIRA_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {
        name: f"sha256={digest}" if name.casefold() == "x-hub-signature" else value
        for name, value in delivery.headers.items()
    }
    return replace(delivery, body=raw, headers=headers)
