"""Alerts and recording rules: what one is, and how a file of them is made.

An expression marks its durations, `<<5m>>` in a range and `<<5m s>>` as a number of seconds, so that the same rules can
be made for another tempo: a drill has them an hour's work in a minute. Thresholds that are no durations of watching
(thirty days until a token ends) are written plainly and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

RUNBOOKS: Final = "https://tandem.example.com/runbooks"
"""Where the console serves docs/runbooks; the host is the placeholder that the manifests have too."""

_MARK: Final = re.compile(r"<<(\d+)([smhd])( s)?>>")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Severity(StrEnum):
    """Who is told, and when."""

    CRITICAL = "critical"
    """Wake somebody: people see it, or will within the hour."""
    WARNING = "warning"
    """Somebody looks during the day."""
    INFO = "info"
    """To know of; nothing has to be done today."""
    NONE = "none"
    """Nobody: the watchdog."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast time goes for the rules."""

    faster: int = 1
    """How many times shorter every duration is; at least one second is left of each."""

    def spelled(self, expression: str) -> str:
        """Return an expression with its durations written out."""
        return _MARK.sub(self._written, expression)

    def duration(self, marked: str) -> str:
        """Return one duration, such as `5m`, as Prometheus reads it."""
        return self.spelled(f"<<{marked}>>")

    def _written(self, found: re.Match[str]) -> str:
        amount, unit, as_number = found.groups()
        if self.faster == 1 and not as_number:
            return f"{amount}{unit}"
        seconds = max(1, int(amount) * _SECONDS[unit] // self.faster)
        return str(seconds) if as_number else f"{seconds}s"


REAL: Final = Tempo()


@dataclass(frozen=True, slots=True)
class Recording:
    """A series that is computed once, for the alerts and the dashboards."""

    name: str
    """`level:metric:operations`, as Prometheus' own practice has it."""
    expr: str

    def rendered(self, tempo: Tempo) -> dict[str, Any]:
        """Return the rule as Prometheus' file has it."""
        return {"record": self.name, "expr": tempo.spelled(self.expr)}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Its runbook is docs/runbooks/NAME.md."""

    name: str
    severity: Severity
    expr: str
    summary: str
    """One line with the numbers. Durations in it are written plainly."""
    description: str
    """What it means for people, in one or two sentences."""
    lasting: str = ""
    """How long it has to be so (`for`); empty: at once."""

    def rendered(self, tempo: Tempo, runbooks: str) -> dict[str, Any]:
        """Return the rule as Prometheus' file has it."""
        rule: dict[str, Any] = {"alert": self.name, "expr": tempo.spelled(self.expr)}
        if self.lasting:
            rule["for"] = tempo.duration(self.lasting)
        rule["labels"] = {"severity": str(self.severity)}
        rule["annotations"] = {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{runbooks}/{self.name}",
        }
        return rule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in their order."""

    name: str
    rules: Sequence[Recording | Alert]
    every: str = "30s"

    def alerts(self) -> tuple[Alert, ...]:
        """Return the alerts among the rules."""
        return tuple(rule for rule in self.rules if isinstance(rule, Alert))


def grew(series: str, by: str, window: str) -> str:
    """Return the expression: by how much a counter grew in a window, where it did.

    A series that is new has no earlier value to grow from, so that `increase` misses its first event, often the only
    one: its whole value counts.
    """
    return f"sum by ({by}) (increase({series}[<<{window}>>]) > 0 or ({series} unless {series} offset <<{window}>>)) > 0"


def rendered(groups: Iterable[Group], tempo: Tempo = REAL, runbooks: str = RUNBOOKS) -> Mapping[str, Any]:
    """Return what a rules file of Prometheus holds, and what the `spec` of a PrometheusRule is."""
    return {
        "groups": [
            {
                "name": group.name,
                "interval": tempo.duration(group.every),
                "rules": [
                    rule.rendered(tempo, runbooks) if isinstance(rule, Alert) else rule.rendered(tempo)
                    for rule in group.rules
                ],
            }
            for group in groups
        ]
    }
