"""Saving what an admin sets: checked, tried at the vendor, stored as a new revision, told to all services.

Postgres is the truth. The message afterwards is a hint: if the log is away, every service reads the change by itself
within seconds, so a saved change is never answered as failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

import structlog
from pydantic import ValidationError

from services.console.domain.credentials import Withheld, check_moves, forbidden, merged
from services.console.domain.drafts import ConnectionDraft, IntegrationDraft, SaveQuery
from services.console.domain.problems import Fault, faults_of, invalid, not_found
from services.console.domain.verdicts import SavedIntegration
from services.console.domain.views import ConnectionList, ConnectionView, IntegrationList
from services.console.handlers.history import History
from services.console.handlers.mappings import Mappings, of_id
from services.console.handlers.vendors import Vendors
from services.console.ports import Ports, Publish
from shared.clients.egress import Egress
from shared.clients.transport import NotAllowed
from shared.domain.ids import ConnectionId, IntegrationId
from shared.domain.mapping import Connection, ConnectionSecrets, Integration
from shared.messages.config import ConfigRevision
from shared.runtime.error_words import told
from shared.runtime.log import LogUnavailable
from shared.store.port import CredentialsUnreadable, RevisionConflict
from shared.store.trail import ConfigKind

log = structlog.get_logger(__name__)


class Configuration:
    """Connections and integrations."""

    def __init__(
        self, ports: Ports, vendors: Vendors, mappings: Mappings, publish: Publish, egress: Egress, by: str
    ) -> None:
        self._ports = ports
        self._vendors = vendors
        self._mappings = mappings
        self._publish = publish
        self._egress = egress
        self._by = by
        self._history = History(ports.reader)

    async def connections(self) -> ConnectionList:
        """Return all connections."""
        return ConnectionList(connections=[await self._shown(each) for each in await self._ports.config.connections()])

    async def connection(self, connection_id: ConnectionId) -> ConnectionView:
        """Return one connection."""
        return await self._shown(await self._connection(connection_id))

    async def put_connection(
        self, connection_id: ConnectionId, draft: ConnectionDraft, if_match: int | None
    ) -> ConnectionView:
        """Try and save a connection; what works resumes at once. Raises 409 and 422.

        A 422 for where credentials would go comes before anything is sent, and is put into the audit trail.
        """
        saved = list(await self._ports.config.connections())
        old = next((each for each in saved if each.id == connection_id), None)
        expected = _expected(if_match, draft.revision)
        if expected != (old.revision if old else 0):
            current = await self._shown(old) if old else None
            raise await self._history.changed_meanwhile(ConfigKind.CONNECTION, connection_id, expected, current)
        _check_connection(connection_id, draft, old, saved)
        wanted = Connection(
            id=connection_id,
            revision=expected,
            kind=draft.kind,
            name=draft.name,
            url=draft.url,
            email=draft.email.strip() if draft.email else None,
            username=(draft.username or "").strip() or None,
            max_concurrent=draft.max_concurrent,
            requests_per_second=draft.requests_per_second,
        )
        arrivals = (await self._ports.reader.arrivals()).get(connection_id)
        try:
            self._check_address(wanted)
            before = await self._held(old) if old is not None else None
            secrets = _secrets(old, before, wanted, draft)
            account = await self._vendors.probe(wanted, secrets)
        except Withheld as withheld:
            await self._ports.writer.note_refusal(
                ConfigKind.CONNECTION, connection_id, expected, withheld.tried, self._by, self._ports.clock.now()
            )
            raise invalid(withheld.fault) from withheld
        wanted = wanted.model_copy(update={"account_id": account.id, **_expiry(old, before, secrets, draft)})
        try:
            stored = await self._ports.writer.save_connection(
                wanted, secrets, expected, self._by, self._ports.clock.now()
            )
        except RevisionConflict as error:
            current = await self.connection(connection_id)
            raise await self._history.changed_meanwhile(
                ConfigKind.CONNECTION, connection_id, expected, current
            ) from error
        await self._announce("connection", stored)
        return ConnectionView.of(stored, secrets, arrivals, self._ports.clock.now())

    async def integrations(self) -> IntegrationList:
        """Return all integrations."""
        return IntegrationList(integrations=list(await self._ports.config.integrations()))

    async def integration(self, integration_id: IntegrationId) -> Integration:
        """Return the current revision of an integration."""
        found = next((each for each in await self._ports.config.integrations() if each.id == integration_id), None)
        if found is None:
            raise not_found(f"There is no integration {integration_id}.", "GET /api/v1/integrations lists them.")
        return found

    async def put_integration(
        self,
        integration_id: IntegrationId,
        draft: IntegrationDraft,
        if_match: int | None,
        *,
        how: SaveQuery,
        restored_from: int | None = None,
    ) -> SavedIntegration:
        """Check and save an integration as a new revision. Raises 409 and 422, and 502 if it cannot be checked."""
        of_id(integration_id, draft)
        expected = _expected(if_match, draft.revision)
        old = next((each for each in await self._ports.config.integrations() if each.id == integration_id), None)
        if expected != (old.revision if old else 0):
            raise await self._history.changed_meanwhile(ConfigKind.INTEGRATION, integration_id, expected, old)
        judged = await self._mappings.accept(draft, unchecked=how.unchecked)
        try:
            wanted = judged.draft.integration((await self._connection(draft.jira_connection)).kind.markup)
        except ValidationError as error:
            raise invalid(*faults_of(error)) from error
        try:
            stored = await self._ports.writer.save_integration(
                wanted,
                expected,
                self._by,
                self._ports.clock.now(),
                restored_from=restored_from,
                evaluate=how.evaluate == "now",
            )
        except RevisionConflict as error:
            current = await self.integration(integration_id)
            raise await self._history.changed_meanwhile(
                ConfigKind.INTEGRATION, integration_id, expected, current
            ) from error
        await self._announce("integration", stored)
        return SavedIntegration.of(stored, judged.findings)

    async def restore_integration(
        self, integration_id: IntegrationId, number: int, if_match: int | None, *, how: SaveQuery
    ) -> SavedIntegration:
        """Check an old revision by today's rules and save it as a new one. Raises 404, and what saving raises."""
        old = await self._history.revision(ConfigKind.INTEGRATION, integration_id, number)
        if if_match is None:
            raise invalid(Fault(path="If-Match", message="is missing: name the revision that is to be replaced"))
        try:
            draft = IntegrationDraft.model_validate(old.body)
        except ValidationError as error:
            raise invalid(*faults_of(error)) from error
        return await self.put_integration(integration_id, draft, if_match, how=how, restored_from=number)

    def _check_address(self, wanted: Connection) -> None:
        try:
            self._egress.check_url(wanted.url)
        except NotAllowed as error:
            raise forbidden(wanted, str(error)) from error

    async def _held(self, connection: Connection) -> ConnectionSecrets | CredentialsUnreadable | None:
        """Return the stored credentials, or why they do not open: one connection's trouble ends no list."""
        try:
            return await self._ports.config.secrets(connection)
        except CredentialsUnreadable as error:
            return error

    async def _connection(self, connection_id: ConnectionId) -> Connection:
        found = next((each for each in await self._ports.config.connections() if each.id == connection_id), None)
        if found is None:
            raise not_found(f"There is no connection {connection_id}.", "GET /api/v1/connections lists them.")
        return found

    async def _shown(self, connection: Connection) -> ConnectionView:
        arrivals = await self._ports.reader.arrivals()
        return ConnectionView.of(
            connection, await self._held(connection), arrivals.get(connection.id), self._ports.clock.now()
        )

    async def _announce(self, kind: Literal["connection", "integration"], saved: Connection | Integration) -> None:
        message = ConfigRevision(
            kind=kind,
            id=saved.id,
            revision=saved.revision,
            saved_at=self._ports.clock.now(),
            saved_by=self._by,
            body=saved.model_dump(mode="json"),
        )
        try:
            await self._publish.publish(message)
        except LogUnavailable as error:
            log.warning("revision_not_announced", kind=kind, id=saved.id, revision=saved.revision, error=told(error))


