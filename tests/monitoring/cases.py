"""For each alert, data in which it fires and says what it should, and data beside it in which it does not.

Time begins at 0, so `time()` at `at: 30m` is 1800.
"""

from __future__ import annotations

from typing import Final

from shared.observability.labels import EVERYWHERE
from tests.monitoring.series import Case, Expected, Series, info, lags, rising, steady

_SYNC: Final = (info("integration", "i1", "Mobile app"),)
_JIRA: Final = (info("connection", "c1", "Jira of Acme"),)
_I1: Final = {"integration": "i1"}
_C1: Final = {"connection": "c1", "system": "jira"}


def _items(standing: str, count: float, minutes: int = 10_000) -> Series:
    state = {"in_sync": "in_sync", "stuck": "blocked", "under_way": "pending", "apart": "excluded"}[standing]
    return steady(f'tandem_items{{integration="i1",state="{state}",standing="{standing}"}}', count, minutes)


SYMPTOMS: Final = (
    Case(
        "TandemSyncLagBudgetBurnsFast",
        "a fifth of all changes takes over a minute",
        (*_SYNC, *lags("i1", fast=8, slow=0, slower=2)),
        "2h",
        (Expected("Mobile app: 20% of all changes are written too late.", _I1),),
    ),
    Case(
        "TandemSyncLagBudgetBurnsFast",
        "nearly all changes take over ten seconds, none over a minute",
        (*_SYNC, *lags("i1", fast=1, slow=9)),
        "2h",
        (Expected("Mobile app: 90% of all changes are written too late.", _I1),),
    ),
    Case(
        "TandemSyncLagBudgetBurnsFast",
        "three changes are late, and there are no others",
        (*_SYNC, *lags("i1", fast=0, slow=0, slower=0.02)),
        "2h",
    ),
    Case("TandemSyncLagBudgetBurnsFast", "there is no traffic at all", (*_SYNC, *lags("i1", 0, 0)), "2h"),
    Case(
        "TandemSyncLagBudgetBurnsFast",
        "it was bad, and is good again for half an hour",
        (
            *_SYNC,
            Series('tandem_sync_lag_seconds_bucket{integration="i1",direction="to_jira",le="10.0"}', "0x60 0+10x60"),
            Series('tandem_sync_lag_seconds_bucket{integration="i1",direction="to_jira",le="60.0"}', "0x60 0+10x60"),
            rising('tandem_sync_lag_seconds_count{integration="i1",direction="to_jira"}', 10, 120),
        ),
        "95m",
    ),
    Case(
        "TandemSyncLagBudgetBurns",
        "four of a hundred changes take over a minute, for half a day",
        (*_SYNC, *lags("i1", fast=9.6, slow=0, slower=0.4, minutes=1_600)),
        "26h",
        (Expected("Mobile app: 4% of all changes are written too late.", _I1),),
    ),
    Case(
        "TandemSyncLagBudgetBurns",
        "one of two hundred changes takes over a minute",
        (*_SYNC, *lags("i1", fast=9.95, slow=0, slower=0.05, minutes=1_600)),
        "26h",
    ),
    Case(
        "TandemInSyncBudgetBurnsFast",
        "a quarter of the items is stuck",
        (*_SYNC, _items("in_sync", 75), _items("stuck", 25), _items("apart", 900)),
        "2h",
        (Expected("Mobile app: 25% of its items are stuck.", _I1),),
    ),
    Case(
        "TandemInSyncBudgetBurnsFast",
        "four of sixteen items are stuck: too few to tell",
        (*_SYNC, _items("in_sync", 12), _items("stuck", 4)),
        "2h",
    ),
    Case(
        "TandemInSyncBudgetBurnsFast",
        "an import is under way, and nothing is stuck",
        (*_SYNC, _items("in_sync", 10), _items("under_way", 9_990)),
        "2h",
    ),
    Case("TandemInSyncBudgetBurnsFast", "an integration without items", (*_SYNC, _items("apart", 5)), "2h"),
    Case(
        "TandemInSyncBudgetBurns",
        "four of a hundred items are stuck for half a day",
        (*_SYNC, _items("in_sync", 960), _items("stuck", 40)),
        "26h",
        (Expected("Mobile app: 4% of its items are stuck.", _I1),),
    ),
    Case(
        "TandemInSyncBudgetBurns",
        "one of two hundred is stuck",
        (*_SYNC, _items("in_sync", 1_990), _items("stuck", 10)),
        "26h",
    ),
    Case(
        "TandemItemsUnderWayTooLong",
        "an item is under way since twenty minutes",
        (
            *_SYNC,
            steady('tandem_items_not_in_sync_oldest_timestamp_seconds{integration="i1",standing="under_way"}', 600),
        ),
        "30m",
        (Expected("Mobile app: an item has been under way for 20m 0s.", {**_I1, "standing": "under_way"}),),
    ),
    Case(
        "TandemItemsUnderWayTooLong",
        "one waits for a person since hours",
        (*_SYNC, steady('tandem_items_not_in_sync_oldest_timestamp_seconds{integration="i1",standing="stuck"}', 0)),
        "3h",
    ),
    Case(
        "TandemItemsStuck",
        "three items are in conflict, one since two hours",
        (
            *_SYNC,
            steady('tandem_items_stuck{integration="i1",cause="conflict"}', 3),
            steady('tandem_items_stuck_oldest_timestamp_seconds{integration="i1",cause="conflict"}', 60),
        ),
        "2h",
        (Expected("Mobile app: 3 items are stuck (conflict).", {**_I1, "cause": "conflict"}),),
    ),
    Case(
        "TandemItemsStuck",
        "they are stuck since ten minutes",
        (
            steady('tandem_items_stuck{integration="i1",cause="conflict"}', 3),
            steady('tandem_items_stuck_oldest_timestamp_seconds{integration="i1",cause="conflict"}', 6_600),
        ),
        "2h",
    ),
)


