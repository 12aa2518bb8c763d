"""Links and operations as JSON and back, exactly: what was stored is what is loaded, to the microsecond and the key
order.

Called by `shared.store.postgres` for the JSON part of its rows. Defaults are left out, so that a row stays small and
a property added later reads as its default from older rows. Pure. It must never drop a property in silence: a field
of the records that is not named here is found by the round-trip test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from shared.domain.ids import Side
from shared.domain.link import (
    Absence,
    Absent,
    Agreed,
    Blocked,
    Candidate,
    Carried,
    ConflictNote,
    Held,
    Json,
    Link,
    LinkState,
    Normalised,
    Operation,
    OperationKind,
    Oversize,
    Overwritten,
    PairSide,
    PairWrite,
    Refused,
    Result,
    SideState,
    Span,
    Trouble,
)
from shared.store.newer import member

# What is stored beside these is a newer release's, and goes back as it came: that release finds it again (ADR 0036).
_LINK = frozenset(each.name for each in fields(Link)) - {"more"}
_OPERATION = frozenset(each.name for each in fields(Operation)) - {"more"}
_SIDE = frozenset(each.name for each in fields(SideState)) - {"more"}
_PAIR = frozenset(each.name for each in fields(PairSide)) - {"more"}


def _more(doc: Mapping[str, Any], known: frozenset[str]) -> dict[str, Json]:
    return {} if doc.keys() <= known else {name: value for name, value in doc.items() if name not in known}


def dumps(value: Json) -> str:
    """Return compact JSON text. Raises ValueError for what JSON cannot hold (NaN, infinity)."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def loads(text: str) -> Any:
    """Return the value of a JSON text."""
    return json.loads(text)


def link_to_json(link: Link) -> dict[str, Json]:
    """Return a link without its ledger and without its notes, which have tables of their own."""
    return {
        **link.more,
        "id": link.id,
        "integration_id": link.integration_id,
        "jira_connection": link.jira_connection,
        "craft_connection": link.craft_connection,
        "origin": link.origin.value,
        "state": link.state.value,
        "created_at": _text(link.created_at),
        "jira_id": link.jira_id,
        "craft_id": link.craft_id,
        "reason": link.reason,
        "reason_text": link.reason_text,
        "op_id": link.op_id,
        "next_seq": link.next_seq,
        "not_before": _text(link.not_before),
        "refused": _refused_to_json(link.refused),
        "again_at": _text(link.again_at),
        "troubles": {about: [each.words, _text(each.since)] for about, each in link.troubles.items()},
        "waits_for": link.waits_for,
        "revision_seen": link.revision_seen,
        "recent_writes": [_text(at) for at in link.recent_writes],
        "tripped": [_text(at) for at in link.tripped],
        "used_requests": link.used_requests,
        "carried": _carried_to_json(link.carried),
        "labels": link.labels,
        "asked": link.asked,
        "held_since": _text(link.held_since),
        "successors": {side.value: link_id for side, link_id in link.successors.items()},
        "predecessors": link.predecessors,
        "jira": _side_to_json(link.jira),
        "craft": _side_to_json(link.craft),
        "open_conflicts": {pair: conflict_to_json(note) for pair, note in link.open_conflicts.items()},
    }


def link_from_json(doc: Mapping[str, Any]) -> Link:
    """Return the link of `link_to_json`; times may also be given as datetimes, as columns have them."""
    return Link(
        id=doc["id"],
        integration_id=doc["integration_id"],
        jira_connection=doc["jira_connection"],
        craft_connection=doc["craft_connection"],
        origin=Side(doc["origin"]),
        state=member(LinkState, doc["state"]),
        created_at=_known_time(doc["created_at"]),
        jira_id=doc["jira_id"],
        craft_id=doc["craft_id"],
        reason=doc["reason"],
        reason_text=doc["reason_text"],
        op_id=doc["op_id"],
        next_seq=doc["next_seq"],
        not_before=_time(doc["not_before"]),
        refused=_refused_from_json(doc.get("refused")),
        again_at=_time(doc.get("again_at")),
        troubles={
            about: Trouble(words, _known_time(since)) for about, (words, since) in doc.get("troubles", {}).items()
        },
        waits_for=doc["waits_for"],
        revision_seen=doc["revision_seen"],
        recent_writes=[_known_time(at) for at in doc["recent_writes"]],
        tripped=[_known_time(at) for at in doc.get("tripped", ())],
        used_requests=list(doc.get("used_requests", ())),
        carried=_carried_from_json(doc.get("carried")),
        labels=dict(doc["labels"]),
        asked=doc.get("asked", True),  # rows of before: a link was made only of what was to be created
        held_since=_time(doc.get("held_since")),
        successors={Side(side): link_id for side, link_id in doc.get("successors", {}).items()},
        predecessors=list(doc.get("predecessors", ())),
        jira=_side_from_json(doc["jira"]),
        craft=_side_from_json(doc["craft"]),
        open_conflicts={pair: conflict_from_json(note) for pair, note in doc["open_conflicts"].items()},
        more=_more(doc, _LINK),
    )


