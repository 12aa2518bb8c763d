"""The commands for operators: arguments in, lines or JSON out, and an exit code that a machine can go by.

`tandem` (tandem_cli) loads them by name: they need more of Tandem than the console's API.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import click

from shared.domain.clock import Clock, SystemClock
from tandem_ops.adapters.kafka import open_kafka
from tandem_ops.adapters.postgres import open_postgres_to_look
from tandem_ops.adapters.services import open_services
from tandem_ops.adapters.vendors import open_vendors
from tandem_ops.domain.report import exit_code, report_json, report_lines
from tandem_ops.handlers.checks import ROLES
from tandem_ops.handlers.doctor import examine
from tandem_ops.handlers.given import given_settings
from tandem_ops.ports import World
from tandem_ops.settings import OpsSettings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="NAME=URL",
    help="Where a service answers /readyz; may be repeated. Instead of TANDEM_SERVICE_URLS.",
)
@click.option(
    "--as",
    "roles",
    multiple=True,
    type=click.Choice(list(ROLES)),
    help="Whose rights on Kafka this user has to have; may be repeated. Without: those of all services.",
)
@click.option("--no-vendors", is_flag=True, help="Do not ask Jira and Craft.io (where only services may reach them).")
def doctor(services: tuple[str, ...], roles: tuple[str, ...], *, as_json: bool, no_vendors: bool) -> None:
    """Check an installation end to end: what is wrong, and what to do.

    It reads the settings of a service from the environment (docs/configuration.md), and changes nothing. Exit codes:
    0 all is well, 1 something is not as it should be, 2 something does not work.
    """
    if services:
        os.environ["TANDEM_SERVICE_URLS"] = ",".join(services)
    chosen = {name: access for name, access in ROLES.items() if not roles or name in roles}
    given, clock = given_settings(), SystemClock()
    findings = asyncio.run(examine(given, clock, world(given.settings, clock, vendors=not no_vendors), chosen))
    if as_json:
        click.echo(json.dumps(report_json(findings), indent=2))
    else:
        for line in report_lines(findings):
            click.echo(line)
    sys.exit(exit_code(findings))


def world(settings: OpsSettings, clock: Clock, *, vendors: bool) -> World:
    """Return how the real things are opened."""
    return World(
        open_kafka(settings),
        open_postgres_to_look(settings.database_url, clock),
        open_services(clock),
        open_vendors(settings, clock) if vendors else None,
    )
