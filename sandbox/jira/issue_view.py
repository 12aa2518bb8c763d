"""What a reader asked to see of an issue: fields, properties and expansions, for GET issue, PUT and search.

Called by `sandbox.jira.issues` and `sandbox.jira.search`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sandbox.jira.http import bad_request
from sandbox.jira.metadata import edit_fields
from sandbox.jira.model import Issue, JsonObject, Values
from sandbox.jira.render import Renderer, moment

_NOT_FIELDS = frozenset({"id", "key", "*all", "*navigable", ""})
_SPARSE = frozenset({"id", "key"})


def words(raw: object) -> list[str]:
    """Return a list parameter that may come as a list, as one string with commas, or not at all."""
    if raw is None:
        return []
    if isinstance(raw, str):
        raw = raw.split(",")
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    return [word.strip() for one in raw for word in str(one).split(",") if word.strip()]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show. `fields` None shows all; `only_ids` and `only_keys` show no fields at all."""

    fields: Collection[str] | None
    without: frozenset[str] = frozenset()
    properties: Sequence[str] = ()
    expand: frozenset[str] = frozenset()
    only_ids: bool = False
    bare: bool = False

    @classmethod
    def of(cls, fields: Sequence[str], properties: Sequence[str], expand: Sequence[str]) -> Wanted:
        """Return what GET issue shows: everything unless fields are named."""
        named = frozenset(one for one in fields if one not in _NOT_FIELDS and not one.startswith("-"))
        without = frozenset(one[1:] for one in fields if one.startswith("-"))
        everything = not fields or "*all" in fields or "*navigable" in fields or (without and not named)
        return cls(None if everything else named, without, properties, frozenset(expand))

    @classmethod
    def for_search(cls, fields: object, properties: object, expand: object) -> Wanted:
        """Return what a search shows: only ids unless fields are named."""
        named = words(fields)
        extra = words(properties)
        expansions = words(expand)
        sparse = not set(named) - _SPARSE
        wanted = cls.of(named, extra, expansions)
        if not sparse:
            return wanted
        return cls((), frozenset(), extra, frozenset(expansions), only_ids=True, bare="key" not in named)


def show(renderer: Renderer, issue: Issue, values: Values, wanted: Wanted) -> JsonObject:
    """Return an issue as asked for."""
    if wanted.only_ids and wanted.bare and not wanted.expand and not wanted.properties:
        return {"id": issue.id}
    shown = renderer.issue(issue, values, wanted.fields)
    if issue.archived_at is not None and wanted.fields is None and isinstance(shown["fields"], dict):
        shown["fields"] |= {"archiveddate": moment(issue.archived_at, renderer.zone)}
    if wanted.only_ids:
        del shown["fields"]
    elif wanted.without and isinstance(shown["fields"], dict):
        shown["fields"] = {key: value for key, value in shown["fields"].items() if key not in wanted.without}
    if "changelog" in wanted.expand:
        shown["changelog"] = renderer.recent_changes(issue)
    if "names" in wanted.expand:
        shown["names"] = {one.id: one.name for one in renderer.world.fields.values()}
    if "schema" in wanted.expand:
        shown["schema"] = {one.id: one.schema for one in renderer.world.fields.values()}
    if "editmeta" in wanted.expand:
        shown["editmeta"] = {"fields": edit_fields(renderer, issue)}
    if wanted.properties:
        everything = "*all" in wanted.properties
        dropped = {one[1:] for one in wanted.properties if one.startswith("-")}
        shown["properties"] = {
            key: value
            for key, value in issue.properties.items()
            if (everything or key in wanted.properties) and key not in dropped
        }
    return shown
