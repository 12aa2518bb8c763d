"""Wrong tries of the token are few for each address; neither is the admin locked out nor is anybody forgotten."""

from __future__ import annotations

from services.console.domain.tries import TokenTries
from tests.unit.console.harness import TOKEN, desk

STRANGER, ADMIN = "192.0.2.7", "192.0.2.8"


async def test_after_ten_wrong_tries_an_address_has_to_wait_whatever_it_sends() -> None:
    async with desk() as admin:
        for number in range(13):
            async with admin.client.get("/api/v1/links", headers={"Authorization": f"Bearer guess-{number}"}) as answer:
                assert answer.status == (401 if number < 10 else 429), number
        for token in ("another", TOKEN):
            async with admin.client.get("/api/v1/links", headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.status == 429
                assert 0 < int(answer.headers["Retry-After"]) <= 60
                assert (await answer.json(content_type=None))["code"] == "too_many_tries"
        # Who tries nothing is told what is missing, as ever.
        async with admin.client.get("/api/v1/links") as answer:
            assert answer.status == 401


async def test_an_address_from_which_the_admin_has_come_is_not_shut_out_by_strangers_behind_the_same_proxy() -> None:
    async with desk() as admin:
        await admin.get("/links")
        for number in range(30):
            async with admin.client.get("/api/v1/links", headers={"Authorization": f"Bearer guess-{number}"}) as answer:
                assert answer.status == 401
        await admin.get("/links")


def test_tries_come_back_one_by_one() -> None:
    tries = TokenTries()
    for _ in range(10):
        assert tries.wait_s(STRANGER, 0.0) == 0
        tries.wrong(STRANGER, 0.0)
    assert tries.wait_s(STRANGER, 0.0) == 6
    assert tries.wait_s(ADMIN, 0.0) == 0
    assert tries.wait_s(STRANGER, 6.0) == 0
    tries.wrong(STRANGER, 6.0)
    assert tries.wait_s(STRANGER, 6.0) == 6
    assert tries.wait_s(STRANGER, 1000.0) == 0


def test_addresses_of_one_subscriber_count_together_and_an_ipv4_address_is_the_same_however_it_is_written() -> None:
    tries = TokenTries()
    for number in range(10):
        tries.wrong(f"2001:db8:1:2::{number:x}", 0.0)
        tries.wrong(f"::ffff:{STRANGER}", 0.0)
    assert tries.wait_s("2001:db8:1:2:ffff::1", 0.0) > 0
    assert tries.wait_s("2001:db8:1:3::1", 0.0) == 0
    assert tries.wait_s(STRANGER, 0.0) > 0


def test_a_flood_of_addresses_takes_bounded_memory_and_does_not_push_out_the_admins() -> None:
    tries = TokenTries()
    tries.right(ADMIN)
    for number in range(25_000):
        tries.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(tries._known) == 10_000
    for _ in range(20):
        tries.wrong(ADMIN, 0.0)
    assert tries.wait_s(ADMIN, 0.0) == 0
