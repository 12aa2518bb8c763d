"""What people notice: changes come late, items are not in sync."""

from __future__ import annotations

from typing import Final

from deploy.monitoring.alerts.words import DURATION, INTEGRATION, SHARE, VALUE
from deploy.monitoring.objectives import lag_burns, recordings, stuck_burns
from deploy.monitoring.rules import Alert, Group, Severity

_BEHIND: Final = "tandem_items_not_in_sync_oldest_timestamp_seconds"

SYMPTOMS: Final = (
    Group("tandem-objectives", tuple(recordings())),
    Group(
        "tandem-symptoms",
        (
            Alert(
                "TandemSyncLagBudgetBurnsFast",
                Severity.CRITICAL,
                lag_burns(Severity.CRITICAL),
                f"{INTEGRATION}: {SHARE} of all changes are written too late.",
                "Changes arrive so late on the other side that the budget of a month is gone within days. "
                "People wait for what they just entered.",
                lasting="2m",
            ),
            Alert(
                "TandemSyncLagBudgetBurns",
                Severity.WARNING,
                lag_burns(Severity.WARNING),
                f"{INTEGRATION}: {SHARE} of all changes are written too late.",
                "More changes than promised arrive late on the other side, for hours or days already.",
                lasting="15m",
            ),
            Alert(
                "TandemInSyncBudgetBurnsFast",
                Severity.CRITICAL,
                stuck_burns(Severity.CRITICAL),
                f"{INTEGRATION}: {SHARE} of its items are stuck.",
                "Many items are no longer in step and do not get there by themselves. Most have one cause, as a rule.",
                lasting="2m",
            ),
            Alert(
                "TandemInSyncBudgetBurns",
                Severity.WARNING,
                stuck_burns(Severity.WARNING),
                f"{INTEGRATION}: {SHARE} of its items are stuck.",
                "More items than promised are not in step and wait for somebody, for hours or days already.",
                lasting="15m",
            ),
            Alert(
                "TandemItemsUnderWayTooLong",
                Severity.CRITICAL,
                f'time() - {_BEHIND}{{standing="under_way"}} > <<15m s>>',
                f"{INTEGRATION}: an item has been under way for {DURATION}.",
                'What is "under way" goes on by itself, and nobody is asked to do anything: '
                "when it does not end, nobody will notice but you.",
                lasting="2m",
            ),
            Alert(
                "TandemItemsStuck",
                Severity.WARNING,
                "tandem_items_stuck > 0\nand time() - tandem_items_stuck_oldest_timestamp_seconds > <<1h s>>",
                f"{INTEGRATION}: {VALUE} items are stuck ({{{{ $labels.cause }}}}).",
                "Items wait for somebody, the oldest for more than an hour. Their status says what to do.",
                lasting="5m",
            ),
        ),
    ),
)
