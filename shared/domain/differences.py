"""What is different between two saved bodies of an integration or a connection, in words that an admin understands.

Used by the console (revisions, what somebody else saved meanwhile) and by the command line (`tandem diff`). Works on
JSON bodies, so that a revision which today's model would refuse can still be compared. Pure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

INTEGRATION_OWNED: Final = frozenset({"id", "revision", "jira_markup", "jira_project_id", "jira_subtasks"})
"""What no admin writes in an integration: its place, its number, what its Jira is, and the id of the project."""
PAIR_OWNED: Final = frozenset({"since", "fields_since", "jira_name", "craft_name"})
"""What saving writes into each field pair: `next_revision`, and what people call its fields."""
CONNECTION_OWNED: Final = frozenset({"id", "revision", "account_id", "paused_reason", "expires_told"})
"""What no admin writes in a connection: who we are there, and whether it works, is found out."""

_SHOWN: Final = 120
_LABELS: Final = {
    "jira_connection": "Jira connection",
    "craft_connection": "Craft.io connection",
    "jira_project": "Jira project",
    "craft_workspace": "Craft.io workspace",
    "craft_root": "Craft.io item above all others",
    "to_craft": "new items in Craft.io",
    "to_jira": "new items in Jira",
    "policy": "who wins a conflict",
    "craft_key_field": "Craft.io field that holds the link's id",
    "takes": "which new items it is for",
    "url": "address",
    "email": "e-mail",
    "expires_on": "day on which the token ends",
    "max_concurrent": "most requests at once",
    "requests_per_second": "most requests per second",
}
_PAIR_LABELS: Final = {
    "jira": "Jira field",
    "craft": "Craft.io field",
    "policy": "who wins a conflict",
    "jira_shape": "shape in Jira",
    "craft_shape": "shape in Craft.io",
    "create_missing": "missing versions are created in Jira",
}
_NUMBERED: Final = {"types": "type pair", "values": "value pair"}
"""Lists of pairs of a Jira value and a Craft.io value, in which the first one found counts."""


class Difference(BaseModel):
    """One thing that is different. `path` names field pairs by their id: `pairs.title.policy`; empty: the whole."""

    model_config = ConfigDict(frozen=True)

    path: str
    change: Literal["added", "removed", "changed", "moved"]
    before: Any = None
    after: Any = None
    words: str = Field(description="What is different, for people.")


def integration_differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Difference]:
    """Return what is different between two bodies of an integration; `before` None: it is new.

    What saving writes by itself (revision, since when a pair means what it means) is no difference.
    """
    if before is None:
        counts = f"{_count(after, 'types', 'type pair')} and {_count(after, 'pairs', 'field pair')}"
        return [Difference(path="", change="added", after=after.get("name"), words=f"new, with {counts}")]
    rest = INTEGRATION_OWNED | {"pairs"}
    return [
        *_of_fields({"takes": [], **_without(before, rest)}, {"takes": [], **_without(after, rest)}, "", ""),
        *_of_pairs(before.get("pairs") or (), after.get("pairs") or ()),
    ]


def connection_differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Difference]:
    """Return what is different between two bodies of a connection; `before` None: it is new. Knows no credentials."""
    if before is None:
        words = f"new: {after.get('kind')} at {after.get('url')}"
        return [Difference(path="", change="added", after=after.get("name"), words=words)]
    return list(_of_fields(_without(before, CONNECTION_OWNED), _without(after, CONNECTION_OWNED), "", ""))


def _of_fields(before: Mapping[str, Any], after: Mapping[str, Any], path: str, words: str) -> Iterator[Difference]:
    """Compare property by property; `words` goes before what is said of a field pair."""
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in _NUMBERED:
            yield from _of_list(old or (), new or (), path + name, words, _NUMBERED[name])
            continue
        label = (_PAIR_LABELS if words else _LABELS).get(name, name.replace("_", " "))
        yield Difference(
            path=path + name,
            change="changed",
            before=old,
            after=new,
            words=f"{words}{label}: {_said(name, old)} → {_said(name, new)}",
        )


def _of_pairs(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    old, new = {each["id"]: each for each in before}, {each["id"]: each for each in after}
    for name in dict.fromkeys((*old, *new)):
        path = f"pairs.{name}"
        if name not in new:
            words = f"field pair {name} removed ({_pair(old[name])})"
            yield Difference(path=path, change="removed", before=_without(old[name], PAIR_OWNED), words=words)
        elif name not in old:
            words = f"field pair {name} added ({_pair(new[name])})"
            yield Difference(path=path, change="added", after=_without(new[name], PAIR_OWNED), words=words)
        else:
            own = PAIR_OWNED | {"id"}
            yield from _of_fields(
                _with_defaults(_without(old[name], own)),
                _with_defaults(_without(new[name], own)),
                f"{path}.",
                f"field pair {name}: ",
            )
    yield from _order(list(old), list(new), "pairs", "field pairs are in another order")


def _with_defaults(pair: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a pair with what a body from before the setting does not say."""
    return {"create_missing": False, **pair}


