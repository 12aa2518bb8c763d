"""What users are promised, and how fast a promise may be broken before somebody is told.

An objective leaves a budget of what may be bad. A burn rate of 1 uses it up in 30 days. Somebody is woken when two
windows burn at once: the long one says that it matters, the short one that it still goes on. Factors and windows are
those of the SRE Workbook, chapter 5, for 30 days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deploy.monitoring.rules import Recording, Severity
from shared.observability.catalogue.flow import LAG_GOAL_S, LAG_LIMIT_S


@dataclass(frozen=True, slots=True)
class Burn:
    """One pair of windows, and how fast the budget burns in both."""

    factor: float
    long: str
    short: str
    severity: Severity


BURNS: Final = (
    Burn(14.4, "1h", "5m", Severity.CRITICAL),
    Burn(6, "6h", "30m", Severity.CRITICAL),
    Burn(3, "1d", "2h", Severity.WARNING),
    Burn(1, "3d", "6h", Severity.WARNING),
)
WINDOWS: Final = tuple(dict.fromkeys(window for burn in BURNS for window in (burn.short, burn.long)))


@dataclass(frozen=True, slots=True)
class LagObjective:
    """Of all changes, how many are written within so many seconds."""

    within_s: float
    share: float

    def slow(self, window: str) -> str:
        """Return the name of the series: the share of changes of a window that took longer, by integration."""
        return f"integration:tandem_sync_lag_over_{self.within_s:g}s:ratio_rate{window}"


LAG: Final = (LagObjective(LAG_GOAL_S, 0.95), LagObjective(LAG_LIMIT_S, 0.99))
IN_SYNC: Final = 0.99
"""Of the items that are not under way, how many are in sync; what is stuck is the rest."""

FEWEST_CHANGES: Final = 10
"""With fewer changes in the long window one of them alone would be a large share: a burn rate says nothing."""
FEWEST_ITEMS: Final = 5
"""The same for items: so many have to be stuck."""

STUCK: Final = "integration:tandem_items_stuck:ratio"
CHANGES: Final = "integration:tandem_sync_lag_seconds_count:increase{}"


def changes(window: str) -> str:
    """Return the name of the series: how many changes were written in a window, by integration."""
    return CHANGES.format(window)


def recordings() -> Iterator[Recording]:
    """Yield the series that burn rates are read from."""
    for window in WINDOWS:
        count = f"sum by (integration) (rate(tandem_sync_lag_seconds_count[<<{window}>>]))"
        yield Recording(
            changes(window), f"sum by (integration) (increase(tandem_sync_lag_seconds_count[<<{window}>>]))"
        )
        for objective in LAG:
            edge = f'tandem_sync_lag_seconds_bucket{{le="{float(objective.within_s)}"}}'
            yield Recording(
                objective.slow(window),
                f"1 - sum by (integration) (rate({edge}[<<{window}>>])) / ({count} > 0)",
            )
    arrived = 'sum by (integration) (tandem_items{standing=~"in_sync|stuck"})'
    yield Recording(
        STUCK,
        f'(sum by (integration) (tandem_items{{standing="stuck"}}) or 0 * {arrived}) / ({arrived} > 0)',
    )


def lag_burns(severity: Severity) -> str:
    """Return the expression: the share of slow changes of an integration that burns the budget too fast."""
    return "\nor\n".join(
        f"(\n  {objective.slow(burn.long)} > {_limit(burn, objective.share)}\n"
        f"  and {objective.slow(burn.short)} > {_limit(burn, objective.share)}\n"
        f"  and {changes(burn.long)} >= {FEWEST_CHANGES}\n)"
        for objective in reversed(LAG)
        for burn in BURNS
        if burn.severity is severity
    )


def stuck_burns(severity: Severity) -> str:
    """Return the expression: the share of stuck items of an integration that burns the budget too fast."""
    return "\nor\n".join(
        f"(\n  avg_over_time({STUCK}[<<{burn.long}>>]) > {_limit(burn, IN_SYNC)}\n"
        f"  and avg_over_time({STUCK}[<<{burn.short}>>]) > {_limit(burn, IN_SYNC)}\n"
        f'  and sum by (integration) (tandem_items{{standing="stuck"}}) >= {FEWEST_ITEMS}\n)'
        for burn in BURNS
        if burn.severity is severity
    )


def _limit(burn: Burn, share: float) -> str:
    return f"{burn.factor * (1 - share):.4g}"