def _expiry(name: str, days: float, seconds: int, said: str, quiet_days: tuple[float, ...]) -> tuple[Case, ...]:
    series = 'tandem_credential_expiry_timestamp_seconds{connection="c1",system="jira"}'
    return (
        Case(
            name,
            f"{days} days are left",
            (*_JIRA, steady(series, days * 86_400 + seconds)),
            "1m",
            (Expected(f"Jira of Acme: its credentials expire in {said}.", _C1),),
        ),
        *(
            Case(name, f"{left} days are left", (*_JIRA, steady(series, left * 86_400 + 60)), "1m")
            for left in quiet_days
        ),
    )


_WRITES: Final = "tandem_writes_total"
CREDENTIALS: Final = (
    *_expiry("TandemCredentialExpiresIn30Days", 20, 60, "20d 0h 0m 0s", (31, 6, 0.5)),
    *_expiry("TandemCredentialExpiresIn7Days", 3, 60, "3d 0h 0m 0s", (8, 0.5)),
    *_expiry("TandemCredentialExpiresIn1Day", 0.5, 60, "12h 0m 0s", (1.5, -1)),
    Case(
        "TandemCredentialDead",
        "the vendor refuses them",
        (
            *_JIRA,
            steady('tandem_credential_state{connection="c1",system="jira",state="works"}', 0),
            steady('tandem_credential_state{connection="c1",system="jira",state="refused"}', 1),
        ),
        "10m",
        (Expected("Jira of Acme: its credentials are refused.", {**_C1, "state": "refused"}),),
    ),
    Case(
        "TandemCredentialDead",
        "they work",
        (
            *_JIRA,
            steady('tandem_credential_state{connection="c1",system="jira",state="works"}', 1),
            steady('tandem_credential_state{connection="c1",system="jira",state="refused"}', 0),
        ),
        "10m",
    ),
)
VENDORS: Final = (
    Case(
        "TandemConnectionDown",
        "it does not answer",
        (*_JIRA, steady('tandem_connection_up{connection="c1",system="jira"}', 0)),
        "10m",
        (Expected("Jira of Acme: jira does not answer, though nothing is wrong with the credentials.", _C1),),
    ),
    Case(
        "TandemConnectionDown",
        "its credentials are dead: another alert says that",
        (
            *_JIRA,
            steady('tandem_connection_up{connection="c1",system="jira"}', 0),
            steady('tandem_credential_state{connection="c1",system="jira",state="expired"}', 1),
        ),
        "10m",
    ),
    Case(
        "TandemConnectionDown",
        "it was away for two minutes",
        (*_JIRA, Series('tandem_connection_up{connection="c1",system="jira"}', "1x5 0x2 1x20")),
        "10m",
    ),
    Case(
        "TandemConnectionHeldBack",
        "one of two writers has to wait for a quarter of an hour yet",
        (
            *_JIRA,
            steady('tandem_rate_limit_held_until_timestamp_seconds{connection="c1",instance="a"}', 1_500),
            steady('tandem_rate_limit_held_until_timestamp_seconds{connection="c1",instance="b"}', 0),
        ),
        "10m",
        (Expected("Jira of Acme: requests are held back for another 15m 0s.", {"connection": "c1"}),),
    ),
    Case(
        "TandemConnectionHeldBack",
        "the wait is over",
        (*_JIRA, steady('tandem_rate_limit_held_until_timestamp_seconds{connection="c1",instance="a"}', 300)),
        "10m",
    ),
    Case(
        "TandemWritesRefused",
        "half of all writes to Jira are refused",
        (
            rising(_WRITES + '{system="jira",kind="write",result="applied"}', 3),
            rising(_WRITES + '{system="jira",kind="write",result="rejected"}', 3),
        ),
        "30m",
        (Expected("jira refuses 50% of all writes.", {"system": "jira"}),),
    ),
    Case(
        "TandemWritesRefused",
        "all writes of the last minutes are refused, and there are four of them",
        (Series(_WRITES + '{system="jira",kind="write",result="rejected"}', "0x20 0+1x4 4x20"),),
        "30m",
    ),
    Case(
        "TandemWritesRefused",
        "one of twenty is refused",
        (
            rising(_WRITES + '{system="jira",kind="write",result="applied"}', 19),
            rising(_WRITES + '{system="jira",kind="write",result="rejected"}', 1),
        ),
        "30m",
    ),
)
WEBHOOKS: Final = (
    Case(
        "TandemWebhooksSilent",
        "changes come without a webhook since half an hour",
        (*_JIRA, steady('tandem_webhook_silent_since_timestamp_seconds{connection="c1",system="jira"}', 600)),
        "40m",
        (Expected("Jira of Acme: no webhook tells of what changes, since 30m 0s.", _C1),),
    ),
    Case(
        "TandemWebhooksSilent",
        "nothing changes, and no webhook comes, for hours",
        (*_JIRA, steady('tandem_webhook_last_accepted_timestamp_seconds{connection="c1",system="jira"}', 60)),
        "5h",
    ),
    Case(
        "TandemWebhooksRefused",
        "all are refused since ten minutes",
        (*_JIRA, steady('tandem_webhook_refused_since_timestamp_seconds{connection="c1",system="jira"}', 600)),
        "20m",
        (Expected("Jira of Acme: every webhook has been refused, since 10m 0s.", _C1),),
    ),
    Case(
        "TandemWebhooksRefused",
        "they were refused a minute ago",
        (*_JIRA, steady('tandem_webhook_refused_since_timestamp_seconds{connection="c1",system="jira"}', 1_140)),
        "20m",
    ),
    Case(
        "TandemWebhooksUnavailable",
        "half of all webhooks are turned away",
        (
            rising(
                'tandem_webhooks_total{system="jira",connection="c1",event="comment",outcome="forwarded",reason="ok"}',
                5,
            ),
            rising(
                'tandem_webhooks_total{system="jira",connection="c1",event="comment",outcome="unavailable",reason="log"}',
                5,
            ),
        ),
        "20m",
        (Expected("The gateway turns 50% of all webhooks away, to be sent again.", {}),),
    ),
    Case(
        "TandemWebhooksUnavailable",
        "strangers are refused",
        (
            rising(
                'tandem_webhooks_total{system="jira",connection="unknown",event="unknown",outcome="refused",reason="no"}',
                500,
            ),
        ),
        "20m",
    ),
    Case(
        "TandemWebhookSecretsUnreadable",
        "one gateway cannot open two of them",
        (
            steady('tandem_webhook_senders_unreadable{instance="a"}', 2),
            steady('tandem_webhook_senders_unreadable{instance="b"}', 0),
        ),
        "10m",
        (Expected("The gateway cannot open the webhook secrets of 2 connections.", {}),),
    ),
    Case(
        "TandemWebhookSecretsUnreadable",
        "all are read",
        (steady('tandem_webhook_senders_unreadable{instance="a"}', 0),),
        "10m",
    ),
)


