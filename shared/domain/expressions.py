"""The expressions of transforms: CEL (https://cel.dev) with a few functions of ours, within limits of size and time.

An expression sees `value` and `item` and nothing else: no clock, no randomness, no I/O, no names of Python. It is
checked when a mapping is built and compiled once; the same value gives the same result always. Why this library: ADR
0013. Limits: the length of the expression, one loop over a list at most (`map`, `filter`, `all`, `exists`), the size of
what goes in, of what each function gives and of what comes out. Regular expressions are RE2's: linear time. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2
from cel_expr_python import cel

MAX_EXPRESSION: Final = 500
"""Characters of an expression."""
MAX_TEXT: Final = 32_767
"""Characters that go in and that come out: what Jira's fields hold."""
MAX_LOOPED: Final = 4_000
"""Characters that go in where the expression has a loop."""
MAX_LIST: Final = 500
_MAX_BETWEEN: Final = 2 * MAX_TEXT
_MAX_PATTERN: Final = 200
_LOOP = re.compile(r"\.\s*(map|filter|all|exists|exists_one)\s*\(")
_ASKS_FOR_EMPTY = re.compile(r"\b(null|default)\b")
_PLACE = re.compile(r"\{(\w+)\}")
_WORDS = re.compile(r"ERROR: <input>:(\d+|-1):(\d+|-1): (.*)")
ITEM_FACTS: Final = ("key", "type", "title", "url")
"""What `item` tells of the item that the value comes from; unknown ones are empty."""


class ExpressionError(ValueError):
    """An expression is wrong, or cannot be worked out for this value. The text says why, for people."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression."""

    text: str
    program: Any
    loops: bool
    asks_for_empty: bool
    """Whether it says itself what becomes of an empty value (it names `null` or `default`)."""

    def evaluate(self, value: Any, item: Mapping[str, str]) -> Any:
        """Return the result for a value (None, text, number or a list of text). Raises `ExpressionError`.

        The result is None, text, a number, a bool, a datetime, or a list of these. An empty value stays empty unless
        the expression asks for it.
        """
        if value in (None, []) and not self.asks_for_empty:
            return value
        _check_size(value, MAX_LOOPED if self.loops else MAX_TEXT, "the value")
        facts = {name: _clean(item.get(name, ""))[:MAX_LOOPED] for name in ITEM_FACTS}
        number = isinstance(value, int | float) and not isinstance(value, bool)
        given = float(value) if number else value
        try:
            result = self.program.eval(data={"value": given, "item": facts})
        except (RuntimeError, OverflowError) as error:
            raise ExpressionError(_shorten(str(error))) from error
        plain = result.plain_value()
        if result.type() == cel.Type.ERROR:
            raise ExpressionError(_shorten(str(plain)))
        _check_size(plain, MAX_TEXT, "the result")
        return plain


@lru_cache(maxsize=2048)
def compiled(text: str) -> Expression:
    """Return an expression, compiled once. Raises `ExpressionError`: where it is wrong, and what about it."""
    if not text.strip():
        raise ExpressionError("it is empty")
    if len(text) > MAX_EXPRESSION:
        raise ExpressionError(
            f"it has {len(text)} characters; {MAX_EXPRESSION} are allowed. Use a value map for tables"
        )
    loops = len(_LOOP.findall(text))
    if loops > 1:
        raise ExpressionError("it has more than one of map, filter, all, exists; one is allowed")
    if "\n" in text and "//" in text:
        raise ExpressionError("it has several lines and //; comments are not allowed")  # one could hide a loop
    if "\0" in text:
        raise ExpressionError("it has a character that is not allowed (NUL)")
    try:
        program = _ENVIRONMENT.compile(text)
    except RuntimeError as error:
        found = _WORDS.search(str(error))
        where = f"at character {found.group(2)}: " if found and found.group(2) != "-1" else ""
        words = re.split(r" \(in container| expecting \{", found.group(3))[0] if found else _shorten(str(error))
        raise ExpressionError(where + words) from error
    return Expression(text, program, loops > 0, bool(_ASKS_FOR_EMPTY.search(text)))


def _shorten(words: str) -> str:
    """Return the library's words without its codes and on one line."""
    text = re.sub(r"^[A-Z_]+: ", "", " ".join(words.split()))
    return re.sub(r" \[[A-Z_]+\]$", "", text)[:300]


def _clean(text: str) -> str:
    return text.encode("utf-8", "ignore").decode().replace("\0", "")


def _check_size(value: Any, most: int, what: str) -> None:
    parts = value if isinstance(value, list) else [value]
    if len(parts) > MAX_LIST:
        raise ExpressionError(f"{what} is a list of {len(parts)}; {MAX_LIST} are allowed")
    texts = [part for part in parts if isinstance(part, str)]
    if (length := sum(map(len, texts))) > most:
        raise ExpressionError(f"{what} has {length} characters; {most} are allowed")
    if any(_clean(text) != text for text in texts):
        raise ExpressionError(f"{what} has a character that cannot be used (NUL, or half of a pair)")


def _limited(text: str) -> str:
    if len(text) > _MAX_BETWEEN:
        raise ExpressionError(f"a text of {len(text)} characters came up; {_MAX_BETWEEN} are allowed")
    return text


