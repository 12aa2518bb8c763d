"""Reading the JSON of Jira's metadata endpoints, in the shapes of Cloud and of Data Center. Pure.

What has not the documented shape is left out: metadata only serves to advise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from shared.metadata.choice import Choice
from shared.metadata.jira import JiraField, JiraMetadata, JiraStatus, JiraType, Schema, Screen, ScreenField

_EPIC_LINK: Final = "gh-epic-link"
_EPIC_NAME: Final = "gh-epic-label"
_PARENT: Final = "parent"


def objects(answer: Any, name: str | None = None) -> list[dict[str, Any]]:
    """Return the objects of a list: the answer itself, or its member `name`."""
    found = answer if name is None else answer.get(name) if isinstance(answer, Mapping) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(raw: Mapping[str, Any], name: str) -> str | None:
    """Return a member that is a string with something in it."""
    found = raw.get(name)
    return found if isinstance(found, str) and found else None


def schema_of(raw: Any) -> Schema | None:
    """Return a field's schema."""
    if not isinstance(raw, Mapping) or text(raw, "type") is None:
        return None
    return Schema(str(raw["type"]), text(raw, "items"), text(raw, "system"), text(raw, "custom"))


def field_of(raw: Mapping[str, Any]) -> JiraField | None:
    """Return a field of the site."""
    ident = text(raw, "id")
    if ident is None:
        return None
    return JiraField(ident, text(raw, "name") or ident, raw.get("custom") is True, schema_of(raw.get("schema")))


def choice_of(raw: Mapping[str, Any]) -> Choice | None:
    """Return an allowed value: an option has `value`, everything else `name`."""
    ident = raw.get("id")
    if ident is None:
        return None
    name = text(raw, "value") or text(raw, "name") or text(raw, "displayName") or text(raw, "key")
    below = (choice_of(each) for each in objects(raw, "children"))
    return Choice(str(ident), name or str(ident), tuple(each for each in below if each is not None))


def screen_of(raws: Iterable[Mapping[str, Any]]) -> Screen:
    """Return a create or edit screen from its fields."""
    return {found.id: found for raw in raws if (found := _screen_field(raw)) is not None}


def _screen_field(raw: Mapping[str, Any]) -> ScreenField | None:
    ident = text(raw, "fieldId") or text(raw, "key")
    if ident is None:
        return None
    verbs = raw.get("operations")
    allowed = raw.get("allowedValues")
    return ScreenField(
        id=ident,
        name=text(raw, "name") or ident,
        required=raw.get("required") is True,
        has_default=raw.get("hasDefaultValue") is True,
        operations=frozenset(str(verb) for verb in verbs) if isinstance(verbs, list) else frozenset({"set"}),
        allowed=tuple(one for each in objects(raw, "allowedValues") if (one := choice_of(each)) is not None)
        if isinstance(allowed, list)
        else None,
        schema=schema_of(raw.get("schema")),
    )


def type_of(raw: Mapping[str, Any]) -> JiraType | None:
    """Return an issue type, without its screens."""
    ident = raw.get("id")
    if ident is None:
        return None
    level = raw.get("hierarchyLevel")
    return JiraType(
        id=str(ident),
        name=text(raw, "name") or str(ident),
        level=level if isinstance(level, int) and not isinstance(level, bool) else None,
        subtask=raw.get("subtask") is True,
    )


def status_of(raw: Mapping[str, Any]) -> JiraStatus | None:
    """Return a status with its category."""
    ident = raw.get("id")
    if ident is None:
        return None
    category = raw.get("statusCategory")
    key = text(category, "key") if isinstance(category, Mapping) else None
    return JiraStatus(str(ident), text(raw, "name") or str(ident), key or "undefined")


def with_parent(found: JiraMetadata) -> JiraMetadata:
    """Return the metadata of a Data Center with Epic Link as `parent`, and an Epic Name that nobody needs to fill: the
    client does (`DataCenterClient.create_issue`).
    """
    fields = {_in_one_shape(each.id, each.schema): each for each in found.fields.values()}
    types = tuple(replace(one, create=_screen(one.create), edit=_screen(one.edit)) for one in found.types)
    shown = (screen[_PARENT] for one in types for screen in (one.create, one.edit) if screen and _PARENT in screen)
    for field in shown:
        # a site without Epic Link still has the parents of sub-tasks, which are in no list of fields
        fields.setdefault(_PARENT, JiraField(_PARENT, field.name, custom=False, schema=field.schema))
    fields = {ident: replace(each, id=ident) for ident, each in fields.items()}
    return replace(found, fields=fields, types=types)


def _screen(screen: Screen | None) -> Screen | None:
    if screen is None:
        return None
    named = {_in_one_shape(each.id, each.schema): each for each in screen.values()}
    return {
        ident: replace(each, id=ident, has_default=each.has_default or _is(each.schema, _EPIC_NAME))
        for ident, each in named.items()
    }


def _in_one_shape(ident: str, schema: Schema | None) -> str:
    return _PARENT if _is(schema, _EPIC_LINK) else ident


def _is(schema: Schema | None, custom_kind: str) -> bool:
    return schema is not None and schema.custom_kind == custom_kind