def _up(component: str) -> Series:
    return steady(f'tandem_build_info{{component="{component}",version="1"}}', 1)


def _dependency(name: str, dependency: str, said: str) -> tuple[Case, ...]:
    def series(instance: str, value: float) -> Series:
        return steady(
            f'tandem_dependency_up{{component="mapper",dependency="{dependency}",instance="{instance}"}}', value
        )

    return (
        Case(
            name,
            "one of three mappers does not reach it",
            (series("a", 0), series("b", 1), series("c", 1)),
            "5m",
            (Expected(f"1 of mapper cannot reach {said}.", {"component": "mapper"}),),
        ),
        Case(name, "all reach it", (series("a", 1), series("b", 1)), "5m"),
        Case(
            name,
            "it was away for half a minute",
            (
                Series(
                    f'tandem_dependency_up{{component="mapper",dependency="{dependency}",instance="a"}}', "1x3 0 1x10"
                ),
            ),
            "5m",
        ),
    )


PIPELINE: Final = (
    *_dependency("TandemKafkaAway", "kafka", "Kafka"),
    *_dependency("TandemPostgresAway", "postgres", "Postgres"),
    Case(
        "TandemServiceAbsent",
        "no mapper is scraped",
        tuple(_up(each) for each in EVERYWHERE if each != "mapper"),
        "10m",
        (Expected("No mapper is seen by Prometheus.", {"component": "mapper"}),),
    ),
    Case("TandemServiceAbsent", "all are scraped", tuple(map(_up, EVERYWHERE)), "10m"),
    Case(
        "TandemCensusStale",
        "the last count is half an hour old",
        (steady("tandem_census_timestamp_seconds", 0),),
        "30m",
        (Expected("Nobody counts items, connections and lag any more.", {}),),
    ),
    Case(
        "TandemCensusStale",
        "nobody ever counted",
        (_up("mapper"),),
        "30m",
        (Expected("Nobody counts items, connections and lag any more.", {}),),
    ),
    Case(
        "TandemCensusStale", "the last count is a minute old", (rising("tandem_census_timestamp_seconds", 60),), "30m"
    ),
    Case(
        "TandemConsumerLag",
        "a partition is ten minutes behind",
        (
            steady('tandem_consumer_lag_seconds{group="mapper",topic="changes.jira.v1",partition="0"}', 600),
            steady('tandem_consumer_lag_seconds{group="mapper",topic="changes.jira.v1",partition="1"}', 1),
        ),
        "10m",
        (Expected("mapper is 10m 0s behind on changes.jira.v1.", {"group": "mapper", "topic": "changes.jira.v1"}),),
    ),
    Case(
        "TandemConsumerLag",
        "many messages, handled within seconds",
        (
            steady('tandem_consumer_lag_messages{group="mapper",topic="changes.jira.v1",partition="0"}', 90_000),
            steady('tandem_consumer_lag_seconds{group="mapper",topic="changes.jira.v1",partition="0"}', 20),
        ),
        "10m",
    ),
    Case(
        "TandemMessageStuck",
        "one message is tried for twenty minutes",
        (steady('tandem_messages_oldest_unfinished_age_seconds{component="mapper",instance="a"}', 1_200),),
        "10m",
        (Expected("mapper has been trying one message for 20m 0s.", {"component": "mapper"}),),
    ),
    Case(
        "TandemMessageStuck",
        "a message takes seconds",
        (steady('tandem_messages_oldest_unfinished_age_seconds{component="mapper",instance="a"}', 4),),
        "10m",
    ),
    Case(
        "TandemDeadLetters",
        "the first one ever, of a series that was not there before",
        (Series('tandem_dead_letters_total{component="mapper",topic="outcomes.v1",reason="poison"}', "_x20 1x20"),),
        "30m",
        (
            Expected(
                "mapper gave up 1 messages of outcomes.v1 (poison).",
                {"component": "mapper", "topic": "outcomes.v1", "reason": "poison"},
            ),
        ),
    ),
    Case(
        "TandemDeadLetters",
        "some of yesterday",
        (steady('tandem_dead_letters_total{component="mapper",topic="outcomes.v1",reason="poison"}', 7),),
        "30m",
    ),
    Case(
        "TandemBreakerTripped",
        "the first item was stopped",
        (*_SYNC, Series('tandem_breaker_trips_total{integration="i1"}', "_x20 1x20")),
        "30m",
        (Expected("Mobile app: 1 items were written back and forth and are held for a while.", _I1),),
    ),
    Case(
        "TandemBreakerTripped",
        "none since an hour",
        (*_SYNC, steady('tandem_breaker_trips_total{integration="i1"}', 3)),
        "60m",
    ),
    Case(
        "TandemOperationsOpenTooLong",
        "a write is open since half an hour",
        (steady('tandem_operations_open_oldest_timestamp_seconds{system="jira"}', 0),),
        "30m",
        (Expected("A write to jira has been open for 30m 0s.", {"system": "jira"}),),
    ),
    Case(
        "TandemOperationsOpenTooLong",
        "writes are open, each for seconds",
        (rising('tandem_operations_open_oldest_timestamp_seconds{system="jira"}', 60),),
        "30m",
    ),
    Case(
        "TandemReadsWaitTooLong",
        "a read waits since half an hour",
        (*_JIRA, steady('tandem_fresh_reads_oldest_timestamp_seconds{connection="c1"}', 0)),
        "30m",
        (Expected("Jira of Acme: an item has waited 30m 0s to be read anew.", {"connection": "c1"}),),
    ),
    Case(
        "TandemReadsWaitTooLong",
        "a change is parked since half an hour",
        (*_JIRA, steady('tandem_changes_parked_oldest_timestamp_seconds{connection="c1"}', 0)),
        "30m",
        (Expected("Jira of Acme: an item has waited 30m 0s to be read anew.", {"connection": "c1"}),),
    ),
    Case(
        "TandemReadsWaitTooLong",
        "reads wait for seconds",
        (*_JIRA, rising('tandem_fresh_reads_oldest_timestamp_seconds{connection="c1"}', 60)),
        "30m",
    ),
    Case(
        "TandemDutyFails",
        "the sweep fails each minute",
        (rising('tandem_reconciler_rounds_total{duty="feed",connection="c1",result="Unavailable"}', 1),),
        "30m",
        (Expected("The reconciler's duty feed failed 15 times in a row.", {"duty": "feed", "connection": "c1"}),),
    ),
    Case(
        "TandemDutyFails",
        "one round of many fails",
        (
            rising('tandem_reconciler_rounds_total{duty="feed",connection="c1",result="Unavailable"}', 1),
            rising('tandem_reconciler_rounds_total{duty="feed",connection="c1",result="ok"}', 9),
        ),
        "30m",
    ),
    Case(
        "TandemDuplicatesFlagged",
        "two items of Craft.io are flagged",
        (steady('tandem_duplicates_flagged{system="craft"}', 2),),
        "5m",
        (Expected("2 items of craft may be duplicates that Tandem made.", {"system": "craft"}),),
    ),
    Case("TandemDuplicatesFlagged", "none is flagged", (steady('tandem_duplicates_flagged{system="craft"}', 0),), "5m"),
    Case("TandemWatchdog", "always", (), "1m", (Expected("Prometheus evaluates Tandem's rules.", {}),)),
)

