"""What vendors say when they do not do what they are asked, between the real services: people are told, and nobody else
waits.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.domain.ids import EntityId, Side
from shared.domain.link import LinkState
from shared.domain.mapping import Policy
from shared.messages.status import Cause, DisplayState
from tests.simulation.stage import CALM_S, Pair, Stage, between_real_services, on_stage

ISSUES = "/rest/api/3/issue"
FEW_SECONDS = 15.0
"""In virtual time: three tries of one value, and the write of another."""


def answer(method: str, path: str, status: int, body: Any = None, **more: Any) -> dict[str, Any]:
    """Return a rule: Jira answers this instead of doing what it is asked."""
    rule = {"method": method, "path": path, "effect": "status", "status": status, "who": "http://jira.sim"}
    return {**rule, **({} if body is None else {"body": body}), **more}


def refusal(words: str = "", **errors: str) -> dict[str, Any]:
    """Return Jira's body of a refusal."""
    return {"errorMessages": [words] if words else [], "errors": errors}


async def until_shown(stage: Stage, side: Side, entity_id: EntityId, name: str, value: Any) -> float:
    """Return how long it takes until a person sees a value."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while stage.show(side, entity_id, name) != value:
        assert loop.time() < began + 600, f"{value!r} does not arrive"
        await asyncio.sleep(0.05)
    return loop.time() - began


@pytest.mark.parametrize("policy", list(Policy))
def test_a_text_too_long_for_a_create_stays_and_is_said(policy: Policy) -> None:
    async def story(stage: Stage) -> None:
        text = f"<p>{'x' * 40_000}</p>"
        item = stage.create(Side.CRAFT, "A long one", description=text)
        await asyncio.sleep(2 * CALM_S)
        assert stage.link_of(item).state is LinkState.ACTIVE
        assert "x" * 40_000 in stage.show(Side.CRAFT, item, "description")
        told = await stage.told(item)
        assert (told.state, told.cause) == (DisplayState.BLOCKED, Cause.REJECTED)
        assert "too long" in told.message
        assert "32,767 characters" in told.message

    on_stage(story, policy, {"description": {"policy": policy}})


def test_a_create_without_a_refused_field_blocks_that_field_with_jiras_words() -> None:
    async def story(stage: Stage) -> None:
        words = "The priority selected is invalid."
        stage.faults(answer("POST", ISSUES, 400, refusal(priority=words), next=1))
        item = stage.create(Side.CRAFT, "Important", importance="Must have")
        await asyncio.sleep(CALM_S)
        told = await stage.told(item)
        assert (told.state, told.cause) == (DisplayState.BLOCKED, Cause.REJECTED)
        assert words in told.message
        assert stage.show(Side.CRAFT, item, "importance")["name"] == "Must have"

    on_stage(story)


def test_a_create_that_is_refused_once_more_without_a_field_says_both() -> None:
    async def story(stage: Stage) -> None:
        stage.faults(
            answer("POST", ISSUES, 400, refusal(Labels="expected Object"), next=1),
            answer("POST", ISSUES, 400, refusal("The project is archived."), next=1),
        )
        item = stage.create(Side.CRAFT, "Labelled", labels=["api"])
        await asyncio.sleep(CALM_S)
        told = await stage.told(item)
        assert told.state is DisplayState.EXCLUDED
        assert "expected Object" in told.message
        assert "The project is archived." in told.message

    on_stage(story)


def test_a_field_that_jira_names_as_people_see_it_is_left_out_alone() -> None:
    async def story(stage: Stage) -> None:
        stage.faults(answer("POST", ISSUES, 400, refusal(Labels="expected Object"), next=1))
        item = stage.create(Side.CRAFT, "Labelled", labels=["api"])
        await asyncio.sleep(CALM_S)
        told = await stage.told(item)
        assert stage.link_of(item).state is LinkState.ACTIVE
        assert (told.state, told.cause) == (DisplayState.BLOCKED, Cause.REJECTED)
        assert "expected Object" in told.message
        assert stage.show(Side.CRAFT, item, "labels") == ["api"]

    on_stage(story)


def test_one_issue_that_refuses_us_slows_no_other_down() -> None:
    async def story(pair: Pair) -> None:
        other = pair.create(Side.CRAFT, "bystander")
        await asyncio.sleep(CALM_S)
        issue = pair.link_of(other).jira_id
        assert issue is not None

        async def rounds(name: str) -> list[float]:
            took = []
            for number in range(6):
                pair.entitle(Side.CRAFT, f"{name} A {number}")
                await asyncio.sleep(1.0)
                pair.edit(Side.CRAFT, other, title=f"{name} B {number}")
                took.append(await until_shown(pair, Side.JIRA, issue, "summary", f"{name} B {number}"))
                await asyncio.sleep(5.0)
            return took

        before = await rounds("well")
        broken = f"{ISSUES}/{pair.ids[Side.JIRA]}"
        pair.faults(answer("PUT", broken, 401, refusal("Login Required")))
        during = await rounds("refused")
        assert max(during) <= max(before) + 1.0, (before, during)
        state, words = await pair.status()
        assert state is not DisplayState.IN_SYNC
        assert "Login Required" in words or "401" in words, words

    between_real_services(Policy.ASK, story)


def test_what_was_sent_while_a_sign_on_page_answered_arrives_afterwards() -> None:
    async def story(pair: Pair) -> None:
        pair.faults(answer("*", "*", 302, headers={"Location": "https://sso.example/login"}))
        pair.entitle(Side.CRAFT, "edited meanwhile")
        item = pair.create(Side.CRAFT, "created meanwhile")
        await asyncio.sleep(12.0)
        pair.faults()
        await until_shown(pair, Side.JIRA, pair.ids[Side.JIRA], "summary", "edited meanwhile")
        loop = asyncio.get_running_loop()
        began = loop.time()
        while pair.link_of(item).jira_id is None:
            assert loop.time() < began + 300.0, await pair.told(item)
            await asyncio.sleep(1.0)
        await asyncio.sleep(3 * CALM_S)
        for each in (pair.ids[Side.CRAFT], item):
            assert (await pair.told(each)).state is DisplayState.IN_SYNC

    between_real_services(Policy.ASK, story)


def test_a_value_at_which_jira_always_breaks_is_named_and_holds_nothing_else_up() -> None:
    async def story(pair: Pair) -> None:
        pair.faults(answer("PUT", f"{ISSUES}/*", 500, refusal("Internal server error"), contains="poison"))
        pair.entitle(Side.CRAFT, "poison")
        await asyncio.sleep(2.0)
        for label in ("first", "again"):
            began = asyncio.get_running_loop().time()
            pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], labels=[label])
            assert "500" in (await pair.status())[1]
            await until_shown(pair, Side.JIRA, pair.ids[Side.JIRA], "labels", [label])
            assert asyncio.get_running_loop().time() - began < FEW_SECONDS
            sent = pair.calls(Side.JIRA, "PUT")
            while label == "first" and pair.calls(Side.JIRA, "PUT") == sent:
                await asyncio.sleep(1.0)
        await asyncio.sleep(FEW_SECONDS)
        state, words = await pair.status()
        assert state is DisplayState.BLOCKED
        assert "500" in words, words
        assert pair.title(Side.CRAFT) == "poison"
        before = pair.calls(Side.JIRA, "PUT")
        await asyncio.sleep(600.0)
        assert pair.calls(Side.JIRA, "PUT") - before < 20

    between_real_services(Policy.ASK, story)


def test_an_edit_that_a_write_replaced_is_put_back_once_jira_takes_it() -> None:
    """Under way at the same moment, refused when it is to be restored: it stays in sight, and is tried again."""
    ours, theirs = "from Craft.io", "by a person"

    async def story(pair: Pair) -> None:
        issue = pair.ids[Side.JIRA]
        pair.entitle(Side.CRAFT, ours)
        while (await pair.state(), pair.open_to(Side.JIRA)) != (LinkState.ACTIVE, True):
            await asyncio.sleep(0.01)
        pair.faults(answer("PUT", f"{ISSUES}/*", 400, refusal("The workflow does not allow it."), contains="person"))
        pair.entitle(Side.JIRA, theirs)
        await asyncio.sleep(CALM_S)
        assert pair.title(Side.JIRA) == ours
        told = await pair.told(issue)
        assert (told.state, told.cause) == (DisplayState.BLOCKED, Cause.REJECTED)
        assert "The workflow does not allow it." in told.message
        assert "put back" in told.message
        assert "tried again" in (told.next_step or "")
        pair.edit(Side.CRAFT, pair.ids[Side.CRAFT], description="<p>another field</p>")
        await asyncio.sleep(CALM_S)
        assert (await pair.status())[0] is DisplayState.BLOCKED, "what else happens does not hide it"
        kept = [line for line in pair.history() if line.value == theirs]
        assert len(kept) == 1
        pair.faults()
        await until_shown(pair, Side.JIRA, issue, "summary", theirs)
        await until_shown(pair, Side.CRAFT, pair.ids[Side.CRAFT], "title", theirs)
        await asyncio.sleep(CALM_S)
        assert (await pair.status())[0] is DisplayState.IN_SYNC

    between_real_services(Policy.JIRA, story)


def test_a_wait_of_a_day_is_cut_short_and_said() -> None:
    async def story(pair: Pair) -> None:
        pair.faults(answer("PUT", f"{ISSUES}/*", 429, next=1, retry_after_s=86_400))
        pair.entitle(Side.CRAFT, "after the limit")
        await asyncio.sleep(CALM_S)
        told = await pair.told(pair.ids[Side.CRAFT])
        assert told.state is DisplayState.PENDING
        assert "429" in told.message or "slow" in told.message or "limit" in told.message, told.message
        assert told.next_step
        await until_shown_within_an_hour(pair)

    async def until_shown_within_an_hour(pair: Pair) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while pair.title(Side.JIRA) != "after the limit":
            assert loop.time() < began + 3_600
            await asyncio.sleep(5.0)

    between_real_services(Policy.ASK, story)


def test_a_search_that_brings_the_same_page_again_ends() -> None:
    async def story(pair: Pair) -> None:
        endless = {"issues": [], "nextPageToken": "same"}
        before = pair.calls(Side.JIRA, "POST", "/search")
        pair.faults(answer("POST", "*/search/jql", 200, endless))
        await asyncio.sleep(300.0)
        assert pair.calls(Side.JIRA, "POST", "/search") - before < 100
        pair.entitle(Side.CRAFT, "goes on")
        await until_shown(pair, Side.JIRA, pair.ids[Side.JIRA], "summary", "goes on")

    between_real_services(Policy.ASK, story)


def test_a_title_too_long_for_jira_says_how_long_it_may_be() -> None:
    async def story(stage: Stage) -> None:
        item = stage.create(Side.CRAFT, "T" * 256)
        await asyncio.sleep(CALM_S)
        told = await stage.told(item)
        assert told.state is DisplayState.EXCLUDED
        assert "at most 255 characters" in told.message
        assert told.next_step

    on_stage(story)


def test_a_title_that_becomes_too_long_says_so_too() -> None:
    async def story(pair: Pair) -> None:
        pair.entitle(Side.CRAFT, "T" * 256)
        await asyncio.sleep(CALM_S)
        state, words = await pair.status()
        assert state is DisplayState.BLOCKED
        assert "at most 255 characters" in words
        assert pair.title(Side.CRAFT) == "T" * 256

    between_real_services(Policy.ASK, story)


def test_a_refusal_without_words_for_people_is_explained() -> None:
    async def story(stage: Stage) -> None:
        stage.faults(answer("POST", ISSUES, 400, refusal("INVALID_INPUT")))
        item = stage.create(Side.CRAFT, "Refused")
        await asyncio.sleep(CALM_S)
        told = await stage.told(item)
        assert told.state is DisplayState.EXCLUDED
        assert "does not say which field" in told.message
        assert told.next_step

    on_stage(story)


def test_an_issue_that_our_account_may_not_see_for_a_while_is_not_deleted() -> None:
    async def story(pair: Pair) -> None:
        missing = refusal("Issue does not exist or you do not have permission to see it.")
        pair.faults(answer("*", f"{ISSUES}/{pair.ids[Side.JIRA]}*", 404, missing))
        pair.entitle(Side.CRAFT, "meanwhile")
        await asyncio.sleep(2 * CALM_S)
        told = await pair.told(pair.ids[Side.CRAFT])
        assert (told.state, told.cause) == (DisplayState.ABSENT, Cause.HIDDEN)
        assert "was deleted" not in told.message
        pair.faults()
        await until_shown(pair, Side.JIRA, pair.ids[Side.JIRA], "summary", "meanwhile")
        await asyncio.sleep(CALM_S)
        assert (await pair.status())[0] is DisplayState.IN_SYNC

    between_real_services(Policy.ASK, story)
