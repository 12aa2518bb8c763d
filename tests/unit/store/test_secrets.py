"""What is sealed opens with its key, for its binding, unchanged; and with nothing else."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.binding import Binding
from shared.domain.ids import ConnectionId
from shared.domain.mapping import ConnectionKind, ConnectionSecrets
from shared.store.port import CredentialsUnreadable
from shared.store.secrets import SecretBox, SecretKeyWrong, new_key

OLD, NEW = new_key(), new_key()
SECRETS = ConnectionSecrets(token="token-in-clear", webhook_secrets=("a" * 20,), url_token="u" * 20)
BINDING = Binding(ConnectionId("a"), ConnectionKind.JIRA_CLOUD, "https://a.example:443", "us@a.example")


def test_what_is_sealed_says_nothing_and_is_never_the_same_twice() -> None:
    box = SecretBox(OLD)
    one, other = box.seal(SECRETS, BINDING), box.seal(SECRETS, BINDING)
    assert one != other
    for form in (SECRETS.token.encode(), SECRETS.token.encode().hex().encode(), base64.b64encode(b"token-in-clear")):
        assert form not in one
    assert box.open(one, BINDING) == SECRETS


@given(st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    box = SecretBox(OLD)
    sealed = bytearray(box.seal(SECRETS, BINDING))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CredentialsUnreadable):
        box.open(bytes(sealed), BINDING)


@given(st.integers(0, 60))
def test_nothing_shorter_opens(length: int) -> None:
    box = SecretBox(OLD)
    with pytest.raises(CredentialsUnreadable):
        box.open(box.seal(SECRETS, BINDING)[:length], BINDING)


@pytest.mark.parametrize(
    "change",
    [
        {"connection_id": "b"},
        {"kind": ConnectionKind.JIRA_DATA_CENTER},
        {"origin": "https://b.example:443"},
        {"account": ""},
        {"origin": 'https://a.example:443","us@a.example', "account": ""},
    ],
)
def test_no_other_binding_opens_it(change: dict[str, str]) -> None:
    box = SecretBox(OLD)
    with pytest.raises(CredentialsUnreadable, match="another address, account or connection"):
        box.open(box.seal(SECRETS, BINDING), dataclasses.replace(BINDING, **change))  # type: ignore[arg-type]


def test_the_newest_key_seals_and_all_open() -> None:
    sealed = SecretBox(OLD).seal(SECRETS, BINDING)
    both = SecretBox(f"{NEW}, {OLD}")
    assert both.open(sealed, BINDING) == SECRETS
    again = both.seal(SECRETS, BINDING)
    assert SecretBox(NEW).open(again, BINDING) == SECRETS
    with pytest.raises(CredentialsUnreadable, match="no key of TANDEM_SECRET_KEY fits") as refused:
        SecretBox(NEW).open(sealed, BINDING)
    assert OLD not in str(refused.value)
    assert NEW not in str(refused.value)


def test_what_an_earlier_release_sealed_opens_no_more() -> None:
    """It was bound to nothing: in whatever row it is put, it would open."""
    sealed = Fernet(OLD).encrypt(SECRETS.model_dump_json().encode())
    assert not SecretBox(OLD).knows(sealed)
    with pytest.raises(CredentialsUnreadable):
        SecretBox(OLD).open(sealed, BINDING)


@pytest.mark.parametrize("key", ["", " , ", "no key", "c2hvcnQ" * 5, "A" * 40])
def test_a_key_of_a_wrong_shape_is_named_but_not_shown(key: str) -> None:
    with pytest.raises(SecretKeyWrong, match="TANDEM_SECRET_KEY") as refused:
        SecretBox(key)
    assert not key.strip(" ,") or key not in str(refused.value)
