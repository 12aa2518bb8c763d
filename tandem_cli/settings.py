"""Where the console is and who we are there: from the environment, the token also from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.domain.credentials import one_line

URL: Final = "TANDEM_CONSOLE_URL"
TOKEN: Final = "TANDEM_CONSOLE_TOKEN"  # noqa: S105  # the name of a variable
TOKEN_FILE: Final = f"{TOKEN}_FILE"
SETTINGS: Final = (
    (URL, "The address of the console, such as `https://tandem.example`.", False),
    (TOKEN, "The admin's token of the console.", True),
)
"""Variable, what it is for, whether it is a secret."""


class NotSet(Exception):
    """The environment does not say how to reach the console."""


@dataclass(frozen=True, slots=True)
class ConsoleAccess:
    """How to reach the console."""

    url: str
    token: str = field(repr=False)


def console_access(environment: Mapping[str, str]) -> ConsoleAccess:
    """Return how to reach the console. Raises `NotSet`."""
    url = environment.get(URL, "").strip()
    if not url.startswith(("http://", "https://")):
        raise NotSet(f"{URL} must be the address of the console, such as https://tandem.example")
    return ConsoleAccess(url, _token(environment))


def _token(environment: Mapping[str, str]) -> str:
    token, path = environment.get(TOKEN), environment.get(TOKEN_FILE)
    if token and path:
        raise NotSet(f"{TOKEN} and {TOKEN_FILE} are both set; keep one of them")
    if path:
        try:
            token = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotSet(f"{TOKEN_FILE} names a file that cannot be read: {error}") from error
    if not token or not token.strip():
        raise NotSet(f"{TOKEN} (or {TOKEN_FILE}) must be the admin's token of the console")
    try:
        return one_line(token)
    except ValueError as error:
        raise NotSet(f"{TOKEN_FILE if path else TOKEN} {error}") from error
