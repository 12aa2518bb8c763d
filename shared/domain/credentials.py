"""What every token, key and secret that people give us must be like, wherever it is typed, stored or read from a file.

Called at each edge that takes one: settings, the command line, the console's API, the vendor clients. Pure.
"""

from __future__ import annotations

from typing import Final

CONTROL_WORDS: Final = (
    "holds a line end or another control character inside, which no HTTP header takes; copy it anew, on one line"
)


def one_line(secret: str) -> str:
    """Return a secret without the white space around it, such as the line end of a file, a Windows one too.

    Raises ValueError, whose words never repeat the secret, if a control character is left inside.
    """
    trimmed = secret.strip()
    if not fits_header(trimmed):
        raise ValueError(CONTROL_WORDS)
    return trimmed


def fits_header(value: str) -> bool:
    """Tell whether a text may be the value of an HTTP header (RFC 9110, section 5.5: no control character)."""
    return not any(character < " " or character == "\x7f" for character in value)
