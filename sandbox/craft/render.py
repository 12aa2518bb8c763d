"""Items of the stand-in of Craft.io as its API shows them: nested and flat, whole or some fields.

Used by the parts of the API. Pure. Properties that the API's description does not let be null are left out when empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.craft.model import Entity, InitiativeRecord, ItemRecord, User, Workspace, iso

DEFAULT_FIELDS = frozenset({"id", "type", "workspaceId", "shortId", "title", "status", "updateTime", "webUrl"})
"""What is shown without `fields`. The real set is not documented."""

Lookup = Callable[[str], ItemRecord | None]


def full_item(record: ItemRecord, workspace: Workspace, lookup: Lookup, base_url: str) -> dict[str, object]:
    """Return the whole item (schema Item)."""
    values = record.values
    item: dict[str, object] = {
        "id": record.id,
        "type": record.type,
        "workspaceId": record.workspace_id,
        "shortId": record.short_id,
        "title": values["title"],
        "description": values.get("description"),
        "creationTime": iso(record.created_at),
        "updateTime": iso(record.updated_at),
        "labels": list(_ids(values, "labels")),
        "actualStartDate": values.get("actualStartDate"),
        "actualEndDate": values.get("actualEndDate"),
        "initiativeId": values.get("initiativeId"),
        "webUrl": _web_url(base_url, record.id),
        "status": _entity(workspace.statuses, values.get("status")),
        "importance": _entity(workspace.importances, values.get("importance")),
        "parent": _parent(record, lookup, base_url),
        "assignee": values.get("assignee"),
        "createdBy": _user(record.created_by),
        "customFields": _custom_fields(record, workspace),
        "dependencies": [
            {"id": other.id, "name": other.values["title"], "value": relation, "workspaceId": other.workspace_id}
            for relation, ident in sorted(record.dependencies)
            if (other := lookup(ident)) is not None
        ],
    }
    for name in ("storyPoints", "value", "effort", "kano", "estimatedHours", "outIn"):
        if name in values:
            item[name] = values[name]
    if record.native_key is not None:
        item["devToolKey"] = {"jira": record.native_key}
    for name in ("sprint", "quarter", "persona"):
        item[name] = _of_catalogue(workspace, name, values.get(name))
    for name in ("objectives", "keyResults", "personas"):
        item[name] = [_of_catalogue(workspace, name, each) for each in _ids(values, name)]
    return item


def flat_item(record: ItemRecord, workspace: Workspace, lookup: Lookup, base_url: str) -> dict[str, object]:
    """Return the whole item without nesting (schema ItemFlat): `status_id`, `custom_<field id>` and so on."""
    item = full_item(record, workspace, lookup, base_url)
    flat = {name: value for name, value in item.items() if name in _FLAT_AS_IS}
    for name in ("status", "importance", "sprint", "quarter", "persona", "assignee"):
        entity = item.get(name)
        if isinstance(entity, dict):
            for part, value in entity.items():
                if part in _FLAT_PARTS.get(name, ("id", "name")):
                    flat[f"{name}_{part}"] = value
    parent = item["parent"]
    if isinstance(parent, dict):
        flat |= {"parent_id": parent["id"], "parent_name": parent["title"], "parent_shortId": parent["shortId"]}
    else:
        flat |= {"parent_id": None, "parent_name": None, "parent_shortId": None}
    for custom in workspace.custom_fields:
        held = _custom_texts(record).get(custom.id)
        flat[f"custom_{custom.id}"] = ", ".join(held) if isinstance(held, tuple) else held
    return flat


_FLAT_AS_IS = frozenset(
    {
        "id",
        "type",
        "workspaceId",
        "shortId",
        "title",
        "description",
        "creationTime",
        "updateTime",
        "storyPoints",
        "initiativeId",
        "value",
        "effort",
        "kano",
        "estimatedHours",
        "labels",
        "actualStartDate",
        "actualEndDate",
        "webUrl",
    }
)
_FLAT_PARTS: Mapping[str, tuple[str, ...]] = {
    "sprint": ("id", "name", "startDate", "endDate"),
    "quarter": ("id", "name", "startDate", "endDate"),
    "assignee": ("id", "team", "user"),
}


def selected(item: Mapping[str, object], fields: str | None) -> dict[str, object]:
    """Return the part of an item that the query parameter `fields` asks for; unknown names are ignored."""
    if fields == "all":
        return dict(item)
    wanted = DEFAULT_FIELDS if not fields else {"id", *(name.strip() for name in fields.split(","))}
    return {name: value for name, value in item.items() if name in wanted or name.partition("_")[0] in wanted}


def initiative(record: InitiativeRecord, portfolio_id: str, base_url: str) -> dict[str, object]:
    """Return an initiative (schema Initiative)."""
    return {
        "id": record.id,
        "type": "initiative",
        "portfolioId": portfolio_id,
        "shortId": record.short_id,
        "title": record.title,
        "description": None,
        "creationTime": iso(record.created_at),
        "updateTime": iso(record.created_at),
        "webUrl": _web_url(base_url, record.id),
        "status": None,
        "importance": None,
        "createdBy": _user(record.created_by),
        "customFields": [],
    }


def workspace_json(workspace: Workspace, base_url: str) -> dict[str, object]:
    """Return a workspace (schema Workspace)."""
    return {
        "id": workspace.id,
        "name": workspace.name,
        "key": workspace.key,
        "webUrl": f"{base_url}/app/workspace/{workspace.id}",
    }


def workspace_state(workspace: Workspace, base_url: str) -> dict[str, object]:
    """Return all that is to know of a workspace, for checks from outside; the API never tells it in one place."""
    return {
        **workspace_json(workspace, base_url),
        "terminology": terminology_json(workspace),
        "statuses": [{"id": each.id, "name": each.name} for each in workspace.statuses],
        "importances": [{"id": each.id, "name": each.name} for each in workspace.importances],
        "customFields": custom_fields_json(workspace, include_options=True, with_system_fields=False),
        "catalogues": {
            kind: [{"id": each.id, "name": each.name} for each in known.values()]
            for kind, known in workspace.catalogues.items()
        },
    }


def terminology_json(workspace: Workspace) -> dict[str, object]:
    """Return a workspace's words for the item types (schema TerminologyList), by their default terms."""
    return {
        term: {"category": "item", "default": term, "customSingle": single, "customPlural": plural}
        for term, (single, plural) in workspace.terminology.items()
    }


