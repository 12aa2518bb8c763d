"""What must not stand in a sentence for product managers."""

from __future__ import annotations

import re
from typing import Final

_TECHNICAL: Final = re.compile(
    r"\brevision\b|\blink [0-9a-z]{6,}|\boperation\b|\bpair\b|\bvalue map\b|\bdigest\b|\bbase\b|\bsnapshot\b|"
    r"\b[a-z]+_[a-z_]+\b|\b[0-9]{11,}\b|\b[0-9a-f]{8}-[0-9a-f]{4}|\b(?=[0-9a-z]*[0-9])(?=[0-9a-z]*[a-z])[0-9a-z]{20,}\b"
    r"|\bcustomfield|\bNone\b|[{}]"
)
"""Words of the protocol, names of code, long ids, placeholders that nobody filled in."""


def technical(words: str) -> list[str]:
    """Return what product managers would not understand."""
    return [found[0] for found in _TECHNICAL.finditer(words)]