def operation_to_json(op: Operation) -> dict[str, Json]:
    """Return an operation, complete."""
    return {
        **op.more,
        "id": op.id,
        "link_id": op.link_id,
        "seq": op.seq,
        "kind": op.kind.value,
        "target": op.target.value,
        "pairs": {pair: [write.value, write.expect, write.source] for pair, write in op.pairs.items()},
        "revision": op.revision,
        "created_at": _text(op.created_at),
        "type_id": op.type_id,
        "open": op.open,
        "result": op.result.value if op.result else None,
        "attempts": op.attempts,
        "lease_until": _text(op.lease_until),
        "owner": op.owner,
        "post_started_at": _text(op.post_started_at),
        "result_id": op.result_id,
        "read_at": _text(op.read_at),
        "write_at": _text(op.write_at),
        "shown": op.shown,
        "landed": op.landed,
        "noted": sorted(op.noted),
        "unmet": sorted(op.unmet),
        "unclear": op.unclear,
        "accepted_at": _text(op.accepted_at),
        "done_at": _text(op.done_at),
    }


def operation_from_json(doc: Mapping[str, Any]) -> Operation:
    """Return the operation of `operation_to_json`; times may also be given as datetimes, as columns have them."""
    return Operation(
        id=doc["id"],
        link_id=doc["link_id"],
        seq=doc["seq"],
        kind=member(OperationKind, doc["kind"]),
        target=Side(doc["target"]),
        pairs={pair: PairWrite(*parts) for pair, parts in doc["pairs"].items()},
        revision=doc["revision"],
        created_at=_known_time(doc["created_at"]),
        type_id=doc["type_id"],
        open=doc["open"],
        result=member(Result, doc["result"]) if doc["result"] else None,
        attempts=doc["attempts"],
        lease_until=_time(doc["lease_until"]),
        owner=doc["owner"],
        post_started_at=_time(doc["post_started_at"]),
        result_id=doc["result_id"],
        read_at=_time(doc["read_at"]),
        write_at=_time(doc["write_at"]),
        shown=dict(doc["shown"]),
        landed=doc["landed"],
        noted=frozenset(doc.get("noted", ())),
        unmet=frozenset(doc.get("unmet", ())),
        unclear=bool(doc.get("unclear", not doc["open"] and doc["attempts"] > 1)),
        accepted_at=_time(doc.get("accepted_at")),
        done_at=_time(doc["done_at"]),
        more=_more(doc, _OPERATION),
    )


def values_hash(op: Operation) -> str:
    """Return what two creates of the same values have in common, whatever the order of their pairs."""
    values = {pair: write.value for pair, write in op.pairs.items()}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def conflict_to_json(note: ConflictNote) -> dict[str, Json]:
    """Return a conflict on record."""
    return {
        "pair": note.pair,
        "jira_value": note.jira_value,
        "craft_value": note.craft_value,
        "policy": note.policy,
        "resolved_by": note.resolved_by,
        "at": _text(note.at),
        "kept": note.kept.value if note.kept else None,
    }


def conflict_from_json(doc: Mapping[str, Any]) -> ConflictNote:
    """Return the conflict of `conflict_to_json`."""
    return ConflictNote(
        doc["pair"],
        doc["jira_value"],
        doc["craft_value"],
        doc["policy"],
        doc["resolved_by"],
        _known_time(doc["at"]),
        Side(doc["kept"]) if doc["kept"] else None,
    )


def _side_to_json(side: SideState) -> dict[str, Json]:
    return {
        **side.more,
        "mark": side.mark,
        "dirty_since": _text(side.dirty_since),
        "read_whole": side.read_whole,
        "labelled_at": _text(side.labelled_at),
        "candidates": {pair: [[c.value, c.by] for c in found] for pair, found in side.candidates.items()},
        "changelog_cursor": side.changelog_cursor,
        "absent": [side.absent.how.value, _text(side.absent.since)] if side.absent else None,
        "told_deleted": side.told_deleted,
        "pairs": {pair: _pair_to_json(record) for pair, record in side.pairs.items()},
    }


def _side_from_json(doc: Mapping[str, Any]) -> SideState:
    return SideState(
        mark=doc["mark"],
        dirty_since=_time(doc["dirty_since"]),
        read_whole=doc["read_whole"],
        labelled_at=_time(doc.get("labelled_at")),
        candidates={pair: [Candidate(value, by) for value, by in found] for pair, found in doc["candidates"].items()},
        changelog_cursor=doc["changelog_cursor"],
        absent=_absent_from_json(doc.get("absent")),
        told_deleted=doc.get("told_deleted", False),
        pairs={pair: _pair_from_json(record) for pair, record in doc["pairs"].items()},
        more=_more(doc, _SIDE),
    )


