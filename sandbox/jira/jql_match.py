"""What a JQL tree means on this site: a test over an issue's values, with every name checked first as Jira does.

Called by `sandbox.jira.search` for searches, matches and the filters of webhooks. Dates are read in the caller's time
zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TypeAlias

from sandbox.jira import catalog
from sandbox.jira.jql import Both, Clause, JqlError, Not, Operand, Tree
from sandbox.jira.model import Account, FieldDef, Kind, RichText, Value, Values
from sandbox.jira.world import World

Test: TypeAlias = Callable[[Values], bool]

_RELATIVE = re.compile(r"([+-]?)([0-9]{1,6})([mhdw]?)$")
_UNITS_S = {"m": 60, "h": 3600, "d": 86400, "w": 604_800, "": 60}
_DATE_FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
_WORDS = re.compile(r"\w+")
_COMPARE: dict[str, Callable[[int], bool]] = {
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
    "=": lambda sign: sign == 0,
    "!=": lambda sign: sign != 0,
}
_ISSUE_FIELDS = frozenset({"key", "issuekey", "issue", "id"})


class Matcher:
    """Builds tests for one world and one caller (None for the filters of webhooks)."""

    def __init__(self, world: World, account: Account | None) -> None:
        self.world = world
        self.account = account
        self.zone: tzinfo = timezone(timedelta(minutes=account.utc_offset_min)) if account else UTC

    def test(self, tree: Tree) -> Test:
        """Return the test of a tree; raises JqlError for unknown fields and values."""
        match tree:
            case Not(inner):
                negated = self.test(inner)
                return lambda values: not negated(values)
            case Both(parts, any_of):
                tests = [self.test(part) for part in parts]
                if any_of:
                    return lambda values: any(one(values) for one in tests)
                return lambda values: all(one(values) for one in tests)
            case Clause():
                return self._clause(tree)

    def field(self, name: str) -> FieldDef:
        """Return the field that a clause names; raises JqlError."""
        wanted = name.lower()
        for one in self.world.fields.values():
            if wanted == one.id or wanted in (clause.lower() for clause in one.clause_names):
                return one
        raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")

    def _clause(self, clause: Clause) -> Test:
        name = clause.field.lower()
        if name in _ISSUE_FIELDS:
            return self._issue(clause)
        if name == "statuscategory":
            return self._category(clause)
        if name == "text":
            return self._words(clause, ("summary", "description"))
        known = self.field(clause.field)
        if clause.operator in ("is", "is not") or clause.operands[0].empty:
            return self._emptiness(known, clause)
        if clause.operator in ("~", "!~"):
            if known.kind not in (Kind.TEXT, Kind.RICH):
                raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
            return self._words(clause, (known.id,))
        if known.kind in (Kind.TEXT, Kind.RICH):
            raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
        if known.kind in (Kind.DATE, Kind.DATETIME, Kind.NUMBER):
            return self._ordered(known, clause)
        return self._named(known, clause)

    @staticmethod
    def _emptiness(known: FieldDef, clause: Clause) -> Test:
        wants_empty = clause.operator in ("is", "=")
        if clause.operator not in ("is", "is not", "=", "!="):
            raise JqlError(f"The operator '{clause.operator}' does not support searching for empty values.")
        return lambda values: (values.get(known.id) in (None, ())) is wants_empty

    def _issue(self, clause: Clause) -> Test:
        ids = [self._issue_id(operand) for operand in clause.operands]
        if clause.operator in ("=", "in"):
            return lambda values: str(values["id"]) in ids
        if clause.operator in ("!=", "not in"):
            return lambda values: str(values["id"]) not in ids
        holds = _COMPARE.get(clause.operator)
        if holds is None:
            raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
        bound = int(ids[0])
        return lambda values: holds(_sign(int(str(values["id"])), bound))

    def _issue_id(self, operand: Operand) -> str:
        found = self.world.find(operand.text)
        if found is None or (self.account and not self.world.visible(found, self.account)):
            if operand.text.isdigit():
                raise JqlError(f"A value with ID '{operand.text}' does not exist for the field 'id'.")
            raise JqlError(f"An issue with key '{operand.text}' does not exist for field 'key'.")
        return found.id

    @staticmethod
    def _category(clause: Clause) -> Test:
        wanted = set()
        for operand in clause.operands:
            keys = [
                key
                for key, (number, name, _) in catalog.CATEGORIES.items()
                if operand.text.lower() in (key, name.lower(), str(number))
            ]
            if not keys:
                raise JqlError(f"The value '{operand.text}' does not exist for the field 'statusCategory'.")
            wanted.update(keys)
        positive = _positive(clause)
        return lambda values: (catalog.STATUSES[str(values["status"])].category in wanted) is positive

    @staticmethod
    def _words(clause: Clause, field_ids: tuple[str, ...]) -> Test:
        wanted = [word.lower() for word in _WORDS.findall(clause.operands[0].text)]
        prefix = clause.operands[0].text.rstrip('"').endswith("*")
        positive = clause.operator == "~"

        def held(values: Values) -> bool:
            words: set[str] = set()
            for field_id in field_ids:
                words.update(word.lower() for word in _WORDS.findall(_plain(values.get(field_id))))
            if prefix and wanted and any(word.startswith(wanted[-1]) for word in words):
                return all(word in words for word in wanted[:-1])
            return all(word in words for word in wanted)

        return lambda values: held(values) is positive

    def _ordered(self, known: FieldDef, clause: Clause) -> Test:
        bounds = [self._bound(known, operand) for operand in clause.operands]
        if clause.operator in ("in", "not in"):
            positive = clause.operator == "in"
            return lambda values: (value := _rank(values.get(known.id))) is not None and (value in bounds) is positive
        holds = _COMPARE[clause.operator]
        bound = bounds[0]
        return lambda values: (value := _rank(values.get(known.id))) is not None and holds(_sign(value, bound))

    def _bound(self, known: FieldDef, operand: Operand) -> float:
        """Return a literal as the number that `_rank` gives for the same value."""
        if known.kind is Kind.NUMBER:
            try:
                return float(operand.text)
            except ValueError:
                raise JqlError(
                    f"Value '{operand.text}' for field '{known.name}' is invalid: a number is expected."
                ) from None
        moment = self._moment(known, operand)
        if known.kind is Kind.DATE:
            return float(moment.astimezone(self.zone).date().toordinal())
        return moment.timestamp()

    def _moment(self, known: FieldDef, operand: Operand) -> datetime:
        now = self.world.now()
        if operand.function:
            start = now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
            known_functions = {"now": now, "startofday": start, "endofday": start + timedelta(days=1)}
            if operand.text.lower() not in known_functions:
                raise JqlError(f"Unable to find JQL function '{operand.text}()'.")
            return known_functions[operand.text.lower()]
        if relative := _RELATIVE.match(operand.text):
            delta = timedelta(seconds=int(relative[2]) * _UNITS_S[relative[3]])
            return now - delta if relative[1] == "-" else now + delta
        for form in _DATE_FORMATS:
            try:
                return datetime.strptime(operand.text, form).replace(tzinfo=self.zone)
            except ValueError:
                continue
        raise JqlError(
            f"Date value '{operand.text}' for field '{known.id}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm',"
            " 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )

    def _named(self, known: FieldDef, clause: Clause) -> Test:
        """Return the test of a field with named values. An empty field is not unequal to anything, as in Jira."""
        if clause.operator not in ("=", "!=", "in", "not in"):
            raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")
        wanted: set[str | None] = set()
        for operand in clause.operands:
            wanted.update([None] if operand.empty else self._ids(known, operand))
        positive = _positive(clause)

        def held(values: Values) -> bool:
            value = values.get(known.id)
            if value is None or value == ():
                return positive and None in wanted
            if isinstance(value, tuple):
                return any(one in wanted for one in value) is positive
            return (str(value) in wanted) is positive

        return held

    def _ids(self, known: FieldDef, operand: Operand) -> list[str]:
        text, lower = operand.text, operand.text.lower()
        if known.kind is Kind.LABELS:
            return [text]
        if known.kind is Kind.USER:
            return self._users(operand)
        if known.kind in (Kind.PARENT, Kind.EPIC_LINK):
            return [self._issue_id(operand)]
        if known.kind is Kind.PROJECT:
            found = [
                one.id
                for one in self.world.projects.values()
                if lower in (one.id, one.key.lower(), one.name.lower(), *map(str.lower, one.former_keys))
                and (self.account is None or self.account.account_id not in one.hidden_from)
            ]
        else:
            names: dict[Kind, dict[str, str]] = {
                Kind.TYPE: {one.id: one.name for one in catalog.TYPES.values()},
                Kind.STATUS: {one.id: one.name for one in catalog.STATUSES.values()},
                Kind.PRIORITY: {one.id: one.name for one in catalog.PRIORITIES.values()},
                Kind.RESOLUTION: {catalog.RESOLVED.id: catalog.RESOLVED.name},
                Kind.OPTION: {one.id: one.name for one in self.world.options.get(known.id, {}).values()},
            }
            found = [key for key, name in names.get(known.kind, {}).items() if lower in (key, name.lower())]
        if not found:
            raise JqlError(f"The value '{text}' does not exist for the field '{known.clause_names[0]}'.")
        return found

    def _users(self, operand: Operand) -> list[str]:
        if operand.function:
            if operand.text.lower() != "currentuser":
                raise JqlError(f"Unable to find JQL function '{operand.text}()'.")
            return [self.account.account_id] if self.account else []
        lower = operand.text.lower()
        return [
            one.account_id
            for one in self.world.accounts.values()
            if lower in (one.account_id.lower(), one.name.lower(), one.email.lower(), one.display_name.lower())
        ] or [operand.text]


def _positive(clause: Clause) -> bool:
    return clause.operator in ("=", "in")


def _sign(left: float, right: float) -> int:
    return (left > right) - (left < right)


def _plain(value: Value) -> str:
    return value.wiki if isinstance(value, RichText) else str(value or "")


def _rank(value: Value) -> float | None:
    """Return an ordered value as a number; None when there is none."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, float | int):
        return float(value)
    if isinstance(value, str):
        return float(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).toordinal())
    return None


def sort_key(known: FieldDef, value: Value) -> tuple[int, float, str]:
    """Return what ORDER BY compares; empty values come last in ascending order."""
    if value is None or value == ():
        return (1, 0.0, "")
    if known.kind in (Kind.DATE, Kind.DATETIME, Kind.NUMBER):
        return (0, _rank(value) or 0.0, "")
    if known.kind is Kind.PRIORITY:
        return (0, -float(str(value)), "")
    return (0, 0.0, " ".join(value) if isinstance(value, tuple) else _plain(value).lower())
