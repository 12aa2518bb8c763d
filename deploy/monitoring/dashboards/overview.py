"""The page that an SRE opens first: is everything in sync, how late, what is stuck and why, what will end."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.dashboards.model import FIRING, Dashboard, Panel, Query, Row, quantiles

_SHOULD: Final = 'sum(tandem_items{standing!="apart"})'

OVERVIEW: Final = Dashboard(
    "tandem-overview",
    "Tandem: overview",
    "Is everything in sync, how late, what is stuck and why?",
    (
        Row(
            "Is everything in sync?",
            (
                Panel(
                    "In sync",
                    "Which share of all items that should be in sync is?",
                    (Query(f'sum(tandem_items{{standing="in_sync"}}) / ({_SHOULD} > 0)'),),
                    "stat",
                    "percentunit",
                    4,
                    5,
                ),
                Panel(
                    "Under way",
                    "How many items go on by themselves?",
                    (Query('sum(tandem_items{standing="under_way"}) or vector(0)'),),
                    "stat",
                    width=4,
                    height=5,
                ),
                Panel(
                    "Stuck",
                    "How many items wait for somebody?",
                    (Query('sum(tandem_items{standing="stuck"}) or vector(0)'),),
                    "stat",
                    width=4,
                    height=5,
                    bad_from=1,
                ),
                Panel(
                    "Oldest under way",
                    "For how long has the oldest been under way?",
                    (Query('time() - min(tandem_items_not_in_sync_oldest_timestamp_seconds{standing="under_way"})'),),
                    "stat",
                    "s",
                    4,
                    5,
                    bad_from=900,
                ),
                Panel(
                    "Over a minute",
                    "Which share of the last hour's changes took longer than promised to 99 %?",
                    (Query("max(integration:tandem_sync_lag_over_60s:ratio_rate1h)"),),
                    "stat",
                    "percentunit",
                    4,
                    5,
                    bad_from=0.01,
                ),
                Panel(
                    "Alerts",
                    "How many alerts fire?",
                    (Query(f"count({FIRING}) or vector(0)"),),
                    "stat",
                    width=4,
                    height=5,
                    bad_from=1,
                ),
            ),
        ),
        Row(
            "How late, and how much",
            (
                Panel(
                    "Lag",
                    "How long does a change take until it is written on the other side?",
                    quantiles("tandem_sync_lag_seconds"),
                    unit="s",
                ),
                Panel(
                    "Changes written",
                    "How many changes are carried, which way?",
                    (Query("sum by (direction) (rate(tandem_sync_lag_seconds_count[5m]))", "{{direction}}"),),
                    unit="reqps",
                ),
                Panel(
                    "Items by state",
                    "In which states are the items?",
                    (Query('sum by (state) (tandem_items{standing!="apart"})', "{{state}}"),),
                    stacked=True,
                ),
                Panel(
                    "Stuck, by cause",
                    "Why are items stuck?",
                    (Query("sum by (cause) (tandem_items_stuck)", "{{cause}}"),),
                    stacked=True,
                ),
            ),
        ),
        Row(
            "Connections and credentials",
            (
                Panel(
                    "Connections",
                    "Which connections work?",
                    (
                        Query(
                            "tandem_connection_up * on (connection) group_left (name) tandem_connection_info",
                            "{{name}}",
                        ),
                    ),
                    "bargauge",
                    width=8,
                ),
                Panel(
                    "Days left of credentials",
                    "When do credentials end?",
                    (
                        Query(
                            "(tandem_credential_expiry_timestamp_seconds - time()) / 86400"
                            " * on (connection) group_left (name) tandem_connection_info",
                            "{{name}}",
                        ),
                    ),
                    "bargauge",
                    width=8,
                ),
                Panel(
                    "Silent or refused webhooks",
                    "Since when do no good webhooks come, though something changes?",
                    (
                        Query("time() - tandem_webhook_silent_since_timestamp_seconds", "{{connection}} silent"),
                        Query("time() - tandem_webhook_refused_since_timestamp_seconds", "{{connection}} refused"),
                    ),
                    "bargauge",
                    "s",
                    8,
                    bad_from=300,
                ),
            ),
        ),
        Row(
            "Tandem itself",
            (
                Panel(
                    "Services",
                    "How many of each run?",
                    (Query("count by (component) (tandem_build_info)", "{{component}}"),),
                    width=8,
                ),
                Panel(
                    "Behind",
                    "How old is the oldest message that waits, by service?",
                    (Query("max by (group) (tandem_consumer_lag_seconds)", "{{group}}"),),
                    unit="s",
                    width=8,
                ),
                Panel(
                    "Dependencies",
                    "What cannot be reached, from how many processes?",
                    (
                        Query(
                            "count by (component, dependency) (tandem_dependency_up == 0)",
                            "{{component}}: {{dependency}}",
                        ),
                    ),
                    width=8,
                ),
            ),
        ),
    ),
)
