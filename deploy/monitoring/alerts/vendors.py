"""The vendors' sites: whether they answer, and how much they let us ask."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.alerts.words import CONNECTION, DURATION, SHARE
from deploy.monitoring.rules import Alert, Group, Severity, grew

_REFUSED: Final = 'sum by (system) (rate(tandem_writes_total{result="rejected"}[<<15m>>]))'
_ENDED: Final = 'sum by (system) (rate(tandem_writes_total{result=~"applied|already|moved|rejected"}[<<15m>>]))'

VENDORS: Final = Group(
    "tandem-vendors",
    (
        Alert(
            "TandemConnectionDown",
            Severity.CRITICAL,
            'tandem_connection_up == 0\nunless on (connection) tandem_credential_state{state!="works"} == 1',
            f"{CONNECTION}: {{{{ $labels.system }}}} does not answer, though nothing is wrong with the credentials.",
            "Nothing of this connection is read or written. Changes wait and are carried when it is back.",
            lasting="5m",
        ),
        Alert(
            "TandemConnectionHeldBack",
            Severity.WARNING,
            "max by (connection) (tandem_rate_limit_held_until_timestamp_seconds) - time() > 60",
            f"{CONNECTION}: requests are held back for another {DURATION}.",
            "The vendor told us to wait, or its site is not well. Everything of this connection is late by as much.",
            lasting="5m",
        ),
        Alert(
            "TandemWritesRefused",
            Severity.WARNING,
            f"{_REFUSED} / ({_ENDED} > 0) > 0.2\n"
            "and " + grew('tandem_writes_total{result="rejected"}', "system", "15m") + " >= 10",
            f"{{{{ $labels.system }}}} refuses {SHARE} of all writes.",
            "A wave of refusals has one cause as a rule: a permission, a screen, a required field, a workflow.",
            lasting="5m",
        ),
    ),
)
