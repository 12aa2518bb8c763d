"""Runs the checks: one after the other, each in bounded time, and on when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from shared.domain.clock import Clock
from shared.runtime.access import Access
from shared.runtime.error_words import told
from tandem_ops.domain.report import Finding, failed
from tandem_ops.handlers.checks import CHECKS, Bench, Check
from tandem_ops.handlers.given import Given
from tandem_ops.ports import World


async def examine(given: Given, clock: Clock, world: World, roles: Mapping[str, Access]) -> Sequence[Finding]:
    """Return what all checks find. Never raises for what is wrong with the installation."""
    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        services = await enter(world.services)
        vendors = await enter(world.vendors) if world.vendors is not None else None
        bench = Bench(given, clock, services, vendors, roles, lambda: enter(world.kafka), lambda: enter(world.postgres))
        findings: list[Finding] = []
        for name, check in CHECKS.items():
            findings += await _bounded(name, check, bench)
        return findings


async def _bounded(name: str, check: Check, bench: Bench) -> Sequence[Finding]:
    limit = bench.given.settings.doctor_timeout_s
    found: list[Finding] = []
    try:
        async with asyncio.timeout(limit):
            async for each in check(bench):
                found.append(each)  # noqa: PERF401  # what was found before a failure counts
    except TimeoutError:
        do = "Look at what it asks; a longer time is set with TANDEM_DOCTOR_TIMEOUT_S."
        found.append(failed(name, f"the check was not done within {limit:g} s", do))
    except Exception as error:  # noqa: BLE001  # whatever it is, the other checks are worth making
        found.append(failed(name, f"the check could not be made ({told(error)})", "See the other findings first."))
    return found
