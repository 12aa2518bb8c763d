"""The figures of the whole as Prometheus reads them. What is not true any more is not shown any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import get_args

from services.reconciler.ports import ConnectionFigures, Whole
from shared.domain.ids import ConnectionId, IntegrationId, Side
from shared.observability.catalogue import census as figures
from shared.observability.metrics import Shown, Values
from shared.observability.standing import standing
from shared.observability.words import CredentialState
from shared.runtime.log import Behind
from shared.runtime.topics import Topic
from shared.store.census import ItemCount, Waiting

Key = tuple[str, ...]
Told = Iterator[tuple[Shown, Values]]


class PrometheusBoard:
    """Shows the whole on `/metrics`."""

    def show(self, whole: Whole, still: Callable[[], bool]) -> None:
        """Replace all figures."""
        for metric, values in _all(whole):
            metric.show(values, still)


def _all(whole: Whole) -> Told:
    census = whole.census
    yield figures.CENSUS_AT, {(): whole.at.timestamp()}
    yield from _items(census.items)
    yield figures.CONFLICTS, {(name,): count for name, count in census.conflicts.items()}
    yield figures.DUPLICATES, {(side,): census.strays.get(side, 0) for side in Side}
    yield figures.DRY_RUNS, {(state,): count for state, count in census.dry_runs.items()}
    operations = {side: census.open_operations.get(side, Waiting(0, None)) for side in Side}
    yield from _waiting(figures.OPERATIONS_OPEN, figures.OPERATIONS_OPEN_SINCE, operations)
    nothing = Waiting(0, None)
    put_off = {each.id: census.put_off.get(each.id, nothing) for each in whole.integrations}
    yield from _waiting(figures.OPERATIONS_PARKED, figures.OPERATIONS_PARKED_SINCE, put_off)
    ids = [each.connection.id for each in whole.connections]
    parked = {each: census.parked.get(each, nothing) for each in ids}
    yield from _waiting(figures.CHANGES_PARKED, figures.CHANGES_PARKED_SINCE, parked)
    unread = {each: census.fresh_reads.get(each, nothing) for each in ids}
    yield from _waiting(figures.FRESH_READS, figures.FRESH_READS_SINCE, unread)
    yield from _connections(whole.connections)
    yield (
        figures.INTEGRATIONS,
        {(each.id, each.name, each.jira_connection, each.craft_connection): 1 for each in whole.integrations},
    )
    yield from _behind(whole.behind, whole.at)


def _items(items: Iterable[ItemCount]) -> Told:
    counts: dict[Key, float] = defaultdict(float)
    stuck: dict[Key, float] = defaultdict(float)
    stuck_since: dict[Key, list[datetime | None]] = defaultdict(list)
    behind_since: dict[Key, list[datetime | None]] = defaultdict(list)
    for each in items:
        stands = standing(each.state, each.cause)
        counts[each.integration_id, each.state, stands] += each.items
        if stands in ("under_way", "stuck"):
            behind_since[each.integration_id, stands].append(each.oldest)
        if stands == "stuck":
            stuck[each.integration_id, each.cause] += each.items
            stuck_since[each.integration_id, each.cause].append(each.oldest)
    yield figures.ITEMS, counts
    yield figures.ITEMS_STUCK, stuck
    yield figures.ITEMS_STUCK_SINCE, _oldest(stuck_since)
    yield figures.ITEMS_BEHIND_SINCE, _oldest(behind_since)


def _waiting(
    counts: Shown,
    since: Shown,
    found: Mapping[Side, Waiting] | Mapping[IntegrationId, Waiting] | Mapping[ConnectionId, Waiting],
) -> Told:
    yield counts, {(name,): each.count for name, each in found.items()}
    yield since, _oldest({(name,): [each.oldest] for name, each in found.items()})


def _connections(connections: Iterable[ConnectionFigures]) -> Told:
    up: dict[Key, float] = {}
    state: dict[Key, float] = {}
    info: dict[Key, float] = {}
    expiry: dict[Key, list[datetime | None]] = {}
    last: dict[Key, list[datetime | None]] = {}
    silent: dict[Key, list[datetime | None]] = {}
    refused: dict[Key, list[datetime | None]] = {}
    for each in connections:
        connection, arrivals = each.connection, each.arrivals
        key: Key = (connection.id, connection.kind.side)
        up[key] = each.answered and each.credential == "works"
        state |= {(*key, name): name == each.credential for name in get_args(CredentialState)}
        expiry[key] = [connection.expires_at]
        info[connection.id, connection.name, connection.kind.side, connection.kind] = 1
        if arrivals is not None:
            last[key] = [arrivals.accepted_at]
            refused[key] = [arrivals.refused_since]
            silent[key] = [arrivals.silent_since if arrivals.silent and arrivals.accepted_at else None]
    yield figures.CONNECTION_UP, up
    yield figures.CREDENTIAL, state
    yield figures.CREDENTIAL_EXPIRY, _oldest(expiry)
    yield figures.CONNECTIONS, info
    yield figures.WEBHOOK_LAST, _oldest(last)
    yield figures.WEBHOOK_SILENT_SINCE, _oldest(silent)
    yield figures.WEBHOOK_REFUSED_SINCE, _oldest(refused)


def _behind(behind: Behind | None, now: datetime) -> Told:
    groups = behind.groups if behind is not None else {}
    keys = {(group, topic, str(number)): left for (group, topic, number), left in groups.items()}
    yield figures.CONSUMER_LAG, {key: left.messages for key, left in keys.items()}
    yield figures.CONSUMER_LAG_SECONDS, {key: _age_s(left.oldest, now) for key, left in keys.items()}
    yield figures.DEAD_LETTERS_KEPT, {(): behind.kept[Topic.DEAD]} if behind is not None else {}


def _age_s(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def _oldest(times: Mapping[Key, Iterable[datetime | None]]) -> Values:
    """Return the first of the times that there are, by key, as Unix time; no key where there is none."""
    known = {key: [at for at in each if at is not None] for key, each in times.items()}
    return {key: min(each).timestamp() for key, each in known.items() if each}
