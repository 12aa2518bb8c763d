"""What callers send and see of dry runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from services.console.domain.drafts import Draft, IntegrationDraft
from services.console.domain.shown import named
from services.console.domain.views import View
from shared.domain.dry_run import (
    KEPT_FOR,
    DryRun,
    DryRunCounts,
    DryRunId,
    DryRunItem,
    DryRunState,
    FieldForecast,
    Outlook,
    SideForecast,
    ValueName,
    Verdict,
)
from shared.domain.finding import Finding, Severity
from shared.domain.ids import EntityId, IntegrationId, LinkId, PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldPair, Integration

Names = Mapping[tuple[Side, PairId, str], str]


class DryRunDraft(Draft):
    """A draft to be tried. It is compared with what is saved, as if it were saved now."""

    draft: IntegrationDraft
    sample: int | None = Field(
        default=None, ge=1, le=500, description="How many of the most recently updated items of each side. Usual: 20."
    )
    all: bool = Field(default=False, description="True: all items, however many; goes without `sample`.")

    @model_validator(mode="after")
    def _sample_or_all(self) -> Self:
        if self.all and self.sample is not None:
            raise ValueError("give `sample` or `all`, not both")
        return self


class DryRunItemsQuery(Draft):
    """Which items to list."""

    outcome: Outlook | None = None
    after: int = Field(default=0, ge=0, description="`next` of the page before.")
    limit: int = Field(default=50, ge=1, le=500)


class PairSummary(View):
    """How many items each verdict about one pair was given for."""

    pair: PairId
    jira_field: str
    craft_field: str
    jira_name: str
    craft_name: str
    would_change: int
    conflict: int
    blocked: int
    left: int
    same: int


class Progress(View):
    """How many of the items have an answer. `total` is 0 until they are chosen."""

    done: int
    total: int


class DryRunView(View):
    """A dry run: how far it is, and what it found so far.

    An item counts under each of its outcomes, so that these may add up to more than there are items.
    """

    id: DryRunId
    integration_id: IntegrationId
    state: DryRunState
    why: str | None
    note: str | None
    outdated: str | None = Field(description="Set when the integration was saved after the dry run began.")
    sample: int | None
    requested_by: str
    base_revision: int
    created_at: datetime
    ended_at: datetime | None
    kept_until: datetime
    progress: Progress
    outcomes: dict[Outlook, int]
    pairs: list[PairSummary]
    can_be_saved: bool = Field(description="False: saving the draft would be refused for the errors in `findings`.")
    findings: tuple[Finding, ...] = Field(description="What saving the draft would have said when it was asked for.")

    @classmethod
    def of(cls, run: DryRun, counts: DryRunCounts, current: Integration | None) -> DryRunView:
        """Return the view of a dry run beside what is saved now."""
        return cls(
            id=run.id,
            integration_id=run.integration_id,
            state=run.state,
            why=run.why,
            note=run.note,
            outdated=_outdated(run, current),
            sample=run.sample,
            requested_by=run.requested_by,
            base_revision=run.base_revision,
            created_at=run.created_at,
            ended_at=run.ended_at,
            kept_until=run.created_at + KEPT_FOR,
            progress=Progress(done=counts.answered, total=counts.items),
            outcomes=counts.outlooks,
            pairs=[_summary(run.draft, pair.id, counts) for pair in run.draft.pairs],
            can_be_saved=all(each.severity is not Severity.ERROR for each in run.findings),
            findings=run.findings,
        )


class DryRunList(View):
    """Dry runs of an integration, the newest first."""

    dry_runs: list[DryRunView]


class SideView(View):
    """One side of a field: what it shows now and what it would show, with names where values are ids."""

    now: Any = None
    now_name: Any = None
    seen: bool
    would_be: Any = None
    would_be_name: Any = None
    changes: bool


class FieldView(View):
    """One field of an item."""

    pair: PairId
    jira_field: str
    craft_field: str
    jira_name: str
    craft_name: str
    verdict: Verdict
    jira: SideView
    craft: SideView
    why: str | None
    next_step: str | None


class ItemView(View):
    """One item of a dry run."""

    n: int
    outcomes: list[Outlook]
    why: str | None
    next_step: str | None
    link_id: LinkId | None
    jira_id: EntityId | None
    craft_id: EntityId | None
    labels: dict[str, str]
    type_id: str | None
    compared_with: int
    fields: list[FieldView]


class DryRunItems(View):
    """A page of items; `next` None: there are no more as yet."""

    items: list[ItemView]
    next: int | None


def values_in(items: Sequence[DryRunItem]) -> set[str]:
    """Return all values that may have a name."""
    return {value for item in items for shown in _sides(item) for value in _texts(shown)}


def item_view(item: DryRunItem, draft: Integration, names: Names) -> ItemView:
    """Return the view of an item that was answered for a draft."""
    found = item.forecast
    if found is None:
        raise ValueError("only answered items are shown")
    return ItemView(
        n=item.n,
        outcomes=list(found.outlooks),
        why=found.why,
        next_step=found.next_step,
        link_id=found.link_id,
        jira_id=found.jira_id,
        craft_id=found.craft_id,
        labels=found.labels,
        type_id=found.type_id,
        compared_with=found.compared_with,
        fields=[_field(each, draft.pair(each.pair), names) for each in found.fields],
    )


def names_of(names: Sequence[ValueName]) -> Names:
    """Return names by what they name."""
    return {(name.side, name.pair, name.value): name.name for name in names}


def _field(field: FieldForecast, pair: FieldPair | None, names: Names) -> FieldView:
    def side(which: Side) -> SideView:
        shown = field.side(which)
        return SideView(
            now=shown.now,
            now_name=_named(shown.now, which, field.pair, names),
            seen=shown.seen,
            would_be=shown.would_be,
            would_be_name=_named(shown.would_be, which, field.pair, names),
            changes=shown.changes,
        )

    return FieldView(
        pair=field.pair,
        jira_field=field.jira_field,
        craft_field=field.craft_field,
        jira_name=pair.called(Side.JIRA) if pair else field.jira_field,
        craft_name=pair.called(Side.CRAFT) if pair else field.craft_field,
        verdict=field.verdict,
        jira=side(Side.JIRA),
        craft=side(Side.CRAFT),
        why=field.why,
        next_step=field.next_step,
    )


def _named(value: Json, side: Side, pair: PairId, names: Names) -> Json:
    return named(value, lambda ident: names.get((side, pair, ident)))


def _sides(item: DryRunItem) -> Iterator[SideForecast]:
    for field in item.forecast.fields if item.forecast is not None else ():
        yield field.jira
        yield field.craft


def _texts(shown: SideForecast) -> Iterator[str]:
    for value in (shown.now, shown.would_be):
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, str):
                yield each


def _outdated(run: DryRun, current: Integration | None) -> str | None:
    revision = current.revision if current is not None else 0
    if revision == run.base_revision:
        return None
    return (
        f"Revision {revision} of the integration was saved after this dry run began with revision {run.base_revision}. "
        "Each item says what it was compared with; start another one to see them all against what is saved now."
    )


def _summary(draft: Integration, pair_id: PairId, counts: DryRunCounts) -> PairSummary:
    pair, found = draft.pair(pair_id), counts.verdicts.get(pair_id, {})
    return PairSummary(
        pair=pair_id,
        jira_field=pair.jira if pair else "",
        craft_field=pair.craft if pair else "",
        jira_name=pair.called(Side.JIRA) if pair else "",
        craft_name=pair.called(Side.CRAFT) if pair else "",
        would_change=found.get(Verdict.WRITE, 0),
        conflict=found.get(Verdict.CONFLICT, 0),
        blocked=found.get(Verdict.BLOCKED, 0),
        left=found.get(Verdict.LEFT, 0),
        same=found.get(Verdict.SAME, 0),
    )
