"""Configuration in memory. Called by all services through `ConfigReader`, by the console through `ConfigWriter`.

Secrets are kept as they are, beside what they are bound to: this store is for tests and the simulation, and nothing
of it is ever written anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from shared.domain.binding import Binding
from shared.domain.ids import ConnectionId, IntegrationId
from shared.domain.link import LinkState
from shared.domain.mapping import Connection, ConnectionSecrets, Integration, next_revision
from shared.store.evaluation import Evaluation
from shared.store.memory.tables import Audited, Core
from shared.store.port import CredentialsUnreadable, RevisionConflict
from shared.store.trail import ConfigKind


class Config(Core):
    """Implements `ConfigReader` and `ConfigWriter`; see there for each method's contract."""

    async def connections(self) -> Sequence[Connection]:
        """Return the current revision of all connections."""
        await self.call("connections")
        return [revisions[-1] for _, revisions in sorted(self.tables.connections.items())]

    async def secrets(self, connection: Connection) -> ConnectionSecrets | None:
        """Return the credentials of a connection, as it is given."""
        await self.call("secrets")
        binding, secrets = self.tables.secrets.get(connection.id, (None, None))
        if binding is not None and binding != Binding.of(connection):
            raise CredentialsUnreadable("they were changed, or sealed for another address, account or connection")
        return secrets

    async def integrations(self) -> Sequence[Integration]:
        """Return the current revision of all integrations."""
        await self.call("integrations")
        return [revisions[-1] for _, revisions in sorted(self.tables.integrations.items())]

    async def save_integration(
        self,
        integration: Integration,
        expected_revision: int,
        by: str,
        at: datetime,
        *,
        restored_from: int | None = None,
        evaluate: bool = True,
    ) -> Integration:
        """Save the next revision of an integration, once no open transaction decides by the current one."""
        holder = await self.autocommit("save_integration", ("integration", integration.id))
        try:
            current = self.tables.current_integration(integration.id)
            _check(current.revision if current else 0, expected_revision)
            saved = next_revision(current, integration)
            self.tables.integrations.setdefault(saved.id, []).append(saved)
            if evaluate or current is None:
                self.tables.agreed[saved.id] = saved.revision
            self.tables.audit.append(Audited(at, by, f"integration:{saved.id}", saved.revision, restored_from))
        finally:
            self.locks.release_all(holder)
        await self.done("save_integration", holder)
        return saved

    async def evaluation(self, integration_id: IntegrationId) -> Evaluation | None:
        """Return where an integration stands."""
        await self.call("evaluation")
        current = self.tables.current_integration(integration_id)
        if current is None:
            return None
        agreed = self.tables.agreed[integration_id]
        waiting = [
            link
            for link in self.tables.links.values()
            if link.integration_id == integration_id
            and agreed <= link.revision_seen < current.revision
            and link.state in (LinkState.ACTIVE, LinkState.CREATING, LinkState.HELD)
        ]
        shown = [str(s.state) if (s := self.tables.statuses.get(each.id)) else str(each.state) for each in waiting]
        return Evaluation(current.revision, agreed, dict(sorted(Counter(shown).items())))

    async def agree(self, integration_id: IntegrationId, revision: int, by: str, at: datetime) -> bool:
        """Have links decided by the current revision."""
        holder = await self.autocommit("agree", ("integration", integration_id))
        current = self.tables.current_integration(integration_id)
        known = current is not None and current.revision == revision
        if known and self.tables.agreed[integration_id] < revision:
            self.tables.agreed[integration_id] = revision
            self.tables.audit.append(Audited(at, by, f"integration:{integration_id}", revision, evaluated=True))
        await self.done("agree", holder)
        return known

    async def save_connection(
        self, connection: Connection, secrets: ConnectionSecrets | None, expected_revision: int, by: str, at: datetime
    ) -> Connection:
        """Save the next revision of a connection."""
        holder = await self.autocommit("save_connection", ("connection", connection.id))
        try:
            current = self.tables.current_connection(connection.id)
            _check(current.revision if current else 0, expected_revision)
            saved = connection.model_copy(update={"revision": expected_revision + 1})
            self.tables.connections.setdefault(saved.id, []).append(saved)
            if secrets is not None:
                self.tables.secrets[saved.id] = (Binding.of(saved), secrets)
            self.tables.audit.append(Audited(at, by, f"connection:{saved.id}", saved.revision))
        finally:
            self.locks.release_all(holder)
        await self.done("save_connection", holder)
        return saved

    async def note_refusal(self, kind: ConfigKind, ident: str, revision: int, what: str, by: str, at: datetime) -> None:
        """Put into the audit trail what was refused."""
        holder = await self.autocommit("note_refusal")
        self.tables.audit.append(Audited(at, by, f"{kind}:{ident}", revision, refused=what))
        await self.done("note_refusal", holder)

    async def set_connection_paused(self, connection_id: ConnectionId, reason: str | None) -> None:
        """Pause writes of a connection, or resume them; no new revision."""
        holder = await self.autocommit("set_connection_paused", ("connection", connection_id))
        revisions = self.tables.connections.get(connection_id)
        if revisions:
            revisions[-1] = revisions[-1].model_copy(update={"paused_reason": reason})
        await self.done("set_connection_paused", holder)

    async def tell_expiry(self, connection_id: ConnectionId, at: datetime | None) -> None:
        """Note when credentials end, as the vendor tells; no new revision."""
        holder = await self.autocommit("tell_expiry", ("connection", connection_id))
        revisions = self.tables.connections.get(connection_id)
        if revisions:
            revisions[-1] = revisions[-1].model_copy(update={"expires_told": at})
        await self.done("tell_expiry", holder)


def _check(current: int, expected: int) -> None:
    if current != expected:
        raise RevisionConflict(current)
