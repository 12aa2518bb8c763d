"""Every alert, in groups: first what people notice, then what is likely to be behind it, then the watchdog.

To add one: declare it in the group that it belongs to, write docs/runbooks/NAME.md, a case in which it fires in
tests/monitoring, and a drill; tests say which of these is missing.
"""

from typing import Final

from deploy.monitoring.alerts.causes import CAUSES
from deploy.monitoring.alerts.symptoms import SYMPTOMS
from deploy.monitoring.alerts.watchdog import WATCHDOG
from deploy.monitoring.rules import Alert, Group

GROUPS: Final[tuple[Group, ...]] = (*SYMPTOMS, *CAUSES, WATCHDOG)

ALERTS: Final[tuple[Alert, ...]] = tuple(alert for group in GROUPS for alert in group.alerts())