def custom_fields_json(
    workspace: Workspace, *, include_options: bool, with_system_fields: bool
) -> list[dict[str, object]]:
    """Return a workspace's custom fields (schema CustomField)."""
    fields = [(custom.id, custom.name, custom.type, custom.options) for custom in workspace.custom_fields]
    if with_system_fields:
        fields.append(("status", "Status", "dropdown", workspace.statuses))
        fields.append(("importance", "Importance", "dropdown", workspace.importances))
    shown: list[dict[str, object]] = []
    for field_id, name, kind, options in fields:
        entry: dict[str, object] = {"id": field_id, "name": name, "type": kind}
        if kind in ("dropdown", "multi_select"):
            entry["values"] = [option.name for option in options]
            if include_options:
                entry["options"] = [{"id": option.id, "label": option.name} for option in options]
                entry["optionShape"] = "select"
        shown.append(entry)
    return shown


def _web_url(base_url: str, item_id: str) -> str:
    return f"{base_url}/app/item/{item_id}"


def _user(user: User) -> dict[str, object]:
    return {"id": user.id, "name": user.name}


def _ids(values: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = values.get(name, ())
    return found if isinstance(found, tuple) else ()


def _entity(entities: tuple[Entity, ...], entity_id: object) -> dict[str, object] | None:
    for entity in entities:
        if entity.id == entity_id:
            return {"id": entity.id, "name": entity.name}
    return None


def _of_catalogue(workspace: Workspace, name: str, entity_id: object) -> dict[str, object] | None:
    """Return what an item shows of a catalogue's entity, with the parts that the schema of `name` has."""
    match name:
        case "sprint" | "quarter":
            entity = workspace.catalogues[name].get(str(entity_id))
            dates = entity and {"startDate": entity.start_date, "endDate": entity.end_date}
            return {"id": entity.id, "name": entity.name, **dates} if entity and dates else None
        case "objectives" | "keyResults":
            entity = workspace.catalogues[name].get(str(entity_id))
            return {"id": entity.id, "name": entity.name} if entity else None
        case _:
            entity = workspace.catalogues["personas"].get(str(entity_id))
            return {"id": entity.id, "name": entity.name, "position": ""} if entity else None


def _parent(record: ItemRecord, lookup: Lookup, base_url: str) -> dict[str, object] | None:
    parent = lookup(record.parent_id) if record.parent_id is not None else None
    if parent is None:
        return None
    return {
        "id": parent.id,
        "title": parent.values["title"],
        "shortId": parent.short_id,
        "webUrl": _web_url(base_url, parent.id),
    }


def _custom_texts(record: ItemRecord) -> Mapping[str, str | tuple[str, ...]]:
    texts = record.values.get("customFields", {})
    return texts if isinstance(texts, dict) else {}


def _custom_fields(record: ItemRecord, workspace: Workspace) -> list[dict[str, object]]:
    """Return the custom fields that hold a value; the label of a dropdown's option beside its id."""
    texts = _custom_texts(record)
    shown: list[dict[str, object]] = []
    for custom in workspace.custom_fields:
        text = texts.get(custom.id)
        if text is None:
            continue
        entry: dict[str, object] = {"id": custom.id, "name": custom.name}
        if isinstance(text, tuple):
            shown.append({**entry, "value": None, "values": list(text)})
            continue
        entry["value"] = text
        for option in custom.options:
            if option.id == text:
                entry["label"] = option.name
        shown.append(entry)
    return shown
