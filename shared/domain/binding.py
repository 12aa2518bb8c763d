"""What credentials are bound to: the connection, what it speaks, where it leads, and whose they are. Pure.

They open for exactly this and are sent nowhere else (DESIGN P12, ADR 0022).
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass

from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, ConnectionKind
from shared.domain.site import origin_of


@dataclass(frozen=True, slots=True)
class Binding:
    """`account` is whoever logs in: the e-mail of Jira Cloud, the user name of Data Center, else empty."""

    connection_id: ConnectionId
    kind: ConnectionKind
    origin: str
    account: str

    @classmethod
    def of(cls, connection: Connection) -> Binding:
        """Return what the credentials of a connection are bound to."""
        account = connection.email or connection.username or ""
        return cls(connection.id, connection.kind, origin_of(connection.url), account.strip().lower())

    def as_bytes(self) -> bytes:
        """Return it so that no two bindings have the same bytes."""
        return json.dumps(["credentials", *astuple(self)], separators=(",", ":")).encode()
