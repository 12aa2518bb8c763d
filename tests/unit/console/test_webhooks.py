"""What an admin learns of webhooks: that they are refused and why, and which secrets are none."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from deploy.local import scene
from services.console.domain.webhooks import REFUSALS
from services.webhook_gateway.domain.verify import RefusedBecause
from shared.domain.arrivals import Arrivals
from shared.domain.webhook_secret import misfit, weakness
from tests.unit.console.harness import HOOK_SECRET, URL_TOKEN, Desk, desk, jira_draft, stored_secrets, with_connections

JIRA = f"/connections/{scene.JIRA}"


@pytest.mark.parametrize(
    "secret",
    ["x", "short-Secret-15", "u" * 40, "ab" * 20, "abcdefabcdefabcdefabcdef", "0123456789abcdef", "zyxwvutsrqponmlkj"],
)
async def test_a_secret_that_can_be_guessed_is_refused_in_words_and_not_shown(secret: str) -> None:
    async with desk() as admin:
        await with_connections(admin)
        for name, value, path in (("webhook_secrets", [HOOK_SECRET, secret], "[1]"), ("url_token", secret, "")):
            status, body = await admin.call("PUT", JIRA, jira_draft(revision=1, secrets={name: value}))
            assert status == 422
            assert body["problems"][0]["path"] == f"secrets.{name}{path}"
            assert "can be guessed; make a random one" in body["message"]
            assert len(secret) < 5 or secret not in json.dumps(body)
        stored = await stored_secrets(admin, scene.JIRA)
        assert stored is not None
        assert stored.webhook_secrets == (HOOK_SECRET,)


@pytest.mark.parametrize("odd", ["+", "&", "#", "%", " ", "/", "=", "?", "é", '"'])
async def test_a_token_that_a_url_would_change_is_refused_and_the_character_named(odd: str) -> None:
    async with desk() as admin:
        await with_connections(admin)
        token = f"{URL_TOKEN[:8]}{odd}{URL_TOKEN[8:]}"
        status, body = await admin.call("PUT", JIRA, jira_draft(revision=1, secrets={"url_token": token}))
    assert (status, body["problems"][0]["path"]) == (422, "secrets.url_token")
    assert ("blank" if odd == " " else odd) in body["message"]


@pytest.mark.parametrize(
    "secret",
    ["8f14e45fceea167a5a36dedd4bea2543", "QmFzZTY0LXRva2VuLTEyMw==", "It's a Secret to Everybody", URL_TOKEN],
)
def test_random_secrets_of_any_making_are_taken(secret: str) -> None:
    assert weakness(secret) is None


async def test_what_was_saved_before_keeps_working_and_is_named() -> None:
    async with desk() as admin:
        await with_connections(admin)
        old = await stored_secrets(admin, scene.JIRA)
        connection = next(c for c in await admin.world.store.connections() if c.id == scene.JIRA)
        assert old is not None
        weak = old.model_copy(update={"webhook_secrets": ("x",), "url_token": "a+b"})
        await admin.world.store.save_connection(connection, weak, 1, "admin", admin.world.clock.now())
        shown = await admin.get(JIRA)
        assert len(shown["warnings"]) == 2
        assert "shorter than 16 characters" in shown["warnings"][0]
        assert "+" in shown["warnings"][1]
        status, body = await admin.call("PUT", JIRA, jira_draft(revision=2, name="Renamed", secrets=None))
        assert (status, len(body["warnings"])) == (200, 2)
        assert (await admin.get(f"/connections/{scene.CRAFT}"))["warnings"] == []


async def _shown(admin: Desk, **arrivals: Any) -> dict[str, Any]:
    await admin.world.store.report_arrivals([Arrivals(scene.JIRA, **arrivals)])
    found: dict[str, Any] = (await admin.get(JIRA))["webhooks"]
    return found


async def test_the_status_of_a_connection_says_that_webhooks_are_refused_since_when_and_why() -> None:
    async with desk() as admin:
        await with_connections(admin)
        now, minute = admin.world.clock.now(), timedelta(minutes=1)
        assert (await admin.get(JIRA))["webhooks"]["message"] == "No webhook has arrived yet."
        shown = await _shown(admin, accepted_at=now - 9 * minute)
        assert shown["message"].startswith("Webhooks arrive")
        assert (shown["refused_since"], shown["next_step"]) == (None, None)
        shown = await _shown(admin, refused_since=now - minute, refused_at=now, because="bad_signature")
        assert shown["message"] == (
            f"Webhooks arrive but are refused since {now - minute:%Y-%m-%d %H:%M} UTC, "
            "because their signature fits none of the connection's webhook secrets. "
            f"The last good one came before {now - minute:%Y-%m-%d %H:%M} UTC."
        )
        assert "same secret" in shown["next_step"]
        # All connections have it, and one good webhook ends it.
        listed = await admin.get("/connections")
        assert [each["webhooks"]["because"] for each in listed["connections"]] == [None, "bad_signature"]
        assert (await _shown(admin, accepted_at=now + minute))["refused_since"] is None


def test_every_refusal_of_the_gateway_has_words_and_a_next_step() -> None:
    others = {"not_json", "too_large", "unpacks_too_large", "packing_not_supported", "broken_packing"}
    assert {str(because) for because in RefusedBecause} | others == set(REFUSALS)


def test_a_fit_token_is_what_a_query_gives_back() -> None:
    assert misfit(URL_TOKEN) is None
    assert misfit("") is None


async def test_silence_says_since_when_what_to_click_and_goes_when_a_webhook_arrives() -> None:
    async with desk() as admin:
        await with_connections(admin)
        now, minute = admin.world.clock.now(), timedelta(minutes=1)
        await admin.world.store.report_silence(scene.JIRA, now - 8 * minute)
        shown = (await admin.get(JIRA))["webhooks"]
        assert shown["message"].startswith("No webhook has ever arrived, although issues have changed since ")
        shown = await _shown(admin, accepted_at=now - 9 * minute)
        assert shown["message"].startswith(
            f"No webhook has arrived since {now - 9 * minute:%Y-%m-%d %H:%M} UTC, although issues have changed since "
        )
        assert "Settings > System > WebHooks" in shown["next_step"]
        assert f"/webhooks/jira/{scene.JIRA}" in shown["next_step"]
        shown = await _shown(admin, accepted_at=now)
        assert (shown["silent_since"], shown["next_step"]) == (None, None)
        assert shown["message"].startswith("Webhooks arrive")


async def test_webhooks_that_are_refused_are_not_called_silent() -> None:
    async with desk() as admin:
        await with_connections(admin)
        now = admin.world.clock.now()
        await admin.world.store.report_silence(scene.JIRA, now)
        shown = await _shown(admin, refused_since=now, refused_at=now, because="bad_token")
        assert "are refused since" in shown["message"]


async def test_a_silence_that_is_over_leaves_a_connection_that_never_had_webhooks_as_it_was() -> None:
    async with desk() as admin:
        await with_connections(admin)
        await admin.world.store.report_silence(scene.JIRA, None)
        assert (await admin.get(JIRA))["webhooks"]["message"] == "No webhook has arrived yet."
