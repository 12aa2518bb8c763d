"""What an operator's tools need of the world. Adapters translate every failure into `CannotReach`; nobody writes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.clients.reading import Account
from shared.domain.errors import OwnWords
from shared.domain.mapping import Connection, ConnectionSecrets
from tandem_ops.domain.database import DatabaseFacts
from tandem_ops.domain.kafka import ClusterFacts, GroupFacts
from tandem_ops.domain.rights import Granted


class CannotReach(OwnWords):
    """Something cannot be asked. The words say why, for operators; they hold addresses, and never a secret."""


class AddressWithheld(CannotReach):
    """The address of a connection is none that we may ask."""


class CredentialsRefused(CannotReach):
    """The vendor does not take the credentials."""


@dataclass(frozen=True, slots=True)
class Skew:
    """How many seconds another clock is ahead of ours, and how far that may be wrong."""

    ahead_s: float
    uncertain_s: float

    @classmethod
    def between(cls, before: datetime, theirs: datetime, after: datetime, *, grain_s: float = 0.0) -> Skew:
        """Return the skew of a time that was told between two looks at our clock; it counts in steps of `grain_s`."""
        half = (after - before) / 2
        ahead = (theirs - (before + half)).total_seconds() + grain_s / 2
        return cls(ahead, half.total_seconds() + grain_s / 2)


@dataclass(frozen=True, slots=True)
class Alive:
    """What one service answers. `waits_for`: what it is not ready on; None: it is ready."""

    waits_for: tuple[str, ...] | None
    skew: Skew | None


@dataclass(frozen=True, slots=True)
class Known:
    """Who we are at a vendor, and how far its clock is ahead of ours (None: it does not tell)."""

    account: Account
    skew: Skew | None


@dataclass(frozen=True, slots=True)
class Letter:
    """What a dead letter says of itself. The texts may hold anything."""

    topic: str
    by: str
    reason: str
    at: datetime


class Kafka(Protocol):
    """The brokers. Topics and groups are named without the prefix."""

    async def cluster(self) -> ClusterFacts:
        """Return the brokers and our topics."""
        ...

    async def granted(self, groups: Sequence[str]) -> Granted:
        """Return what our user may do with our topics and these groups."""
        ...

    async def group(self, name: str, topics: Sequence[str]) -> GroupFacts:
        """Return a group's members, and how far it is behind on these topics."""
        ...

    async def since(self, topic: str, at: datetime) -> int:
        """Return how many records of a topic are as new as that, or newer."""
        ...

    async def dead_letters(self, most: int) -> Sequence[Letter]:
        """Return what the newest dead letters say of themselves, the oldest first."""
        ...

    async def speaks(self) -> int:
        """Return up to which version the brokers understand a produce request, which tells their release."""
        ...


class Postgres(Protocol):
    """The database server."""

    async def facts(self) -> DatabaseFacts:
        """Return what it tells of itself."""
        ...

    async def skew(self) -> Skew:
        """Return how far its clock is ahead of ours."""
        ...


class Services(Protocol):
    """The services over HTTP."""

    async def alive(self, url: str) -> Alive:
        """Return whether a service is ready, and its clock."""
        ...

    async def console(self, url: str, token: str) -> None:
        """Ask the console's API something, with the token."""
        ...

    async def metrics(self, url: str) -> str:
        """Return the metrics of a service as text."""
        ...


class Vendors(Protocol):
    """Jira and Craft.io."""

    async def whoami(self, connection: Connection, secrets: ConnectionSecrets) -> Known:
        """Return who we are. The words of what it raises may repeat a vendor's."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """How all of it is opened; for as long as the doctor works."""

    kafka: AbstractAsyncContextManager[Kafka]
    postgres: AbstractAsyncContextManager[Postgres]
    services: AbstractAsyncContextManager[Services]
    vendors: AbstractAsyncContextManager[Vendors] | None
    """None: they are not to be asked."""