def _replace(text: str, old: str, new: str) -> str:
    if not old:
        raise ExpressionError("replace: what is to be replaced is empty")
    grown = len(text) + text.count(old) * (len(new) - len(old))
    if grown > _MAX_BETWEEN:
        raise ExpressionError(f"replace: a text of {grown} characters came up; {_MAX_BETWEEN} are allowed")
    return text.replace(old, new)


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    if len(text) > _MAX_PATTERN:
        raise ExpressionError(f"regexReplace: the pattern has {len(text)} characters; {_MAX_PATTERN} are allowed")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        words = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ExpressionError(f"regexReplace: the pattern is wrong: {words}") from error


def _regex_replace(text: str, pattern: str, new: str) -> str:
    r"""Replace every match; `\\1` to `\\9` in the replacement are the pattern's groups."""
    found = _pattern(pattern)
    if (len(text) + 1) * (len(new) + 1) > 64 * _MAX_BETWEEN:
        raise ExpressionError("regexReplace: the replacement is too long for a text of this length")
    try:
        return _limited(found.sub(new, text))
    except (re2.error, IndexError) as error:
        raise ExpressionError(f"regexReplace: the replacement {new} names a group that the pattern has not") from error


def _split(text: str, separator: str) -> list[str]:
    if not separator:
        raise ExpressionError("split: the separator is empty")
    parts = text.split(separator)
    if len(parts) > MAX_LIST:
        raise ExpressionError(f"split: {len(parts)} parts came up; {MAX_LIST} are allowed")
    return parts


def _as_text(part: Any) -> str:
    if part is None:
        return ""
    if isinstance(part, bool):
        return "true" if part else "false"
    if isinstance(part, float) and part.is_integer():
        return str(int(part))
    return str(part)


def _join(parts: Any, separator: str) -> str:
    return _limited(separator.join(text for part in _plain(parts) if (text := _as_text(part))))


def _plain(values: Any) -> list[Any]:
    return [each.plain_value() if hasattr(each, "plain_value") else each for each in values]


def _template(text: str, values: Any) -> str:
    known = {str(name): _as_text(*_plain([each])) for name, each in dict(values).items()}

    def named(found: re.Match[str]) -> str:
        if found.group(1) not in known:
            raise ExpressionError(f"template: {found.group(0)} is not given; given are {', '.join(sorted(known))}")
        return known[found.group(1)]

    if len(text) + sum(len(known.get(name, "")) for name in _PLACE.findall(text)) > _MAX_BETWEEN:
        raise ExpressionError(f"template: the text gets longer than {_MAX_BETWEEN} characters")
    return _PLACE.sub(named, text)


def _scale(number: float, factor: float) -> float:
    return round(float(number) * float(factor), 9)


def _round(number: float, digits: int) -> float:
    if not 0 <= digits <= 9:
        raise ExpressionError("round: from 0 to 9 digits")
    return round(float(number), digits)


_S, _N, _I, _L, _NULL = cel.Type.STRING, cel.Type.DOUBLE, cel.Type.INT, cel.Type.LIST, cel.Type.NULL


def _function(name: str, result: Any, takes: tuple[Any, ...], does: Callable[..., Any]) -> Any:
    """Declare a function that can be called both ways: `lower(value)` and `value.lower()`."""
    return [
        cel.Overload(
            f"{name}_{'_'.join(t.name().lower() for t in takes)}_{how}", result, list(takes), how == "of", does
        )
        for how in ("fn", "of")
    ]


def _functions() -> list[Any]:
    either = [_S, _N, _I, _L, cel.Type.BOOL]
    declared: dict[str, list[Any]] = {
        "lower": _function("lower", _S, (_S,), str.lower),
        "upper": _function("upper", _S, (_S,), str.upper),
        "trim": _function("trim", _S, (_S,), str.strip),
        "replace": _function("replace", _S, (_S, _S, _S), _replace),
        "regexReplace": _function("regexReplace", _S, (_S, _S, _S), _regex_replace),
        "split": _function("split", cel.Type.List(_S), (_S, _S), _split),
        "join": _function("join", _S, (_L, _S), _join),
        "prefix": _function("prefix", _S, (_S, _S), lambda text, head: text if text.startswith(head) else head + text),
        "unprefix": _function("unprefix", _S, (_S, _S), lambda text, head: text.removeprefix(head)),
        "template": _function("template", _S, (_S, cel.Type.MAP), _template),
        "scale": [o for n in (_N, _I) for f in (_N, _I) for o in _function("scale", _N, (n, f), _scale)],
        "round": [o for n in (_N, _I) for o in _function("round", _N, (n, _I), _round)],
        "default": [
            o
            for given in (_NULL, *either)
            for other in either
            for o in _function("default", cel.Type.DYN, (given, other), _default)
        ],
    }
    return [cel.FunctionDecl(name, overloads) for name, overloads in declared.items()]


def _default(given: Any, other: Any) -> Any:
    return other if given is None or given == "" or (isinstance(given, list) and not given) else given


_ENVIRONMENT: Final = cel.NewEnv(
    variables={"value": cel.Type.DYN, "item": cel.Type.Map(cel.Type.STRING, cel.Type.STRING)},
    functions=_functions(),
)
