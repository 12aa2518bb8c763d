"""An observation: what one message shows of one side, in normal form, with all that tells who did it and when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.ids import AccountId, OperationId, PairId, Side
from shared.domain.link import Json
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.fields import left_out, read
from shared.messages.change import ChangeEvent, ChangelogEntry, ChangelogItem, Origin
from shared.messages.write import WriteOutcome

_LOGGED_AS = {"components": "component", "fixVersions": "fix version", "versions": "version"}
"""Names of Jira's own fields in changelogs that do not tell the field's id (Data Center)."""
_TEXTS = frozenset({FieldKind.TEXT, FieldKind.RICH_TEXT})
_PARENT_FIELDS = frozenset({"parent", "issueparentassociation"})
_ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]*-[0-9]+")


@dataclass(frozen=True, slots=True)
class Observation:
    """What a side showed at vendor time `at`. A pair that is missing in `values` was not seen."""

    side: Side
    values: Mapping[PairId, Json]
    at: datetime | None
    account: AccountId | None = None
    ticket: int | None = None
    fresh: bool = False
    """A read by id that asked for everything: clears `dirty`."""
    compare: bool = False
    changelog: Sequence[ChangelogEntry] = ()
    left_out: Mapping[PairId, int | None] = field(default_factory=dict)
    """Pairs that hold more than can be told, with the bytes where they are known."""
    whole_changelog: bool = False
    """True when `changelog` is all that happened after the cursor."""
    heard_at: datetime | None = None
    """When it was accepted, by our clock."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who set a field: `ours` None when the observation does not tell; `at` the exact time if it does, `entry` the
    changelog's entry.
    """

    ours: bool | None = None
    op: OperationId | None = None
    at: datetime | None = None
    entry: str | None = None


UNKNOWN_ACTOR = Actor()


def values_of(side: Side, integration: Integration, snapshot: Mapping[str, Any]) -> dict[PairId, Json]:
    """Return the mapped values that a vendor snapshot shows."""
    return {pair.id: present.value for pair in integration.pairs if (present := read(side, pair, snapshot)) is not None}


def left_out_of(side: Side, integration: Integration, snapshot: Mapping[str, Any]) -> dict[PairId, int | None]:
    """Return the mapped values that were too large for a snapshot, with their sizes."""
    sizes = left_out(snapshot)
    return {pair.id: sizes[pair.name_on(side)] for pair in integration.pairs if pair.name_on(side) in sizes}


def from_change(event: ChangeEvent, integration: Integration) -> Observation:
    """Return the observation that a change event is."""
    return Observation(
        side=event.side,
        values=values_of(event.side, integration, event.snapshot or {}),
        at=event.updated,
        account=event.by,
        ticket=event.ticket,
        fresh=event.origin is Origin.FRESH and event.ticket is not None,
        compare=event.origin is Origin.COMPARE,
        changelog=event.changelog,
        left_out=left_out_of(event.side, integration, event.snapshot or {}),
        whole_changelog=event.origin is Origin.FRESH,
        heard_at=event.observed_at,
    )


def from_outcome(outcome: WriteOutcome, integration: Integration) -> Observation | None:
    """Return the observation that an outcome carries, None if it has no snapshot."""
    if outcome.snapshot is None:
        return None
    return Observation(
        side=outcome.target,
        values=values_of(outcome.target, integration, outcome.snapshot),
        at=outcome.updated,
        ticket=outcome.ticket,
        changelog=outcome.changelog,
        left_out=left_out_of(outcome.target, integration, outcome.snapshot),
        whole_changelog=outcome.target is Side.JIRA,
        heard_at=outcome.ended_at,
    )


def items_of(entry: ChangelogEntry, pair: FieldPair) -> tuple[ChangelogItem, ...]:
    """Return the parts of a changelog entry that are about a pair's Jira field: several where each thing that was
    added or removed has one of its own.
    """
    names = {pair.jira.casefold(), _LOGGED_AS.get(pair.jira, "")}
    if pair.kind is FieldKind.PARENT:
        names |= _PARENT_FIELDS
    return tuple(item for item in entry.items if item.field.casefold() in names)


def item_of(entry: ChangelogEntry, pair: FieldPair) -> ChangelogItem | None:
    """Return the first part of a changelog entry that is about a pair's Jira field, None if it did not touch it."""
    return next(iter(items_of(entry, pair)), None)


def may_hide_parent(observation: Observation, integration: Integration) -> bool:
    """Tell whether a single changelog entry speaks of another parent, while no parent is shown.

    A webhook of Data Center shows an issue's epic in a field whose id and (translated) name only the site knows. What
    gives the change away is a label that is an issue's key.
    """
    if observation.side is not Side.JIRA or observation.whole_changelog:
        return False
    hidden = [pair for pair in integration.pairs if pair.kind is FieldKind.PARENT and pair.id not in observation.values]
    items = [item for entry in observation.changelog for item in entry.items]
    return bool(hidden) and any(
        item.field.casefold() in _PARENT_FIELDS
        or any(label is not None and _ISSUE_KEY.fullmatch(label) for label in (item.old_label, item.new_label))
        for item in items
    )


def may_hide_text(observation: Observation, integration: Integration) -> bool:
    """Tell whether a changelog entry speaks of a text that the observation does not show: webhooks of Jira Cloud show
    documents as wiki markup only (ADR 0010).
    """
    if observation.side is not Side.JIRA or observation.whole_changelog:
        return False
    hidden = [p for p in integration.pairs if p.kind in _TEXTS and p.id not in observation.values]
    return any(item_of(entry, pair) is not None for pair in hidden for entry in observation.changelog)


def actor_of(observation: Observation, pair: FieldPair, ours: AccountId | None) -> Actor:
    """Return who set the value that an observation shows for a pair: the newest changelog entry about the field
    tells.
    """
    for entry in reversed(observation.changelog):
        if item_of(entry, pair) is None:
            continue
        by_us = entry.op is not None or (ours is not None and entry.by == ours)
        told = entry.by is not None or entry.op is not None
        return Actor(ours=by_us if told else None, op=entry.op, at=entry.at, entry=entry.id)
    if observation.changelog or observation.account is None:
        return UNKNOWN_ACTOR
    return Actor(ours=observation.account == ours)
