"""What the console shows, as models built from the store's records. Pure.

Ids are strings throughout; whole numbers that a JSON number cannot hold exactly are shown as strings too (`shown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.console.domain.outdated import as_of_now
from services.console.domain.shown import named
from services.console.domain.webhooks import WebhooksView, warnings_of
from shared.domain.arrivals import Arrivals
from shared.domain.expiry import expiry_of
from shared.domain.ids import AccountId, ConnectionId, EntityId, IntegrationId, LinkId, OperationId, PairId, Side
from shared.domain.link import Absence, Link, LinkState, OperationKind, PairSide, Result
from shared.domain.mapping import Connection, ConnectionKind, ConnectionSecrets, Integration, Mode
from shared.messages.status import SyncStatus
from shared.store.port import CredentialsUnreadable, LinkView
from shared.store.refused import RefusedItems
from shared.store.requests import Asked, RequestState


class View(BaseModel):
    """Base of what is shown."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class SideValue(View):
    """One field on one side: what was last seen there, and what both sides last agreed on."""

    value: Any = None
    value_name: Any = None
    seen: bool
    seen_at: datetime | None = None
    changed_at: datetime | None = None
    by: str | None = None
    agreed: Any = None
    has_agreed: bool = False
    overwritten: Any = None
    blocked: str | None = None

    @classmethod
    def of(cls, record: PairSide | None) -> SideValue:
        """Return the view of one record."""
        if record is None:
            return cls(seen=False)
        seen, base = record.seen, record.base
        return cls(
            value=seen.value if seen else None,
            value_name=named(seen.value if seen else None, record.names.get),
            seen=seen is not None,
            seen_at=seen.at if seen else None,
            changed_at=seen.changed_at if seen else None,
            by=seen.by if seen else None,
            agreed=base.value if base else None,
            has_agreed=base is not None,
            overwritten=record.overwritten.value if record.overwritten else None,
            blocked=record.blocked.message if record.blocked else None,
        )


class PairValues(View):
    """One mapped pair of fields with the values of both sides."""

    pair: PairId
    jira_field: str | None
    craft_field: str | None
    jira_name: str | None
    craft_name: str | None
    jira: SideValue
    craft: SideValue


class SideView(View):
    """One side of a link."""

    connection_id: ConnectionId
    entity_id: EntityId | None
    dirty_since: datetime | None
    absent: Absence | None = Field(default=None, description="Why the item is not there for Tandem, if it is not.")
    absent_since: datetime | None = None


class WriteView(View):
    """What an operation writes for one pair."""

    value: Any
    expect: Any
    source: Any


class OperationView(View):
    """One operation of the ledger."""

    id: OperationId
    kind: OperationKind
    target: Side
    open: bool
    result: Result | None
    revision: int
    attempts: int
    created_at: datetime
    lease_until: datetime | None
    post_started_at: datetime | None
    accepted_at: datetime | None = Field(description="When the first of its changes was accepted; null: not measured.")
    done_at: datetime | None
    pairs: dict[PairId, WriteView]


class ConflictView(View):
    """A conflict on record."""

    pair: PairId
    jira_value: Any
    craft_value: Any
    policy: str
    resolved_by: str | None
    at: datetime
    kept: Side | None


class HistoryView(View):
    """A value that is no longer shown, and why."""

    pair: PairId
    side: Side
    value: Any
    why: str
    at: datetime


class RequestView(View):
    """A request and what became of it: it may be refused after all, since its link may have moved on meanwhile."""

    id: str
    kind: str
    asked_by: str
    asked_at: datetime
    state: RequestState
    link_id: LinkId | None = Field(description="The link that it names, or that came of it.")
    answered_at: datetime | None = None
    code: str | None = Field(default=None, description="REFUSED: why, for programs.")
    message: str | None = Field(default=None, description="REFUSED: why, for people.")
    next_step: str | None = None

    @classmethod
    def of(cls, asked: Asked) -> RequestView:
        """Return the view of a request."""
        said = asked.answer
        return cls(
            id=asked.id,
            kind=asked.kind,
            asked_by=asked.by,
            asked_at=asked.at,
            state=said.state if said else RequestState.ASKED,
            link_id=asked.link_id,
            answered_at=said.at if said else None,
            code=said.code if said else None,
            message=said.message if said else None,
            next_step=said.next_step if said else None,
        )