Stored = ConnectionSecrets | CredentialsUnreadable | None


def _secrets(old: Connection | None, stored: Stored, wanted: Connection, draft: ConnectionDraft) -> ConnectionSecrets:
    """Return what is to be tried and stored. Raises `Withheld`, and a 422 for what is missing."""
    if old is not None and isinstance(stored, ConnectionSecrets):
        check_moves(old, wanted, draft.secrets)
    return merged(draft.secrets, stored)


def _expiry(
    old: Connection | None, stored: Stored, secrets: ConnectionSecrets, draft: ConnectionDraft
) -> dict[str, date | datetime | None]:
    """Return when the credentials end: a date belongs to its token, and does not outlive it."""
    same = old is not None and isinstance(stored, ConnectionSecrets) and stored.token == secrets.token
    entered = draft.expires_on if "expires_on" in draft.model_fields_set else None
    if old is None or not same:
        return {"expires_on": entered, "expires_told": None}
    kept = "expires_on" not in draft.model_fields_set
    return {"expires_on": old.expires_on if kept else entered, "expires_told": old.expires_told}


def _expected(if_match: int | None, in_body: int | None) -> int:
    """Return the revision that the caller edited: from `If-Match`, else from the body, else 0 (new)."""
    return if_match if if_match is not None else in_body or 0


def _check_connection(
    connection_id: ConnectionId, draft: ConnectionDraft, old: Connection | None, saved: Sequence[Connection]
) -> None:
    faults: list[Fault] = []
    if old is not None and old.kind is not draft.kind:
        faults.append(Fault(path="kind", message=f"is {old.kind} and cannot change; make another connection"))
    taken = [each for each in saved if each.id != connection_id and each.name.casefold() == draft.name.casefold()]
    if taken:
        faults.append(Fault(path="name", message=f"is taken by the connection {taken[0].id}"))
    if faults:
        raise invalid(*faults)
