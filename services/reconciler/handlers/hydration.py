"""Hydration: a webhook that tells only an id is completed by a read, so that items without a link can be judged too.

Consumes the change topics in a group of its own and cares for events without a snapshot only. What cannot be read now
is left to the feed (or the sweep), which finds it by state: nothing waits here, so that a broken connection holds
nobody back (P7).
"""

from __future__ import annotations

from collections import Counter

from services.reconciler.handlers.confirm import Unconfirmed, what_it_means
from services.reconciler.handlers.directory import Directory, Post
from services.reconciler.ports import Meter, Publish
from services.reconciler.settings import ReconcilerSettings
from shared.clients.errors import NotFound, VendorError
from shared.domain.clock import Clock, Dice
from shared.domain.errors import Poison
from shared.domain.ids import ConnectionId
from shared.eyes.events import not_found, seen
from shared.messages.base import Message
from shared.messages.change import ChangeEvent, ChangeKind, Origin

DUTY = "hydration"


class Hydration:
    """Publishes the whole item for each thin event."""

    def __init__(
        self,
        directory: Directory,
        publish: Publish,
        meter: Meter,
        clock: Clock,
        dice: Dice,
        settings: ReconcilerSettings,
    ) -> None:
        self._directory = directory
        self._publish = publish
        self._meter = meter
        self._clock = clock
        self._dice = dice
        self._settings = settings
        self._under_way: Counter[ConnectionId] = Counter()

    async def handle(self, message: Message) -> None:
        """Complete one event if it is thin. Idempotent. Raises `LogUnavailable`, and `Poison` for an unknown
        connection.
        """
        if not isinstance(message, ChangeEvent) or message.kind is not ChangeKind.SEEN or message.snapshot is not None:
            return
        post = self._directory.find(message.connection_id)
        if post is None:
            await self._directory.refresh()
            post = self._directory.find(message.connection_id)
        if post is None:
            raise Poison(
                f"there is no connection {message.connection_id} with credentials to read {message.entity_id} with"
            )
        if post.connection.paused_reason is not None:
            self._meter.left(DUTY, post.id, "the connection is paused")
        elif self._under_way[post.id] >= self._settings.hydrations:
            self._meter.left(DUTY, post.id, "too many reads of this connection wait already")
        else:
            await self._complete(post, message)

    async def _complete(self, post: Post, thin: ChangeEvent) -> None:
        self._under_way[post.id] += 1
        try:
            event = await self._look(post, thin)
        except (VendorError, Unconfirmed) as error:
            self._meter.left(DUTY, post.id, type(error).__name__)
            return
        finally:
            self._under_way[post.id] -= 1
        await self._publish.publish(event)
        self._meter.done(DUTY, post.id, 1)

    async def _look(self, post: Post, thin: ChangeEvent) -> ChangeEvent:
        change_id = f"hydrated:{self._dice.token()}"
        try:
            reading = await post.eyes.look(thin.entity_id)
        except NotFound:
            kind = await what_it_means(post, None)
            return not_found(kind, thin.side, post.id, thin.entity_id, thin.observed_at, change_id=change_id)
        return seen(thin.side, post.id, reading, Origin.FRESH, thin.observed_at, change_id=change_id)
