"""Who is believed: signatures over raw bytes, two secrets, tokens in the URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_gateway.domain.verify import Refused, RefusedBecause, Verified, verify
from shared.domain.ids import Side
from shared.domain.mapping import ConnectionSecrets
from tests.unit.gateway.harness import OLD_SECRET, SECRET, URL_TOKEN, signed

SIGNING = ConnectionSecrets(token="t", webhook_secrets=(SECRET, OLD_SECRET))
BY_URL = ConnectionSecrets(token="t", url_token=URL_TOKEN)
BOTH = ConnectionSecrets(token="t", webhook_secrets=(SECRET,), url_token=URL_TOKEN)
NAMES = {Side.JIRA: "x-hub-signature", Side.CRAFT: "x-craft-signature"}


def _verify(
    side: Side, raw: bytes, signature: str | None, secrets: ConnectionSecrets = SIGNING, token: str | None = None
) -> Verified | Refused:
    headers = {} if signature is None else {NAMES[side]: signature}
    return verify(side, headers, raw, secrets, token)


def _signature(raw: bytes, secret: str = SECRET, method: str = "sha256") -> str:
    return next(iter(signed(Side.JIRA, raw, secret, method).values()))


def test_the_published_test_vector_verifies() -> None:
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert _verify(Side.JIRA, b"Hello World!", signature) == Verified("signature")


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
@given(raw=st.binary(max_size=200))
def test_either_secret_signs_any_bytes_during_rotation(side: Side, secret: str, raw: bytes) -> None:
    assert _verify(side, raw, _signature(raw, secret)) == Verified("signature")


@given(raw=st.binary(min_size=1, max_size=200), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_body_is_refused(raw: bytes, at: int, bit: int) -> None:
    changed = bytearray(raw)
    changed[at % len(raw)] ^= 1 << bit
    assert _verify(Side.JIRA, bytes(changed), _signature(raw)) == Refused(RefusedBecause.BAD_SIGNATURE)


def test_a_secret_that_is_not_set_is_refused() -> None:
    refused = _verify(Side.JIRA, b"x", _signature(b"x", "another"))
    assert refused == Refused(RefusedBecause.BAD_SIGNATURE)


@pytest.mark.parametrize("method", ["sha384", "sha512"])
def test_the_method_is_read_from_the_header(method: str) -> None:
    assert _verify(Side.JIRA, b"x", _signature(b"x", SECRET, method)) == Verified("signature")


@pytest.mark.parametrize("method", ["sha1", "md5", "crc32", "", "SHA-256"])
def test_a_method_that_is_not_on_the_list_is_refused_although_it_is_right(method: str) -> None:
    usable = method if method in ("sha1", "md5") else "sha256"
    digest = _signature(b"x", SECRET, usable).partition("=")[2]
    assert _verify(Side.JIRA, b"x", f"{method}={digest}") == Refused(RefusedBecause.METHOD_NOT_ALLOWED)


@given(signature=st.text(max_size=100))
def test_any_text_for_a_signature_is_refused_and_never_an_error(signature: str) -> None:
    assert isinstance(_verify(Side.JIRA, b"x", signature), Refused)


def test_a_truncated_signature_is_refused() -> None:
    assert isinstance(_verify(Side.JIRA, b"x", _signature(b"x")[:-1]), Refused)


def test_hex_digits_may_be_capitals() -> None:
    method, _, digest = _signature(b"x").partition("=")
    assert _verify(Side.JIRA, b"x", f"{method}={digest.upper()}") == Verified("signature")


def test_a_signature_in_the_other_vendors_header_proves_nothing() -> None:
    headers = {"x-craft-signature": _signature(b"x"), "x-hub-signature-256": _signature(b"x")}
    assert verify(Side.JIRA, headers, b"x", SIGNING, None) == Refused(RefusedBecause.NOT_SIGNED)


def test_a_connection_without_any_secret_believes_nobody() -> None:
    for secrets in (ConnectionSecrets(token="t"), ConnectionSecrets(token="t", webhook_secrets=("",), url_token="")):
        refused = verify(Side.JIRA, {"x-hub-signature": _signature(b"x", "k")}, b"x", secrets, "")
        assert refused == Refused(RefusedBecause.NO_SECRET_SET)


def test_the_token_in_the_url_stands_in_for_a_signature() -> None:
    assert _verify(Side.JIRA, b"x", None, BY_URL, URL_TOKEN) == Verified("url_token")
    assert _verify(Side.JIRA, b"x", None, BY_URL, URL_TOKEN + "x") == Refused(RefusedBecause.BAD_TOKEN)
    assert _verify(Side.JIRA, b"x", None, BY_URL, "\udc80") == Refused(RefusedBecause.BAD_TOKEN)
    assert _verify(Side.JIRA, b"x", None, BY_URL) == Refused(RefusedBecause.NOT_SIGNED)
    assert _verify(Side.JIRA, b"x", None, SIGNING, URL_TOKEN) == Refused(RefusedBecause.NOT_SIGNED)


def test_a_wrong_signature_is_refused_whatever_the_url_says() -> None:
    refused = _verify(Side.JIRA, b"x", _signature(b"y"), BOTH, URL_TOKEN)
    assert refused == Refused(RefusedBecause.BAD_SIGNATURE)


def test_every_reason_has_words_that_say_what_to_do() -> None:
    assert all(len(reason.words) > 20 for reason in RefusedBecause)
