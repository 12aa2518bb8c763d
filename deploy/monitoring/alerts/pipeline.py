"""Tandem's own parts, and what they stand on."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.alerts.words import CONNECTION, DURATION, INTEGRATION, VALUE
from deploy.monitoring.rules import Alert, Group, Severity, grew
from shared.observability.labels import EVERYWHERE

_ABSENT: Final = "\nor ".join(f'absent(tandem_build_info{{component="{component}"}})' for component in EVERYWHERE)


def _away(name: str, dependency: str, means: str) -> Alert:
    return Alert(
        name,
        Severity.CRITICAL,
        f'count by (component) (tandem_dependency_up{{dependency="{dependency}"}} == 0)',
        f"{{{{ $value }}}} of {{{{ $labels.component }}}} cannot reach {dependency.capitalize()}.",
        means,
        lasting="1m",
    )


PIPELINE: Final = Group(
    "tandem-pipeline",
    (
        _away(
            "TandemKafkaAway",
            "kafka",
            "Webhooks are answered with 503 and sent again by the vendor; nothing is decided or written or lost.",
        ),
        _away(
            "TandemPostgresAway",
            "postgres",
            "Webhooks are still accepted; nothing is decided or written until Postgres is back. Nothing is lost.",
        ),
        Alert(
            "TandemServiceAbsent",
            Severity.CRITICAL,
            _ABSENT,
            "No {{ $labels.component }} is seen by Prometheus.",
            "Either it does not run, or Prometheus does not scrape it: then every other alert of it is blind.",
            lasting="2m",
        ),
        Alert(
            "TandemCensusStale",
            Severity.CRITICAL,
            "time() - max(tandem_census_timestamp_seconds) > <<3m s>>\nor absent(tandem_census_timestamp_seconds)",
            "Nobody counts items, connections and lag any more.",
            "All figures of the whole are old or gone, and most alerts with them: you do not see whether it syncs.",
            lasting="2m",
        ),
        Alert(
            "TandemConsumerLag",
            Severity.CRITICAL,
            "max by (group, topic) (tandem_consumer_lag_seconds) > <<2m s>>",
            f"{{{{ $labels.group }}}} is {DURATION} behind on {{{{ $labels.topic }}}}.",
            "Messages come in faster than they are handled, or a partition is not read at all.",
            lasting="3m",
        ),
        Alert(
            "TandemMessageStuck",
            Severity.WARNING,
            "max by (component) (tandem_messages_oldest_unfinished_age_seconds) > <<10m s>>",
            f"{{{{ $labels.component }}}} has been trying one message for {DURATION}.",
            "It fails again and again, or never ends. Other items go on; messages of the same item wait behind it.",
            lasting="1m",
        ),
        Alert(
            "TandemDeadLetters",
            Severity.WARNING,
            grew("tandem_dead_letters_total", "component, topic, reason", "15m"),
            f"{{{{ $labels.component }}}} gave up {VALUE} messages of "
            "{{ $labels.topic }} ({{ $labels.reason }}).",
            "They lie on the dead-letter topic, and can be replayed once the cause is mended.",
        ),
        Alert(
            "TandemBreakerTripped",
            Severity.WARNING,
            grew("tandem_breaker_trips_total", "integration", "15m"),
            f"{INTEGRATION}: {VALUE} items were written back and forth and are held for a while.",
            "Something on one side changes what Tandem writes: an automation rule, another integration, "
            "a field that the vendor rounds.",
        ),
        Alert(
            "TandemOperationsOpenTooLong",
            Severity.WARNING,
            "time() - tandem_operations_open_oldest_timestamp_seconds > <<15m s>>",
            f"A write to {{{{ $labels.system }}}} has been open for {DURATION}.",
            "It was decided and nobody knows yet how it ended; the item's other changes wait behind it.",
            lasting="2m",
        ),
        Alert(
            "TandemReadsWaitTooLong",
            Severity.WARNING,
            "time() - tandem_fresh_reads_oldest_timestamp_seconds > <<15m s>>\n"
            "or time() - tandem_changes_parked_oldest_timestamp_seconds > <<15m s>>",
            f"{CONNECTION}: an item has waited {DURATION} to be read anew.",
            "Until then Tandem does not know what the item holds, and writes nothing of it.",
            lasting="2m",
        ),
        Alert(
            "TandemDutyFails",
            Severity.WARNING,
            grew('tandem_reconciler_rounds_total{result!="ok"}', "duty, connection", "15m")
            + "\nunless "
            + grew('tandem_reconciler_rounds_total{result="ok"}', "duty, connection", "15m"),
            "The reconciler's duty {{ $labels.duty }} failed {{ $value | humanize }} times in a row.",
            "What it should find is not found: webhooks that were missed, commands that were lost, reads that are due.",
            lasting="5m",
        ),
        Alert(
            "TandemDuplicatesFlagged",
            Severity.WARNING,
            "sum by (system) (tandem_duplicates_flagged) > 0",
            f"{VALUE} items of {{{{ $labels.system }}}} may be duplicates that Tandem made.",
            "A create was sent twice, in the one way that cannot be ruled out. Tandem deletes nothing: "
            "somebody has to look.",
        ),
    ),
)
