"""How single values are shown: as JSON that every reader takes, and by the names that people know. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

_EXACT = 2**53


def shown(value: Any) -> Any:
    """Return JSON that every reader takes: no NaN or infinity (null instead), no number beyond 2^53 (a string
    instead).
    """
    match value:
        case bool():
            return value
        case int():
            return value if -_EXACT < value < _EXACT else str(value)
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(key): shown(each) for key, each in value.items()}
        case list() | tuple():
            return [shown(each) for each in value]
        case _:
            return value


def named(value: Any, name_of: Callable[[str], str | None]) -> Any:
    """Return the name of a value that is an id, or those of a list; None if none is known."""
    if isinstance(value, list):
        found = [name_of(str(each)) for each in value]
        return [name or each for name, each in zip(found, value, strict=True)] if any(found) else None
    ident = value.get("id", value.get("name")) if isinstance(value, dict) else value
    return name_of(str(ident)) if isinstance(ident, str) else None
