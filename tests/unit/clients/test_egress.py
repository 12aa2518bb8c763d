"""Which addresses may be asked: public ones over https, and what an operator named; in whatever form they come."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.clients.egress import RANGES, Egress, internal_network, kind_of
from shared.clients.settings import VendorSettings
from shared.clients.transport import NotAllowed

PUBLIC = ("8.8.8.8", "104.192.141.1", "2606:4700::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2a05:d018::1")
INTERNAL = (
    *("127.0.0.1", "127.8.9.1", "::1", "0.1.2.3", "::", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    "0.0.0.0",  # noqa: S104  # nothing is bound to it
    *("100.64.0.1", "169.254.1.1", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1", "fd00::1", "fd00:ec2::254"),
    *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "::127.0.0.1"),
    *("2002:7f00:1::1", "2002:808:808::1", "2001::1", "192.0.0.192", "168.63.129.16", "100.100.100.200", "198.18.0.1"),
    *("224.0.0.1", "239.1.1.1", "ff02::1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "2001:db8::1", "4000::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_asked(address: str) -> None:
    Egress().check_address(address)
    assert kind_of(address) == "public"


@pytest.mark.parametrize("address", INTERNAL)
def test_everything_else_is_refused_in_words_that_do_not_repeat_it(address: str) -> None:
    with pytest.raises(NotAllowed, match="internal or reserved") as refused:
        Egress().check_address(address)
    assert address not in str(refused.value)
    assert kind_of(address) != "public"


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f000001", "127.0.0.1 ", "::1/128"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed):
        Egress().check_address(text)
    assert kind_of(text) == "no address"


@given(st.ip_addresses(v=4))
def test_ipv4_in_ipv6_is_judged_as_what_it_leads_to(address: ipaddress.IPv4Address) -> None:
    forms = (f"::ffff:{address}", f"64:ff9b::{address}", str(ipaddress.IPv6Address(0xFFFF_0000_0000 | int(address))))
    assert {kind_of(form) for form in forms} == {kind_of(str(address))}


@given(st.ip_addresses())
def test_what_python_calls_internal_is_refused_too(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None
    if not address.is_global and not mapped:
        assert kind_of(str(address)) != "public"


def egress(*entries: str) -> Egress:
    return Egress(allowed=tuple(internal_network(entry) for entry in entries))


def test_an_entry_opens_what_it_names_and_nothing_beside_it() -> None:
    allowed = egress("10.20.0.0/16", "fd00::/8", "::1")
    for address in ("10.20.0.1", "::ffff:10.20.0.1", "64:ff9b::10.20.255.255", "fd12::1", "::1"):
        allowed.check_address(address)
    for address in ("10.21.0.1", "127.0.0.1", "192.168.0.1", "fc00::1", "::2", "::ffff:10.21.0.1"):
        with pytest.raises(NotAllowed):
            allowed.check_address(address)


@pytest.mark.parametrize(
    ("wide", "metadata"),
    [
        ("169.254.0.0/16", "169.254.169.254"),
        ("169.254.0.0/16", "::ffff:169.254.169.254"),
        ("169.254.0.0/16", "169.254.170.2"),
        ("100.64.0.0/10", "100.100.100.200"),
        ("fc00::/7", "fd00:ec2::254"),
        ("192.0.0.0/24", "192.0.0.192"),
    ],
)
def test_a_clouds_metadata_opens_to_its_very_address_only(wide: str, metadata: str) -> None:
    with pytest.raises(NotAllowed):
        egress(wide).check_address(metadata)
    exact = metadata.removeprefix("::ffff:")
    egress(exact).check_address(metadata)


@pytest.mark.parametrize("entry", ["0.0.0.0/0", "::/0", "8.8.8.8", "10.0.0.0/7", "10.0.0.1/8", "jira.internal", ""])
def test_an_entry_that_opens_more_than_one_kind_or_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"no network|not part of an internal network"):
        internal_network(entry)


def test_every_range_of_the_table_can_be_allowed_by_itself() -> None:
    for known, _ in RANGES:
        egress(str(known)).check_address(str(known[-1] if known.num_addresses > 1 else known[0]))


@pytest.mark.parametrize(
    "url", ["http://orchard.example", "http://8.8.8.8", "ftp://orchard.example", "tcp://a.example:1"]
)
def test_only_https_is_asked(url: str) -> None:
    with pytest.raises(NotAllowed):
        Egress().check_url(url)
    Egress().check_url("https://orchard.example/rest/api/3/myself")


def test_a_host_that_is_named_may_be_asked_over_http_but_not_its_neighbours() -> None:
    named = Egress(plain_http_hosts=frozenset({"jira.internal"}))
    assert named.check_url("http://JIRA.internal:8080/x").host == "jira.internal"
    for url in ("http://a.jira.internal", "http://jira.internal.evil.example", "http://jira.internal@evil.example"):
        with pytest.raises(NotAllowed):
            named.check_url(url)


@pytest.mark.parametrize("path", ["/rest/api/2/project/Ä B", "/x?jql=project = TAN#y", "/a//b/../{c}", "", "/\\@evil"])
def test_what_comes_after_the_host_is_nobody_elses_business(path: str) -> None:
    assert Egress().check_url(f"https://orchard.example{path}").origin == "https://orchard.example:443"


@pytest.mark.parametrize("rest", ["\\@evil.example/x", "?@evil.example/", "#/x", "@evil.example", ":443@evil.example/"])
def test_what_could_move_the_host_is_refused(rest: str) -> None:
    with pytest.raises(NotAllowed):
        Egress().check_url(f"https://orchard.example{rest}")


def test_a_literal_address_is_judged_before_anything_is_asked_for() -> None:
    for url in ("https://127.0.0.1", "https://[::ffff:10.0.0.1]:8443/x", "https://169.254.169.254/latest/meta-data"):
        with pytest.raises(NotAllowed):
            Egress().check_url(url)


def settings(**given: str) -> VendorSettings:
    common = {"kafka_bootstrap": "k:1", "database_url": "postgresql://d/d", "secret_key": "A" * 43 + "="}
    return VendorSettings(**{**common, **given})  # type: ignore[arg-type]  # all are text


def test_both_settings_are_lists_and_empty_by_default() -> None:
    assert settings().egress() == Egress()
    given = settings(allowed_internal_addresses=" 127.0.0.0/8, ::1 ", plain_http_hosts="Jira.internal, 10.1.2.3,::1")
    assert given.egress() == Egress(
        allowed=(internal_network("127.0.0.0/8"), internal_network("::1/128")),
        plain_http_hosts=frozenset({"jira.internal", "10.1.2.3", "::1"}),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("allowed_internal_addresses", "0.0.0.0/0"),
        ("allowed_internal_addresses", "jira.internal"),
        ("plain_http_hosts", "http://jira.internal"),
        ("plain_http_hosts", "jira.internal:8080"),
        ("plain_http_hosts", "*"),
        ("plain_http_hosts", "a/b"),
    ],
)
def test_a_setting_that_means_something_else_than_it_says_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(ValidationError, match=name):
        settings(**{name: text})
