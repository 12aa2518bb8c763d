"""The inside: what each service handles, what waits, what fails."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.dashboards.model import Dashboard, Panel, Query, Row, Variable, quantile

_BATCHES: Final = "tandem_mapper_batch_inputs"
_OF: Final = 'component=~"$component"'

PIPELINE: Final = Dashboard(
    "tandem-pipeline",
    "Tandem: pipeline",
    "What does each part do, what waits, and what fails?",
    (
        Row(
            "Messages",
            (
                Panel(
                    "Handled",
                    "How many messages come to their end?",
                    (
                        Query(
                            f"sum by (component, topic) (rate(tandem_messages_total{{{_OF}}}[5m]))",
                            "{{component}} {{topic}}",
                        ),
                    ),
                    unit="reqps",
                ),
                Panel(
                    "Behind, in messages",
                    "How many messages wait, by topic?",
                    (Query("sum by (group, topic) (tandem_consumer_lag_messages)", "{{group}} {{topic}}"),),
                ),
                Panel(
                    "Behind, in seconds",
                    "How old is the oldest that waits?",
                    (Query("max by (group, topic) (tandem_consumer_lag_seconds)", "{{group}} {{topic}}"),),
                    unit="s",
                ),
                Panel(
                    "Handling, 95 %",
                    "How long does it take from receipt to end?",
                    (
                        Query(
                            quantile(0.95, "tandem_message_handling_seconds", "component", _OF),
                            "{{component}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Retries",
                    "Which failures are tried again?",
                    (
                        Query(
                            f"sum by (component, error) (rate(tandem_message_retries_total{{{_OF}}}[5m]))",
                            "{{component}} {{error}}",
                        ),
                    ),
                    unit="reqps",
                ),
                Panel(
                    "Dead letters",
                    "What was given up, and why?",
                    (
                        Query(
                            f"sum by (component, topic, reason) (increase(tandem_dead_letters_total{{{_OF}}}[1h]))",
                            "{{component}} {{topic}} {{reason}}",
                        ),
                    ),
                    bad_from=1,
                ),
            ),
        ),
        Row(
            "Writes",
            (
                Panel(
                    "Attempts by result",
                    "What comes of writes?",
                    (Query("sum by (system, result) (rate(tandem_writes_total[5m]))", "{{system}} {{result}}"),),
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "Time of an attempt, 95 %",
                    "How long does one take?",
                    (
                        Query(
                            quantile(0.95, "tandem_write_seconds", "system, kind"),
                            "{{system}} {{kind}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Open",
                    "How many writes have no outcome yet?",
                    (Query("sum by (system) (tandem_operations_open)", "{{system}}"),),
                    width=8,
                ),
                Panel(
                    "Oldest open",
                    "For how long?",
                    (Query("time() - tandem_operations_open_oldest_timestamp_seconds", "{{system}}"),),
                    unit="s",
                    width=8,
                    bad_from=900,
                ),
                Panel(
                    "Reads that wait",
                    "How many items have to be read anew?",
                    (Query("sum by (connection) (tandem_fresh_reads_waiting)", "{{connection}}"),),
                    width=8,
                ),
            ),
        ),
        Row(
            "Reconciler and mapper",
            (
                Panel(
                    "Rounds that failed",
                    "Which duties fail?",
                    (
                        Query(
                            'sum by (duty, result) (rate(tandem_reconciler_rounds_total{result!="ok"}[5m]))',
                            "{{duty}} {{result}}",
                        ),
                    ),
                    unit="reqps",
                ),
                Panel(
                    "Found",
                    "What did duties find that no message had told?",
                    (Query("sum by (duty) (rate(tandem_reconciler_found_total[5m]))", "{{duty}}"),),
                    unit="reqps",
                ),
                Panel(
                    "Since a duty last worked",
                    "For how long has each not?",
                    (
                        Query(
                            "time() - max by (duty, connection) (tandem_reconciler_last_success_timestamp_seconds)",
                            "{{duty}} {{connection}}",
                        ),
                    ),
                    unit="s",
                ),
                Panel(
                    "Inputs per transaction",
                    "How well do inputs share transactions?",
                    (
                        Query(
                            f"sum(rate({_BATCHES}_sum[5m])) / sum(rate({_BATCHES}_count[5m]))",
                            "inputs",
                        ),
                    ),
                ),
            ),
        ),
    ),
    (Variable("component", "Service", "tandem_build_info", "component"),),
)
