"""The life of a transaction on one connection, and its statements. The base of the mapper's transactions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import asyncpg

from shared.store.port import Contended, InvariantBroken, StoreUnavailable
from shared.store.postgres.core import Core
from shared.store.postgres.errors import translated

if TYPE_CHECKING:
    from shared.store.postgres.core import Session


class Transaction:
    """Begins, and commits what `_before_commit` sends last; after a failure it can only be rolled back."""

    BEGIN = "BEGIN"

    def __init__(self, core: Core) -> None:
        self._core = core
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._failed: Exception | None = None

    async def __aenter__(self) -> Self:
        session = await self._stack.enter_async_context(self._core.session())
        try:
            with translated():
                await session.execute(self.BEGIN)
        except BaseException:
            await self._stack.aclose()
            raise
        self._session = session
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._stack:
            session = self._open()
            try:
                if error is None:
                    await self._before_commit()
                    await _commit(session)
            except BaseException as failed:
                error = failed
                raise
            finally:
                self._session = None
                if error is not None:
                    # A lost connection cannot roll back, and need not: the server does when it notices.
                    with suppress(StoreUnavailable), translated():
                        await session.execute("ROLLBACK")

    async def _before_commit(self) -> None:
        """Send what is to be committed and was not sent yet."""
        raise NotImplementedError

    async def _fetch(self, query: str, *args: Any) -> Sequence[asyncpg.Record]:
        if self._failed is not None:
            raise self._failed
        session = self._open()
        try:
            with translated():
                return await session.fetch(query, *args)
        except (StoreUnavailable, Contended, InvariantBroken, asyncpg.PostgresError) as error:
            raise self._fail(error) from error.__cause__

    def _fail(self, error: Exception) -> Exception:
        """Remember that this transaction can only be rolled back, so that it never ends as if it had been committed."""
        self._failed = error
        return error

    def _open(self) -> Session:
        if self._session is None:
            raise InvariantBroken("the transaction is over")
        return self._session


async def _commit(session: Session) -> None:
    with translated():
        tag = await session.execute("COMMIT")
    if tag != "COMMIT":
        raise InvariantBroken("a statement of this transaction failed, and the failure was swallowed")
