"""One row per alert, in the order of severity."""

from __future__ import annotations

from typing import Final

from deploy.drills.drill import Drill
from deploy.drills.rows.credentials import CREDENTIALS
from deploy.drills.rows.items import ITEMS
from deploy.drills.rows.messages import MESSAGES
from deploy.drills.rows.servers import SERVERS
from deploy.drills.rows.vendors import VENDORS
from deploy.drills.rows.watchdog import WATCHDOG
from deploy.drills.rows.webhooks import WEBHOOKS
from deploy.monitoring.alerts import ALERTS
from deploy.monitoring.rules import Severity

_ORDER: Final = {each.name: (list(Severity).index(each.severity), at) for at, each in enumerate(ALERTS)}

DRILLS: Final[tuple[Drill, ...]] = tuple(
    sorted(
        (WATCHDOG, *CREDENTIALS, *MESSAGES, *SERVERS, *VENDORS, *WEBHOOKS, *ITEMS), key=lambda each: _ORDER[each.alert]
    )
)
