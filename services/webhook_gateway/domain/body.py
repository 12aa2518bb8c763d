"""From raw bytes to JSON: takes everything that is JSON, and says what is wrong with anything else. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Final

_MAX_DIGITS: Final = 640
"""Longer whole numbers are kept as the text that they are: Python converts no more than this on any setting."""


@dataclass(frozen=True, slots=True)
class NotJson:
    """Bytes that no JSON reader takes. `words` never repeat the content."""

    words: str


def parse(raw: bytes | bytearray) -> Any | NotJson:
    """Return the JSON value of a body (UTF-8, -16 or -32), or what is wrong with it. Never raises.

    Whole numbers keep all digits. Numbers that no float holds stay text, so that they are neither null nor infinite. Of
    keys that come twice the last one counts.
    """
    if not raw:
        return NotJson("the body is empty; in Jira, switch off 'Exclude body' for this webhook")
    try:
        return json.loads(raw, parse_int=_whole, parse_float=_real, parse_constant=_refuse)
    except RecursionError:
        return NotJson("the body is nested too deeply")
    except UnicodeDecodeError:
        return NotJson("the body is not text in UTF-8, UTF-16 or UTF-32")
    except json.JSONDecodeError as error:
        return NotJson(f"the body is not JSON: {error.msg} at character {error.pos}")
    except ValueError as error:
        return NotJson(f"the body is not JSON: {error}")


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _MAX_DIGITS else text


def _real(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
