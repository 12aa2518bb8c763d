"""One integration, or some: its items, lag, decisions and what is stuck."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.dashboards.model import Dashboard, Panel, Query, Row, Variable, quantiles

_OF: Final = 'integration=~"$integration"'

INTEGRATION: Final = Dashboard(
    "tandem-integration",
    "Tandem: one integration",
    "How is it with one integration?",
    (
        Row(
            "Its items",
            (
                Panel(
                    "Integrations",
                    "What is called what, and joins what?",
                    (Query(f"tandem_integration_info{{{_OF}}}"),),
                    "table",
                    width=24,
                    height=5,
                ),
                Panel(
                    "By state",
                    "In which states are its items?",
                    (Query(f"sum by (state) (tandem_items{{{_OF}}})", "{{state}}"),),
                    stacked=True,
                ),
                Panel(
                    "Stuck, by cause",
                    "Why are items stuck?",
                    (Query(f"sum by (cause) (tandem_items_stuck{{{_OF}}})", "{{cause}}"),),
                    stacked=True,
                ),
                Panel(
                    "Oldest that is stuck, by cause",
                    "For how long?",
                    (
                        Query(
                            f"time() - min by (cause) (tandem_items_stuck_oldest_timestamp_seconds{{{_OF}}})",
                            "{{cause}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Oldest that is not in sync",
                    "For how long, under way or stuck?",
                    (
                        Query(
                            f"time() - min by (standing) (tandem_items_not_in_sync_oldest_timestamp_seconds{{{_OF}}})",
                            "{{standing}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Conflicts",
                    "How many fields wait for a person's choice?",
                    (Query(f"sum by (integration) (tandem_conflicts_open{{{_OF}}})", "{{integration}}"),),
                ),
                Panel(
                    "Put off",
                    "How many items have a write that was put off?",
                    (Query(f"sum by (integration) (tandem_operations_parked{{{_OF}}})", "{{integration}}"),),
                ),
            ),
        ),
        Row(
            "How late",
            (
                Panel(
                    "Lag to Jira",
                    "How long does a change take to Jira?",
                    quantiles("tandem_sync_lag_seconds", _OF + ',direction="to_jira"'),
                    unit="s",
                ),
                Panel(
                    "Lag to Craft.io",
                    "How long does a change take to Craft.io?",
                    quantiles("tandem_sync_lag_seconds", _OF + ',direction="to_craft"'),
                    unit="s",
                ),
                Panel(
                    "Budget of the month: over 60 s",
                    "How fast is the promise of 99 % within a minute broken?",
                    (
                        Query(
                            f"integration:tandem_sync_lag_over_60s:ratio_rate1h{{{_OF}}} / 0.01", "{{integration}}, 1 h"
                        ),
                        Query(
                            f"integration:tandem_sync_lag_over_60s:ratio_rate1d{{{_OF}}} / 0.01", "{{integration}}, 1 d"
                        ),
                    ),
                    bad_from=1,
                ),
                Panel(
                    "Budget of the month: in sync",
                    "How fast is the promise of 99 % in sync broken?",
                    (
                        Query(
                            f"avg_over_time(integration:tandem_items_stuck:ratio{{{_OF}}}[1h]) / 0.01",
                            "{{integration}}, 1 h",
                        ),
                    ),
                    bad_from=1,
                ),
            ),
        ),
        Row(
            "What is decided",
            (
                Panel(
                    "Decisions",
                    "What does the mapper decide?",
                    (Query(f"sum by (outcome) (rate(tandem_decisions_total{{{_OF}}}[5m]))", "{{outcome}}"),),
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "Drift",
                    "How often did a compare find what no event had told?",
                    (Query(f"sum by (system) (increase(tandem_drift_total{{{_OF}}}[1h]))", "{{system}}"),),
                    width=6,
                ),
                Panel(
                    "Back and forth",
                    "How many items were held by the breaker?",
                    (
                        Query(
                            f"sum by (integration) (increase(tandem_breaker_trips_total{{{_OF}}}[1h]))",
                            "{{integration}}",
                        ),
                    ),
                    width=6,
                ),
            ),
        ),
    ),
    (Variable("integration", "Integration", "tandem_integration_info", "integration"),),
)
