"""What has to be saved so that what is live is what the file says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.as_code.findings import Finding
from shared.as_code.workspace import FileConnection, SecretReference, Workspace
from shared.domain.differences import Difference, connection_differences, integration_differences
from shared.domain.mapping import Connection, Integration

Kind = Literal["connection", "integration"]


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """A connection as the console shows it, and which credentials it holds."""

    connection: Connection
    token: bool
    webhook_secrets: int
    url_token: bool
    opens: bool = True
    """False: what is stored of them cannot be opened, so that nothing of it can be kept."""


@dataclass(frozen=True, slots=True)
class Live:
    """All that the console has."""

    connections: Mapping[str, LiveConnection]
    integrations: Mapping[str, Integration]


@dataclass(frozen=True, slots=True)
class Change:
    """One connection or integration that is to be saved. `revision` is the one it was compared with; 0: it is new."""

    kind: Kind
    id: str
    revision: int
    body: Mapping[str, Any]
    differences: tuple[Difference, ...]
    secrets: Mapping[str, tuple[SecretReference, ...]]
    """The credentials to send, by name; without a reference: that there are none."""

    @property
    def section(self) -> str:
        """Return the section of the file."""
        return f"{self.kind}s"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be saved, connections first; and what only the console has, which is left alone."""

    changes: tuple[Change, ...]
    only_live: tuple[tuple[Kind, str], ...]


def plan(wanted: Workspace, live: Live, *, replace_secrets: bool = False) -> Plan | list[Finding]:
    """Compare. What is stored of credentials is never shown, so they are sent only where one is missing there, or all
    with `replace_secrets`. Findings: an integration names a connection that is neither in the file nor live.
    """
    findings = list(_lost_connections(wanted, live))
    if findings:
        return findings
    changes = [*_connections(wanted, live, replace_secrets=replace_secrets), *_integrations(wanted, live)]
    return Plan(
        changes=tuple(changes),
        only_live=(
            *(("connection", ident) for ident in live.connections if ident not in wanted.connections),
            *(("integration", ident) for ident in live.integrations if ident not in wanted.integrations),
        ),
    )


def _connections(wanted: Workspace, live: Live, *, replace_secrets: bool) -> Iterator[Change]:
    for ident, said in wanted.connections.items():
        there = live.connections.get(ident)
        body = said.connection.model_dump(mode="json")
        differences = connection_differences(there.connection.model_dump(mode="json") if there else None, body)
        secrets = _secrets(said, there, replace=replace_secrets)
        differences += [
            Difference(
                path=f"secrets.{name}",
                change="changed" if replace_secrets else "added",
                words=f"{name.replace('_', ' ')}: would be set from {' and '.join(map(str, references))}",
            )
            for name, references in secrets.items()
            if references
        ]
        if differences:
            revision = there.connection.revision if there else 0
            yield Change("connection", ident, revision, body, tuple(differences), secrets)


def _integrations(wanted: Workspace, live: Live) -> Iterator[Change]:
    for ident, said in wanted.integrations.items():
        there = live.integrations.get(ident)
        body = said.model_dump(mode="json")
        differences = integration_differences(there.model_dump(mode="json") if there else None, body)
        if differences:
            yield Change("integration", ident, there.revision if there else 0, body, tuple(differences), {})


def _secrets(
    said: FileConnection, there: LiveConnection | None, *, replace: bool
) -> dict[str, tuple[SecretReference, ...]]:
    secrets = said.secrets
    named = {
        "token": (secrets.token,) if secrets.token else (),
        "webhook_secrets": secrets.webhook_secrets,
        "url_token": (secrets.url_token,) if secrets.url_token else (),
    }
    if there is not None and not there.opens:
        return named
    missing = {
        "token": there is None or not there.token,
        "webhook_secrets": there is None or there.webhook_secrets != len(secrets.webhook_secrets),
        "url_token": there is None or not there.url_token,
    }
    return {name: given for name, given in named.items() if given and (replace or missing[name])}


def _lost_connections(wanted: Workspace, live: Live) -> Iterator[Finding]:
    for ident, integration in wanted.integrations.items():
        for name in ("jira_connection", "craft_connection"):
            connection = getattr(integration, name)
            if connection not in wanted.connections and connection not in live.connections:
                words = f"there is no connection {connection}, neither in this file nor in Tandem"
                yield Finding(("integrations", ident, name), words)
