"""Reading field values from a request, with the words Jira refuses them with.

Called by `sandbox.jira.edits`. Each reader takes the field, the raw JSON value and what surrounds it, and returns the
stored value or raises `BadValue`. Nothing here changes the world.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sandbox.jira import adf, catalog, things
from sandbox.jira.model import Account, FieldDef, IssueType, Kind, Project, RichText, Value
from sandbox.jira.wiki_text import rich_from_adf, rich_from_wiki
from sandbox.jira.world import World

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAX_SUMMARY = 255
MAX_TEXT = 32_767
MAX_SINGLE_LINE = 255
MAX_NUMBER = 1e14


class BadValue(Exception):  # a refusal, not a failure of the stand-in
    """The value is refused with `message`; under `key` in `errors`, or as a bare message when `key` is empty."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.key = key


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value is read against."""

    world: World
    api: int
    project: Project
    issue_type: IssueType


def read(field: FieldDef, raw: object, around: Surroundings) -> Value:
    """Return the stored form of a raw value; raises BadValue."""
    return _READERS[field.kind](field, raw, around)


def _text(field: FieldDef, raw: object, _: Surroundings) -> Value:
    if raw is None and field.id != "summary":
        return None
    if not isinstance(raw, str):
        raise BadValue("Operation value must be a string")
    if field.id != "summary":
        if len(raw) > MAX_SINGLE_LINE:
            raise BadValue(
                f"The entered text is too long. It exceeds the allowed limit of {MAX_SINGLE_LINE} characters."
            )
        return raw or None
    if "\n" in raw or "\r" in raw:
        raise BadValue("The summary is invalid because it contains newline characters.")
    trimmed = raw.strip()
    if not trimmed:
        raise BadValue("You must specify a summary of the issue.")
    if len(trimmed) > MAX_SUMMARY:
        raise BadValue(f"Summary must be less than or equal to {MAX_SUMMARY} characters.")
    return trimmed


def _rich(_: FieldDef, raw: object, around: Surroundings) -> Value:
    if raw is None:
        return None
    if around.api < 3:  # the API version
        if not isinstance(raw, str):
            raise BadValue("Operation value must be a string")
        if len(raw) > MAX_TEXT:
            raise BadValue(f"The entered text is too long. It exceeds the allowed limit of {MAX_TEXT:,} characters.")
        if not raw:
            return None
        rich = rich_from_wiki(raw)
        return RichText(rich.adf, raw) if around.world.edition.keeps_wiki else rich
    if not isinstance(raw, dict) or not adf.is_document(raw):
        raise BadValue("Operation value must be an Atlassian Document (see the Atlassian Document Format)")
    if not adf.valid(raw):
        raise BadValue("INVALID_INPUT", "")
    rich = rich_from_adf(raw)
    if len(rich.wiki) > MAX_TEXT:
        raise BadValue("CONTENT_LIMIT_EXCEEDED")
    return rich if raw["content"] else None


def _number(_: FieldDef, raw: object, __: Surroundings) -> Value:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise BadValue("Operation value must be a number")
    if abs(raw) > MAX_NUMBER:
        raise BadValue("The number is too large.")
    return float(raw)


def _date(_: FieldDef, raw: object, __: Surroundings) -> Value:
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise BadValue("Operation value must be a string")
    if not _DATE.fullmatch(raw):
        raise BadValue(f"Error parsing date string: {raw}")
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError:
        raise BadValue(f"Error parsing date string: {raw}") from None


def _labels(_: FieldDef, raw: object, __: Surroundings) -> Value:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise BadValue("data was not an array")
    return tuple(dict.fromkeys(read_label(one) for one in raw))


def read_label(raw: object) -> str:
    """Return a label; raises BadValue for what is not one."""
    if not isinstance(raw, str):
        raise BadValue("string expected at index 0")
    if not raw or any(character.isspace() for character in raw):
        raise BadValue(f"The label '{raw}' contains spaces which is invalid.")
    if len(raw) > MAX_SINGLE_LINE:
        raise BadValue(f"The label '{raw}' exceeds the maximum length of {MAX_SINGLE_LINE} characters.")
    return raw


def _user(field: FieldDef, raw: object, around: Surroundings) -> Value:
    if raw is None:
        if field.id == "reporter":
            raise BadValue("Reporter is required.")
        return None
    if not isinstance(raw, dict):
        raise BadValue("expected Object")
    named_by = ("name",) if around.world.edition.named_users else ("accountId", "id")
    wanted = next((raw[one] for one in named_by if one in raw), None)
    if wanted is None and any(one in raw for one in named_by):
        return _user(field, None, around)
    found = _person(wanted, around)
    if found is None or not found.active:
        raise BadValue(
            f"User '{wanted}' cannot be assigned issues."
            if field.id == "assignee"
            else f"The {field.name.lower()} specified is not a user."
        )
    return found.account_id


def _person(wanted: object, around: Surroundings) -> Account | None:
    if around.world.edition.named_users:
        return around.world.account_named(wanted)
    return around.world.accounts.get(wanted) if isinstance(wanted, str) else None


def _priority(field: FieldDef, raw: object, _: Surroundings) -> Value:
    if raw is None:
        raise BadValue("Priority is required.")
    if isinstance(raw, dict):
        for one in catalog.PRIORITIES.values():
            if raw.get("id") == one.id or ("id" not in raw and raw.get("name") == one.name):
                return one.id
        if isinstance(raw.get("id"), str):
            raise BadValue("The priority selected is invalid.")
    raise BadValue(f"Specify a valid 'id' or 'name' for {field.name}")


def _option(field: FieldDef, raw: object, around: Surroundings) -> Value:
    if raw is None:
        return None
    options = around.world.options[field.id]
    if not isinstance(raw, dict):
        raise BadValue(f"Specify a valid 'id' or 'name' for {field.name}")
    if "id" in raw:
        wanted = str(raw["id"])
        if wanted not in options:
            raise BadValue(f"Option id '{wanted}' is not valid")
        return wanted
    for one in options.values():
        if raw.get("value") == one.name:
            return one.id
    if "value" in raw:
        raise BadValue(f"Option value '{raw['value']}' is not valid")
    raise BadValue(f"Specify a valid 'id' or 'name' for {field.name}")


def _type(_: FieldDef, raw: object, around: Surroundings) -> Value:
    return read_type(raw, around.project).id


def read_type(raw: object, project: Project) -> IssueType:
    """Return an issue type of the project; raises BadValue."""
    if not isinstance(raw, dict):
        raise BadValue("Specify an issue type" if raw is None else "data was not an object", "issuetype")
    offered = [catalog.TYPES[one] for one in project.type_ids]
    for one in offered:
        if raw.get("id") == one.id or ("id" not in raw and raw.get("name") == one.name):
            return one
    raise BadValue(
        "Specify a valid issue type" if "id" not in raw else "The issue type selected is invalid.", "issuetype"
    )


def _parent(_: FieldDef, raw: object, around: Surroundings) -> Value:
    """Return the id of a parent exactly one level above; the project rule of sub-tasks is checked here too."""
    level = around.issue_type.level
    if raw is None or (isinstance(raw, dict) and raw.get("none") is True):
        if level < 0:
            raise BadValue("Issue type is a sub-task but parent issue key or id not specified.", "issuetype")
        return None
    if not isinstance(raw, dict):
        raise BadValue("data was not an object")
    wanted = raw.get("id", raw.get("key"))
    found = around.world.find(str(wanted)) if isinstance(wanted, str | int) else None
    if found is None:
        raise BadValue("Could not find issue by id or key.")
    above = catalog.TYPES[str(found.values["issuetype"])].level
    if above != level + 1 and not (around.world.edition.epic_link and above > level):
        raise BadValue("Given parent work item does not belong to appropriate hierarchy.", "parentId")
    if level < 0 and found.values["project"] != around.project.id:
        raise BadValue("Sub-tasks must be created in the same project as the parent.", "project")
    return found.id


def _epic_link(field: FieldDef, raw: object, around: Surroundings) -> Value:
    """Return the id of the epic that a key names; the link holds when the epic's key changes."""
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise BadValue("data was not a string")
    found = around.world.find(raw)
    if found is None or raw == found.id:
        raise BadValue(f"{field.name}: no issue with the key '{raw}' could be found.")
    if catalog.TYPES[str(found.values["issuetype"])].level < 1:
        raise BadValue(f"{field.name}: the issue '{raw}' is not an epic.")
    return found.id


def _thing(field: FieldDef, raw: object, around: Surroundings) -> Value:
    try:
        return things.read(field, raw, around.world.lists(around.project))
    except things.BadThing as problem:
        raise BadValue(str(problem)) from None


def _fixed(field: FieldDef, _: object, __: Surroundings) -> Value:
    raise BadValue(off_screen(field.id))


def off_screen(field_id: str) -> str:
    """Return the words for a field that may not be set here."""
    return f"Field '{field_id}' cannot be set. It is not on the appropriate screen, or unknown."


_READERS: dict[Kind, Callable[[FieldDef, object, Surroundings], Value]] = {
    Kind.TEXT: _text,
    Kind.RICH: _rich,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.DATETIME: _fixed,
    Kind.LABELS: _labels,
    Kind.USER: _user,
    Kind.PRIORITY: _priority,
    Kind.RESOLUTION: _fixed,
    Kind.TYPE: _type,
    Kind.PROJECT: _fixed,
    Kind.STATUS: _fixed,
    Kind.PARENT: _parent,
    Kind.EPIC_LINK: _epic_link,
    Kind.OPTION: _option,
    **dict.fromkeys(things.KINDS, _thing),
}
