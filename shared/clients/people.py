"""Who is shown in a vendor's JSON: every user of an issue, whoever an item is assigned to or was made by. Pure.

Used by the mapper, which fills the directory of people from what it sees anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.domain.ids import ConnectionId, Side
from shared.domain.person import Person, distinct

_ADDRESS = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,190}\.[^@\s<>,;]+")
_MOST = 50


def people_in(
    side: Side, connection_id: ConnectionId, snapshot: Mapping[str, Any], seen_at: datetime
) -> tuple[Person, ...]:
    """Return the people that a snapshot shows, each once; at most 50."""
    users = _jira(snapshot) if side is Side.JIRA else _craft(snapshot)
    found = [
        Person(connection_id, account, address_of(email), name, active, seen_at, team)
        for account, email, name, active, team in users
    ]
    return tuple(distinct(found)[:_MOST])


def address_of(text: object) -> str | None:
    """Return an e-mail address in lower case, None for what is none."""
    return text.strip().lower() if isinstance(text, str) and _ADDRESS.fullmatch(text.strip()) else None


_User = tuple[str, object, str | None, bool, str | None]


def _jira(issue: Mapping[str, Any]) -> Iterator[_User]:
    """Users are objects with an accountId (Cloud) or a name and a key (Data Center), in any field."""
    fields = issue.get("fields")
    for value in fields.values() if isinstance(fields, Mapping) else ():
        for user in value if isinstance(value, list) else (value,):
            if not isinstance(user, Mapping) or not isinstance(user.get("displayName"), str):
                continue
            account = user.get("accountId") or (user.get("name") if "key" in user else None)
            if isinstance(account, str) and account:
                yield (
                    account,
                    user.get("emailAddress"),
                    user["displayName"] or None,
                    user.get("active") is not False,
                    None,
                )


def _craft(item: Mapping[str, Any]) -> Iterator[_User]:
    """Craft.io shows no addresses; some accounts use them as names, which is as good."""
    for field, called in (("createdBy", "name"), ("assignee", "user")):
        user = item.get(field)
        ident = user.get("id") if isinstance(user, Mapping) else None
        if not isinstance(user, Mapping) or not isinstance(ident, str) or not ident:
            continue
        name, team = user.get(called), user.get("team")
        yield (
            ident,
            name,
            name if isinstance(name, str) and name else None,
            True,
            team if isinstance(team, str) and team else None,
        )
