"""Credentials: nothing of a connection moves without them, and their end is known beforehand."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.alerts.words import CONNECTION, DURATION
from deploy.monitoring.rules import Alert, Group, Severity

_DAY_S: Final = 86_400
_LEFT: Final = "(tandem_credential_expiry_timestamp_seconds - time())"
_MEANS: Final = (
    "When it is over nothing of this connection is read or written any more. "
    "Create a new token at the vendor and save it on the connection: sync goes on without a restart."
)


def _expires(name: str, severity: Severity, days: int, after: int) -> Alert:
    return Alert(
        name,
        severity,
        f"{_LEFT} <= {days * _DAY_S} and {_LEFT} > {after * _DAY_S}",
        f"{CONNECTION}: its credentials expire in {DURATION}.",
        _MEANS,
    )


CREDENTIALS: Final = Group(
    "tandem-credentials",
    (
        _expires("TandemCredentialExpiresIn30Days", Severity.INFO, 30, 7),
        _expires("TandemCredentialExpiresIn7Days", Severity.WARNING, 7, 1),
        _expires("TandemCredentialExpiresIn1Day", Severity.CRITICAL, 1, 0),
        Alert(
            "TandemCredentialDead",
            Severity.CRITICAL,
            'tandem_credential_state{state!="works"} == 1',
            f"{CONNECTION}: its credentials are {{{{ $labels.state }}}}.",
            "Nothing of this connection is read or written. Changes wait, and are carried once a new token is saved.",
            lasting="2m",
        ),
    ),
)
