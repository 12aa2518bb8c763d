"""How a connection logs in to Jira, and what to say when Jira refuses it. Pure; used by the client."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets

_REFUSED_ON_CLOUD = (
    "Jira refuses the e-mail address and API token of this connection: the token is wrong, expired or revoked. "
    "Create a new API token and save it in the connection."
)
_CLOUD_HOSTS = (".atlassian.net", ".atlassian.com")
_NO_CLOUD_HOST = "If the site is a Jira Data Center, save the connection with the kind jira_data_center."
_REFUSED_BEARER = (
    "Jira refuses the personal access token of this connection: it is wrong, expired or revoked. Create a new token "
    "in the Jira profile of Tandem's account and save it in the connection."
)
_REFUSED_BASIC = (
    "Jira refuses the user name and password of this connection. Save the right ones, or leave the user name empty "
    "and save a personal access token."
)


def authorization(connection: Connection, secrets: ConnectionSecrets) -> str:
    """Return the Authorization header: Basic on Cloud and with a user name; a personal access token goes as Bearer."""
    if connection.kind is ConnectionKind.JIRA_CLOUD:
        return _basic(connection.email or "", secrets.token)
    if connection.username:
        return _basic(connection.username, secrets.token)
    return f"Bearer {secrets.token}"


def _basic(login: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{secret}".encode()).decode()


def refused(connection: Connection) -> str:
    """Return what is wrong and what to do when the credentials do not work."""
    if connection.kind is ConnectionKind.JIRA_CLOUD:
        ours = (urlsplit(connection.url).hostname or "").endswith(_CLOUD_HOSTS)
        return _REFUSED_ON_CLOUD if ours else f"{_REFUSED_ON_CLOUD} {_NO_CLOUD_HOST}"
    return _REFUSED_BASIC if connection.username else _REFUSED_BEARER
