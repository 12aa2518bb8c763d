"""What is right and wrong with Postgres. Pure; the facts are what `tandem_ops.adapters.postgres` reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tandem_ops.domain.report import Finding, failed, ok, warning

LEAST_VERSION: Final = 14
"""The oldest release that its makers still mend (November 2026)."""
FEW_CONNECTIONS: Final = 10
MIGRATE: Final = "python -m shared.store.migrate"


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the server tells of itself."""

    version: str
    read_only: bool
    connections_left: int
    schema: str | None
    """None: no tables of ours."""
    not_allowed: Sequence[str]
    """What our user may not do, as in `INSERT on links`."""


def server_findings(facts: DatabaseFacts) -> Iterator[Finding]:
    """Judge the server."""
    major = int(facts.version.split(".")[0].split()[0])
    if major < LEAST_VERSION:
        yield warning(
            "postgres",
            f"Postgres {facts.version} is no longer mended by its makers",
            f"Upgrade it to {LEAST_VERSION} or newer.",
        )
    if facts.read_only:
        yield failed(
            "postgres",
            "this Postgres takes no writes (a replica, or read only)",
            "Let TANDEM_DATABASE_URL name the primary.",
        )
    if facts.connections_left < FEW_CONNECTIONS:
        yield warning(
            "postgres",
            f"Postgres has room for {facts.connections_left} more connections; a service opens up to 10",
            "Raise max_connections, or end what else uses them.",
        )
    if major >= LEAST_VERSION and not facts.read_only:
        yield ok("postgres", f"Postgres {facts.version}, {facts.connections_left} connections free")


def schema_findings(facts: DatabaseFacts, latest: str, before: Collection[str]) -> Iterator[Finding]:
    """Judge whether the tables are those of this release, and whether our user may use them."""
    if facts.schema is None:
        yield failed("migrations", "the database has no tables of Tandem", f"Run `{MIGRATE}`.")
        return
    if facts.schema in before:
        yield failed(
            "migrations",
            f"the database has schema {facts.schema} and this release needs {latest}: services wait for it",
            f"Run `{MIGRATE}` of this release, with TANDEM_SECRET_KEY.",
        )
    elif facts.schema != latest:
        yield warning(
            "migrations",
            f"the database has schema {facts.schema}, newer than this release's {latest}",
            "That is as it should be while a rollout is under way. Otherwise finish the upgrade.",
        )
    else:
        yield ok("migrations", f"schema {latest}, the newest of this release")
    if facts.not_allowed:
        yield failed(
            "migrations",
            f"the database's user may not {'; '.join(facts.not_allowed[:5])}",
            "Run the migration as the same user, or GRANT SELECT, INSERT, UPDATE, DELETE on all tables to it.",
        )
