"""The connections as they are now, with eyes on each: loaded anew every few seconds, so that a change needs no restart.

Used by all duties. The clients behind the eyes (and with them their rate limits) stay the same as long as nothing about
the way to the vendor changes: `shared.clients.pool`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.clients.pool import ClientPool
from shared.domain.ids import ConnectionId, IntegrationId, Side
from shared.domain.mapping import Connection, Integration
from shared.eyes.open import Containers, containers_of, open_eyes
from shared.eyes.port import Eyes


class NoConnection(Exception):
    """A message or record names a connection that there is not (or that has no credentials)."""


@dataclass(frozen=True, slots=True)
class Post:
    """One connection that is watched, with its projects or workspaces."""

    connection: Connection
    eyes: Eyes
    containers: Containers

    @property
    def id(self) -> ConnectionId:
        """Return the connection's id."""
        return self.connection.id

    @property
    def side(self) -> Side:
        """Return the connection's side."""
        return self.connection.kind.side


class Directory:
    """Knows all posts. `refresh` is the only method that does I/O."""

    def __init__(self, pool: ClientPool) -> None:
        self._pool = pool
        self._posts: Mapping[ConnectionId, Post] = {}
        self._integrations: Mapping[IntegrationId, Integration] = {}

    async def refresh(self) -> None:
        """Load the current configuration. Raises `StoreUnavailable` only as long as nothing is known yet."""
        integrations = await self._pool.integrations()
        posts: dict[ConnectionId, Post] = {}
        for connection in await self._pool.connections():
            jira = connection.kind.side is Side.JIRA
            client = await self._pool.jira(connection.id) if jira else await self._pool.craft(connection.id)
            containers = containers_of(connection, integrations)
            posts[connection.id] = Post(connection, open_eyes(client, connection, containers), containers)
        self._posts = posts
        self._integrations = {integration.id: integration for integration in integrations}

    def forget(self) -> None:
        """Have the configuration read again at the next `refresh`, however fresh it is."""
        self._pool.forget()

    def posts(self) -> Sequence[Post]:
        """Return all connections that have credentials."""
        return tuple(self._posts.values())

    def find(self, connection_id: ConnectionId) -> Post | None:
        """Return one connection, None if there is none with credentials."""
        return self._posts.get(connection_id)

    def post(self, connection_id: ConnectionId) -> Post:
        """Return one connection. Raises `NoConnection`."""
        post = self._posts.get(connection_id)
        if post is None:
            raise NoConnection(f"there is no connection {connection_id} with credentials")
        return post

    def integrations_of(self, connection_id: ConnectionId) -> Sequence[Integration]:
        """Return the integrations that use a connection."""
        known = self._integrations.values()
        return [each for each in known if connection_id in (each.jira_connection, each.craft_connection)]

    def container(self, integration_id: IntegrationId, side: Side) -> str | None:
        """Return the project or workspace of an integration, None if it is not known (any more)."""
        integration = self._integrations.get(integration_id)
        return integration.container(side) if integration is not None else None
