"""Several questions to a vendor at once. How many really are under way is the client's pace to say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from shared.clients.errors import VendorError


async def together(asked: Iterable[Awaitable[Any]]) -> list[Any]:
    """Return all answers in the order of the questions. The first `VendorError` ends the others and is raised.

    The answers may be of different types; who asked knows which is what.
    """

    async def one(question: Awaitable[Any]) -> Any:
        return await question

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(question)) for question in asked]
    except BaseExceptionGroup as failed:
        vendors = failed.subgroup(VendorError)
        if vendors is None or len(vendors.exceptions) < len(failed.exceptions):
            raise
        first = vendors.exceptions[0]
        raise first from None
    return [task.result() for task in tasks]
