"""What a webhook is proven with has to be hard to guess, and has to arrive as it was saved. Pure.

Asked when a secret is saved, and of those that were saved before: these keep working, and are named.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

LEAST_LENGTH: Final = 16
_LEAST_DIFFERENT: Final = 6
_LEAST_PERIOD: Final = 8
_URL_SAFE: Final = re.compile(r"[A-Za-z0-9._~-]*")
_MAKE_ONE: Final = "make a random one, for example with `openssl rand -hex 32`"


def weakness(secret: str) -> str | None:
    """Return why a webhook's secret or token is no secret, in words that follow its name; None if it may be one."""
    if secret != secret.strip() or not secret.isprintable():
        return "begins or ends with a blank or holds a character that nobody sees; paste it again"
    if len(secret) < LEAST_LENGTH:
        return f"is shorter than {LEAST_LENGTH} characters, which can be guessed; {_MAKE_ONE}"
    if len(set(secret)) < _LEAST_DIFFERENT or _period(secret) < _LEAST_PERIOD or _runs(secret):
        return f"repeats itself or follows a pattern, which can be guessed; {_MAKE_ONE}"
    return None


def misfit(token: str) -> str | None:
    """Return why a token cannot stand in a URL as it is, in words that follow its name; None if it can."""
    odd = sorted(set(_URL_SAFE.sub("", token)))
    if not odd:
        return None
    shown = " ".join(each if each.isprintable() and not each.isspace() else "blank" for each in odd)
    return f"may have letters, digits and - . _ ~ only: a URL changes or ends at {shown}; {_MAKE_ONE}"


def _period(text: str) -> int:
    """Return after how many characters a text repeats itself, its length if it does not."""
    return next(step for step in range(1, len(text) + 1) if text[step:] == text[:-step])


def _runs(text: str) -> bool:
    """Tell whether most characters are the neighbour of the one before: 0123…, abcd…, zyxw…."""
    near = sum(abs(ord(one) - ord(other)) <= 1 for one, other in itertools.pairwise(text))
    return near * 2 > len(text)
