"""What people wrote stays what they wrote, between the real services: sets by element, texts word by word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.jira.site import ADA_EMAIL
from shared.domain.ids import Side
from shared.domain.mapping import Policy
from shared.messages.status import DisplayState
from tests.simulation.stage import CALM_S, Pair, Stage, between_real_services, on_stage


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all nodes of a document of Jira's, in the order in which they are read."""
    yield tree
    for child in tree.get("content", ()):
        yield from nodes(child)


def words(tree: Any) -> str:
    """Return the words of a document of Jira's."""
    return "".join(node.get("text", "") for node in nodes(tree))


def test_a_label_that_jira_writes_in_another_way_keeps_its_name() -> None:
    async def story(pair: Pair) -> None:
        pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], labels=["Needs design"])
        await asyncio.sleep(CALM_S)
        assert pair.show(Side.JIRA, pair.ids[Side.JIRA], "labels") == ["Needs_design"]
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], labels=["Needs_design", "beta"])
        await asyncio.sleep(CALM_S)
        assert sorted(pair.show(Side.CRAFT, pair.ids[Side.CRAFT], "labels")) == ["Needs design", "beta"]

    between_real_services(Policy.ASK, story)


def test_a_label_that_the_mapping_leaves_out_stays_where_it_is() -> None:
    async def story(pair: Pair) -> None:
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], labels=["triage-done", "api"])
        await asyncio.sleep(CALM_S)
        assert pair.show(Side.CRAFT, pair.ids[Side.CRAFT], "labels") == ["api"]
        pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], labels=["api", "beta"])
        await asyncio.sleep(CALM_S)
        assert sorted(pair.show(Side.JIRA, pair.ids[Side.JIRA], "labels")) == ["api", "beta", "triage-done"]

    mapped = {"to_craft": "value.filter(x, !x.startsWith('triage'))", "to_jira": "value"}
    between_real_services(Policy.ASK, story, {"labels": mapped})


@pytest.mark.parametrize("policy", list(Policy))
def test_labels_that_are_added_on_both_sides_at_once_are_all_on_both(policy: Policy) -> None:
    async def story(pair: Pair) -> None:
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], labels=["there"])
        await asyncio.sleep(CALM_S)
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], labels=["there", "by_jira"])
        pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], labels=["there", "by_craft"])
        await asyncio.sleep(2 * CALM_S)
        for side in Side:
            assert sorted(pair.show(side, pair.ids[side], "labels")) == ["by_craft", "by_jira", "there"]
        assert (await pair.status())[0] is DisplayState.IN_SYNC

    between_real_services(policy, story)


def test_words_in_angle_brackets_cross_and_come_back() -> None:
    async def story(stage: Stage) -> None:
        text = "First call <script>, mail Ann <ann@x.example>, then go to <region>."
        item = stage.create(Side.CRAFT, "Plain", description=text)
        await asyncio.sleep(CALM_S)
        issue = stage.link_of(item).jira_id
        assert issue is not None
        shown = stage.show(Side.JIRA, issue, "description")
        assert words(shown) == text
        more = {"type": "paragraph", "content": [{"type": "text", "text": "And rest."}]}
        stage.edit(Side.JIRA, issue, description={**shown, "content": [*shown["content"], more]})
        await asyncio.sleep(CALM_S)
        there = stage.show(Side.CRAFT, item, "description").replace("&lt;", "<").replace("&gt;", ">")
        for part in (text, "And rest."):
            assert part in there

    on_stage(story)


def test_an_address_with_brackets_is_a_link_to_the_whole_of_it() -> None:
    async def story(stage: Stage) -> None:
        address = "https://en.wikipedia.org/wiki/Kafka_(software)"
        item = stage.create(Side.CRAFT, "Linked", description=f"<p>see {address} now</p>")
        await asyncio.sleep(CALM_S)
        issue = stage.link_of(item).jira_id
        assert issue is not None
        shown = stage.show(Side.JIRA, issue, "description")
        links = [mark for node in nodes(shown) for mark in node.get("marks", ()) if mark["type"] == "link"]
        assert words(shown) == f"see {address} now"
        assert all(mark["attrs"]["href"] == address for mark in links)

    on_stage(story)


def document(*content: Any) -> dict[str, Any]:
    """Return a document of one paragraph."""
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": list(content)}]}


def test_a_card_without_an_address_stands_between_its_words_after_an_edit_of_them() -> None:
    card = {"type": "inlineCard", "attrs": {"data": {"@type": "Document", "name": "Plan"}}}

    async def story(pair: Pair) -> None:
        see, please = {"type": "text", "text": "see "}, {"type": "text", "text": " please"}
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], description=document(see, card, please))
        await asyncio.sleep(CALM_S)
        there = pair.show(Side.CRAFT, pair.ids[Side.CRAFT], "description")
        assert "see" in there
        assert "please" in there
        pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], description=there.replace("please", "please, Ann"))
        await asyncio.sleep(CALM_S)
        shown = pair.show(Side.JIRA, pair.ids[Side.JIRA], "description")
        kinds = [(node["type"], node.get("text")) for node in nodes(shown) if node["type"] in ("text", "inlineCard")]
        assert kinds[1][0] == "inlineCard", kinds
        assert str(kinds[0][1]).startswith("see")
        assert "please, Ann" in str(kinds[2][1])

    between_real_services(Policy.ASK, story)


def test_a_file_that_jira_shows_stays_when_the_text_beside_it_is_edited_in_craft() -> None:
    file = {
        "type": "mediaSingle",
        "attrs": {"layout": "center"},
        "content": [{"type": "media", "attrs": {"type": "file", "id": "f-1", "collection": "c"}}],
    }

    async def story(pair: Pair) -> None:
        held = document({"type": "text", "text": "look"})
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], description={**held, "content": [*held["content"], file]})
        await asyncio.sleep(CALM_S)
        for text in ("<p>look here</p>", "<p>all new</p>"):
            pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], description=text)
            await asyncio.sleep(CALM_S)
            shown = pair.show(Side.JIRA, pair.ids[Side.JIRA], "description")
            assert [node["attrs"]["id"] for node in nodes(shown) if node["type"] == "media"] == ["f-1"]
            assert text[3:-4] in words(shown)

    between_real_services(Policy.ASK, story)


def test_an_assignee_who_is_nobody_on_the_other_side_takes_no_known_persons_place() -> None:
    async def story(pair: Pair) -> None:
        users = pair.world.craft.account.users.values()
        ben = next(user for user in users if user.name.startswith("Ben"))
        pair.edit(Side.JIRA, pair.ids[Side.JIRA], assignee=ADA_EMAIL)
        await asyncio.sleep(CALM_S)
        pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], assignee={"id": ben.id, "team": "Web"})
        await asyncio.sleep(CALM_S)
        assert pair.show(Side.CRAFT, pair.ids[Side.CRAFT], "assignee")["id"] == ben.id
        issue = pair.show(Side.JIRA, pair.ids[Side.JIRA], "assignee")
        assert issue is not None
        assert issue["displayName"].startswith("Ada")
        state, words = await pair.status()
        assert state is DisplayState.BLOCKED
        assert "Ben" in words
        assert "was not found in Jira" in words
        assert "Ada" in words

    assignee = {"id": "assignee", "kind": "user", "jira": "assignee", "craft": "assignee"}
    between_real_services(Policy.ASK, story, {"assignee": assignee})
