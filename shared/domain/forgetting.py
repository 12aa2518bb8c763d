"""What a person is called, and texts without it. Pure.

Used by `shared.store.forget`, on the text of whatever is stored: JSON stays JSON, since what is put in is letters,
digits and hyphens only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LEAST_INSIDE: Final = 8
"""An identifier that is shorter is replaced where it is a whole value only: `ada` is part of many words."""
DOMAIN: Final = "forgotten.invalid"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """All that one person is known by."""

    accounts: tuple[tuple[str, str], ...]
    """Connection and account id."""
    emails: tuple[str, ...]
    names: tuple[str, ...]

    def all(self) -> tuple[str, ...]:
        """Return each once, the longest first."""
        found = {*(account for _, account in self.accounts), *self.emails, *self.names}
        return tuple(sorted((each for each in found if each), key=lambda each: (-len(each), each)))


class Eraser:
    """Replaces what a person is called by a pseudonym that says nothing, the same one everywhere."""

    def __init__(self, identifiers: Identifiers, pseudonym: str) -> None:
        self._instead: dict[str, str] = {}
        names = {each.casefold() for each in identifiers.names}
        for number, each in enumerate(identifiers.all(), start=1):
            if "@" in each:
                stands_in = f"{pseudonym}-{number}@{DOMAIN}"
            else:
                stands_in = pseudonym if each.casefold() in names else f"{pseudonym}-{number}"
            for form in _forms(each):
                self._instead.setdefault(form.casefold(), stands_in)
        forms = sorted(self._instead, key=len, reverse=True)
        inside = [re.escape(form) for form in forms if len(form) >= LEAST_INSIDE]
        whole = [rf'(?<=")({re.escape(form)})(?=")' for form in forms if len(form) < LEAST_INSIDE]
        self._pattern = re.compile("|".join([*inside, *whole]), re.IGNORECASE)
        self._alone = {form for form in forms if len(form) < LEAST_INSIDE}

    def json(self, text: str) -> str:
        """Return a JSON text without the person."""
        return self._pattern.sub(lambda found: self._instead[found[0].casefold()], text)

    def plain(self, text: str) -> str:
        """Return a text that is no JSON without the person."""
        if text.casefold() in self._alone:
            return self._instead[text.casefold()]
        return self.json(text)

    def searched(self) -> Iterable[str]:
        """Return what a row has to contain for there to be anything to do; case does not matter."""
        return list(self._instead)


def _forms(identifier: str) -> set[str]:
    """Return how a JSON text may write it, and as it is."""
    return {identifier, *(json.dumps(identifier, ensure_ascii=each)[1:-1] for each in (True, False))}