def _absent_from_json(doc: Json) -> Absent | None:
    return None if doc is None else Absent(member(Absence, doc[0]), _known_time(doc[1]))


def _pair_to_json(record: PairSide) -> dict[str, Json]:
    doc: dict[str, Json] = dict(record.more)
    if record.seen is not None:
        doc["seen"] = _held_to_json(record.seen)
    if record.base is not None:
        doc["base"] = [record.base.value, record.base.revision]
    if record.overwritten is not None:
        lost = record.overwritten
        doc["overwritten"] = [lost.value, lost.late, *_span_to_json(lost.edited)]
    if record.blocked is not None:
        b = record.blocked
        doc["blocked"] = [b.value_hash, b.code, b.message, b.field, _text(b.again_at), b.next_step]
    if record.refused is not None:
        doc["refused"] = _refused_to_json(record.refused)
    if record.norm is not None:
        doc["norm"] = [record.norm.wrote, record.norm.shows, record.norm.times]
    if record.recent:
        doc["recent"] = record.recent
    if record.takes_first:
        doc["takes_first"] = True
    if record.heard_at is not None:
        doc["heard_at"] = _text(record.heard_at)
    if record.names:
        doc["names"] = record.names
    if record.oversize is not None:
        doc["oversize"] = [_text(record.oversize.at), record.oversize.size]
    return doc


def _pair_from_json(doc: Mapping[str, Any]) -> PairSide:
    return PairSide(
        seen=_held_from_json(doc["seen"]) if "seen" in doc else None,
        base=Agreed(*doc["base"]) if "base" in doc else None,
        overwritten=_overwritten_from_json(*doc["overwritten"]) if "overwritten" in doc else None,
        blocked=_blocked_from_json(*doc["blocked"]) if "blocked" in doc else None,
        refused=_refused_from_json(doc.get("refused")),
        norm=Normalised(*doc["norm"]) if "norm" in doc else None,
        recent=list(doc.get("recent", ())),
        takes_first=bool(doc.get("takes_first", False)),
        heard_at=_time(doc.get("heard_at")),
        names=dict(doc.get("names", {})),
        more=_more(doc, _PAIR),
        oversize=_oversize_from_json(*doc["oversize"]) if "oversize" in doc else None,
    )


def _oversize_from_json(at: Json, size: int | None) -> Oversize:
    return Oversize(_time(at), size)


def _blocked_from_json(
    value_hash: str, code: str, message: str, field: str | None, again_at: Any = None, next_step: str | None = None
) -> Blocked:
    return Blocked(value_hash, code, message, field, _time(again_at), next_step)


def _carried_to_json(carried: Carried | None) -> Json:
    return None if carried is None else [carried.target.value, _text(carried.accepted_at), _text(carried.written_at)]


def _carried_from_json(doc: Json) -> Carried | None:
    return None if doc is None else Carried(Side(doc[0]), _known_time(doc[1]), _known_time(doc[2]))


def _refused_to_json(refused: Refused | None) -> Json:
    return None if refused is None else [refused.what, refused.times]


def _refused_from_json(doc: Any) -> Refused | None:
    return None if doc is None else Refused(*doc)


def _overwritten_from_json(value: Json, late: bool, *edited: Any) -> Overwritten:  # noqa: FBT001  # as it is stored
    return Overwritten(value, late, _span_from_json(*edited) if edited else None)


def _span_to_json(span: Span | None) -> list[Json]:
    return [] if span is None else [_text(span.after), _text(span.until), span.exact]


def _span_from_json(after: str | None, until: str, exact: bool) -> Span:  # noqa: FBT001  # as it is stored
    return Span(_time(after), _known_time(until), exact)


def _held_to_json(held: Held) -> dict[str, Json]:
    doc: dict[str, Json] = {"value": held.value, "at": _text(held.at), "by": held.by}
    if held.after is not None:
        doc["after"] = _text(held.after)
    if held.exact:
        doc["exact"] = True
    if held.changed_at is not None:
        doc["changed_at"] = _text(held.changed_at)
    if held.late:
        doc["late"] = True
    if held.entry is not None:
        doc["entry"] = held.entry
    if held.against is not None:
        doc["against"] = held.against
    if held.perhaps is not None:
        doc["perhaps"] = held.perhaps
    return doc


def _held_from_json(doc: Mapping[str, Any]) -> Held:
    return Held(
        value=doc["value"],
        at=_known_time(doc["at"]),
        by=doc["by"],
        after=_time(doc.get("after")),
        exact=doc.get("exact", False),
        changed_at=_time(doc.get("changed_at")),
        late=doc.get("late", False),
        entry=doc.get("entry"),
        against=doc.get("against"),
        perhaps=doc.get("perhaps"),
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(at: str | datetime | None) -> datetime | None:
    return None if at is None else _known_time(at)


def _known_time(at: str | datetime) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)
