"""The console's own configuration as `shared.as_code` sees it: the same checks, revisions and audit trail as over the
API, without the way there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from services.console.domain.drafts import ConnectionDraft, IntegrationDraft, SaveQuery
from services.console.domain.problems import Refusal, faults_of, invalid
from services.console.domain.validation.finding import Finding
from services.console.handlers.configuration import Configuration
from shared.as_code.plan import Change, Live, LiveConnection
from shared.as_code.ports import Fault, Refused, Saving, Stored, Unreachable
from shared.domain.differences import CONNECTION_OWNED
from shared.domain.ids import ConnectionId, IntegrationId
from shared.domain.mapping import Connection, ConnectionSecrets, Integration
from shared.store.port import ConfigReader, CredentialsUnreadable

Said = Mapping[str, Mapping[str, Any]]
"""The credentials that a file names, by connection: `token`, `webhook_secrets`, `url_token`; what it does not name is
left out.
"""


class OwnConsole:
    """Implements `Console`. Credentials that are not what the file says count as missing, so that they are sent."""

    def __init__(self, configuration: Configuration, config: ConfigReader, said: Said) -> None:
        self._configuration = configuration
        self._config = config
        self._said = said

    async def live(self) -> Live:
        """Return all connections and integrations."""
        connections = {str(each.id): await self._connection(each) for each in await self._config.connections()}
        return Live(connections, {str(each.id): each for each in await self._config.integrations()})

    async def save(self, change: Change, secrets: Mapping[str, Any], how: Saving) -> Stored:
        """Save one, as the API does."""
        try:
            if change.kind == "connection":
                return await self._save_connection(change, secrets)
            return await self._save_integration(change, how)
        except Refusal as refusal:
            problem = refusal.problem
            if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Unreachable(problem.message) from refusal
            faults = [_fault(each) for each in problem.findings] or [
                Fault(each.path, each.message) for each in problem.problems
            ]
            changes = problem.changes or ()
            raise Refused(problem.status, problem.message, problem.next_step, faults, changes) from refusal

    async def check(self, draft: Integration) -> Sequence[Fault] | None:
        """Say that saving checks."""
        del draft
        return None

    async def _connection(self, connection: Connection) -> LiveConnection:
        try:
            stored = await self._config.secrets(connection)
        except CredentialsUnreadable:
            return LiveConnection(connection, token=False, webhook_secrets=0, url_token=False, opens=False)
        said = self._said.get(connection.id, {})
        held = stored or ConnectionSecrets(token="")
        webhooks = held.webhook_secrets
        return LiveConnection(
            connection,
            token=bool(held.token) and said.get("token", held.token) == held.token,
            webhook_secrets=len(webhooks) if tuple(said.get("webhook_secrets", webhooks)) == tuple(webhooks) else -1,
            url_token=held.url_token is not None and said.get("url_token", held.url_token) == held.url_token,
        )

    async def _save_connection(self, change: Change, secrets: Mapping[str, Any]) -> Stored:
        body = {name: value for name, value in change.body.items() if name not in CONNECTION_OWNED}
        if secrets:
            body["secrets"] = dict(secrets)
        try:
            draft = ConnectionDraft.model_validate({**body, "revision": change.revision})
        except ValidationError as error:
            raise invalid(*faults_of(error)) from error
        saved = await self._configuration.put_connection(ConnectionId(change.id), draft, change.revision)
        return Stored(saved.revision)

    async def _save_integration(self, change: Change, how: Saving) -> Stored:
        try:
            draft = IntegrationDraft.model_validate({**change.body, "revision": change.revision})
        except ValidationError as error:
            raise invalid(*faults_of(error)) from error
        query = SaveQuery.model_validate({"unchecked": how.unchecked, "evaluate": how.evaluate})
        saved = await self._configuration.put_integration(IntegrationId(change.id), draft, change.revision, how=query)
        return Stored(saved.revision, [_fault(each) for each in saved.findings])


def _fault(found: Finding) -> Fault:
    severity = str(found.severity)
    return Fault(
        found.path,
        found.message,
        found.fix,
        "warning" if severity == "warning" else "note" if severity == "note" else "error",
        found.code,
    )
