"""The real transport asks no internal address, in whatever form it comes; checked at the socket, on real servers."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.clients.aiohttp_transport import open_transport
from shared.clients.egress import Egress, internal_network
from shared.clients.transport import HttpRequest, NotAllowed, NotSent
from tests.conformance.client_worlds import LOOPBACK
from tests.conformance.listeners import listening

HTTP = frozenset({"127.0.0.1", "localhost", "site.test", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"})


class Names(AbstractResolver):
    """A name server of one name; notes whether it was asked at all."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        """Return the addresses as the system's resolver would."""
        del family
        self.asked += 1
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for each in self.addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "2130706433", "0x7f000001", "0x7f.1"),
        *("127.1", "0177.0.0.1", "127.0.0.1.", "0", "[::]"),
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
    ],
)
async def test_no_form_of_an_internal_address_reaches_a_server_there(method: str, host: str) -> None:
    async with listening() as inside, open_transport(Egress(plain_http_hosts=HTTP)) as transport:
        port = inside.url.rpartition(":")[2]
        for scheme in ("http", "https"):
            with pytest.raises(NotSent) as refused:
                await transport.send(
                    HttpRequest(method, f"{scheme}://{host}:{port}/x", headers={"x-api-key": "secret"})
                )
            assert isinstance(refused.value, NotAllowed)
        assert inside.requests == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "fd00:ec2::254",
        "::1",
        "64:ff9b::7f00:1",
        "0.0.0.1",
    ],
)
async def test_a_name_that_leads_inside_is_not_asked_and_the_words_do_not_say_where(method: str, address: str) -> None:
    names = Names(address)
    async with listening() as inside, open_transport(Egress(plain_http_hosts=HTTP), resolver=names) as transport:
        port = inside.url.rpartition(":")[2]
        with pytest.raises(NotAllowed, match="internal or reserved") as refused:
            await transport.send(HttpRequest(method, f"http://site.test:{port}/x"))
        assert names.asked == 1
        assert address not in str(refused.value)
        assert inside.requests == []


async def test_an_address_that_is_allowed_is_asked_although_the_name_has_internal_ones_too() -> None:
    allowed = Egress(allowed=(internal_network("127.0.0.1"),), plain_http_hosts=HTTP)
    async with listening() as open_one, open_transport(allowed, resolver=Names("127.0.0.3", "127.0.0.1")) as transport:
        port = open_one.url.rpartition(":")[2]
        answer = await transport.send(HttpRequest("GET", f"http://site.test:{port}/x"))
        assert (answer.status, len(open_one.requests)) == (200, 1)


async def test_what_differs_only_by_being_refused_says_nothing_about_what_is_there() -> None:
    """A closed port, an open one and no machine at all sound alike: nobody maps a network by our words."""
    told = set()
    async with listening() as inside, open_transport(Egress(plain_http_hosts=HTTP)) as transport:
        for url in (inside.url, "http://127.0.0.1:1", "https://10.255.255.1", "https://169.254.169.254/latest"):
            with pytest.raises(NotAllowed) as refused:
                await transport.send(HttpRequest("GET", url))
            told.add(str(refused.value))
        assert inside.requests == []
    assert len(told) == 1


async def test_plain_http_is_not_asked_unless_the_host_is_named() -> None:
    allowed = Egress(allowed=LOOPBACK.allowed)
    async with listening() as inside, open_transport(allowed) as transport:
        with pytest.raises(NotAllowed, match="https"):
            await transport.send(HttpRequest("GET", inside.url, headers={"x-api-key": "secret"}))
        assert inside.requests == []


async def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect for us, to what it resolves itself."""
    async with listening() as proxy, listening() as site:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with open_transport(LOOPBACK) as transport:
            await transport.send(HttpRequest("GET", site.url))
        assert (len(proxy.requests), len(site.requests)) == (0, 1)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\0b", "\ud800"])
async def test_a_header_that_cannot_be_written_is_certainly_not_sent(value: str) -> None:
    async with listening() as site, open_transport(LOOPBACK) as transport:
        with pytest.raises(NotSent, match="header"):
            await transport.send(HttpRequest("GET", site.url, headers={"x-api-key": value}))
        assert site.requests == []
