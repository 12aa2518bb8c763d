"""People across the two systems: who is who, by table, else by e-mail, else the pair's fallback. Pure.

A person's normal form: the account id (Jira Cloud), `{name, key}` (Jira Data Center), `{id, team}` (Craft.io), None for
nobody. The directory comes as data (`People`), as the links of parents do: the mapper looks up just those whom a link
shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.domain.ids import ConnectionId, Side
from shared.domain.kinds import Shape
from shared.domain.link import Json
from shared.domain.mapping import FieldPair
from shared.domain.person import Person, distinct


def identities(person: Json) -> tuple[str, ...]:
    """Return what a person may be called: the id; on Data Center the name, then the key. Empty for nobody."""
    if isinstance(person, str):
        return (person,) if person else ()
    if not isinstance(person, Mapping):
        return ()
    found = [person.get(part) for part in ("id", "name", "key")]
    return tuple(each for each in found if isinstance(each, str) and each)


def same_person(left: Json, right: Json) -> bool:
    """Tell whether two values of one side are the same person, whichever team Craft.io shows with them.

    Data Center: by name; by key where one of them comes from a changelog, which tells the key alone.
    """
    ours, theirs = identities(left), identities(right)
    if not ours or not theirs:
        return not ours and not theirs
    named = isinstance(left, Mapping) and isinstance(right, Mapping) and "name" in left and "name" in right
    return ours[0] == theirs[0] if named else bool(set(ours) & set(theirs))


@dataclass(frozen=True, slots=True)
class People:
    """What the directory knows of the people at hand. E-mail addresses are lower case."""

    emails: Mapping[tuple[Side, str], str] = field(default_factory=dict)
    """(side, account id) to the e-mail address, where one is known."""
    accounts: Mapping[tuple[Side, str], str] = field(default_factory=dict)
    """(side, e-mail address) to the one active account there with that address."""
    teams: Mapping[str, str] = field(default_factory=dict)
    """Craft.io user id to the team that they were last seen in."""

    def across(self, pair: FieldPair, source: Side, person: Json) -> tuple[Json, bool]:
        """Return who a person is on the other side, and whether they were found: else it is the fallback."""
        names = identities(person)
        if not names:
            return self._nobody(pair, source)
        target = source.other
        for entry in pair.values:
            ours, theirs = (entry.jira, entry.craft) if source is Side.JIRA else (entry.craft, entry.jira)
            if ours is not None and ours in names:
                return self.value(pair, target, theirs), True
        for name in names:
            account = self.accounts.get((target, self.emails.get((source, name), "")))
            if account is not None:
                return self.value(pair, target, account), True
        fallback = pair.fallback
        stand_in = None if fallback is None else fallback.craft if target is Side.CRAFT else fallback.jira
        return self.value(pair, target, stand_in), False

    def _nobody(self, pair: FieldPair, source: Side) -> tuple[Json, bool]:
        """Nobody is nobody, unless the table says who stands for it."""
        for entry in pair.values:
            ours, theirs = (entry.jira, entry.craft) if source is Side.JIRA else (entry.craft, entry.jira)
            if ours is None:
                return self.value(pair, source.other, theirs), True
        return None, True

    def value(self, pair: FieldPair, side: Side, ident: str | None) -> Json:
        """Return the normal form of an account of one side."""
        if ident is None:
            return None
        if side is Side.CRAFT:
            return {"id": ident, "team": self.teams.get(ident, "")}
        return {"name": ident} if pair.shape_on(side) is Shape.USERNAME else ident


NO_PEOPLE = People()


def directory_of(found: Iterable[Person], sides: Mapping[ConnectionId, Side]) -> People:
    """Return what is known of these people. An address that several active accounts of a side have finds nobody."""
    emails: dict[tuple[Side, str], str] = {}
    holders: dict[tuple[Side, str], set[str]] = {}
    teams: dict[str, str] = {}
    for person in distinct(found):
        side = sides.get(person.connection_id)
        if side is None:
            continue
        if person.email is not None:
            emails[side, person.account_id] = person.email
            if person.active:
                holders.setdefault((side, person.email), set()).add(person.account_id)
        if side is Side.CRAFT and person.team is not None:
            teams[person.account_id] = person.team
    accounts = {key: next(iter(who)) for key, who in holders.items() if len(who) == 1}
    return People(emails, accounts, teams)


def asked_about(pair: FieldPair, shown: Mapping[Side, Iterable[Json]]) -> dict[Side, set[str]]:
    """Return the accounts that have to be looked up to carry these people of each side over."""
    wanted: dict[Side, set[str]] = {side: {name for one in shown[side] for name in identities(one)} for side in Side}
    for entry in pair.values:
        if entry.jira in wanted[Side.JIRA] and entry.craft is not None:
            wanted[Side.CRAFT].add(entry.craft)
    if pair.fallback is not None and pair.fallback.craft is not None:
        wanted[Side.CRAFT].add(pair.fallback.craft)
    return wanted