CASES: Final = (*SYMPTOMS, *CREDENTIALS, *VENDORS, *WEBHOOKS, *PIPELINE)

HEALTHY: Final = (
    *_SYNC,
    *_JIRA,
    *lags("i1", fast=60, slow=0.3, minutes=400),
    _items("in_sync", 5_000),
    _items("under_way", 12),
    _items("apart", 300),
    *(steady(f'tandem_build_info{{component="{component}",version="1"}}', 1, 400) for component in EVERYWHERE),
    *(
        steady(f'tandem_dependency_up{{component="{component}",dependency="{each}"}}', 1, 400)
        for component in EVERYWHERE
        for each in ("kafka", "postgres")
    ),
    rising("tandem_census_timestamp_seconds", 60, 400),
    rising('tandem_items_not_in_sync_oldest_timestamp_seconds{integration="i1",standing="under_way"}', 60, 400),
    rising('tandem_operations_open_oldest_timestamp_seconds{system="jira"}', 60, 400),
    rising('tandem_fresh_reads_oldest_timestamp_seconds{connection="c1"}', 60, 400),
    steady('tandem_connection_up{connection="c1",system="jira"}', 1, 400),
    steady('tandem_credential_state{connection="c1",system="jira",state="works"}', 1, 400),
    *(
        steady(f'tandem_credential_state{{connection="c1",system="jira",state="{state}"}}', 0, 400)
        for state in ("refused", "expired", "missing")
    ),
    steady('tandem_credential_expiry_timestamp_seconds{connection="c1",system="jira"}', 90 * 86_400, 400),
    rising('tandem_webhook_last_accepted_timestamp_seconds{connection="c1",system="jira"}', 60, 400),
    rising(
        'tandem_webhooks_total{system="jira",connection="c1",event="jira:issue_updated",outcome="forwarded",reason="ok"}',
        60,
        400,
    ),
    rising(_WRITES + '{system="jira",kind="write",result="applied"}', 60, 400),
    rising(_WRITES + '{system="jira",kind="write",result="rejected"}', 1, 400),
    rising('tandem_reconciler_rounds_total{duty="feed",connection="c1",result="ok"}', 12, 400),
    steady('tandem_messages_oldest_unfinished_age_seconds{component="mapper"}', 0.2, 400),
    steady('tandem_consumer_lag_seconds{group="mapper",topic="changes.jira.v1",partition="0"}', 0.4, 400),
    steady('tandem_rate_limit_held_until_timestamp_seconds{connection="c1"}', 0, 400),
    steady("tandem_webhook_senders_unreadable", 0, 400),
    steady('tandem_duplicates_flagged{system="jira"}', 0, 400),
)
"""Hours in which everything goes as it should."""
