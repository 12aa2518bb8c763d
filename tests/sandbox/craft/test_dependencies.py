"""Dependencies in the stand-in of Craft.io: set by people, shown on both items, written by no key."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.craft.person import RefusedError
from tests.sandbox.craft.account import Account


def shown(account: Account, item: str) -> list[tuple[str, str]]:
    return [(each["value"], each["id"]) for each in account.read(item)["dependencies"]]


def depend(account: Account, item: str, **others: list[str]) -> None:
    """Have a person set all that an item depends on."""
    entries = [{"id": other, "value": relation} for relation, ids in others.items() for other in ids]
    account.ada.edit(item, dependencies=entries)


def test_a_dependency_shows_on_both_items_and_moves_the_time_of_both() -> None:
    account = Account()
    one, other = account.new(title="One")[1]["id"], account.new(title="Other")[1]["id"]
    account.later(seconds=5)
    depend(account, one, blocks=[other])
    assert (shown(account, one), shown(account, other)) == ([("blocks", other)], [("blocked by", one)])
    assert account.read(one)["updateTime"] == account.read(other)["updateTime"] == "2026-03-04T05:06:12.891Z"
    assert account.read(one)["dependencies"][0]["name"] == "Other"
    account.ada.edit(one, title="One, renamed")
    depend(account, other, related=[one])
    assert (shown(account, one), shown(account, other)) == ([("related", other)], [("related", one)])
    depend(account, one)
    assert (shown(account, one), shown(account, other)) == ([], [])


def test_a_dependency_goes_with_the_item_at_its_other_end() -> None:
    account = Account()
    one, other = account.new()[1]["id"], account.new()[1]["id"]
    depend(account, one, blocks=[other])
    account.ada.delete(other)
    assert shown(account, one) == []


@pytest.mark.parametrize("wanted", [[{"id": "1", "value": "blocks"}], [{"value": "blocks"}], ["x"]])
def test_what_is_no_dependency_is_refused_and_nothing_is_done(wanted: list[Any]) -> None:
    account = Account()
    item = account.new()[1]
    with pytest.raises(RefusedError):
        account.ada.edit(item["id"], dependencies=wanted)
    assert account.read(item["id"]) == item


def test_a_key_cannot_write_them_and_an_item_on_itself_is_none() -> None:
    account = Account()
    one, other = account.new()[1]["id"], account.new()[1]["id"]
    assert account.put(one, dependencies=[{"id": other, "value": "blocks"}])[0] == 400
    with pytest.raises(RefusedError):
        depend(account, one, blocks=[one])
    assert shown(account, one) == []
