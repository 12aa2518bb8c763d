"""The commands for operators: arguments in, lines or JSON out, and an exit code that a machine can go by.

`tandem` (tandem_cli) loads them by name: they need more of Tandem than the console's API.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from shared.domain.clock import Clock, SeededDice, SystemClock
from shared.store.forget import StillInUse, forget, identify
from shared.store.port import StoreUnavailable
from shared.store.postgres import open_postgres
from shared.store.recover import Recovered, latest, recover
from shared.store.secrets import SecretKeyWrong
from tandem_ops.adapters.kafka import open_kafka
from tandem_ops.adapters.postgres import open_postgres_to_look
from tandem_ops.adapters.services import open_services
from tandem_ops.adapters.store_facts import store_facts
from tandem_ops.adapters.vendors import open_vendors
from tandem_ops.domain.bundle import Bundle, StoreFacts, files
from tandem_ops.domain.report import EXIT_FAILED, exit_code, report_json, report_lines
from tandem_ops.handlers.bundle import collect, names_of
from tandem_ops.handlers.checks import ROLES
from tandem_ops.handlers.doctor import examine
from tandem_ops.handlers.given import CREDENTIALS, KAFKA, POSTGRES, Given, given_settings
from tandem_ops.ports import CannotReach, Postgres, World
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


@click.command("recover-links")
def recover_links() -> None:
    """After a restore of Postgres, put back the links that were made since the backup (docs/operations.md).

    Reads the statuses that Kafka kept. All services have to be stopped. May be repeated. Exit codes: 0 done, 2 not.
    """
    given = given_settings()
    if not given.has(KAFKA | CREDENTIALS):
        for problem in given.problems:
            click.echo(problem, err=True)
        sys.exit(EXIT_FAILED)
    try:
        done = asyncio.run(_recovered(given.settings))
    except (CannotReach, StoreUnavailable, SecretKeyWrong) as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_FAILED)
    click.echo(
        f"{done.made} links put back, {done.completed} that lacked an item have it, {done.known - done.completed} "
        "were known. Start the services: all of them are read afresh."
    )


async def _recovered(settings: OpsSettings) -> Recovered:
    async with (
        open_kafka(settings) as kafka,
        open_postgres(settings.database_url, settings.secret_key, application_name="tandem-recover-links") as store,
    ):
        statuses = latest([status async for status in kafka.statuses()])
        integrations = {each.id: each for each in await store.integrations()}
        return await recover(store, statuses, integrations, SystemClock().now())


@click.command("support-bundle")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("tandem-support.tar.gz"),
    show_default=True,
    help="Where the bundle is written.",
)
@click.option("--no-vendors", is_flag=True, help="Do not ask Jira and Craft.io (where only services may reach them).")
def support_bundle(output: Path, *, no_vendors: bool) -> None:
    """Write what helps somebody to help: versions, settings, states by cause, lags, errors, topics, metrics.

    Never a secret, an e-mail address, a person's name or the text of an item: it consists of numbers, times and words
    of Tandem's own lists, and of ids of connections and integrations. What is away is left out.
    """
    given, clock = given_settings(), SystemClock()
    bundle = asyncio.run(bundled(given, clock, vendors=not no_vendors))
    packed = pack(files(bundle), bundle.about.made_at)
    try:
        output.write_bytes(packed)
    except OSError as error:
        click.echo(f"{output} cannot be written: {error.strerror}", err=True)
        sys.exit(EXIT_FAILED)
    missing = [name for name, there in names_of(bundle).items() if not there]
    left_out = f", without {', '.join(missing)}" if missing else ""
    click.echo(f"{output}: {len(packed)} bytes{left_out}")


@click.command("forget-person")
@click.option("--email", "emails", multiple=True, help="An e-mail address of theirs; may be repeated.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="CONNECTION=ID",
    help="Their account id at a connection, where no e-mail address leads to it; may be repeated.",
)
@click.option("--name", "names", multiple=True, help="A name to be taken out that the directory does not know.")
@click.option("--dry-run", is_flag=True, help="Only tell what is known of them, and how many rows hold it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_person(
    emails: tuple[str, ...], accounts: tuple[str, ...], names: tuple[str, ...], *, dry_run: bool, yes: bool
) -> None:
    """Take a person out of everything that Tandem has stored, for good (docs/privacy.md).

    Erase them in Jira and Craft.io first: who is shown there is read again. Exit codes: 0 done, 2 not done.
    """
    given = given_settings()
    if not given.has(POSTGRES) or not (emails or accounts) or not all("=" in each for each in accounts):
        click.echo("TANDEM_DATABASE_URL, and --email or --account CONNECTION=ID, say where and who.", err=True)
        sys.exit(EXIT_FAILED)
    known = [(connection, ident) for connection, _, ident in (each.partition("=") for each in accounts)]
    url = given.settings.database_url
    try:
        person = asyncio.run(identify(url, emails=emails, accounts=known, names=names))
        click.echo("Known as:")
        for each in [
            *(f"{connection}: {ident}" for connection, ident in person.accounts),
            *person.emails,
            *person.names,
        ]:
            click.echo(f"  {each}")
        if not dry_run and not yes:
            click.confirm("Replace all of that by a pseudonym, in every table, for good?", abort=True)
        pseudonym = f"forgotten-{SeededDice().token()[:12]}"
        now = SystemClock().now()
        done = asyncio.run(forget(url, person, pseudonym, now, by="tandem forget-person", dry_run=dry_run))
    except (StoreUnavailable, StillInUse) as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_FAILED)
    for table, rows in done.rows.items():
        click.echo(f"{table}: {rows} row{'' if rows == 1 else 's'}")
    click.echo("Nothing was changed." if dry_run else f"Done. They are {pseudonym} now.")


async def bundled(given: Given, clock: Clock, *, vendors: bool) -> Bundle:
    """Return a bundle of the installation that the settings lead to."""
    settings = given.settings
    findings = await examine(given, clock, world(settings, clock, vendors=vendors), ROLES)

    async def store(postgres: Postgres) -> StoreFacts:
        return await store_facts(settings.database_url, settings.secret_key, postgres)

    return await collect(given, clock, world(settings, clock, vendors=False), store, findings)


def pack(texts: Mapping[str, str], at: datetime) -> bytes:
    """Return the files as a tar.gz, all in one folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in texts.items():
            entry = tarfile.TarInfo(f"tandem-support/{name}")
            entry.size, entry.mtime = len(text.encode()), int(at.timestamp())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def world(settings: OpsSettings, clock: Clock, *, vendors: bool) -> World:
    """Return how the real things are opened."""
    return World(
        open_kafka(settings),
        open_postgres_to_look(settings.database_url, clock),
        open_services(clock),
        open_vendors(settings, clock) if vendors else None,
    )
