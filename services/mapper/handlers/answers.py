"""Answering the person who asked: what became of a request, stored in the transaction that decided about it.

A refusal is an answer like any other: nobody's request can end in a dead letter.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.mapper.domain.context import Context
from services.mapper.domain.status import describe
from shared.domain.ids import LinkId, Side
from shared.domain.link import Link, LinkState
from shared.domain.requests import Cell, Refused
from shared.messages.change import ChangeEvent
from shared.messages.request import CLOCKS, SyncRequest
from shared.store.port import LinkTransaction
from shared.store.requests import Answer, Asked, RequestState

NO_LINK: Final = Refused("not_found", "There is no such link.", "Look for the item again.")
NO_INTEGRATION: Final = Refused(
    "no_integration", "The integration of this item is not there any more.", "Choose another integration."
)
NOT_COVERED: Final = Refused(
    "no_integration",
    "The item is in no project or workspace that the chosen integration covers.",
    "Choose the integration of its project or workspace.",
)
POSSIBLE_DUPLICATE: Final = Refused(
    "possible_duplicate",
    "Tandem's own account made this item, and it is in no link: it may be a second counterpart.",
    "If it is a duplicate, delete it by hand; else link it with its counterpart.",
)
NOT_SETTLED: Final = Refused(
    "being_created",
    "Tandem's own account made this item just now, and it is not known yet for which one.",
    "Wait some seconds and look at it again.",
)


async def answer(tx: LinkTransaction, request: SyncRequest, cell: Cell, link_id: LinkId | None, at: datetime) -> None:
    """Store what became of a person's request; of a clock's, nothing is stored."""
    if request.requested_by not in CLOCKS:
        asked = Asked(request.request_id, request.kind, request.requested_by, request.requested_at, request.link_id)
        await _store(tx, asked, cell, link_id, at)


async def answer_look(
    tx: LinkTransaction, event: ChangeEvent, cell: Cell, link_id: LinkId | None, at: datetime
) -> None:
    """Store what became of a push or pull, if the event is one."""
    if event.request_id is not None:
        kind = "push" if event.side is Side.CRAFT else "pull"
        await _store(tx, Asked(event.request_id, kind, "", event.observed_at, link_id), cell, link_id, at)


def came_to(cell: Cell, link: Link, ctx: Context) -> Cell:
    """Return what came of having an item created: its status says why, if it was not."""
    if isinstance(cell, Refused) or link.state not in (LinkState.HELD, LinkState.EXCLUDED):
        return cell
    status = describe(link, ctx)
    return Refused(str(status.cause), status.message, status.next_step or "Look at the status of the item.")


async def _store(tx: LinkTransaction, asked: Asked, cell: Cell, link_id: LinkId | None, at: datetime) -> None:
    if isinstance(cell, Refused):
        said = Answer(RequestState.REFUSED, at, link_id, cell.code, cell.message, cell.next_step)
    else:
        said = Answer(RequestState.DONE, at, link_id)
    await tx.answer(Asked(asked.id, asked.kind, asked.by, asked.at, asked.link_id, said))
