"""What writers and the reconciler tell of attempts that do not come to their end: only the status changes by it."""

from __future__ import annotations

from services.mapper.domain.trouble import is_pending, note_trouble
from services.mapper.handlers.conclusion import Conclusion
from shared.messages.base import Message
from shared.messages.trouble import Trouble
from shared.store.port import LinkTransaction


class Troubles:
    """Handles `Trouble`."""

    def __init__(self, conclusion: Conclusion) -> None:
        self._conclusion = conclusion

    async def handle(self, tx: LinkTransaction, told: Trouble) -> list[Message]:
        """Keep the words and return the status; nothing if it has come to its end meanwhile, or is known."""
        link = await tx.lock_link(told.link_id)
        about = told.op_id or str(told.side)
        if link is None or not is_pending(link, about):
            return []
        known = link.troubles.get(about)
        if known is not None and known.words == told.words:
            return []
        ctx = await self._conclusion.context(tx, link)
        if ctx is None:
            return []
        note_trouble(link, about, told.words, ctx.now)
        await tx.save(link)
        return await self._conclusion.publishable(tx, link, ctx, None)
