"""What is true of all of Tandem: counted in Postgres and Kafka by one reconciler at a time, shown by that one alone.

So no figure is there twice; a query needs no `max` over replicas. `*_timestamp_seconds` is Unix time, so that an age
goes on growing while nobody counts: `time() - …`. Where there is nothing to tell of, there is no series.
"""

from __future__ import annotations

from typing import Final

from shared.observability.labels import (
    CAUSE,
    CONNECTION,
    CRAFT_CONNECTION,
    CREDENTIAL_STATE,
    DRY_RUN_STATE,
    GROUP,
    INTEGRATION,
    JIRA_CONNECTION,
    KIND_OF_CONNECTION,
    NAME,
    PARTITION,
    RECONCILER,
    STANDING,
    STATE,
    SYSTEM,
    TOPIC,
)
from shared.observability.metrics import Census, Gauge, Histogram, Info

_ONE: Final = (RECONCILER,)

CENSUS_TAKER: Final = Gauge(
    "tandem_census_taker",
    "Does this reconciler count for all? 1 on the one that does, 0 on the others.",
    shown_by=_ONE,
)
CENSUS_AT: Final = Census(
    "tandem_census_timestamp_seconds",
    "When was last counted what all figures of the whole are from?",
    shown_by=_ONE,
    unit="seconds",
)
CENSUS_SECONDS: Final = Histogram(
    "tandem_census_seconds",
    "How long does it take to count?",
    shown_by=_ONE,
    unit="seconds",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ITEMS: Final = Census(
    "tandem_items",
    "How many items are in which state? In sync of all that should be: standing `in_sync` of those not `apart`.",
    shown_by=_ONE,
    labels=(INTEGRATION, STATE, STANDING),
)
ITEMS_STUCK: Final = Census(
    "tandem_items_stuck",
    "How many items are stuck until somebody does something, and why?",
    shown_by=_ONE,
    labels=(INTEGRATION, CAUSE),
)
ITEMS_STUCK_SINCE: Final = Census(
    "tandem_items_stuck_oldest_timestamp_seconds",
    "Since when has the one been out of sync that is stuck for longest, by cause?",
    shown_by=_ONE,
    labels=(INTEGRATION, CAUSE),
    unit="seconds",
)
ITEMS_BEHIND_SINCE: Final = Census(
    "tandem_items_not_in_sync_oldest_timestamp_seconds",
    "Since when has the one been out of sync that is so for longest? By standing: under way, or stuck.",
    shown_by=_ONE,
    labels=(INTEGRATION, STANDING),
    unit="seconds",
)
CONFLICTS: Final = Census(
    "tandem_conflicts_open",
    "How many fields are in conflict and wait for a person's choice?",
    shown_by=_ONE,
    labels=(INTEGRATION,),
)
DUPLICATES: Final = Census(
    "tandem_duplicates_flagged",
    "How many items were flagged as possible duplicates?",
    shown_by=_ONE,
    labels=(SYSTEM,),
)
OPERATIONS_OPEN: Final = Census(
    "tandem_operations_open",
    "How many writes are open: decided, and without an outcome?",
    shown_by=_ONE,
    labels=(SYSTEM,),
)
OPERATIONS_OPEN_SINCE: Final = Census(
    "tandem_operations_open_oldest_timestamp_seconds",
    "Since when has the oldest open write been open?",
    shown_by=_ONE,
    labels=(SYSTEM,),
    unit="seconds",
)
OPERATIONS_PARKED: Final = Census(
    "tandem_operations_parked",
    "How many items have a write that was put off until a time: for a limit, a refusal, trouble at the vendor?",
    shown_by=_ONE,
    labels=(INTEGRATION,),
)
OPERATIONS_PARKED_SINCE: Final = Census(
    "tandem_operations_parked_oldest_timestamp_seconds",
    "Since when has the one been out of sync whose write is put off for longest?",
    shown_by=_ONE,
    labels=(INTEGRATION,),
    unit="seconds",
)
CHANGES_PARKED: Final = Census(
    "tandem_changes_parked",
    "How many changes wait until it is known whether we made the item ourselves?",
    shown_by=_ONE,
    labels=(CONNECTION,),
)
CHANGES_PARKED_SINCE: Final = Census(
    "tandem_changes_parked_oldest_timestamp_seconds",
    "Since when has the oldest of these changes waited?",
    shown_by=_ONE,
    labels=(CONNECTION,),
    unit="seconds",
)
FRESH_READS: Final = Census(
    "tandem_fresh_reads_waiting",
    "Of how many items can only a fresh read tell what they hold?",
    shown_by=_ONE,
    labels=(CONNECTION,),
)
FRESH_READS_SINCE: Final = Census(
    "tandem_fresh_reads_oldest_timestamp_seconds",
    "Since when has the oldest of these reads waited?",
    shown_by=_ONE,
    labels=(CONNECTION,),
    unit="seconds",
)
DRY_RUNS: Final = Census(
    "tandem_dry_runs",
    "How many dry runs are kept, and where do they stand?",
    shown_by=_ONE,
    labels=(DRY_RUN_STATE,),
)
CONNECTION_UP: Final = Census(
    "tandem_connection_up",
    "Does a connection work? 1 if it answered when it was last asked who we are, and its credentials are not refused.",
    shown_by=_ONE,
    labels=(CONNECTION, SYSTEM),
)
CREDENTIAL: Final = Census(
    "tandem_credential_state",
    "How is it with the credentials of a connection? 1 for the state that it is in, 0 for all others.",
    shown_by=_ONE,
    labels=(CONNECTION, SYSTEM, CREDENTIAL_STATE),
)
CREDENTIAL_EXPIRY: Final = Census(
    "tandem_credential_expiry_timestamp_seconds",
    "When do the credentials of a connection expire, as entered or as the vendor tells? Absent: nobody knows.",
    shown_by=_ONE,
    labels=(CONNECTION, SYSTEM),
    unit="seconds",
)
WEBHOOK_LAST: Final = Census(
    "tandem_webhook_last_accepted_timestamp_seconds",
    "When was the last webhook of a connection accepted? Absent: none ever was. Silence alone says little; see "
    "tandem_webhook_silent_since_timestamp_seconds.",
    shown_by=_ONE,
    labels=(CONNECTION, SYSTEM),
    unit="seconds",
)
WEBHOOK_SILENT_SINCE: Final = Census(
    "tandem_webhook_silent_since_timestamp_seconds",
    "Since when has something changed of which no webhook told, on a connection whose webhooks came before? Absent: "
    "they come, or nothing changes.",
    shown_by=_ONE,
    labels=(CONNECTION, SYSTEM),
    unit="seconds",
)
WEBHOOK_REFUSED_SINCE: Final = Census(
    "tandem_webhook_refused_since_timestamp_seconds",
    "Since when was every webhook of a connection refused? Absent: the last one was accepted.",
    shown_by=_ONE,
    labels=(CONNECTION, SYSTEM),
    unit="seconds",
)
CONSUMER_LAG: Final = Census(
    "tandem_consumer_lag_messages",
    "How many messages of a partition has a group still to handle?",
    shown_by=_ONE,
    labels=(GROUP, TOPIC, PARTITION),
)
CONSUMER_LAG_SECONDS: Final = Census(
    "tandem_consumer_lag_seconds",
    "How old is the oldest message of a partition that a group has still to handle? 0: none is left.",
    shown_by=_ONE,
    labels=(GROUP, TOPIC, PARTITION),
    unit="seconds",
)
DEAD_LETTERS_KEPT: Final = Census(
    "tandem_dead_letters_kept",
    "How many messages lie on the dead-letter topic, to be looked at?",
    shown_by=_ONE,
)
CONNECTIONS: Final = Info(
    "tandem_connection_info",
    "What is a connection called, and what is it?",
    shown_by=_ONE,
    labels=(CONNECTION, NAME, SYSTEM, KIND_OF_CONNECTION),
)
INTEGRATIONS: Final = Info(
    "tandem_integration_info",
    "What is an integration called, and what does it join?",
    shown_by=_ONE,
    labels=(INTEGRATION, NAME, JIRA_CONNECTION, CRAFT_CONNECTION),
)

CENSUS: Final = (
    CENSUS_TAKER,
    CENSUS_AT,
    CENSUS_SECONDS,
    ITEMS,
    ITEMS_STUCK,
    ITEMS_STUCK_SINCE,
    ITEMS_BEHIND_SINCE,
    CONFLICTS,
    DUPLICATES,
    OPERATIONS_OPEN,
    OPERATIONS_OPEN_SINCE,
    OPERATIONS_PARKED,
    OPERATIONS_PARKED_SINCE,
    CHANGES_PARKED,
    CHANGES_PARKED_SINCE,
    FRESH_READS,
    FRESH_READS_SINCE,
    DRY_RUNS,
    CONNECTION_UP,
    CREDENTIAL,
    CREDENTIAL_EXPIRY,
    WEBHOOK_LAST,
    WEBHOOK_SILENT_SINCE,
    WEBHOOK_REFUSED_SINCE,
    CONSUMER_LAG,
    CONSUMER_LAG_SECONDS,
    DEAD_LETTERS_KEPT,
    CONNECTIONS,
    INTEGRATIONS,
)
