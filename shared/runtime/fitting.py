"""Making a message that the log does not take small enough for it: an item may be of any size, and must not stop those
behind it.

Used by the publisher, for whatever cannot be written as it is. What an item shows is left out largest first, and named
under `LEFT_OUT` with its size: so it is told from what a vendor did not show, and from what is empty. What is only for
people to look at is dropped. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.messages.base import Message
from shared.messages.change import LEFT_OUT, ChangeEvent, ChangelogEntry
from shared.messages.rehearsal import Rehearsal
from shared.messages.status import SyncStatus
from shared.messages.write import WriteCommand, WriteOutcome

_MOST_NAMED: Final = 100
_UNWRITABLE: Final = 1 << 62
"""The size of what no JSON reader would take: nested too deep."""
_DEEPEST: Final = 200


def fitting(message: Message, most_bytes: int) -> Message:
    """Return a message with what makes it too large left out, as it is if there is nothing to leave out."""
    match message:
        case ChangeEvent() | WriteOutcome() if message.snapshot is not None or message.changelog:
            changelog = _newest(message.changelog, most_bytes // 4)
            room = most_bytes - _size([each.model_dump(mode="json") for each in changelog])
            snapshot = without_the_largest(message.snapshot, room) if message.snapshot is not None else None
            return message.model_copy(update={"snapshot": snapshot, "changelog": changelog})
        case Rehearsal():
            half = most_bytes // 2
            sides = {"jira": message.jira, "craft": message.craft}
            return message.model_copy(update={side: fitting(one, half) for side, one in sides.items() if one})
        case WriteCommand():
            return message.model_copy(update={"fields": {}})
        case SyncStatus():
            nothing = {"jira_value": None, "craft_value": None}
            problems = tuple(each.model_copy(update=nothing) for each in message.problems)
            notes = tuple(each.model_copy(update=nothing) for each in message.notes)
            return message.model_copy(update={"problems": problems, "notes": notes})
        case _:
            return message


def without_the_largest(snapshot: Mapping[str, Any], most_bytes: int) -> dict[str, Any]:
    """Return what an item shows without its largest properties, as many as have to go; they are named in it."""
    parts = sorted(_parts(snapshot), key=lambda part: (-part.size, part.name))
    total, gone = sum(part.size for part in parts), list[_Part]()
    for part in parts:
        if total <= most_bytes and part.size < _UNWRITABLE:
            break
        total -= part.size
        gone.append(part)
    left = {part.path for part in gone}
    kept: dict[str, Any] = {}
    for name, value in snapshot.items():
        if (name,) in left:
            continue
        if name == "fields" and isinstance(value, Mapping):
            kept[name] = {each: held for each, held in value.items() if (name, each) not in left}
        elif name == "customFields" and isinstance(value, list):
            kept[name] = [held for at, held in enumerate(value) if (name, at) not in left]
        else:
            kept[name] = value
    if gone:
        kept[LEFT_OUT] = {part.name: None if part.size >= _UNWRITABLE else part.size for part in gone[:_MOST_NAMED]}
    return kept


@dataclass(frozen=True, slots=True)
class _Part:
    """A property that can be left out. `name` is the one by which a mapping calls it."""

    path: tuple[str | int, ...]
    name: str
    size: int


def _parts(snapshot: Mapping[str, Any]) -> Iterator[_Part]:
    for name, value in snapshot.items():
        if name == "fields" and isinstance(value, Mapping):
            yield from (_Part((name, each), each, _size(held)) for each, held in value.items())
        elif name == "customFields" and isinstance(value, list):
            for at, held in enumerate(value):
                ident = held.get("id") if isinstance(held, Mapping) else at
                yield _Part((name, at), f"custom:{ident}", _size(held))
        else:
            yield _Part((name,), name, _size(value))


def _size(value: object) -> int:
    if _too_deep(value):
        return _UNWRITABLE
    try:
        return len(json.dumps(value, allow_nan=False, separators=(",", ":"), default=str))
    except (ValueError, RecursionError):
        return _UNWRITABLE


def _too_deep(value: object) -> bool:
    layer: list[object] = [value]
    for _ in range(_DEEPEST):
        layer = [
            held
            for each in layer
            if isinstance(each, dict | list)
            for held in (each.values() if isinstance(each, dict) else each)
            if isinstance(held, dict | list)
        ]
        if not layer:
            return False
    return True


def _newest(changelog: tuple[ChangelogEntry, ...], most_bytes: int) -> tuple[ChangelogEntry, ...]:
    """Return the newest entries, as many as there is room for."""
    room, kept = most_bytes, list[ChangelogEntry]()
    for entry in reversed(changelog):
        room -= _size(entry.model_dump(mode="json"))
        if room < 0:
            break
        kept.append(entry)
    return tuple(reversed(kept))
