"""A dry run: a draft of an integration, tried on live items without writing, and what it would do to each of them.

Opened and shown by the console, carried on by the reconciler (which reads the items), answered by the mapper (which
decides on each). Kept for some days, then removed; nothing is ever decided from it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from pydantic import Field

from shared.domain.finding import Finding
from shared.domain.ids import EntityId, IntegrationId, LinkId, PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import Integration, Setting

DryRunId = NewType("DryRunId", str)
KEPT_FOR = timedelta(days=7)
"""How long a dry run is kept after it was asked for."""


class DryRunState(StrEnum):
    """Open -> reading -> done; failed and cancelled end it early, with what was found until then."""

    OPEN = "open"
    """Waits for the reconciler to choose the items."""
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Tell whether nothing more comes."""
        return self not in (DryRunState.OPEN, DryRunState.READING)


class Outlook(StrEnum):
    """What would become of an item. One item may have several: a field is written, another one is in conflict."""

    CREATE = "create"
    """It would get a counterpart: at its next change, or at the next look at it."""
    CREATE_ON_REQUEST = "create_on_request"
    """It would get a counterpart once a person asks for it: that direction is manual."""
    WRITE_JIRA = "write_jira"
    WRITE_CRAFT = "write_craft"
    IN_SYNC = "in_sync"
    WAITING = "waiting"
    """For its parent to be linked; all else is foreseen as if it were."""
    BLOCKED = "blocked"
    CONFLICT = "conflict"
    EXCLUDED = "excluded"
    """Its type is not mapped, or that direction is switched off."""
    LEFT_ALONE = "left_alone"
    """Kept apart, deleted, paused, made by us without a link, or another integration's."""
    UNREADABLE = "unreadable"


class Verdict(StrEnum):
    """What would become of one field pair of an item."""

    SAME = "same"
    WRITE = "write"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    """It cannot be carried; `why` says what and `next_step` what to do."""
    LEFT = "left"
    """Nothing is written, although the two sides differ or one has no value; `why` says why."""


class SideForecast(Setting):
    """One side of a pair: what it shows now, and what it would show."""

    now: Json = None
    seen: bool = False
    """False: it does not show the field (or does not exist), so that `now` says nothing."""
    would_be: Json = None
    changes: bool = False
    """True: `would_be` would be written there."""


class FieldForecast(Setting):
    """What would become of one pair. Values are in the normal form of their side: ids where the field holds ids."""

    pair: PairId
    jira_field: str
    craft_field: str
    verdict: Verdict
    jira: SideForecast
    craft: SideForecast
    why: str | None = None
    next_step: str | None = None

    def side(self, side: Side) -> SideForecast:
        """Return one side."""
        return self.jira if side is Side.JIRA else self.craft


class ItemForecast(Setting):
    """What would become of one item, or of two that are linked."""

    outlooks: tuple[Outlook, ...]
    why: str | None = None
    next_step: str | None = None
    link_id: LinkId | None = None
    jira_id: EntityId | None = None
    craft_id: EntityId | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    """For people: jira_key, jira_type, craft_short_id, craft_type, title."""
    type_id: str | None = None
    """Creates: the counterpart's type."""
    fields: tuple[FieldForecast, ...] = ()
    compared_with: int = 0
    """The revision that was current: the draft was taken for the next one."""
    at: datetime | None = None


class ValueName(Setting):
    """The name by which people know a value that is an id, as a snapshot showed it."""

    side: Side
    pair: PairId
    value: str
    name: str


class DryRun(Setting):
    """One dry run. `sample` None: all items."""

    id: DryRunId
    integration_id: IntegrationId
    draft: Integration
    sample: int | None = Field(default=None, ge=1)
    """How many of the most recently updated items of each side."""
    requested_by: str
    created_at: datetime
    base_revision: int = 0
    """The revision that was current when it was asked for; 0: the integration did not exist yet."""
    state: DryRunState = DryRunState.OPEN
    note: str | None = None
    """What people have to know of the choice of items, such as that there were too many."""
    why: str | None = None
    """Failed: what happened and what to do."""
    ended_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    """What saving the draft would have said."""


class DryRunItem(Setting):
    """One item of a dry run, to be read (`forecast` None) or answered. `n` counts from 1 within the dry run."""

    n: int
    jira_id: EntityId | None = None
    craft_id: EntityId | None = None
    attempts: int = 0
    forecast: ItemForecast | None = None


class DryRunCounts(Setting):
    """How far a dry run is. An item counts once for each of its outlooks."""

    items: int = 0
    answered: int = 0
    outlooks: dict[Outlook, int] = Field(default_factory=dict)
    verdicts: dict[PairId, dict[Verdict, int]] = Field(default_factory=dict)
