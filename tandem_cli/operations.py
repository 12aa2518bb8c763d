"""The commands for operators, which are loaded by name when they are asked for: they need Kafka, Postgres and all that
is installed with a service, and whoever applies a file needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

OPERATIONS: Final = {
    "forget-person": "tandem_ops.entrypoint:forget_person",
    "doctor": "tandem_ops.entrypoint:doctor",
    "recover-links": "tandem_ops.entrypoint:recover_links",
    "replay": "tandem_ops.replay_entrypoint:replay",
    "support-bundle": "tandem_ops.entrypoint:support_bundle",
}
"""Where each command is: module and name."""


class WithOperations(click.Group):
    """A group that has these commands besides its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *OPERATIONS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None if there is none of this name."""
        place = OPERATIONS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        found = getattr(import_module(module), name)
        assert isinstance(found, click.Command)  # noqa: S101  # what the table names
        return found
