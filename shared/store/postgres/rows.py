"""Links and operations as rows: which property is a column, which is in the JSON body. Called by the other modules
here. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.domain.ids import Side
from shared.domain.link import ConflictNote, HistoryNote, Json, Link, Operation, OperationKind
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

SEARCHED = ("jira_mark", "jira_dirty_since", "craft_mark", "craft_dirty_since", "conflicts_open")
"""Copies of what the body holds too, for searching only; never read back into a link."""

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


def link_values(link: Link) -> list[Any]:
    """Return the values of `LINK_COLUMNS`, `SEARCHED` and `body`, in this order."""
    body = {name: value for name, value in link_to_json(link).items() if name not in LINK_COLUMNS}
    columns = [getattr(link, name) for name in LINK_COLUMNS]
    searched = [
        link.jira.mark,
        link.jira.dirty_since,
        link.craft.mark,
        link.craft.dirty_since,
        len(link.open_conflicts),
    ]
    return [*columns, *searched, dumps(body)]


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


def operations_doc(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows of operations as one JSON parameter.

    Closed ones come first, since a link has at most one open operation at any moment.
    """
    return dumps(sorted(rows, key=lambda row: bool(row["open"])))


def conflicts_doc(notes: Sequence[ConflictNote]) -> str:
    """Return conflicts as one JSON parameter."""
    return dumps([{"body": dumps(conflict_to_json(note))} for note in notes])


def history_doc(notes: Sequence[HistoryNote]) -> str:
    """Return history lines as one JSON parameter."""
    return dumps(
        [
            {"pair": n.pair, "side": n.side.value, "value": dumps(n.value), "why": n.why, "at": n.at.isoformat()}
            for n in notes
        ]
    )


def history_of(row: asyncpg.Record) -> HistoryNote:
    """Return the history line of a row."""
    value: Json = loads(row["value"])
    return HistoryNote(row["pair"], Side(row["side"]), value, row["why"], row["at"])
