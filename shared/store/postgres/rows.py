"""Links and operations as rows: which property is a column, which is in the JSON body. Called by the other modules
here. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.domain.ids import Side
from shared.domain.link import HistoryNote, Json, Link, Operation, OperationKind
from shared.store.codec import (
    conflict_to_json,
    dumps,
    link_from_json,
    link_to_json,
    loads,
    operation_from_json,
    operation_to_json,
    values_hash,
)

if TYPE_CHECKING:
    import asyncpg

LINK_COLUMNS = (
    "id",
    "integration_id",
    "jira_connection",
    "jira_id",
    "craft_connection",
    "craft_id",
    "origin",
    "state",
    "reason",
    "op_id",
    "next_seq",
    "not_before",
    "waits_for",
    "revision_seen",
    "created_at",
)
"""Columns that are properties of the same name; the rest of a link is in `body`, or a copy for searching."""

SEARCHED = ("jira_mark", "jira_dirty_since", "craft_mark", "craft_dirty_since", "conflicts_open", "retry_at")
"""Copies of what the body holds too, for searching only; never read back into a link."""

_NO_TEXT = {
    "next_seq": "integer",
    "not_before": "timestamptz",
    "revision_seen": "integer",
    "created_at": "timestamptz",
    "jira_mark": "bigint",
    "jira_dirty_since": "timestamptz",
    "craft_mark": "bigint",
    "craft_dirty_since": "timestamptz",
    "conflicts_open": "integer",
    "retry_at": "timestamptz",
}
LINK_TYPES = {name: _NO_TEXT.get(name, "text") for name in (*LINK_COLUMNS, *SEARCHED)}
"""The columns of a link with their types, as JSON is read into them."""

OPERATION_COLUMNS = (
    "id",
    "link_id",
    "seq",
    "kind",
    "target",
    "type_id",
    "revision",
    "open",
    "result",
    "attempts",
    "lease_until",
    "owner",
    "post_started_at",
    "result_id",
    "created_at",
    "done_at",
)


def link_row(link: Link) -> dict[str, Any]:
    """Return the row of a link, without its ledger and its notes; times as text."""
    doc = link_to_json(link)
    row = {name: doc.pop(name) for name in LINK_COLUMNS}
    row["body"] = dumps(doc)
    for side in Side:
        state = link.side(side)
        row[f"{side}_mark"] = state.mark
        row[f"{side}_dirty_since"] = state.dirty_since.isoformat() if state.dirty_since else None
    row["conflicts_open"] = len(link.open_conflicts)
    row["retry_at"] = link.retry_at.isoformat() if link.retry_at else None
    return row


def link_of(row: asyncpg.Record | Mapping[str, Any]) -> Link:
    """Return the link of a row, without its ledger."""
    return link_from_json({**loads(row["body"]), **{name: row[name] for name in LINK_COLUMNS}})


def operation_of(row: asyncpg.Record | Mapping[str, Any]) -> Operation:
    """Return the operation of a row."""
    return operation_from_json({**loads(row["body"]), **{name: row[name] for name in OPERATION_COLUMNS}})


def operation_row(op: Operation) -> dict[str, Any]:
    """Return the row of an operation; times as text."""
    doc = operation_to_json(op)
    row = {name: doc.pop(name) for name in OPERATION_COLUMNS}
    row["values_hash"] = values_hash(op) if op.kind is OperationKind.CREATE else None
    row["body"] = dumps(doc)
    return row


def conflicts_rows(link: Link) -> list[dict[str, Any]]:
    """Return the rows of a link's new conflicts."""
    return [{"link_id": link.id, "body": dumps(conflict_to_json(note))} for note in link.new_conflicts]


def history_rows(link: Link) -> list[dict[str, Any]]:
    """Return the rows of a link's new history lines; times as text."""
    return [
        {
            "link_id": link.id,
            "pair": note.pair,
            "side": note.side.value,
            "value": dumps(note.value),
            "why": note.why,
            "at": note.at.isoformat(),
        }
        for note in link.new_history
    ]


def history_of(row: asyncpg.Record) -> HistoryNote:
    """Return the history line of a row."""
    value: Json = loads(row["value"])
    return HistoryNote(row["pair"], Side(row["side"]), value, row["why"], row["at"])
