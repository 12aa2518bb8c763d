"""What the census costs at a million links, on a real Postgres: `python -m tests.bench.census [--links N]`.

Prints figures for docs/adr/0035: what the migration's backfill takes, one census, the plan of each of its statements,
what the triggers add to a status write, and the index-only scan that was not chosen.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import asyncpg

from deploy.local.postgres import PostgresServer
from shared.store.migrate import migrate
from shared.store.postgres import census, open_postgres
from shared.store.secrets import new_key

SEED = """
INSERT INTO link_status (link_id, integration_id, state, body)
SELECT 'bench-' || n, 'integration-' || n % 5, s.state, json_build_object('link_id', 'bench-' || n, 'cause', s.cause,
    'at', '2026-01-05T09:00:00+00:00', 'message', repeat('In sync: all fields agree. ', 30), 'labels', '{}'::json)
FROM generate_series(1, $1::integer) n CROSS JOIN LATERAL (SELECT
    CASE WHEN n % 100 = 0 THEN 'blocked' WHEN n % 100 = 1 THEN 'conflict' WHEN n % 50 = 2 THEN 'pending'
        ELSE 'in_sync' END AS state,
    CASE WHEN n % 100 = 0 THEN 'rejected' WHEN n % 100 = 1 THEN 'conflict' WHEN n % 50 = 2 THEN 'operation_open'
        ELSE 'ok' END AS cause) s
"""
TOUCH = """
INSERT INTO link_status (link_id, integration_id, state, body)
SELECT link_id, integration_id, CASE state WHEN 'in_sync' THEN 'pending' ELSE 'in_sync' END, body FROM link_status
WHERE link_id = ANY($1::text[])
ON CONFLICT (link_id) DO UPDATE SET state = excluded.state, body = excluded.body
"""
SCAN = "SELECT integration_id, state, count(*) FROM link_status GROUP BY integration_id, state"
BATCH, ROUNDS = 64, 200


def say(what: str, figure: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{what:<60} {figure}\n")
    sys.stdout.flush()


async def writes_ms(session: asyncpg.Connection[asyncpg.Record], links: int, offset: int) -> float:
    """Return the milliseconds of one status write of a batch."""
    began = time.perf_counter()
    for round_ in range(ROUNDS):
        names = [f"bench-{1 + (offset + round_ * BATCH + n) * 97 % links}" for n in range(BATCH)]
        await session.execute(TOUCH, names)
    return (time.perf_counter() - began) * 1000 / ROUNDS


async def plan(session: asyncpg.Connection[asyncpg.Record], name: str, query: str, *args: object) -> None:
    """Print what a query takes and reads."""
    async with session.transaction():
        lines = [row[0].strip() for row in await session.fetch(f"EXPLAIN (ANALYZE, BUFFERS, SUMMARY) {query}", *args)]
    first = next(line for line in lines if line.startswith("Buffers"))
    found = [first, *(line for line in lines if line.startswith(("Execution Time", "Trigger")))]
    say(name, "; ".join(found))


async def measure(url: str, links: int) -> None:
    """Load the rows and print the figures."""
    await migrate(url, revision="0014")
    session = await asyncpg.connect(url)
    await session.execute(SEED, links)
    await session.execute("VACUUM ANALYZE link_status")
    bare = await writes_ms(session, links, 0)
    began = time.perf_counter()
    await migrate(url)
    say("backfill of the migration, seconds", f"{time.perf_counter() - began:.1f}")
    await session.execute("VACUUM ANALYZE link_status")
    counted = await writes_ms(session, links, 50_000)
    say(f"status write of {BATCH} links, ms, without and with triggers", f"{bare:.2f} {counted:.2f}")
    async with open_postgres(url, new_key()) as store:
        found = await store.census()
        times = []
        for _ in range(20):
            await session.execute(TOUCH, [f"bench-{n}" for n in range(1, BATCH)])
            began = time.perf_counter()
            found = await store.census()
            times.append((time.perf_counter() - began) * 1000)
        say("census, ms, median and worst of 20", f"{sorted(times)[10]:.1f} {max(times):.1f}")
        assert sum(each.items for each in found.items) == links
    truth = {(row[0], row[1]): row[2] for row in await session.fetch(SCAN)}
    counted_by_state: Counter[tuple[str, str]] = Counter()
    for each in found.items:
        counted_by_state[each.integration_id, each.state] += each.items
    assert counted_by_state == truth
    await plan(session, f"status write of {BATCH} links", TOUCH, [f"bench-{n * 13}" for n in range(1, BATCH + 1)])
    for name in ("SUM_UP", "ITEMS", "OPERATIONS", "PUT_OFF", "FRESH_READS", "CONFLICTS"):
        await plan(session, name, getattr(census, name))
    await plan(session, "the scan that was not chosen, vacuumed a moment ago", SCAN)
    await session.execute("UPDATE link_status SET body = body WHERE abs(hashtext(link_id)) % 10 = 0")
    await plan(session, "the same after a tenth of the rows was written", SCAN)
    await session.close()


async def main(links: int) -> None:
    """Run on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        await server.start()
        try:
            await measure(server.url, links)
        finally:
            await server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, default=1_000_000)
    asyncio.run(main(parser.parse_args().links))