def _of_list(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], path: str, words: str, what: str
) -> Iterator[Difference]:
    old, new = _keyed(before), _keyed(after)
    for key in dict.fromkeys((*old, *new)):
        if key not in new:
            yield Difference(
                path=path, change="removed", before=old[key], words=f"{words}{what} removed: {_both(old[key])}"
            )
        elif key not in old:
            yield Difference(path=path, change="added", after=new[key], words=f"{words}{what} added: {_both(new[key])}")
    yield from _order(
        list(old), list(new), path, f"{words}{what}s are in another order, and of several the first one counts"
    )


def _order(old: list[str], new: list[str], path: str, words: str) -> Iterator[Difference]:
    """Tell whether those on both sides are in the same order."""
    in_both = set(old) & set(new)
    before, after = [each for each in old if each in in_both], [each for each in new if each in in_both]
    if before != after:
        yield Difference(path=path, change="moved", words=words)


def _keyed(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the entries by all that they say; of equal ones each has a key of its own."""
    found: dict[str, Mapping[str, Any]] = {}
    times: Counter[str] = Counter()
    for entry in entries:
        text = json.dumps(entry, sort_keys=True, ensure_ascii=False)
        found[f"{text}#{times[text]}"] = entry
        times[text] += 1
    return found


def _both(entry: Mapping[str, Any]) -> str:
    more = "".join(f", {name}: {shown(value)}" for name, value in entry.items() if name not in ("jira", "craft"))
    return f"Jira {shown(entry.get('jira'))} ↔ Craft.io {shown(entry.get('craft'))}{more}"


def _pair(pair: Mapping[str, Any]) -> str:
    return f"{pair.get('kind')}: Jira {shown(pair.get('jira'))} ↔ Craft.io {shown(pair.get('craft'))}"


def _said(name: str, value: Any) -> str:
    """Return the value of a property in short; rules for new items in words."""
    if name != "takes":
        return shown(value)
    rules = [each for each in value or () if isinstance(each, Mapping)]
    said = (
        f"{'Jira' if each.get('side') == 'jira' else 'Craft.io'} {each.get('field')} is "
        f"{' or '.join(map(str, each.get('values') or ()))}"
        for each in rules
    )
    return shown("; ".join(said) or "all")


def shown(value: Any) -> str:
    """Return a value in short: text as it is, nothing as "not set", all else as JSON."""
    text = _whole(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _whole(value: Any) -> str:
    match value:
        case None:
            return "not set"
        case "":
            return "empty"
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)


def _count(body: Mapping[str, Any], name: str, what: str) -> str:
    number = len(body.get(name) or ())
    return f"{number} {what}{'' if number == 1 else 's'}"


def _without(body: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
