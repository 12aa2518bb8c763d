"""Credentials at rest: sealed with the first key, opened with any of them, so that keys can be replaced one after the
other; and bound to the address that they were given for, so that they open for no other (ADR 0022).

Called by `shared.store.postgres.config`, `shared.store.reseal` and the migration that bound them. Never logs, never
puts a secret or a key into the words of an error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from shared.domain.binding import Binding
from shared.domain.errors import OwnWords
from shared.domain.mapping import ConnectionSecrets
from shared.store.port import CredentialsUnreadable

VERSION: Final = b"\x02"
"""The first byte of what is sealed. (What releases before the binding sealed began with the letter g.)"""
_KEY_BYTES: Final = 32
_KEY_ID: Final = 4
_NONCE: Final = 12
_HEAD: Final = len(VERSION) + _KEY_ID + _NONCE
_MAKE_ONE: Final = "make one with `python -m shared.store.secrets`"


class SecretKeyWrong(OwnWords):
    """No key, a key of the wrong shape, or none of the keys opens what is stored. Names the setting, never the key."""


@dataclass(frozen=True, slots=True)
class _Key:
    ident: bytes
    cipher: AESGCM


class SecretBox:
    """Seals and opens the credentials of connections: AES-256-GCM, with their binding as associated data.

    Sealed: version (1 byte), id of the key (4), nonce (12, random), ciphertext and tag.
    """

    def __init__(self, keys: str) -> None:
        """Take one key or several, comma-separated, the newest first. Raises `SecretKeyWrong` for a key of a wrong
        shape.
        """
        texts = [key.strip() for key in keys.split(",") if key.strip()]
        if not texts:
            raise SecretKeyWrong(f"TANDEM_SECRET_KEY is empty; {_MAKE_ONE}")
        self._keys = [_key(text) for text in texts]

    def seal(self, secrets: ConnectionSecrets, binding: Binding) -> bytes:
        """Return credentials as bytes that say nothing without the key and open for this binding alone."""
        key = self._keys[0]
        head = VERSION + key.ident + os.urandom(_NONCE)
        return head + key.cipher.encrypt(head[-_NONCE:], secrets.model_dump_json().encode(), _context(head, binding))

    def open(self, sealed: bytes, binding: Binding) -> ConnectionSecrets:
        """Return sealed credentials. Raises `CredentialsUnreadable` if no key fits, if they were changed, and if they
        were sealed for anything but this binding.
        """
        if not self.knows(sealed):
            raise CredentialsUnreadable("no key of TANDEM_SECRET_KEY fits")
        head, body = sealed[:_HEAD], sealed[_HEAD:]
        for key in self._keys:
            if key.ident == _ident(head):
                try:
                    clear = key.cipher.decrypt(head[-_NONCE:], body, _context(head, binding))
                    return ConnectionSecrets.model_validate_json(clear)
                except InvalidTag:
                    continue
                except ValidationError:
                    raise CredentialsUnreadable("they have a shape that this release does not know") from None
        raise CredentialsUnreadable("they were changed, or sealed for another address, account or connection")

    def knows(self, sealed: bytes) -> bool:
        """Tell whether one of the keys is the one that it says it was sealed with."""
        return sealed[:1] == VERSION and len(sealed) > _HEAD and _ident(sealed) in {key.ident for key in self._keys}

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether it was sealed with the first key."""
        return sealed[:1] == VERSION and _ident(sealed) == self._keys[0].ident


def _key(text: str) -> _Key:
    try:
        given = base64.urlsafe_b64decode(text)
    except ValueError:
        given = b""
    if len(given) != _KEY_BYTES:
        raise SecretKeyWrong(f"TANDEM_SECRET_KEY is not 32 bytes in URL-safe base64; {_MAKE_ONE}")
    return _Key(_derived(given, b"tandem key id", _KEY_ID), AESGCM(_derived(given, b"tandem credentials", _KEY_BYTES)))


def _derived(key: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(key)


def _ident(sealed: bytes) -> bytes:
    return sealed[len(VERSION) : len(VERSION) + _KEY_ID]


def _context(head: bytes, binding: Binding) -> bytes:
    return head[:-_NONCE] + binding.as_bytes()


def content_digests(keys: str, content: bytes) -> list[str]:
    """Return what a content is known by under each of the keys (comma-separated), the newest first. Whoever lacks the
    key cannot try out what the content may be.
    """
    purpose = b"tandem content digest"
    return [
        hmac.new(_derived(base64.urlsafe_b64decode(key), purpose, _KEY_BYTES), content, hashlib.sha256).hexdigest()
        for key in keys.split(",")
    ]


def new_key() -> str:
    """Return a new random key."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


if __name__ == "__main__":
    print(new_key())  # noqa: T201  # a command line prints
