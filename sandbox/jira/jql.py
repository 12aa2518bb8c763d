"""JQL: the text of a query to a tree. The subset: comparisons, IN, IS EMPTY, AND, OR, NOT, brackets and ORDER BY.

Called by `sandbox.jira.search`; `sandbox.jira.jql_match` gives the tree its meaning. Knows no field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, TypeAlias

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')|(?P<op>!=|!~|<=|>=|=|~|<|>)|(?P<punct>[(),])"
    r"|(?P<word>[^\s\"'()=!~<>,]+))"
)
_ESCAPE = re.compile(r"\\(.)")
MAX_ORDER = 7
MAX_DEPTH = 50


class JqlError(Exception):
    """The query is refused with these words."""


@dataclass(frozen=True, slots=True)
class Operand:
    """One value of a clause. `function` is its name when the value is a call such as currentUser()."""

    text: str
    function: bool = False
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """`field operator operands`; the operator is one of = != ~ !~ < <= > >= in, not in, is, is not."""

    field: str
    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a tree."""

    inner: Tree


@dataclass(frozen=True, slots=True)
class Both:
    """Parts joined by AND, or by OR when `any_of`."""

    parts: tuple[Tree, ...]
    any_of: bool


Tree: TypeAlias = "Clause | Not | Both"


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. `where` None restricts nothing; `order` holds (field, descending or None for its default)."""

    where: Tree | None
    order: tuple[tuple[str, bool | None], ...]


@lru_cache(maxsize=2048)
def parse(text: str) -> Query:
    """Return the tree of a query; raises JqlError."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            found = _TOKEN.match(stripped, at)
            if found is None or found.lastgroup is None:
                raise JqlError(
                    f"Error in the JQL Query: The character '{stripped[at:].lstrip()[:1]}' is a reserved JQL character."
                    " You must enclose it in a string or use its unicode escape."
                )
            value = found[found.lastgroup]
            if found.lastgroup == "string":
                value = _ESCAPE.sub(r"\1", value[1:-1])
            self.tokens.append((found.lastgroup, value))
            at = found.end()
        self.at = 0
        self.depth = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ("end", "")

    def keyword(self, *words: str) -> bool:
        """Step over the words when they come next, in any case."""
        for ahead, word in enumerate(words):
            kind, value = self.peek(ahead)
            if kind != "word" or value.upper() != word:
                return False
        self.at += len(words)
        return True

    def fail(self, expected: str) -> NoReturn:
        kind, value = self.peek()
        got = "the end of the query" if kind == "end" else f"'{value}'"
        raise JqlError(f"Error in the JQL Query: Expecting {expected} but got {got}.")

    def query(self) -> Query:
        where = None
        if self.peek()[0] != "end" and not self.at_order():
            where = self.either()
        order: list[tuple[str, bool | None]] = []
        if self.keyword("ORDER", "BY"):
            while True:
                order.append(self.sort_key())
                if self.peek() != ("punct", ","):
                    break
                self.at += 1
        if self.peek()[0] != "end":
            self.fail("either 'OR' or 'AND'")
        if len(order) > MAX_ORDER:
            raise JqlError(f"The order by clause can contain a maximum of {MAX_ORDER} fields.")
        return Query(where, tuple(order))

    def at_order(self) -> bool:
        return self.peek()[1].upper() == "ORDER" and self.peek(1)[1].upper() == "BY"

    def sort_key(self) -> tuple[str, bool | None]:
        kind, name = self.peek()
        if kind not in ("word", "string"):
            self.fail("a field name")
        self.at += 1
        if self.keyword("ASC"):
            return name, False
        return name, True if self.keyword("DESC") else None

    def either(self) -> Tree:
        parts = [self.all_of()]
        while self.keyword("OR"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), any_of=True)

    def all_of(self) -> Tree:
        parts = [self.one()]
        while self.keyword("AND"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), any_of=False)

    def one(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise JqlError("Error in the JQL Query: The query is nested too deeply.")
        found = self.negated_or_clause()
        self.depth -= 1
        return found

    def negated_or_clause(self) -> Tree:
        if self.keyword("NOT"):
            return Not(self.one())
        if self.peek() == ("punct", "("):
            self.at += 1
            inner = self.either()
            if self.peek() != ("punct", ")"):
                self.fail("')'")
            self.at += 1
            return inner
        return self.clause()

    def clause(self) -> Clause:
        kind, name = self.peek()
        if kind not in ("word", "string"):
            self.fail("a field name")
        self.at += 1
        kind, sign = self.peek()
        if kind == "op":
            self.at += 1
            return Clause(name, sign, (self.operand(),))
        if self.keyword("NOT", "IN"):
            return Clause(name, "not in", self.operand_list())
        if self.keyword("IN"):
            return Clause(name, "in", self.operand_list())
        if self.keyword("IS", "NOT"):
            return Clause(name, "is not", (self.emptiness(),))
        if self.keyword("IS"):
            return Clause(name, "is", (self.emptiness(),))
        return self.fail("operator")

    def emptiness(self) -> Operand:
        operand = self.operand()
        if not operand.empty:
            raise JqlError(f"Error in the JQL Query: Expecting EMPTY or NULL but got '{operand.text}'.")
        return operand

    def operand_list(self) -> tuple[Operand, ...]:
        if self.peek() != ("punct", "("):
            self.fail("'('")
        self.at += 1
        found = [self.operand()]
        while self.peek() == ("punct", ","):
            self.at += 1
            found.append(self.operand())
        if self.peek() != ("punct", ")"):
            self.fail("either ')' or ','")
        self.at += 1
        return tuple(found)

    def operand(self) -> Operand:
        kind, value = self.peek()
        if kind not in ("word", "string"):
            self.fail("either a value, list or function")
        self.at += 1
        if kind == "word":
            if value.upper() in ("EMPTY", "NULL"):
                return Operand(value, empty=True)
            if self.peek() == ("punct", "(") and self.peek(1) == ("punct", ")"):
                self.at += 2
                return Operand(value, function=True)
        return Operand(value)
