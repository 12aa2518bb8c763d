"""A drill: one row of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from deploy.drills.stage import Stage
from deploy.drills.watchers import Sample

Shows = Callable[[Sequence[Sample]], bool]
"""Whether the answer to a runbook's query shows the cause."""


def some(above: float = 0.0, **labels: str) -> Shows:
    """Return: some series with these labels is above a value."""
    return lambda answer: any(each.value > above for each in answer if labels.items() <= each.labels.items())


def zero(**labels: str) -> Shows:
    """Return: some series with these labels is 0."""
    return lambda answer: any(each.value == 0 for each in answer if labels.items() <= each.labels.items())


def no(**labels: str) -> Shows:
    """Return: no series has these labels."""
    return lambda answer: not any(labels.items() <= each.labels.items() for each in answer)


@dataclass(frozen=True)
class Drill:
    """How an alert is caused, recognised and ended."""

    alert: str
    how: str
    """What is done to cause it, in words."""
    play: Callable[[Stage], AbstractAsyncContextManager[None]]
    """Entering it causes the alert, leaving it does what the runbook says: what it breaks it mends."""
    cause: str
    """The heading of the cause in the runbook whose query has to show it."""
    shows: Shows
    action: str
    """What ends it, in words: the runbook's action."""
    over: bool = True
    """Whether it ends: the watchdog never does."""
    as_fast: bool = False
    """Whether the query's windows are as short as the rules': where it is that something happens no more."""
    window_s: float = 60.0
    """Within how many seconds it fires on a quiet machine; longer only where the rule itself waits longer."""
