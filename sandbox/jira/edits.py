"""From the `fields` and `update` of a request to new values, all checked before anything changes.

Called by `sandbox.jira.issues` and `sandbox.jira.workflow`. One bad field rejects the whole request, as in Jira, and
every bad field is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.jira import things
from sandbox.jira.http import Refusal, bad_request
from sandbox.jira.model import FieldDef, JsonObject, Kind, Screen, Value, Values
from sandbox.jira.values import BadValue, Surroundings, off_screen, read, read_label
from sandbox.jira.world import World

MAX_PROPERTY = 32_768
MAX_PROPERTY_KEY = 255


@dataclass(slots=True)
class Problems:
    """What is wrong with a request so far."""

    errors: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)

    def add(self, field_id: str, problem: BadValue) -> None:
        """Record a refused value of a field."""
        self.fields.add(field_id)
        key = field_id if problem.key is None else problem.key
        if key:
            self.errors.setdefault(key, problem.message)
        elif problem.message not in self.messages:
            self.messages.append(problem.message)

    def raise_any(self) -> None:
        """Raise the 400 that names everything recorded, if anything is."""
        if self.errors or self.messages:
            raise Refusal(400, *self.messages, errors=self.errors)


def parts(body: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Return `fields` and `update` of a request body; raises a 400 for wrong shapes and for a field that is in both."""
    fields, update = ({} if body.get(name) is None else body[name] for name in ("fields", "update"))
    if not isinstance(fields, dict) or not isinstance(update, dict):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if both := sorted(set(fields) & set(update)):
        raise Refusal(400, errors={one: f"Field '{one}' cannot appear in both 'fields' and 'update'" for one in both})
    return fields, update


def history_metadata(body: JsonObject) -> JsonObject | None:
    """Return the historyMetadata of a request; raises a 400 when it has the wrong shape."""
    metadata = body.get("historyMetadata")
    if metadata is None:
        return None
    extra = metadata.get("extraData", {}) if isinstance(metadata, dict) else None
    if (
        not isinstance(metadata, dict)
        or not isinstance(extra, dict)
        or not all(isinstance(v, str) for v in extra.values())
    ):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    return metadata


def properties(body: JsonObject) -> dict[str, object]:
    """Return the entity properties of a request; raises a 400 when they have the wrong shape or are too long."""
    raw = body.get("properties")
    if raw is None:
        return {}
    if not isinstance(raw, list):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    found: dict[str, object] = {}
    for one in raw:
        key = one.get("key") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(key, str) or "value" not in one:
            raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
        check_property(key, one["value"])
        found[key] = one["value"]
    return found


def check_property(key: str, value: object) -> None:
    """Raise the 400 for a property whose key or value is too long."""
    if not key or len(key) > MAX_PROPERTY_KEY:
        raise bad_request(f"The property key cannot be longer than {MAX_PROPERTY_KEY} characters.")
    # The repr is an upper bound of the JSON for short values; measured only where it could matter.
    if len(repr(value)) > MAX_PROPERTY:
        raise bad_request(f"The property value cannot be longer than {MAX_PROPERTY} characters.")


def read_fields(
    fields: JsonObject, update: JsonObject, screen: Screen, around: Surroundings, current: Values, problems: Problems
) -> dict[str, Value]:
    """Return the values that a request sets, of those that are on the screen and well formed; record all others."""
    wanted: dict[str, Value] = {}
    for field_id in (*fields, *update):
        known = around.world.fields.get(field_id)
        if known is None or field_id not in screen.fields:
            problems.errors.setdefault(field_id, off_screen(field_id))
            continue
        try:
            if field_id in fields:
                wanted[field_id] = read(known, fields[field_id], around)
                if known.kind is Kind.SPRINT:
                    held = current.get(field_id)
                    wanted[field_id] = things.kept_sprints(held, wanted[field_id], around.world.sprints)
            else:
                wanted[field_id] = _updated(around, field_id, update[field_id], current)
        except BadValue as problem:
            problems.add(field_id, problem)
    return wanted


def _updated(around: Surroundings, field_id: str, operations: object, current: Values) -> Value:
    """Return the value after the verbs of `update`, applied in order."""
    known = around.world.fields[field_id]
    if not isinstance(operations, list) or not all(isinstance(one, dict) and len(one) == 1 for one in operations):
        raise BadValue("Invalid request payload. Refer to the REST API documentation and try again.")
    value = current.get(field_id)
    for operation in operations:
        verb, raw = next(iter(operation.items()))
        if verb not in known.operations:
            raise BadValue(f"Field with id '{field_id}' and name '{known.name}' does not support operation '{verb}'")
        if verb == "set":
            value = read(known, raw, around)
            continue
        label = read_label(raw) if known.kind is Kind.LABELS else _thing(around, known, raw)
        held = value if isinstance(value, tuple) else ()
        if verb == "remove":
            value = tuple(one for one in held if one != label)
        elif label not in held:
            value = (*held, label)
    return value


def _thing(around: Surroundings, known: FieldDef, raw: object) -> str:
    try:
        return things.one_of(known, raw, around.world.lists(around.project))
    except things.BadThing as problem:
        raise BadValue(str(problem)) from None


def check_required(screen: Screen, values: Values, world: World, problems: Problems) -> None:
    """Record each required field of the screen that has no value."""
    for field_id, required in screen.fields.items():
        if not required or field_id in problems.fields or values.get(field_id) not in (None, ()):
            continue
        if field_id == "summary":
            problems.errors[field_id] = "You must specify a summary of the issue."
        elif field_id == "parent":
            problems.errors.setdefault(
                "issuetype", "Issue type is a sub-task but parent issue key or id not specified."
            )
        else:
            problems.errors[field_id] = f"{world.fields[field_id].name} is required."
