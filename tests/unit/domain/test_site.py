"""Addresses of sites are read so strictly that no other reader reads them otherwise; credentials are bound to that."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from shared.domain.binding import Binding
from shared.domain.ids import ConnectionId
from shared.domain.mapping import Connection, ConnectionKind
from shared.domain.site import origin_of, site_of

PARTS = st.sampled_from(
    [
        *(
            "http",
            "https",
            "HTTPS",
            "ftp",
            "://",
            "//",
            ":",
            "/",
            "\\",
            "@",
            "?",
            "#",
            "[",
            "]",
            "%",
            "%2f",
            "%00",
            " ",
        ),
        *(
            "\t",
            "\n",
            ".",
            "..",
            "-",
            "_",
            "a",
            "jira",
            "example",
            "xn--",
            "ß",
            "\u017f",
            "。",
            "\uff11",
            "0x7f",
            "0177",
            "1",
            "80",
        ),
        *("99999", "127.0.0.1", "::1", "::ffff:7f00:1", "fe80::1%25eth0", "\u200b", "\ud800", "=", ";", "user"),
    ]
)
URLS = st.builds(
    lambda scheme, rest: scheme + "".join(rest), st.sampled_from(["http://", "https://", ""]), st.lists(PARTS)
)


@given(st.one_of(URLS, st.text(alphabet=string.printable, max_size=30).map(lambda text: f"https://{text}")))
@example("https://good.example\\@evil.example")
@example("https://good.example\\.evil.example")
@example("https://faß.example")
@example("http://[::ffff:127.0.0.1]:80/")
@example("https://a.example:")
@example("https://a.example:0")
def test_an_address_that_is_taken_leads_where_the_http_client_goes(url: str) -> None:
    """Two readers that differ about a host are how a check of one host lets a request go to another."""
    try:
        site = site_of(url)
    except ValueError:
        return
    read = URL(url)
    assert (read.scheme, (read.host or "").lower(), read.port) == (site.scheme, site.host, site.port)
    assert read.user is None
    assert read.password is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://orchard.example", "https://orchard.example:443"),
        ("HTTPS://Orchard.Example/jira", "https://orchard.example:443"),
        ("https://orchard.example:443", "https://orchard.example:443"),
        ("http://jira_dc:8080/jira", "http://jira_dc:8080"),
        ("http://10.1.2.3", "http://10.1.2.3:80"),
        ("https://[2001:DB8:0::1]:8443/", "https://[2001:db8::1]:8443"),
        ("https://orchard.example.", "https://orchard.example.:443"),
    ],
)
def test_one_site_has_one_origin(url: str, origin: str) -> None:
    assert site_of(url).origin == origin
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        *("", "orchard.example", "ftp://orchard.example", "https://", "https:///x", "https://a b.example"),
        *("//a.example",),
        *("https://user:pass@a.example", "https://@a.example", "https://a.example/?x", "https://a.example/#x"),
        *("https://a.example?", "https://a.exa\nmple", " https://a.example", "https://a.example/\x7f"),
        *("https://a.example:99999", "https://a.example:0", "https://a.example:x", "https://a.example:-1"),
        *("http://2130706433", "http://0x7f000001", "http://0x7f.1", "http://127.1", "http://0177.0.0.1"),
        *("http://1.2.3.4.5", "http://127.0.0.1.", "http://256.1.1.1", "http://[::1", "http://[fe80::1%25eth0]"),
        *("http://[v1.x]", "http://[1.2.3.4]", "https://-a.example", "https://a..example"),
        *("https://" + "a" * 64 + ".example", "https://" + "a." * 127 + "example", "https://b\u00fccher.example"),
        *("https://a.example/\u00e4", "https://a.example/\\evil", "https://a%2eexample", "https://\ud800.example"),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is not an|must be|has a host)"):
        site_of(url)
    assert origin_of(url) == url, "an older release may have taken it: it stays what it is"


def binding(**changes: object) -> Binding:
    made = Connection(
        id=ConnectionId("a"), kind=ConnectionKind.JIRA_CLOUD, name="A", url="https://a.example", email="us@a.example"
    )
    return Binding.of(made.model_copy(update=changes))


def test_a_binding_is_the_connection_its_kind_its_origin_and_its_account() -> None:
    assert binding() == binding(name="B", revision=7, url="https://A.example:443/jira", email=" US@a.example ")
    others = [
        binding(id="b"),
        binding(kind=ConnectionKind.JIRA_DATA_CENTER),
        binding(url="http://a.example"),
        binding(url="https://a.example:444"),
        binding(url="https://a.example.evil.example"),
        binding(email="you@a.example"),
        binding(email=None),
        binding(email=None, username="sync"),
    ]
    assert len({each.as_bytes() for each in (binding(), *others)}) == len(others) + 1
