"""The alert that always fires: whoever receives alerts notices by its silence that none can come."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.rules import Alert, Group, Severity

WATCHDOG: Final = Group(
    "tandem-watchdog",
    (
        Alert(
            "TandemWatchdog",
            Severity.NONE,
            "vector(1)",
            "Prometheus evaluates Tandem's rules.",
            "It always fires. Let a dead man's switch outside of this cluster tell you when it no longer arrives: "
            "then no alert of Tandem can reach you.",
        ),
    ),
)
