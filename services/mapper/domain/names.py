"""The names by which people know values that are ids, as far as a snapshot shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.dry_run import ValueName
from shared.domain.ids import PairId, Side
from shared.domain.link import Json, Link
from shared.domain.mapping import FieldKind, FieldPair, Integration

_NAMED = frozenset(
    {FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.STATUS, FieldKind.USER, FieldKind.PARENT, FieldKind.TYPE}
)
_IDS = ("id", "accountId", "key")
_NAMES = ("displayName", "name", "label", "title", "summary", "value", "user", "key")
_DEEPEST = 4
_LONGEST = 200
_REMEMBERED = 20
"""Names that are kept of a field: those of a value that was replaced may still be spoken of."""


def names_in(side: Side, integration: Integration, snapshot: Mapping[str, Any]) -> Iterator[ValueName]:
    """Yield the name of every id that a snapshot shows together with it, by mapped field. Never raises."""
    for pair in integration.pairs:
        if pair.kind in _NAMED:
            for value, name in _named(_raw(side, pair, snapshot), _DEEPEST):
                yield ValueName(side=side, pair=pair.id, value=value, name=name[:_LONGEST])


def called(link: Link) -> dict[tuple[Side, PairId], dict[str, str]]:
    """Return the names that are kept with what was seen of a link."""
    return {(side, pair_id): record.names for side in Side for pair_id, record in link.side(side).pairs.items()}


def keep_names(link: Link, side: Side, integration: Integration, snapshot: Mapping[str, Any]) -> None:
    """Keep the names that a snapshot shows with what was seen, so that later decisions can use them as well."""
    for each in names_in(side, integration, snapshot):
        record = link.side(side).pair(each.pair)
        known = {value: name for value, name in record.names.items() if value != each.value}
        record.names = dict([*known.items(), (each.value, each.name)][-_REMEMBERED:])


def _raw(side: Side, pair: FieldPair, snapshot: Mapping[str, Any]) -> Json:
    if side is Side.JIRA:
        fields = snapshot.get("fields")
        return fields.get(pair.jira) if isinstance(fields, Mapping) else None
    kind, _, ident = pair.craft.partition(":")
    if kind != "custom":
        return snapshot.get(pair.craft)
    entries = snapshot.get("customFields")
    known = entries if isinstance(entries, list) else ()
    entry = next((each for each in known if isinstance(each, Mapping) and each.get("id") == ident), {})
    return {"id": entry.get("value"), "label": entry.get("label")}


def _named(raw: Json, deepest: int) -> Iterator[tuple[str, str]]:
    if deepest == 0:
        return
    if isinstance(raw, list):
        for each in raw:
            yield from _named(each, deepest - 1)
    if not isinstance(raw, Mapping):
        return
    ident = next((str(raw[name]) for name in _IDS if isinstance(raw.get(name), str | int)), None)
    name = _name_of(raw)
    if ident is not None and name is not None and name != ident:
        yield ident, name
    for inner in raw.values():
        if isinstance(inner, Mapping | list):
            yield from _named(inner, deepest - 1)


def _name_of(raw: Mapping[str, Any]) -> str | None:
    """Return what people call a thing: an issue by its key and summary, anything else by the first name it has."""
    name = next((raw[name] for name in _NAMES if isinstance(raw.get(name), str) and raw[name]), None)
    fields = raw.get("fields")
    summary = fields.get("summary") if isinstance(fields, Mapping) else None
    return f"{name} {summary}" if name and isinstance(summary, str) and summary else name
