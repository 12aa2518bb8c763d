"""Every answer and every failure of a vendor becomes the error that says whether the request took effect."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.jira.site import SYNC_TOKEN
from shared.clients.errors import (
    BadCredentials,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    UnclearEffect,
    Unreachable,
    VendorError,
)
from shared.clients.headers import retry_after, server_date
from shared.clients.jira.client import JiraClient
from shared.clients.transport import HttpResponse, NotSent, Unclear
from shared.domain.errors import Transient
from shared.domain.ids import EntityId, LinkId, OperationId
from tests.unit.clients.site import Scripted, answer, craft_client, data_center_client, jira_client, on_virtual_time

HTML = b"<html><body><h1>Bad gateway</h1></body></html>"
ISSUE, OP, LINK = EntityId("10001"), OperationId("link:1"), LinkId("link")


async def jira_get(vendor: Scripted) -> object:
    return await jira_client(vendor).get_issue(ISSUE, ())


async def jira_put(vendor: Scripted) -> object:
    return await jira_client(vendor).update_issue(ISSUE, {"summary": "x"}, OP, read_fields=())


async def jira_post(vendor: Scripted) -> object:
    return await jira_client(vendor).create_issue("TAN", "10001", {"summary": "x"}, LINK)


async def craft_get(vendor: Scripted) -> object:
    return await craft_client(vendor).get_item(ISSUE)


async def craft_put(vendor: Scripted) -> object:
    return await craft_client(vendor).update_item(ISSUE, {"title": "x"})


async def craft_post(vendor: Scripted) -> object:
    return await craft_client(vendor).create_item({"title": "x"})


READS, PUTS, POSTS = (jira_get, craft_get), (jira_put, craft_put), (jira_post, craft_post)
EVERY = (*READS, *PUTS, *POSTS)


@pytest.mark.parametrize("call", EVERY)
@pytest.mark.parametrize(
    ("given", "raised"),
    [
        (answer(401, {"message": "no"}), BadCredentials),
        (answer(401, HTML), BadCredentials),
        (answer(404, HTML), NotFound),
        (answer(404, {"errorMessages": ["Issue does not exist"]}), NotFound),
        (answer(429, HTML), RateLimited),
        (answer(400, {"errorMessages": ["Bad"], "errors": {}}), Rejected),
        (answer(403, {"message": "Forbidden"}), Rejected),
        (answer(413, HTML), Unavailable),
        (answer(302, b"", {"location": "https://login.example"}), Unavailable),
        (NotSent("refused"), Unreachable),
    ],
)
@on_virtual_time
async def test_answers_that_mean_the_same_for_every_call(
    call: object, given: HttpResponse | Exception, raised: type[VendorError]
) -> None:
    with pytest.raises(raised):
        await call(Scripted(given))  # type: ignore[operator]  # one of EVERY


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize(
    "given",
    [answer(500, HTML), answer(502, HTML), answer(503, HTML), answer(408), Unclear("reset"), answer(200, HTML)],
)
@on_virtual_time
async def test_every_failed_read_is_harmless_and_passes(call: object, given: HttpResponse | Exception) -> None:
    with pytest.raises(Unavailable) as caught:
        await call(Scripted(given))  # type: ignore[operator]  # one of READS
    assert isinstance(caught.value, Transient)


@pytest.mark.parametrize("call", [*PUTS, *POSTS])
@pytest.mark.parametrize(
    "given", [answer(500, HTML), answer(502), answer(504, HTML), answer(408), Unclear("timeout"), answer(200, HTML)]
)
@on_virtual_time
async def test_a_write_that_may_have_been_made_is_never_called_a_failure(
    call: object, given: HttpResponse | Exception
) -> None:
    """F12."""
    with pytest.raises(UnclearEffect) as caught:
        await call(Scripted(given))  # type: ignore[operator]  # one of the writes
    assert not isinstance(caught.value, Transient)


@pytest.mark.parametrize("call", PUTS)
@on_virtual_time
async def test_a_503_and_a_409_did_not_begin_an_edit(call: object) -> None:
    for given in (answer(503, HTML), answer(503, HTML, {"retry-after": "4"}), answer(409, {})):
        with pytest.raises(Unavailable):
            await call(Scripted(given))  # type: ignore[operator]  # one of PUTS


@pytest.mark.parametrize("call", POSTS)
@on_virtual_time
async def test_a_503_did_not_begin_a_create_only_if_the_vendor_asks_to_come_again(call: object) -> None:
    with pytest.raises(Unavailable) as caught:
        await call(Scripted(answer(503, HTML, {"retry-after": "4"})))  # type: ignore[operator]  # one of POSTS
    assert caught.value.retry_after_s == 4
    with pytest.raises(UnclearEffect):
        await call(Scripted(answer(503, HTML)))  # type: ignore[operator]  # one of POSTS


@pytest.mark.parametrize("call", POSTS)
@on_virtual_time
async def test_a_create_that_answers_without_an_id_is_unclear(call: object) -> None:
    with pytest.raises(UnclearEffect):
        await call(Scripted(answer(201, {})))  # type: ignore[operator]  # one of POSTS


@pytest.mark.parametrize("status", [200, 404])
@on_virtual_time
async def test_a_revoked_jira_token_that_looks_like_success_is_noticed(status: int) -> None:
    headers = {"x-seraph-loginreason": "AUTHENTICATED_FAILED"}
    with pytest.raises(BadCredentials) as caught:
        await jira_client(Scripted(answer(status, {"issues": []}, headers))).search("project = TAN", ())
    assert not caught.value.denied


@on_virtual_time
async def test_a_locked_jira_login_says_to_stop_trying() -> None:
    headers = {"x-seraph-loginreason": "AUTHENTICATION_DENIED"}
    with pytest.raises(BadCredentials) as caught:
        await jira_client(Scripted(answer(403, HTML, headers))).myself()
    assert caught.value.denied


@on_virtual_time
async def test_jiras_words_are_kept_with_the_fields_they_are_about() -> None:
    body = {"errorMessages": ["Sorry."], "errors": {"summary": "Too long.", "customfield_1": "Not on the screen."}}
    with pytest.raises(Rejected) as caught:
        await jira_put(Scripted(answer(400, body)))
    assert caught.value.field_errors == {"summary": "Too long.", "customfield_1": "Not on the screen."}
    assert "Sorry." in caught.value.message
    assert "Not on the screen." in caught.value.message


@on_virtual_time
async def test_crafts_details_are_kept_by_property() -> None:
    details = {"requestBody.title": {"message": "too long", "value": "x"}, "requestBody.customFields.$0.value": "bad"}
    with pytest.raises(Rejected) as caught:
        await craft_put(Scripted(answer(400, {"message": "Validation Failed", "details": details})))
    assert caught.value.field_errors == {"title": "too long", "customFields.$0.value": "bad"}


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"12", b'"x"', b'{"errors": []}', b'{"errorMessages": {"a": 1}}', b"\xff", b"[" * 9999]
)
@pytest.mark.parametrize("call", EVERY)
@on_virtual_time
async def test_error_bodies_of_any_shape_do_no_harm(call: object, body: bytes) -> None:
    with pytest.raises(Rejected):
        await call(Scripted(answer(400, body)))  # type: ignore[operator]  # one of EVERY


def test_retry_after_is_read_as_seconds_or_date() -> None:
    now = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    assert retry_after({"retry-after": "30"}, now) == 30
    assert retry_after({"retry-after": "Mon, 05 Jan 2026 09:01:00 GMT"}, now) == 60
    assert retry_after({"retry-after": "Mon, 05 Jan 2026 08:01:00 GMT"}, now) == 0
    assert retry_after({"retry-after": "soon"}, now) is None
    assert retry_after({}, now) is None
    assert server_date({"date": "Mon, 05 Jan 2026 09:00:00 GMT"}) == now
    assert server_date({"date": "yesterday"}) is None


@pytest.mark.parametrize("secret", ["pat\r", "p\nat", "p\0at"])
@on_virtual_time
async def test_a_token_that_no_header_takes_is_refused_in_words_before_anything_is_sent(secret: str) -> None:
    vendor = Scripted(answer(200, {}))
    with pytest.raises(BadCredentials, match="line end or another control character") as caught:
        await data_center_client(vendor, token=secret).myself()
    assert secret not in str(caught.value)
    assert vendor.requests == []


@on_virtual_time
async def test_a_proxy_that_repeats_our_headers_does_not_bring_the_credentials_into_words() -> None:
    words = await _refused(Scripted(answer(400, {"errorMessages": [f"authorization: Bearer {SYNC_TOKEN}"]})))
    assert "authorization: Bearer [credentials]" in words
    words = await _refused(Scripted(answer(400, {"errorMessages": ["No."], "errors": {"summary": SYNC_TOKEN}})))
    assert SYNC_TOKEN not in words
    # Cloud's token travels inside of Basic; what repeats it may have unpacked it.
    echoed = Scripted(answer(400, {"errorMessages": [f"authorization: Bearer {SYNC_TOKEN}"]}))
    assert "authorization: Bearer [credentials]" in await _refused(echoed, jira_client(echoed))


async def _refused(vendor: Scripted, client: JiraClient | None = None) -> str:
    with pytest.raises(Rejected) as caught:
        await (client or data_center_client(vendor)).update_issue(ISSUE, {"summary": "x"}, OP, read_fields=())
    return f"{caught.value} {caught.value.field_errors}"
