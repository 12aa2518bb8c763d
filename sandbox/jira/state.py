"""All issues of a site as plain data, for checks of tests, the demo and outside tools.

Called by `JiraSite.state`; the shape is for people and checks, not Jira's.
"""

from __future__ import annotations

from sandbox.jira import catalog
from sandbox.jira.model import FieldDef, Issue, JsonObject, Kind, RichText, Value
from sandbox.jira.render import Renderer, moment
from sandbox.jira.world import World


def snapshot(world: World) -> JsonObject:
    """Return `{"issues": [...], "deleted": [ids]}`; see `issue_state` for one issue."""
    return {"issues": [issue_state(world, one) for one in world.issues.values()], "deleted": list(world.deleted)}


def issue_state(world: World, issue: Issue) -> JsonObject:
    """Return one issue.

    `fields` holds plain values by field id: names of priorities, statuses, options and types, e-mail addresses of
    users, the parent's or epic's id, descriptions as wiki text, labels as a list. `named` has the same by display name.
    """
    values = issue.values
    fields = {one.id: _plain(world, one, values.get(one.id)) for one in world.fields.values()}
    renderer = Renderer(world, max(world.edition.apis))
    epic_link = world.epic_link
    parent = values.get("parent") or (values.get(epic_link.id) if epic_link else None)
    return {
        "id": issue.id,
        "key": values["key"],
        "type": catalog.TYPES[str(values["issuetype"])].name,
        "project": world.projects[str(values["project"])].key,
        "parent": parent,
        "fields": fields,
        "named": {one.name: fields[one.id] for one in world.fields.values()},
        "properties": dict(issue.properties),
        "changelog": [renderer.history(entry) for entry in issue.histories],
        "comments": [one.body.wiki for one in issue.comments],
        "created_by": values["creator"],
        "created": fields["created"],
        "updated": fields["updated"],
    }


def _plain(world: World, known: FieldDef, value: Value) -> object:
    if value is None:
        return [] if known.kind is Kind.LABELS else None
    text = str(value)
    match known.kind:
        case Kind.PRIORITY:
            return catalog.PRIORITIES[text].name
        case Kind.STATUS:
            return catalog.STATUSES[text].name
        case Kind.TYPE:
            return catalog.TYPES[text].name
        case Kind.RESOLUTION:
            return catalog.RESOLVED.name
        case Kind.PROJECT:
            return world.projects[text].key
        case Kind.USER:
            return world.accounts[text].email
        case Kind.OPTION:
            return world.options[known.id][text].name
        case Kind.LABELS:
            return list(value) if isinstance(value, tuple) else []
        case Kind.RICH:
            return value.wiki if isinstance(value, RichText) else text
        case Kind.DATETIME:
            return text if isinstance(value, str | float | tuple | RichText) else moment(value)
        case _:
            return value
