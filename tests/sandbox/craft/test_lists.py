"""Lists of the stand-in of Craft.io: filters, pages, order, and what shows late. The change feed stands on these."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sandbox.craft.account import Account


def _several(account: Account, count: int) -> list[str]:
    """Create items a second apart and return their ids."""
    ids = []
    for number in range(count):
        ids.append(account.new(title=f"item {number}")[1]["id"])
        account.later(seconds=1)
    return ids


def test_pages_run_from_1_with_50_items_and_say_how_many_there_are() -> None:
    account = Account()
    _several(account, 120)
    path = f"/workspace/{account.workspace.id}/items"
    _, first = account.ask("GET", path)
    assert first["metadata"] == {"currentPage": 1, "perPage": 50, "totalPages": 3, "totalRecords": 120}
    _, last = account.ask("GET", path, query=[("page", "3")])
    assert [len(page["items"]) for page in (first, last)] == [50, 20]
    _, beyond = account.ask("GET", path, query=[("page", "4")])
    assert (beyond["items"], beyond["metadata"]["totalPages"]) == ([], 3)
    _, wide = account.ask("GET", path, query=[("limit", "1000")])
    assert (len(wide["items"]), wide["metadata"]["perPage"]) == (100, 100)


def test_an_edit_moves_an_item_to_the_end_so_that_a_page_can_skip_another_one() -> None:
    account = Account()
    ids = _several(account, 4)
    assert account.listed(("limit", "2")) == ["item 0", "item 1"]
    account.put(ids[0], title="item 0")
    assert account.listed(("limit", "2"), ("page", "2")) == ["item 3", "item 0"]


def test_in_the_order_of_creation_an_edit_moves_nothing() -> None:
    account = Account(list_order="created")
    ids = _several(account, 3)
    account.put(ids[0], title="first")
    assert account.listed() == ["first", "item 1", "item 2"]


def test_time_filters_take_both_ends_in() -> None:
    account = Account()
    ids = _several(account, 3)
    account.put(ids[0], title="edited")
    assert account.listed(("updated_from", "2026-03-04T05:06:08.891Z")) == ["item 1", "item 2", "edited"]
    assert account.listed(("updated_from", "2026-03-04T05:06:08.892Z")) == ["item 2", "edited"]
    assert account.listed(("updated_to", "2026-03-04T05:06:08.891Z")) == ["item 1"]
    assert account.listed(("created_to", "2026-03-04T05:06:07.891+00:00")) == ["edited"]
    assert account.listed(("created_from", "2026-03-04T06:06:09.891+01:00")) == ["item 2"]


def test_filters_narrow_together() -> None:
    account = Account()
    _, epic = account.new(
        title="Checkout", labels=["web", "q1"], importance={"id": account.workspace.importances[0].id}
    )
    _, feature = account.new(type="feature", title="Pay by card", parent={"id": epic["id"]}, labels=["web"])
    account.ada.create_item(type="story", title="Form", description="<p>a card form</p>", parent=feature["id"])
    assert account.listed(("type", "feature,story")) == ["Pay by card", "Form"]
    assert account.listed(("parents", epic["id"])) == ["Pay by card"]
    assert account.listed(("labels", "web")) == ["Checkout", "Pay by card"]
    assert account.listed(("labels", "web"), ("type", "epic")) == ["Checkout"]
    assert account.listed(("keyword", "CARD")) == ["Pay by card", "Form"]
    assert account.listed(("shortId", epic["shortId"])) == ["Checkout"]
    assert account.listed(("importance", "Must have")) == ["Checkout"]
    assert account.listed(("status", account.workspace.status_id("Open"))) == ["Checkout", "Pay by card", "Form"]
    assert account.listed(("createdBy", epic["createdBy"]["id"])) == ["Checkout", "Pay by card"]


def test_a_keyword_of_one_character_is_ignored_and_a_short_id_among_parents_gives_nothing() -> None:
    account = Account()
    _, epic = account.new(title="Checkout")
    account.new(type="feature", title="Pay", parent={"id": epic["id"]})
    assert account.listed(("keyword", "x")) == ["Checkout", "Pay"]
    assert account.listed(("parents", epic["shortId"])) == []


def test_a_workspace_lists_only_its_own() -> None:
    account = Account()
    other = account.site.seed_workspace("Other")
    account.new(title="here")
    account.new(title="there", workspaceId=other.id)
    assert account.listed() == ["here"]


def test_with_a_lag_a_write_shows_late_in_lists_and_at_once_by_id() -> None:
    account = Account(visibility_lag=timedelta(seconds=10))
    _, item = account.new(title="before")
    assert account.listed() == []
    assert account.read(item["id"])["title"] == "before"
    account.later(seconds=10)
    assert account.listed() == ["before"]
    account.put(item["id"], title="after")
    assert account.listed() == ["before"]
    assert account.read(item["id"])["title"] == "after"
    account.later(seconds=10)
    assert account.listed() == ["after"]
    account.ask("DELETE", f"/item/{item['id']}")
    assert account.listed() == ["after"]
    account.later(seconds=10)
    assert account.listed() == []


def test_with_a_lag_a_later_write_can_show_before_an_earlier_one() -> None:
    """PROTOCOL F22: a cursor at the newest item seen would lose the earlier one."""
    overtaken = False
    for seed in range(20):
        account = Account(seed=seed, visibility_lag=timedelta(seconds=10))
        account.new(title="earlier")
        account.later(seconds=1)
        account.new(title="later")
        for _ in range(12):
            overtaken = overtaken or account.listed() == ["later"]
            account.later(seconds=1)
        assert account.listed() == ["earlier", "later"]
    assert overtaken


def test_without_lag_nothing_vanishes_when_the_clock_steps_back() -> None:
    account = Account()
    _several(account, 2)
    account.later(hours=-1)
    assert account.listed() == ["item 0", "item 1"]


def test_a_lag_that_is_taken_away_leaves_nothing_hidden_for_good() -> None:
    account = Account(visibility_lag=timedelta(seconds=10))
    _, item = account.new(title="a")
    account.site.configure(visibility_lag=timedelta(0))
    account.put(item["id"], title="b")
    assert account.listed() == ["b"]


def test_under_a_coarse_clock_several_edits_share_their_time() -> None:
    account = Account(clock_step=timedelta(seconds=1))
    _, item = account.new()
    account.later(milliseconds=50)
    _, edited = account.put(item["id"], title="x")
    assert edited["updateTime"] == item["updateTime"] == "2026-03-04T05:06:07.000Z"


def test_custom_fields_tell_their_options_when_asked() -> None:
    account = Account()
    path = f"/workspace/{account.workspace.id}/custom_fields"
    _, plain = account.ask("GET", path)
    _, whole = account.ask("GET", path, query=[("includeOptions", "true")])
    area = account.workspace.custom_field("Area")
    assert [field["type"] for field in plain] == ["text", "text", "number", "dropdown"]
    assert "options" not in plain[3]
    assert whole[3]["options"][0] == {"id": area.option_id("Web"), "label": "Web"}
    account.site.configure(lists_system_fields=True)
    _, more = account.ask("GET", path, query=[("includeOptions", "true")])
    assert [field["name"] for field in more[4:]] == ["Status", "Importance"]


def test_terminology_tells_the_words_of_a_workspace_by_the_default_terms() -> None:
    account = Account()
    renamed = account.site.account.seed_workspace("Renamed", terminology={"feature": ("Capability", "Capabilities")})
    _, terms = account.ask("GET", f"/workspace/{renamed.id}/terminology")
    assert terms["feature"]["customSingle"] == "Capability"
    assert terms["story"] == {
        "category": "item",
        "default": "story",
        "customSingle": "Story",
        "customPlural": "Stories",
    }


@pytest.mark.parametrize("query", [("page", "0"), ("page", "-1"), ("limit", "ten"), ("created_to", "now")])
def test_a_query_that_cannot_be_read_is_400(query: tuple[str, str]) -> None:
    account = Account()
    status, answer = account.ask("GET", f"/workspace/{account.workspace.id}/items", query=[query])
    assert status == 400
    assert query[0] in answer["message"]
