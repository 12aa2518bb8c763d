"""The report of people who are shown on one side and were not found on the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from services.console.domain.views import View
from shared.domain.ids import IntegrationId, PairId, Side
from shared.domain.mapping import FieldKind, FieldPair, Integration
from shared.domain.person import Person
from shared.fields.people import People, asked_about, identities
from shared.store.people import ShownPerson


class Account(View):
    """An account of one side, as far as it is known."""

    account_id: str
    name: str | None = None
    email: str | None = None


class UnmatchedPerson(View):
    """Somebody whom items show and who is not found on the other side."""

    side: Side = Field(description="The side that shows them.")
    person: Account
    pair: PairId
    field: str
    items: int = Field(description="How many linked items show them.")
    instead: Account | None = Field(description="Who stands in on the other side; null: nobody, it is left empty.")
    next_step: str


class PeopleReport(View):
    """Who is shown in an integration's fields of people, and who of them was not found on the other side."""

    integration_id: IntegrationId
    shown: int = Field(description="How many people are shown, each counted once for a side and field.")
    unmatched: list[UnmatchedPerson] = Field(description="Those on most items first.")


def accounts_of(integration: Integration, shown: Sequence[ShownPerson]) -> dict[Side, set[str]]:
    """Return the accounts that have to be looked up for the report."""
    wanted: dict[Side, set[str]] = {side: set() for side in Side}
    for pair in people_pairs(integration):
        values = {side: [one.value for one in shown if one.pair == pair.id and one.side is side] for side in Side}
        for side, accounts in asked_about(pair, values).items():
            wanted[side] |= accounts
        if pair.fallback is not None and pair.fallback.jira is not None:
            wanted[Side.JIRA].add(pair.fallback.jira)
    return wanted


def people_pairs(integration: Integration) -> list[FieldPair]:
    """Return the pairs that hold people."""
    return [pair for pair in integration.pairs if pair.kind is FieldKind.USER]


def report(
    integration: Integration,
    shown: Sequence[ShownPerson],
    people: People,
    known: Mapping[tuple[Side, str], Person],
) -> PeopleReport:
    """Return who was not found. Only who would be carried over counts: a pair of one way has one side."""
    unmatched: list[UnmatchedPerson] = []
    for pair in people_pairs(integration):
        for one in shown:
            if one.pair != pair.id or not _carried(pair, one.side):
                continue
            over, found = people.across(pair, one.side, one.value)
            if not found:
                unmatched.append(_unmatched(pair, one, over, known))
    unmatched.sort(key=lambda each: (-each.items, each.side, each.person.account_id, each.pair))
    return PeopleReport(integration_id=integration.id, shown=len(shown), unmatched=unmatched)


def _carried(pair: FieldPair, side: Side) -> bool:
    return pair.direction == "once" or pair.direction.carries_to(side.other)


def _unmatched(
    pair: FieldPair, one: ShownPerson, over: object, known: Mapping[tuple[Side, str], Person]
) -> UnmatchedPerson:
    target = one.side.other
    return UnmatchedPerson(
        side=one.side,
        person=_account(one.side, one.value, known) or Account(account_id=""),
        pair=pair.id,
        field=pair.called(one.side),
        items=one.items,
        instead=_account(target, over, known),
        next_step=(
            f"Add them to the value map of the pair {pair.id} with their account in {target.vendor}, or give both "
            "accounts the same e-mail address."
        ),
    )


def _account(side: Side, value: object, known: Mapping[tuple[Side, str], Person]) -> Account | None:
    names = identities(value)
    if not names:
        return None
    person = next((known[side, name] for name in names if (side, name) in known), None)
    return Account(account_id=names[0], name=person.name if person else None, email=person.email if person else None)