class LagView(View):
    """How long a change took: from when its webhook, or the feed that showed it, was accepted, until it was written."""

    target: Side = Field(description="The side that it was written to.")
    accepted_at: datetime
    written_at: datetime
    lag_s: float


class LinkDetail(View):
    """All that is known of one link."""

    id: LinkId
    integration_id: IntegrationId
    state: LinkState
    reason: str | None
    reason_text: str | None
    origin: Side
    created_at: datetime
    not_before: datetime | None
    waits_for: EntityId | None
    revision_seen: int
    labels: dict[str, str]
    jira: SideView
    craft: SideView
    status: SyncStatus | None
    values: list[PairValues]
    open_operation: OperationView | None
    operations: list[OperationView]
    open_conflicts: list[ConflictView]
    conflicts: list[ConflictView]
    history: list[HistoryView]
    requests: list[RequestView] = Field(description="The latest requests on it, newest first, with their answers.")
    lag: LagView | None = Field(description="How long the last change took that was carried over.")
    goes_on_in: list[LinkId] = Field(description="The links in which items that were here are now.")
    comes_from: list[LinkId] = Field(description="The links that its items come from.")

    @classmethod
    def of(cls, view: LinkView, integration: Integration | None, requests: Sequence[Asked] = ()) -> LinkDetail:
        """Return the view of a link; `integration` names the fields."""
        link = view.link
        opened = link.open_operation
        return cls(
            id=link.id,
            integration_id=link.integration_id,
            state=link.state,
            reason=link.reason,
            reason_text=link.reason_text,
            origin=link.origin,
            created_at=link.created_at,
            not_before=link.not_before,
            waits_for=link.waits_for,
            revision_seen=link.revision_seen,
            labels=link.labels,
            jira=_side(link, Side.JIRA),
            craft=_side(link, Side.CRAFT),
            status=as_of_now(view.status, integration) if view.status else None,
            values=_values(link, integration),
            open_operation=OperationView.model_validate(opened) if opened else None,
            operations=[OperationView.model_validate(op) for op in reversed(link.operations)],
            open_conflicts=[ConflictView.model_validate(note) for note in link.open_conflicts.values()],
            conflicts=[ConflictView.model_validate(note) for note in view.conflicts],
            history=[HistoryView.model_validate(note) for note in view.history],
            requests=[RequestView.of(each) for each in requests],
            lag=LagView.model_validate(link.carried) if link.carried else None,
            goes_on_in=sorted(set(link.successors.values())),
            comes_from=link.predecessors,
        )


def _side(link: Link, side: Side) -> SideView:
    state = link.side(side)
    return SideView(
        connection_id=link.connection(side),
        entity_id=link.entity_id(side),
        dirty_since=state.dirty_since,
        absent=state.absent.how if state.absent else None,
        absent_since=state.absent.since if state.absent else None,
    )


def _values(link: Link, integration: Integration | None) -> list[PairValues]:
    mapped = {pair.id: pair for pair in integration.pairs} if integration else {}
    names = dict.fromkeys((*mapped, *link.jira.pairs, *link.craft.pairs))
    return [
        PairValues(
            pair=name,
            jira_field=mapped[name].jira if name in mapped else None,
            craft_field=mapped[name].craft if name in mapped else None,
            jira_name=mapped[name].called(Side.JIRA) if name in mapped else None,
            craft_name=mapped[name].called(Side.CRAFT) if name in mapped else None,
            jira=SideValue.of(link.jira.pairs.get(name)),
            craft=SideValue.of(link.craft.pairs.get(name)),
        )
        for name in names
    ]


