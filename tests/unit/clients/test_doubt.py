"""Whose trouble an answer is: one request's, the site's, or the credentials'."""

from __future__ import annotations

import pytest

from shared.clients.errors import BadCredentials, RateLimited, Rejected, Unavailable, VendorError
from shared.clients.holds import LONGEST_HOLD_S
from shared.clients.jira.client import JiraClient
from shared.clients.transport import HttpRequest, HttpResponse
from shared.domain.ids import EntityId, OperationId
from tests.unit.clients.site import CLOCK, Scripted, answer, craft_client, jira_client, on_virtual_time

PAGE = b"<!DOCTYPE html><html><body>Sign in, secret-corp-name</body></html>"
ME = answer(200, {"accountId": "5b1", "displayName": "Tandem"})
ISSUE, OP = EntityId("10001"), OperationId("link:1")
LOGIN = answer(302, PAGE, {"location": "https://sso.internal.example/login?token=abc"})


class BehindDoor:
    """A vendor that tells who we are as `me` says, and answers everything else with `other`."""

    def __init__(self, me: HttpResponse, other: HttpResponse) -> None:
        self.me, self.other = me, other
        self.asked: list[str] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request.url)
        return self.me if request.url.endswith(("/myself", "/me/api-key")) else self.other


async def edit(client: JiraClient) -> None:
    await client.update_issue(ISSUE, {"summary": "x"}, OP, read_fields=())


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (answer(401, {"errorMessages": ["Login Required"]}), "Login Required"),
        (answer(403, PAGE, {"content-type": "text/html; charset=utf-8"}), "403"),
        (answer(413, PAGE), "size"),
        (LOGIN, "redirects"),
    ],
)
@on_virtual_time
async def test_what_only_one_request_meets_is_that_requests_trouble(other: HttpResponse, told: str) -> None:
    vendor = BehindDoor(ME, other)
    client = jira_client(vendor)
    with pytest.raises(Rejected) as caught:
        await edit(client)
    assert told in caught.value.message
    assert "this request alone" in caught.value.message
    vendor.other = answer(404, {})
    with pytest.raises(VendorError) as next_one:
        await client.get_issue(EntityId("10002"), ())
    assert not isinstance(next_one.value, Unavailable), "nothing else is held back"


@pytest.mark.parametrize("door", [LOGIN, answer(403, PAGE), answer(503, PAGE)])
@on_virtual_time
async def test_what_everything_meets_is_the_sites_trouble_and_passes(door: HttpResponse) -> None:
    vendor = BehindDoor(door, LOGIN)
    client = jira_client(vendor)
    with pytest.raises(Unavailable) as caught:
        await edit(client)
    assert caught.value.retry_after_s
    sent = len(vendor.asked)
    with pytest.raises(Unavailable):
        await client.get_issue(ISSUE, ())
    assert len(vendor.asked) == sent, "held back, not sent"
    vendor.me, vendor.other = ME, answer(200, {"id": ISSUE, "fields": {}})
    await client.myself()
    assert (await client.get_issue(ISSUE, ())).entity_id == ISSUE, "who we are is always asked, and ends the hold"


@on_virtual_time
async def test_a_site_in_trouble_is_asked_less_and_less_often() -> None:
    vendor = BehindDoor(LOGIN, LOGIN)
    client = jira_client(vendor)
    waits = []
    for _ in range(8):
        with pytest.raises(Unavailable) as caught:
            await client.get_issue(ISSUE, ())
        waits.append(caught.value.retry_after_s or 0)
        await CLOCK.sleep(waits[-1] + 0.01)
    assert waits[:5] == sorted(waits[:5])
    assert all(45 < each <= 60 for each in waits[6:])


@on_virtual_time
async def test_nothing_that_stands_on_a_foreign_page_or_in_its_address_is_passed_on() -> None:
    for other in (LOGIN, answer(403, PAGE), answer(401, PAGE)):
        for me in (ME, LOGIN):
            with pytest.raises(VendorError) as caught:
                await edit(jira_client(BehindDoor(me, other)))
            assert not [word for word in ("sso.internal", "abc", "secret-corp-name") if word in str(caught.value)]


@on_virtual_time
async def test_a_401_to_everything_is_about_the_credentials() -> None:
    refused = answer(401, {"errorMessages": ["Unauthorized"]})
    with pytest.raises(BadCredentials):
        await edit(jira_client(BehindDoor(refused, refused)))
    with pytest.raises(BadCredentials):
        await craft_client(BehindDoor(refused, refused)).get_item(ISSUE)


@on_virtual_time
async def test_a_refusal_that_names_the_login_is_not_asked_about_again() -> None:
    """Each try with a wrong password brings a Data Center account nearer to its captcha."""
    headers = {"x-seraph-loginreason": "AUTHENTICATED_FAILED"}
    vendor = BehindDoor(ME, answer(401, {}, headers))
    with pytest.raises(BadCredentials):
        await edit(jira_client(vendor))
    assert len(vendor.asked) == 1


@on_virtual_time
async def test_a_401_while_nobody_can_say_who_we_are_accuses_nobody() -> None:
    vendor = BehindDoor(answer(503, {}), answer(401, {}))
    with pytest.raises(Unavailable):
        await edit(jira_client(vendor))


@pytest.mark.parametrize("asked", ["86400", "Tue, 06 Jan 2026 09:00:00 GMT"])
@on_virtual_time
async def test_a_wait_of_a_day_is_said_and_not_kept(asked: str) -> None:
    vendor = Scripted(answer(429, {}, {"retry-after": asked}), answer(200, {"id": ISSUE, "fields": {}}))
    client = jira_client(vendor)
    with pytest.raises(RateLimited) as caught:
        await client.get_issue(ISSUE, ())
    assert caught.value.retry_after_s == LONGEST_HOLD_S
    assert "24 h" in str(caught.value)
    await CLOCK.sleep(LONGEST_HOLD_S * 1.1)
    assert (await client.get_issue(ISSUE, ())).entity_id == ISSUE


@on_virtual_time
async def test_a_503_that_asks_for_a_day_is_not_kept_either() -> None:
    with pytest.raises(Unavailable) as caught:
        await edit(jira_client(Scripted(answer(503, {}, {"retry-after": "86400"}))))
    assert caught.value.retry_after_s == LONGEST_HOLD_S


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errorMessage": "The site is read-only."}, "The site is read-only."),
        ({"type": "about:blank", "title": "Bad Request", "detail": "Field too long."}, "Field too long."),
        ({"title": "Bad Request", "status": 400}, "Bad Request"),
        (["First.", {"message": "Second."}], "First. Second."),
        ({"errors": [{"message": "Not here."}, {"detail": "Nor there."}]}, "Not here. Nor there."),
        ({"error": "invalid", "error_description": "The account is locked."}, "The account is locked."),
        ({"error": {"message": "Quota is used up."}}, "Quota is used up."),
        ({"errorMessages": ["One."], "errors": {"summary": "Two."}}, "One. summary: Two."),
    ],
)
@on_virtual_time
async def test_a_refusal_is_told_in_the_vendors_words_whatever_its_shape(body: object, words: str) -> None:
    with pytest.raises(Rejected) as of_jira:
        await edit(jira_client(Scripted(answer(400, body))))
    assert of_jira.value.message == words
    with pytest.raises(Rejected) as of_craft:
        await craft_client(Scripted(answer(400, body))).whoami()
    assert words.startswith(of_craft.value.message)
