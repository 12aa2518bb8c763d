"""Doing one thing with many items of a connection, a few at once; a bad item stops nobody, a broken connection stops
at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from shared.clients.errors import BadCredentials, RateLimited
from shared.runtime.log import LogUnavailable
from shared.store.port import StoreUnavailable

Item = TypeVar("Item")

_IN_A_ROW = 5
"""After so many failures without a success between them it is not the items."""


async def for_each(
    items: Iterable[Item],
    at_once: int,
    action: Callable[[Item], Awaitable[int]],
    failed: Callable[[Exception], None],
) -> int:
    """Run `action` for all items, `at_once` of them together, and return the sum of what the actions returned.

    Failures of single items go to `failed` and are left out (the next round comes to them again). Raises the failure
    that tells that going on makes no sense: refused credentials, a rate limit of the whole connection, our own log or
    store, or too many in a row.
    """
    waiting = iter(items)
    total, in_a_row = 0, 0
    fatal: Exception | None = None

    async def work() -> None:
        nonlocal total, in_a_row, fatal
        for item in waiting:
            if fatal is not None:
                return
            try:
                total += await action(item)
                in_a_row = 0
            except Exception as error:  # noqa: BLE001  # sorted right here: end all, or leave this one to the next round
                failed(error)
                in_a_row += 1
                if _ends_all(error) or in_a_row >= _IN_A_ROW:
                    fatal = error
                    return

    async with asyncio.TaskGroup() as workers:
        for _ in range(at_once):
            workers.create_task(work())
    if fatal is not None:
        raise fatal
    return total


def _ends_all(error: Exception) -> bool:
    if isinstance(error, RateLimited):
        return error.scope == "connection"
    return isinstance(error, BadCredentials | LogUnavailable | StoreUnavailable)