class LinkList(View):
    """A page of links with their latest status. `next` null: it was the last page."""

    links: list[SyncStatus]
    next: str | None


class IntegrationSummary(View):
    """How many items of one integration are in each state."""

    id: IntegrationId
    name: str
    states: dict[str, int]


class Summary(View):
    """How many items are in each state, and how many possible duplicates wait for a person."""

    states: dict[str, int]
    total: int
    strays: int
    integrations: list[IntegrationSummary]


class StrayList(View):
    """Items of Tandem's own making that are in no link."""

    strays: list[dict[str, Any]]


class HeldSecrets(View):
    """Which credentials are stored; never the credentials."""

    token: bool
    webhook_secrets: int
    url_token: bool
    problem: str | None = Field(
        default=None, description="Why the stored ones are of no use, in words; then all have to be entered again."
    )


class ExpiryView(View):
    """When the credentials of a connection end, in words."""

    at: datetime | None = Field(description="Null: nobody knows.")
    days_left: int | None
    expired: bool
    message: str
    next_step: str | None


class ConnectionView(View):
    """A connection, without its credentials."""

    id: ConnectionId
    revision: int
    kind: ConnectionKind
    name: str
    url: str
    email: str | None
    username: str | None
    account_id: AccountId | None
    max_concurrent: int
    requests_per_second: float
    paused_reason: str | None
    expires_on: date | None = Field(description="The day on which the token ends, as it was entered.")
    expires_told: datetime | None = Field(description="When the credentials end, as the vendor tells.")
    expiry: ExpiryView
    secrets: HeldSecrets
    webhooks: WebhooksView
    warnings: list[str] = Field(description="What works, and should be changed all the same.")

    @classmethod
    def of(
        cls,
        connection: Connection,
        secrets: ConnectionSecrets | CredentialsUnreadable | None,
        arrivals: Arrivals | None,
        now: datetime,
    ) -> ConnectionView:
        """Return the view of a connection."""
        problem = None
        if isinstance(secrets, CredentialsUnreadable):
            problem, secrets = secrets.in_words, None
        held = HeldSecrets(
            token=secrets is not None,
            webhook_secrets=len(secrets.webhook_secrets) if secrets else 0,
            url_token=secrets is not None and secrets.url_token is not None,
            problem=problem,
        )
        return cls(
            **connection.model_dump(),
            expiry=ExpiryView.model_validate(expiry_of(connection.expires_at, now)),
            secrets=held,
            webhooks=WebhooksView.of(arrivals, connection.id),
            warnings=warnings_of(secrets),
        )


class ConnectionList(View):
    """All connections."""

    connections: list[ConnectionView]


class IntegrationList(View):
    """All integrations, each in its current revision."""

    integrations: list[Integration]


class Accepted(View):
    """A request that is on its way. What came of it shows under `answer`, and what follows from that under `watch`."""

    request_id: str
    kind: str
    watch: str
    answer: str


class HeldView(View):
    """What waits to be created on one side."""

    target: Side
    mode: Mode = Field(description="Of that direction: what is off has to be switched on first.")
    cause: str
    count: int
    oldest: datetime | None
    message: str
    next_step: str


class RefusedView(View):
    """What a vendor refused in an integration, and is tried again by itself."""

    count: int
    next_at: datetime | None = Field(description="When the first of them is tried again by itself.")
    message: str
    next_step: str

    @classmethod
    def of(cls, refused: RefusedItems) -> RefusedView:
        """Return the view of what was refused."""
        if not refused.count:
            return cls(count=0, next_at=None, message="No item has anything that was refused.", next_step="")
        items = "1 item has" if refused.count == 1 else f"{refused.count} items have"
        return cls(
            count=refused.count,
            next_at=refused.next_at,
            message=f"{items} something that Jira or Craft.io refused. Each is tried again by itself.",
            next_step="When the reason is mended (a right, a screen, a project), have all of them tried again at once.",
        )


class HeldList(View):
    """What waits to be carried over in an integration, per direction."""

    waiting: list[HeldView]
    total: int
