"""What became of people's requests, on Postgres. Called by the console through `shared.store.requests.RequestDesk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.domain.ids import LinkId
from shared.store.postgres.core import Core
from shared.store.requests import KEPT_FOR, Answer, Asked, RequestState

if TYPE_CHECKING:
    import asyncpg

_COLUMNS: Final = "id, kind, asked_by, asked_at, link_id, state, code, message, next_step, answered_at"

# What was answered stays answered: a message that comes twice finds the link as its first coming has left it.
ANSWER: Final = f"""
INSERT INTO requests AS r ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET link_id = coalesce(excluded.link_id, r.link_id), state = excluded.state,
    code = excluded.code, message = excluded.message, next_step = excluded.next_step,
    answered_at = excluded.answered_at
WHERE r.state = 'asked' AND excluded.state <> 'asked'
"""


class Requests(Core):
    """Implements `RequestDesk`; see there for each method's contract."""

    async def note_request(self, asked: Asked) -> None:
        """Note a request."""
        await self.fetch(ANSWER, *request_row(asked))

    async def request(self, request_id: str) -> Asked | None:
        """Return a request."""
        row = await self.fetchrow(f"SELECT {_COLUMNS} FROM requests WHERE id = $1", request_id)
        return _request_of(row) if row else None

    async def requests_of(self, link_id: LinkId, limit: int) -> Sequence[Asked]:
        """Return the latest requests on a link."""
        rows = await self.fetch(
            f"SELECT {_COLUMNS} FROM requests WHERE link_id = $1 ORDER BY asked_at DESC, id LIMIT $2", link_id, limit
        )
        return [_request_of(row) for row in rows]

    async def prune_requests(self, now: datetime, limit: int) -> int:
        """Forget requests that are too old to be asked about."""
        rows = await self.fetch(
            "DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE asked_at <= $1 ORDER BY asked_at LIMIT $2)"
            " RETURNING id",
            now - KEPT_FOR,
            limit,
        )
        return len(rows)


def request_row(asked: Asked) -> tuple[Any, ...]:
    """Return the parameters of `ANSWER`."""
    answer = asked.answer
    link_id = (answer.link_id if answer else None) or asked.link_id
    said = (answer.code, answer.message, answer.next_step, answer.at) if answer else (None, None, None, None)
    state = answer.state if answer else RequestState.ASKED
    return (asked.id, asked.kind, asked.by, asked.at, link_id, state.value, *said)


def _request_of(row: asyncpg.Record | Mapping[str, Any]) -> Asked:
    state, link_id = RequestState(row["state"]), row["link_id"]
    answer = None
    if state is not RequestState.ASKED:
        answer = Answer(state, row["answered_at"], link_id, row["code"], row["message"], row["next_step"])
    return Asked(row["id"], row["kind"], row["asked_by"], row["asked_at"], link_id, answer)
