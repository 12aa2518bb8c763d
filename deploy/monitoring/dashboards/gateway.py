"""What comes in by webhook, and what the vendors let us do."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.dashboards.model import Dashboard, Panel, Query, Row, Variable, quantile, quantiles

_OF: Final = 'connection=~"$connection"'
_BAD: Final = 'outcome=~"refused|unavailable"'
_GATEWAY: Final = 'component="webhook_gateway"'
_HELD: Final = "tandem_rate_limit_held_until_timestamp_seconds"

GATEWAY: Final = Dashboard(
    "tandem-gateway",
    "Tandem: gateway and limits",
    "What comes in, and how near are the vendors' limits?",
    (
        Row(
            "Webhooks",
            (
                Panel(
                    "By outcome",
                    "What becomes of webhooks?",
                    (Query(f"sum by (outcome) (rate(tandem_webhooks_total{{{_OF}}}[5m]))", "{{outcome}}"),),
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "Refused and turned away, by reason",
                    "Why?",
                    (
                        Query(
                            f"sum by (connection, reason) (rate(tandem_webhooks_total{{{_OF},{_BAD}}}[5m]))",
                            "{{connection}} {{reason}}",
                        ),
                    ),
                    unit="reqps",
                ),
                Panel(
                    "Time to answer",
                    "How long does a sender wait?",
                    quantiles("tandem_webhook_seconds"),
                    unit="s",
                ),
                Panel(
                    "Since the last webhook",
                    "How long ago was it?",
                    (Query(f"time() - tandem_webhook_last_accepted_timestamp_seconds{{{_OF}}}", "{{connection}}"),),
                    unit="s",
                ),
                Panel(
                    "HTTP connections",
                    "How many are open?",
                    (Query(f"sum by (component) (tandem_http_connections{{{_GATEWAY}}})", "{{component}}"),),
                ),
                Panel(
                    "Ended by us",
                    "Which connections did we end, and why?",
                    (
                        Query(
                            f"sum by (reason) (rate(tandem_http_connections_ended_total{{{_GATEWAY}}}[5m]))",
                            "{{reason}}",
                        ),
                    ),
                    unit="reqps",
                ),
            ),
        ),
        Row(
            "The vendors' limits",
            (
                Panel(
                    "Budget left",
                    "Which share of the vendor's budget is left?",
                    (
                        Query(
                            f"min by (connection) (tandem_rate_limit_remaining{{{_OF}}} / tandem_rate_limit_budget)",
                            "{{connection}}",
                        ),
                    ),
                    unit="percentunit",
                ),
                Panel(
                    "Told to slow down",
                    "How often, and for what?",
                    (
                        Query(
                            f"sum by (connection, scope) (rate(tandem_rate_limit_answers_total{{{_OF}}}[5m]))",
                            "{{connection}} {{scope}}",
                        ),
                    ),
                    unit="reqps",
                ),
                Panel(
                    "Time spent waiting",
                    "What do requests wait for?",
                    (
                        Query(
                            f"sum by (connection, why) (rate(tandem_rate_limit_wait_seconds_total{{{_OF}}}[5m]))",
                            "{{connection}} {{why}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Held back for",
                    "For how long yet?",
                    (
                        Query(
                            f"clamp_min(max by (connection) ({_HELD}{{{_OF}}}) - time(), 0)",
                            "{{connection}}",
                        ),
                    ),
                    unit="s",
                    bad_from=60,
                ),
            ),
        ),
        Row(
            "Requests to the vendors",
            (
                Panel(
                    "By result",
                    "What comes of requests?",
                    (
                        Query(
                            "sum by (system, result) (rate(tandem_vendor_requests_total[5m]))", "{{system}} {{result}}"
                        ),
                    ),
                    unit="reqps",
                ),
                Panel(
                    "By endpoint",
                    "What is asked for?",
                    (Query("sum by (system, call) (rate(tandem_vendor_requests_total[5m]))", "{{system}} {{call}}"),),
                    unit="reqps",
                ),
                Panel(
                    "Time to answer, 95 %",
                    "How long do the vendors take?",
                    (
                        Query(
                            quantile(0.95, "tandem_vendor_request_seconds", "system, call"),
                            "{{system}} {{call}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Addresses refused",
                    "Which addresses were not asked?",
                    (Query("sum by (kind) (rate(tandem_vendor_addresses_refused_total[5m]))", "{{kind}}"),),
                    unit="reqps",
                ),
            ),
        ),
    ),
    (Variable("connection", "Connection", "tandem_connection_info", "connection"),),
)
