"""Whose fault a refusal is: the pairs that a vendor names, by the id of their field or as it shows it. Pure; used by
both writers' hands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from shared.clients.errors import Rejected
from shared.domain.ids import PairId, Side
from shared.domain.mapping import FieldPair

_FIELD: Final = re.compile(r"""\bfield ['"]([^'"]{1,100})['"]""", re.IGNORECASE)
_SIGNS: Final = re.compile(r"[\W_]+")


def named(side: Side, sent: Iterable[FieldPair], error: Rejected) -> dict[PairId, str]:
    """Return the vendor's words by pair; empty if it named none of those that were sent.

    Names are compared without signs and capital letters: `duedate` is "Due date", and `fixVersions` "Fix versions".
    Where no field is named beside the words, one that they speak of counts ("Field 'labels' cannot be set").
    """
    by_name = {_plain(name): words for name, words in error.field_errors.items()}
    pairs = tuple(sent)
    found = _of(side, pairs, by_name)
    if found or by_name:
        return found
    return _of(side, pairs, {_plain(name): error.message for name in _FIELD.findall(error.message)})


def _of(side: Side, pairs: Iterable[FieldPair], by_name: Mapping[str, str]) -> dict[PairId, str]:
    names = {pair.id: (_plain(pair.name_on(side)), _plain(pair.called(side))) for pair in pairs}
    return {
        pair: next(by_name[name] for name in known if name in by_name)
        for pair, known in names.items()
        if any(name in by_name for name in known)
    }


def _plain(name: str) -> str:
    """Return a name as it is compared; ids of custom fields keep their number, so that none is taken for another."""
    return _SIGNS.sub("", name).casefold()
