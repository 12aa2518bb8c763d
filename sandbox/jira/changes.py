"""Changing an issue: which fields really changed, the changelog entry, `updated`, and the index.

Called by every endpoint that changes an issue. The only place that writes values after creation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from sandbox.jira import catalog, things
from sandbox.jira.model import (
    Account,
    ChangeItem,
    FieldDef,
    History,
    Issue,
    JsonObject,
    Kind,
    RichText,
    Value,
)
from sandbox.jira.world import World


def apply(
    world: World, issue: Issue, wanted: Mapping[str, Value], author: Account, metadata: JsonObject | None = None
) -> History | None:
    """Set values; return the changelog entry, or None when every field already held its value.

    A request that changes nothing leaves no entry and does not touch `updated`, as in Jira.
    """
    changed = {key: value for key, value in wanted.items() if not same(issue.values.get(key), value)}
    if not changed:
        return None
    items = tuple(item for key, value in changed.items() for item in change_items(world, issue, key, value))
    now = world.now()
    entry = History(
        world.new_history_id(),
        author.account_id,
        now,
        items,
        metadata if world.settings.history_metadata else None,
    )
    if "parent" in changed:
        move_child(world, issue, changed["parent"])
    world.put_values(issue, {**issue.values, **changed, "updated": now})
    issue.histories.append(entry)
    return entry


def carry_out(
    world: World, issue: Issue, wanted: Mapping[str, Value], author: Account, metadata: JsonObject | None = None
) -> Iterator[tuple[Account, History]]:
    """Set values as the site does: without those that it ignores, and with what an automation of its does at once.

    Yields the changelog entries with their authors, oldest first.
    """
    settings, before = world.settings, dict(issue.values)
    entry = apply(world, issue, {k: v for k, v in wanted.items() if k not in settings.ignored_fields}, author, metadata)
    if entry is None:
        return
    yield author, entry
    automation = next(one for one in world.accounts.values() if one is not author)
    back = apply(world, issue, {k: before.get(k) for k in wanted if k in settings.put_back_fields}, automation)
    if back is not None:
        yield automation, back


def touch(world: World, issue: Issue, author: Account, items: tuple[ChangeItem, ...]) -> None:
    """Log a change of what is no field of the issue; `updated` moves on."""
    now = world.now()
    world.put_values(issue, {**issue.values, "updated": now})
    issue.histories.append(History(world.new_history_id(), author.account_id, now, items))


def move_child(world: World, issue: Issue, parent: Value) -> None:
    """Hang the issue below another parent, or below none."""
    old = issue.values.get("parent")
    if old is not None and str(old) in world.issues:
        world.issues[str(old)].children.pop(issue.id, None)
    if parent is not None:
        world.issues[str(parent)].children[issue.id] = None


def same(left: Value, right: Value) -> bool:
    """Return whether two values of one field are equal for the changelog; nothing and no labels are the same."""
    return left == right or (left in (None, ()) and right in (None, ()))


def change_items(world: World, issue: Issue, field_id: str, value: Value) -> tuple[ChangeItem, ...]:
    """Return the changelog items for a field that gets a new value; none for a field without one of its own."""
    known = world.fields.get(field_id)
    if known is None:
        return ()
    if known.kind in things.KINDS:
        name = {"components": "Component", "fixVersions": "Fix Version", "versions": "Version"}.get(
            known.id, known.name
        )
        lists = world.lists(world.projects[str(issue.values["project"])])
        return tuple(
            ChangeItem(name, known.custom, known.id, *each)
            for each in things.logged(known, issue.values.get(field_id), value, lists)
        )
    old_id, old_label = _logged(world, known, issue.values.get(field_id))
    new_id, new_label = _logged(world, known, value)
    if known.kind is Kind.PARENT:
        name = world.settings.parent_history_name
        parent_id = "parent" if name == "Parent" else None
        return (ChangeItem(name, False, parent_id, old_id, old_label, new_id, new_label),)
    name = known.name if known.custom else known.id
    return (ChangeItem(name, known.custom, known.id, old_id, old_label, new_id, new_label),)


def _logged(world: World, known: FieldDef, value: Value) -> tuple[str | None, str | None]:
    """Return the id and the label that a changelog item shows for a value."""
    if known.kind is Kind.LABELS:
        return "", " ".join(value) if isinstance(value, tuple) else ""
    if value is None:
        return None, None
    text = str(value)
    match known.kind:
        case Kind.PRIORITY:
            return text, catalog.PRIORITIES[text].name
        case Kind.STATUS:
            return text, catalog.STATUSES[text].name
        case Kind.TYPE:
            return text, catalog.TYPES[text].name
        case Kind.RESOLUTION:
            return text, catalog.RESOLVED.name
        case Kind.USER:
            return text, world.accounts[text].display_name
        case Kind.OPTION:
            return text, world.options[known.id][text].name
        case Kind.PARENT | Kind.EPIC_LINK:
            return text, str(world.issues[text].values["key"])
        case Kind.DATE:
            return text, _date_label(known, text)
        case Kind.NUMBER:
            return None, text.removesuffix(".0")
        case Kind.RICH:
            return None, value.wiki if isinstance(value, RichText) else text
        case _:
            return None, text


def _date_label(known: FieldDef, text: str) -> str:
    """Return the label of a date: a system field and a custom one are written differently in Jira."""
    return f"{date.fromisoformat(text):%d/%b/%y}" if known.custom else f"{text} 00:00:00.0"
