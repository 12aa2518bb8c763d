"""Items of the stand-in of Craft.io: ids, creation, update, what cannot be written, parents, deletion, keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.craft.person import RefusedError
from sandbox.craft.settings import ADA_KEY, SYNC_KEY, WriteLimit
from sandbox.kit.site import SiteRequest
from tests.sandbox.craft.account import Account


def test_ids_are_digits_that_a_float_cannot_tell_apart() -> None:
    account = Account()
    first, second = account.new()[1]["id"], account.new()[1]["id"]
    assert first != second
    assert first.isdigit()
    assert float(first) == float(second)
    assert int(first) > 2**53


def test_the_same_seed_gives_the_same_ids_and_another_seed_others() -> None:
    assert Account(seed=1).new()[1] == Account(seed=1).new()[1]
    assert Account(seed=1).new()[1]["id"] != Account(seed=2).new()[1]["id"]


def test_a_new_item_has_its_creator_its_times_a_short_id_and_an_open_status() -> None:
    account = Account()
    _, item = account.new()
    assert item["createdBy"]["name"] == "Tandem Sync"
    assert item["creationTime"] == item["updateTime"] == "2026-03-04T05:06:07.891Z"
    assert item["shortId"] == "CRK-20091"
    assert item["status"]["name"] == "Open"
    assert account.new()[1]["shortId"] == "CRK-20092"


@pytest.mark.parametrize("missing", ["type", "workspaceId", "title", "parent"])
def test_a_create_without_a_required_property_is_refused_by_its_name(missing: str) -> None:
    account = Account()
    body = {"type": "epic", "workspaceId": account.workspace.id, "title": "t", "parent": None}
    del body[missing]
    status, answer = account.ask("POST", "/item", body)
    assert status == 400
    assert missing in answer["message"]
    assert account.listed() == []


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    account = Account()
    _, before = account.new(storyPoints=3, labels=["a"], description="<p>x</p>")
    account.later(seconds=1)
    status, after = account.put(before["id"], title="Other")
    assert status == 200
    assert after == account.read(before["id"])
    assert after == {**before, "title": "Other", "updateTime": "2026-03-04T05:06:08.891Z"}


def test_custom_fields_change_one_by_one_and_show_an_options_label() -> None:
    account = Account()
    area, customer = account.workspace.custom_field("Area"), account.workspace.custom_field("Customer")
    _, item = account.new(customFields=[{"id": customer.id, "value": "Acme"}])
    account.put(item["id"], customFields=[{"id": area.id, "value": area.option_id("Mobile")}])
    shown = {each["name"]: (each["value"], each.get("label")) for each in account.read(item["id"])["customFields"]}
    assert shown == {"Customer": ("Acme", None), "Area": (area.option_id("Mobile"), "Mobile")}
    account.put(item["id"], customFields=[{"id": customer.id, "value": None}])
    assert [each["name"] for each in account.read(item["id"])["customFields"]] == ["Area"]


@pytest.mark.parametrize(
    "name", ["type", "workspaceId", "shortId", "devToolKey", "dependencies", "createdBy", "nonsense"]
)
def test_what_is_not_writable_is_refused_as_unknown_with_details_and_nothing_is_done(name: str) -> None:
    account = Account()
    _, item = account.new()
    status, answer = account.put(item["id"], title="Other", **{name: "x"})
    assert status == 400
    assert set(answer) == {"message", "details"}
    assert "excess property" in answer["details"][f"requestBody.{name}"]["message"]
    assert account.read(item["id"]) == item


def test_null_empties_what_may_be_null_and_a_number_only_where_the_account_takes_it() -> None:
    account = Account()
    _, item = account.new(storyPoints=3, description="x", importance={"id": account.workspace.importances[0].id})
    _, item = account.put(item["id"], description=None, importance=None)
    assert (item["description"], item["importance"]) == (None, None)
    assert account.put(item["id"], storyPoints=None)[0] == 400
    assert account.read(item["id"])["storyPoints"] == 3
    account.site.configure(accepts_null_numbers=True)
    assert "storyPoints" not in account.put(item["id"], storyPoints=None)[1]


def test_a_person_can_empty_a_number_in_the_web_application() -> None:
    account = Account()
    item = account.ada.create_item(type="epic", title="t", storyPoints=3)
    assert "storyPoints" not in account.ada.edit(item["id"], storyPoints=None)


def test_a_person_converts_an_item_in_the_web_application_where_it_fits_between_others_and_no_key_does() -> None:
    account = Account()
    _, epic = account.new(type="epic")
    _, feature = account.new(type="feature", parent={"id": epic["id"]})
    assert account.ask("PUT", "/item", {"id": feature["id"], "type": "story"})[0] == 400
    assert account.ada.edit(feature["id"], type="story")["type"] == "story"
    with pytest.raises(RefusedError):
        account.ada.edit(feature["id"], type="product")
    assert account.ada.read(feature["id"])["type"] == "story"


@pytest.mark.parametrize(
    ("parent", "child", "good"),
    [
        ("product", "epic", True),
        ("epic", "feature", True),
        ("feature", "story", True),
        ("epic", "story", True),
        ("epic", "epic", False),
        ("story", "feature", False),
        ("feature", "product", False),
    ],
)
def test_a_parent_is_of_a_higher_level(parent: str, child: str, *, good: bool) -> None:
    account = Account()
    _, above = account.new(type=parent)
    status, answer = account.new(type=child, parent={"id": above["id"]})
    assert status == (200 if good else 400)
    if good:
        assert answer["parent"]["shortId"] == above["shortId"]


def test_where_the_account_wants_it_a_parent_is_exactly_one_level_above() -> None:
    account = Account(adjacent_parents_only=True)
    _, epic = account.new(type="epic")
    assert account.new(type="story", parent={"id": epic["id"]})[0] == 400
    assert account.new(type="feature", parent={"id": epic["id"]})[0] == 200


def test_a_parent_must_exist_in_the_same_workspace() -> None:
    account = Account()
    other = account.site.seed_workspace("Other")
    _, elsewhere = account.new(workspaceId=other.id)
    assert account.new(type="feature", parent={"id": elsewhere["id"]})[0] == 400
    assert account.new(type="feature", parent={"id": "1"})[0] == 400


def test_deleting_an_item_deletes_what_is_below_it_and_reads_answer_404() -> None:
    account = Account()
    _, epic = account.new()
    _, feature = account.new(type="feature", parent={"id": epic["id"]})
    account.new(title="other")
    assert account.ask("DELETE", f"/item/{epic['id']}")[0] == 200
    assert account.ask("GET", f"/item/{epic['id']}")[0] == 404
    assert account.ask("GET", f"/item/{feature['id']}")[0] == 404
    assert account.put(feature["id"], title="x")[0] == 404
    assert account.listed() == ["other"]
    assert account.site.state()["deleted"] == [feature["id"], epic["id"]]


def test_the_same_create_twice_makes_two_items() -> None:
    account = Account()
    assert account.new()[1]["id"] != account.new()[1]["id"]
    assert len(account.listed()) == 2


def test_without_fields_a_read_shows_a_few_properties_and_with_fields_those() -> None:
    account = Account()
    _, item = account.new(storyPoints=3)
    assert "storyPoints" not in account.ask("GET", f"/item/{item['id']}")[1]
    query = [("fields", "title, storyPoints,unknown")]
    assert account.ask("GET", f"/item/{item['id']}", query=query)[1] == {
        "id": item["id"],
        "title": "An epic",
        "storyPoints": 3,
    }


def test_a_flat_item_names_what_a_nested_one_holds() -> None:
    account = Account()
    _, epic = account.new()
    area = account.workspace.custom_field("Area")
    option = area.option_id("Web")
    _, item = account.new(type="story", parent={"id": epic["id"]}, customFields=[{"id": area.id, "value": option}])
    _, flat = account.ask("GET", f"/item/{item['id']}/flat", query=[("fields", "all")])
    assert (flat["parent_id"], flat["parent_name"]) == (epic["id"], "An epic")
    assert flat["status_name"] == "Open"
    assert flat[f"custom_{area.id}"] == option
    assert not any(isinstance(value, dict) for value in flat.values())


def test_a_revoked_key_is_401_until_it_is_restored_and_other_keys_go_on() -> None:
    account = Account()
    account.site.revoke_token(SYNC_KEY.key)
    account.site.revoke_token(SYNC_KEY.key)
    assert account.ask("GET", "/me/api-key")[0] == 401
    assert account.ask("GET", "/me/api-key", key=ADA_KEY.key)[0] == 200
    account.site.restore_token(SYNC_KEY.key)
    assert account.ask("GET", "/me/api-key")[0] == 200
    with pytest.raises(KeyError):
        account.site.revoke_token("never was one")


def test_a_key_tells_whose_it_is() -> None:
    account = Account()
    _, me = account.ask("GET", "/me/api-key")
    _, item = account.new()
    assert me["userId"] == item["createdBy"]["id"]
    assert me["accountId"] == account.site.account.id
    request = SiteRequest("GET", "/me/api-key", headers={"x-api-key": SYNC_KEY.key})
    assert account.site.who(request) == "Tandem Sync"
    assert account.site.who(SiteRequest("GET", "/")) == ""


def test_a_write_limit_answers_429_with_the_wait_and_lets_reads_through() -> None:
    account = Account(write_limit=WriteLimit(writes=2, per_s=10))
    _, item = account.new()
    account.later(seconds=4)
    assert account.put(item["id"], title="x")[0] == 200
    answer = account.site.handle(
        SiteRequest("DELETE", f"/item/{item['id']}", headers={"x-api-key": SYNC_KEY.key}),
    )
    assert (answer.status, answer.headers["retry-after"]) == (429, "6")
    assert account.read(item["id"])["title"] == "x"
    account.later(seconds=6)
    assert account.put(item["id"], title="y")[0] == 200


def test_a_target_that_normalises_trims_text() -> None:
    account = Account(trims_text=True)
    customer = account.workspace.custom_field("Customer")
    _, item = account.new(title=" a ", description=" b ", customFields=[{"id": customer.id, "value": " c "}])
    assert (item["title"], item["description"], item["customFields"][0]["value"]) == ("a", "b", "c")


def test_a_person_names_statuses_and_options_by_their_words() -> None:
    account = Account()
    item = account.ada.create_item(type="epic", title="t", customFields={"Area": "Web", "Reach": 2.5})
    item = account.ada.edit(item["id"], status="Done", importance="Must have", customFields={"Customer": "Acme"})
    assert (item["status"]["name"], item["importance"]["name"]) == ("Done", "Must have")
    custom = {each["name"]: each.get("label", each["value"]) for each in item["customFields"]}
    assert custom == {"Area": "Web", "Reach": "2.5", "Customer": "Acme"}
    assert item["createdBy"]["name"] == "Ada Example"
    with pytest.raises(RefusedError, match="404"):
        account.ada.edit("1", title="x")
    account.ada.delete(item["id"])
    with pytest.raises(RefusedError, match="404"):
        account.ada.read(item["id"])


def test_the_state_holds_every_item_whole() -> None:
    account = Account()
    _, item = account.new(storyPoints=5)
    state = account.site.state()
    assert state["items"] == [item]
    assert json.loads(json.dumps(state)) == state


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
REFERENCES = ("id", "type", "workspaceId", "parent", "status", "initiativeId", "quarter", "assignee", "personas")
PLAIN = (
    "title",
    "description",
    "storyPoints",
    "labels",
    "actualStartDate",
    "customFields",
    "outIn",
    "kano",
    "surprise",
)
PROPERTIES = st.sampled_from(REFERENCES + PLAIN)


@settings(max_examples=300)
@given(st.dictionaries(PROPERTIES, JSON_VALUES) | JSON_VALUES, st.sampled_from(["POST", "PUT"]))
def test_no_body_is_more_than_a_400_and_none_harms_the_item(body: Any, method: str) -> None:
    account = Account()
    _, item = account.new()
    if isinstance(body, dict) and method == "PUT":
        body = {"id": item["id"], **body}
    status, answer = account.ask(method, "/item", json.dumps(body).encode())
    assert status in {200, 400, 403, 404}
    assert status == 200 or answer["message"]
    if status != 200:
        assert account.read(item["id"]) == item


@settings(max_examples=200)
@given(st.binary(max_size=200), st.text(max_size=30), st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", ""]))
def test_no_bytes_and_no_path_make_the_site_raise(body: bytes, path: str, method: str) -> None:
    account = Account()
    request = SiteRequest(method, "/" + path, (("page", path),), {"x-api-key": SYNC_KEY.key}, body)
    assert account.site.handle(request).status in {200, 400, 403, 404}


def test_a_property_may_be_taken_with_a_good_answer_and_left_alone_but_not_from_people() -> None:
    account = Account(ignored_fields=("title",))
    _, item = account.new(labels=["a"])
    status, after = account.put(item["id"], title="Other", labels=["b"])
    assert (status, after["title"], after["labels"]) == (200, item["title"], ["b"])
    account.site.person(ADA_KEY.key).edit(item["id"], title="By Ada")
    assert account.read(item["id"])["title"] == "By Ada"
