"""Series as promtool reads them, one sample a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MINUTE: Final = 60
NEVER: Final = 10**9
"""A time that is far away, in seconds."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series with its values, minute by minute."""

    name: str
    values: str

    def rendered(self) -> dict[str, str]:
        """Return it as promtool's `input_series` has it."""
        return {"series": self.name, "values": self.values}


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert that fires, with what it says."""

    summary: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """Some data, a moment, and what an alert does then."""

    alert: str
    why: str
    series: tuple[Series, ...]
    at: str
    firing: tuple[Expected, ...] = ()

    @property
    def every(self) -> str:
        """Return how often the rules are evaluated: more rarely over a day, which costs promtool seconds otherwise."""
        return "10m" if self.at.endswith("h") and int(self.at[:-1]) > 5 else "1m"


def steady(name: str, value: float, minutes: int = 300) -> Series:
    """Return a series that stays at a value."""
    return Series(name, f"{value:g}x{minutes}")


def rising(name: str, per_minute: float, minutes: int = 300, start: float = 0) -> Series:
    """Return a counter that grows evenly."""
    return Series(name, f"{start:g}+{per_minute:g}x{minutes}")


def lags(integration: str, fast: float, slow: float, minutes: int = 300, slower: float = 0) -> tuple[Series, ...]:
    """Return the lag histogram of so many changes per minute: within 10 s, within 60 s, and slower than that."""
    name = f'integration="{integration}",direction="to_jira"'
    edges = (("10.0", fast), ("60.0", fast + slow), ("+Inf", fast + slow + slower))
    return (
        *(rising(f'tandem_sync_lag_seconds_bucket{{{name},le="{edge}"}}', rate, minutes) for edge, rate in edges),
        rising(f"tandem_sync_lag_seconds_count{{{name}}}", fast + slow + slower, minutes),
    )


def info(kind: str, name: str, called: str) -> Series:
    """Return what an integration or a connection is called."""
    return steady(f'tandem_{kind}_info{{{kind}="{name}",name="{called}"}}', 1, 10_000)


def as_promtool(case: Case, rule: dict[str, Any]) -> dict[str, Any]:
    """Return the case as one test of promtool. `rule` is the alert's, for what is not judged here."""
    return {
        "name": f"{case.alert}: {case.why}",
        "interval": "1m",
        "input_series": [each.rendered() for each in case.series],
        "alert_rule_test": [
            {
                "eval_time": case.at,
                "alertname": case.alert,
                "exp_alerts": [
                    {
                        "exp_labels": {**each.labels, **rule["labels"]},
                        "exp_annotations": {**rule["annotations"], "summary": each.summary},
                    }
                    for each in case.firing
                ],
            }
        ],
    }
