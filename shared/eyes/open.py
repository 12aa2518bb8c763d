"""Opens the eyes that go with a client. Called by the reconciler and the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.clients.craft.client import CraftClient
from shared.clients.jira.client import JiraClient
from shared.domain.ids import Side
from shared.domain.mapping import Connection, Integration
from shared.eyes.craft import CraftEyes
from shared.eyes.jira import JiraEyes
from shared.eyes.port import Eyes

Containers = Mapping[str, str | None]
"""Projects (by id, or by key where that is not known), or workspace ids with the id of the custom field for our key
(None: it has none).
"""


def open_eyes(client: JiraClient | CraftClient, connection: Connection, containers: Containers) -> Eyes:
    """Return eyes on a connection that look through its client, and so keep its pace."""
    if isinstance(client, JiraClient):
        return JiraEyes(client, connection)
    return CraftEyes(client, connection, containers)


def containers_of(connection: Connection, integrations: Sequence[Integration]) -> dict[str, str | None]:
    """Return the projects or workspaces that integrations use of a connection."""
    side = connection.kind.side
    found: dict[str, str | None] = {}
    for integration in integrations:
        if integration.connection(side) != connection.id:
            continue
        if side is Side.JIRA:
            found[integration.container(side)] = None
        else:
            found[integration.craft_workspace] = integration.craft_key_field or found.get(integration.craft_workspace)
    return found
