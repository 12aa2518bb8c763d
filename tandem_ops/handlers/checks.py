"""The checks of the doctor, in the order in which they are made. Each says all that it finds; what cannot be looked at
is `skipped`, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from services.console.domain.webhooks import WebhooksView, warnings_of
from shared.domain.clock import Clock
from shared.domain.mapping import Connection
from shared.runtime.access import ACCESS, Access
from shared.runtime.topics import Topic
from shared.store.port import CredentialsUnreadable, StoreUnavailable
from shared.store.postgres import PostgresStore, open_postgres
from shared.store.postgres.schema import known_schemas
from shared.store.provisioning import FileState, ProvisionedFile
from shared.store.secrets import SecretKeyWrong
from tandem_cli.settings import NotSet, console_access
from tandem_ops.domain.clocks import clock_finding
from tandem_ops.domain.database import schema_findings, server_findings
from tandem_ops.domain.kafka import dead_letter_finding, group_findings, topic_findings, unreachable
from tandem_ops.domain.report import Finding, failed, ok, skipped, warning
from tandem_ops.domain.rights import rights_findings
from tandem_ops.domain.settings import unknown_settings, weak_secrets
from tandem_ops.handlers.given import CREDENTIALS, KAFKA, POSTGRES, Given, set_secrets
from tandem_ops.ports import (
    AddressWithheld,
    CannotReach,
    CredentialsRefused,
    Kafka,
    Postgres,
    Services,
    Skew,
    Vendors,
)
from tandem_ops.settings_reference import FILE_SUFFIX, all_settings

_CONNECTIONS: Final = "GET /api/v1/connections shows the connection; save it again with PUT."


@dataclass
class Bench:
    """What the checks work with: what is given, and what earlier checks opened. None: it could not be."""

    given: Given
    clock: Clock
    services: Services
    vendors: Vendors | None
    """None: vendors are not to be asked."""
    roles: Mapping[str, Access]
    """Whose rights on Kafka are looked at."""
    open_kafka: Callable[[], Awaitable[Kafka]]
    open_postgres: Callable[[], Awaitable[Postgres]]
    kafka: Kafka | None = None
    postgres: Postgres | None = None
    skews: dict[str, Skew | None] = field(default_factory=dict)
    """What was found about clocks on the way, by whose it is."""


Check = Callable[[Bench], AsyncIterator[Finding]]


async def settings(bench: Bench) -> AsyncIterator[Finding]:
    """Look at the environment."""
    for problem in bench.given.problems:
        variable, _, words = problem.partition(" ")
        # The words repeat what is set, where that is no secret of its own.
        yield failed("settings", f"{variable.rstrip(':')} is wrong or missing", "See docs/configuration.md.", words)
    known = {name + suffix for name in all_settings() for suffix in ("", FILE_SUFFIX)}
    found = [*unknown_settings(os.environ, known), *weak_secrets(set_secrets())]
    for each in found:
        yield each
    if not found and not bench.given.problems:
        yield ok("settings", "all of them are understood")


async def kafka(bench: Bench) -> AsyncIterator[Finding]:
    """Connect to Kafka and log in."""
    if not bench.given.has(KAFKA):
        yield skipped("kafka", "its settings are wrong")
        return
    where = bench.given.settings.kafka_bootstrap
    try:
        bench.kafka = await bench.open_kafka()
        brokers = (await bench.kafka.cluster()).brokers
    except CannotReach as error:
        yield failed(
            "kafka",
            "Kafka cannot be asked",
            "Check TANDEM_KAFKA_BOOTSTRAP and the other TANDEM_KAFKA_ settings, that the brokers run, and that the "
            "network lets this machine reach them and the addresses that they advertise.",
            str(error),
        )
        return
    yield ok("kafka", f"{brokers} broker{'' if brokers == 1 else 's'}", where)


async def topics(bench: Bench) -> AsyncIterator[Finding]:
    """Compare topics with what they have to be."""
    if bench.kafka is None:
        yield unreachable("topics")
        return
    needed = {topic for role in bench.roles.values() for topic in role.topics}
    for each in topic_findings(await bench.kafka.cluster(), bench.given.settings.topic_prefix, needed):
        yield each


async def acls(bench: Bench) -> AsyncIterator[Finding]:
    """Compare what this user of Kafka may do with what the services do. Nothing is read or written for that."""
    if bench.kafka is None:
        yield unreachable("acls")
        return
    granted = await bench.kafka.granted([group for role in bench.roles.values() for group in role.groups])
    for service, access in bench.roles.items():
        for each in rights_findings(service, access, granted, bench.given.settings.topic_prefix):
            yield each


async def groups(bench: Bench) -> AsyncIterator[Finding]:
    """Look at who reads, and how far behind."""
    if bench.kafka is None:
        yield unreachable("groups")
        return
    prefix = bench.given.settings.topic_prefix
    ours = {group for role in bench.roles.values() for group in role.groups}
    for name, read in GROUPS.items():
        if name not in ours:
            continue
        try:
            facts = await bench.kafka.group(name, read)
        except CannotReach as error:
            yield warning(
                "groups",
                f"{prefix}{name} cannot be looked at: {error}",
                "Grant this user Describe on the group, or run the doctor as the service itself (--as).",
            )
        else:
            for each in group_findings(facts, prefix):
                yield each


async def dead_letters(bench: Bench) -> AsyncIterator[Finding]:
    """Count what could not be handled."""
    if bench.kafka is None:
        yield unreachable("dead letters")
        return
    recent = await bench.kafka.since(Topic.DEAD, bench.clock.now() - timedelta(days=1))
    yield dead_letter_finding(recent, bench.given.settings.topic_prefix)


async def postgres(bench: Bench) -> AsyncIterator[Finding]:
    """Connect to Postgres and log in."""
    if not bench.given.has(POSTGRES):
        yield skipped("postgres", "its setting is wrong")
        return
    try:
        bench.postgres = await bench.open_postgres()
        facts = await bench.postgres.facts()
        bench.skews["the clock of Postgres"] = await bench.postgres.skew()
    except CannotReach as error:
        yield failed(
            "postgres",
            f"Postgres cannot be asked: {error}",
            "Check TANDEM_DATABASE_URL, that the server runs, and that the network lets this machine reach it.",
        )
        return
    for each in server_findings(facts):
        yield each


async def migrations(bench: Bench) -> AsyncIterator[Finding]:
    """Compare the tables with this release."""
    if bench.postgres is None:
        yield skipped("migrations", "Postgres cannot be asked")
        return
    for each in schema_findings(await bench.postgres.facts(), *known_schemas()):
        yield each


async def alive(bench: Bench) -> AsyncIterator[Finding]:
    """Ask each service whether it is ready, and the console whether the token is right."""
    addresses = bench.given.settings.services()
    for name, url in addresses.items():
        try:
            found = await bench.services.alive(url)
        except CannotReach as error:
            do = "See whether it runs, and its log."
            yield failed("services", f"{name} does not answer", do, f"{url}: {error}")
            continue
        bench.skews[f"the clock of {name}"] = found.skew
        if found.waits_for is None:
            yield ok("services", f"{name} is ready")
        else:
            waits = ", ".join(found.waits_for) or "something"
            yield failed(
                "services", f"{name} is not ready: it waits for {waits}", "See the other findings, or its log."
            )
    if not addresses:
        yield skipped("services", "TANDEM_SERVICE_URLS (or --service) does not say where they are")
    try:
        access = console_access(os.environ)
    except NotSet:
        return
    try:
        await bench.services.console(access.url, access.token)
    except CannotReach as error:
        do = "Check TANDEM_CONSOLE_URL and TANDEM_CONSOLE_TOKEN."
        yield failed("services", "the console's API does not serve us", do, f"{access.url}: {error}")
    else:
        yield ok("services", "the console's API takes our token", access.url)


async def connections(bench: Bench) -> AsyncIterator[Finding]:
    """Look at the connections as they are stored, and ask each vendor who we are. Webhooks are told of too."""
    if bench.postgres is None or not bench.given.has(CREDENTIALS):
        yield skipped("connections", "Postgres cannot be asked, or TANDEM_SECRET_KEY is wrong")
        return
    key = bench.given.settings.secret_key
    try:
        async with open_postgres(bench.given.settings.database_url, key, application_name="tandem-doctor") as store:
            for each in [finding async for finding in _each_connection(bench, store)]:
                yield each
    except StoreUnavailable:
        yield skipped("connections", "the tables are not those of this release")
    except SecretKeyWrong as error:
        yield failed("connections", str(error), "Set the key that the credentials were sealed with.")


async def _each_connection(bench: Bench, store: PostgresStore) -> AsyncIterator[Finding]:
    saved = await store.connections()
    arrivals = await store.arrivals()
    if not saved:
        yield skipped("connections", "none is saved yet")
    for each in _provisioned(await store.provisioned()):
        yield each
    for connection in saved:
        for each in await _connection(bench, store, connection):
            yield each
        view = WebhooksView.of(arrivals.get(connection.id), connection.id)
        message = f"{connection.id}: {view.message}"
        if view.next_step is not None:
            yield warning("webhooks", message, view.next_step)
        elif view.accepted_at is None:
            # Nor has the sweep found a change that one should have told of.
            yield skipped("webhooks", message)
        else:
            yield ok("webhooks", message)


def _provisioned(files: Sequence[ProvisionedFile]) -> Iterable[Finding]:
    """Tell of mounted files that are not in effect, and of what was changed by hand since."""
    for each in files:
        if each.state is not FileState.IN_EFFECT:
            places = ", ".join(f"line {one.line or 1}" for one in each.findings[:5])
            said = "; ".join(f"{each.file}:{one.line or 1}: {one.where}: {one.message}" for one in each.findings[:5])
            yield failed(
                "provisioning",
                f"a mounted file is {each.state} ({places}): what it said before stays in effect",
                "Correct the file. GET /api/v1/provisioning has every finding.",
                said,
            )
        for subject in each.subjects:
            if subject.drift:
                yield warning(
                    "provisioning",
                    f"{subject.kind} {subject.id} was changed by hand in {len(subject.drift)} places since it was "
                    "provisioned",
                    "Take that into the file, or have the file saved again: POST /api/v1/provisioning/{file}.",
                    each.file,
                )
    if files and all(each.state is FileState.IN_EFFECT and not any(s.drift for s in each.subjects) for each in files):
        yield ok("provisioning", f"{len(files)} mounted file{'' if len(files) == 1 else 's'} in effect")


async def _connection(bench: Bench, store: PostgresStore, connection: Connection) -> Iterable[Finding]:
    name = connection.id
    try:
        secrets = await store.secrets(connection)
    except CredentialsUnreadable as error:
        return [failed("connections", f"{name}: {error.in_words}", _CONNECTIONS)]
    if secrets is None:
        return [failed("connections", f"{name} has no credentials", _CONNECTIONS)]
    found = [warning("connections", f"{name}: {words}", _CONNECTIONS) for words in warnings_of(secrets)]
    if connection.paused_reason is not None:
        found.append(
            failed(
                "connections",
                f"{name} is paused: nothing is written through it",
                "Do what the reason says. It goes on by itself once the credentials work.",
                connection.paused_reason,
            )
        )
    if bench.vendors is None:
        return [*found, skipped("connections", f"{name}: the vendor was not asked (--no-vendors)")]
    try:
        known = await bench.vendors.whoami(connection, secrets)
    except AddressWithheld as error:
        do = "See TANDEM_ALLOWED_INTERNAL_ADDRESSES and TANDEM_PLAIN_HTTP_HOSTS."
        return [*found, failed("connections", f"{name}: its address is none that may be asked", do, str(error))]
    except CredentialsRefused as error:
        do = "Enter a new token for the connection."
        return [*found, failed("connections", f"{name}: the vendor refuses the credentials", do, str(error))]
    except CannotReach as error:
        do = "Check the connection's URL, and that the network lets this machine reach it."
        return [*found, failed("connections", f"{name}: the vendor cannot be asked", do, str(error))]
    bench.skews[f"the clock of {name}"] = known.skew
    if connection.account_id not in (None, known.account.id):
        do = "Save the connection again if that is meant, or enter the token of the former account."
        found.append(failed("connections", f"{name}: the credentials belong to another account than before", do))
    return found or [ok("connections", f"{name} works")]


async def clocks(bench: Bench) -> AsyncIterator[Finding]:
    """Compare all clocks that were seen. Kafka tells nobody its time; its records must not be of the future."""
    for whose, skew in bench.skews.items():
        if skew is not None:
            yield clock_finding(whose, skew.ahead_s, skew.uncertain_s)
    if bench.kafka is not None:
        ahead = bench.clock.now() + timedelta(seconds=60)
        late = [str(topic) for topic in Topic if await bench.kafka.since(topic, ahead)]
        if late:
            yield warning(
                "clocks",
                f"records on {', '.join(late)} are more than a minute in the future: the clock of a machine that "
                "publishes them is ahead, or this one's is behind",
                "Have all machines take the time from one place.",
            )
    if not bench.skews and bench.kafka is None:
        yield skipped("clocks", "nobody could be asked what time it is")


GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "mapper": (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT, Topic.OUTCOMES, Topic.REQUESTS),
    "mapper-rehearsals": (Topic.REHEARSALS,),
    "jira_writer": (Topic.WRITES_JIRA,),
    "craft_writer": (Topic.WRITES_CRAFT,),
    "reconciler": (Topic.CHANGES_JIRA, Topic.CHANGES_CRAFT),
}
"""What each consumer group reads."""

CHECKS: Final[Mapping[str, Check]] = {
    "settings": settings,
    "kafka": kafka,
    "topics": topics,
    "acls": acls,
    "groups": groups,
    "dead letters": dead_letters,
    "postgres": postgres,
    "migrations": migrations,
    "services": alive,
    "connections": connections,
    "clocks": clocks,
}
"""All of them, by name."""
ROLES: Final = ACCESS
