"""`.run/stack.json`: where everything of a running stack is, so that any outside tool can attach.

Written by `make run` and the demo, read by people's tools and the end-to-end tests. Its shape is a public name:
keys are added, never renamed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NotRequired, TypedDict

from deploy.local.jars import CHECKOUT

STACK_FILE = CHECKOUT / ".run" / "stack.json"


class ConnectionEntry(TypedDict):
    """One connection: its id in webhook addresses, the secret that signs its webhooks, and the token that their URL
    carries where they are not signed.
    """

    id: str
    webhook_secret: str
    url_token: NotRequired[str]


class JiraSandboxEntry(TypedDict):
    """The sandbox Jira: where it is and how to log in."""

    url: str
    email: str
    token: str
    project: str
    control: str
    edition: str


class CraftSandboxEntry(TypedDict):
    """The sandbox Craft.io: where it is and how to log in."""

    url: str
    api_key: str
    workspace_id: str
    control: str


class ConnectionEntries(TypedDict):
    """Both connections of the stack's integration."""

    jira: ConnectionEntry
    craft: ConnectionEntry


class SandboxEntries(TypedDict):
    """Both sandboxes."""

    jira: JiraSandboxEntry
    craft: CraftSandboxEntry


class ServiceEntry(TypedDict):
    """One running process of a service. `http` is the base URL of healthz, readyz and metrics."""

    pid: int
    http: str
    log: str


class StackContent(TypedDict):
    """The whole file."""

    gateway: str
    console: str
    console_token: str
    kafka: str
    topic_prefix: str
    database_url: str
    connections: ConnectionEntries
    integration_id: str
    sandbox: SandboxEntries
    services: dict[str, list[ServiceEntry]]
    logs: str
    supervisor_pid: int


def write_stack_file(content: StackContent, path: Path = STACK_FILE) -> None:
    """Write the file in one step, readable by its owner only (it holds secrets of the sandbox)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(path)


def remove_stack_file(path: Path = STACK_FILE) -> None:
    """Remove the file; nothing when it is not there."""
    path.unlink(missing_ok=True)
